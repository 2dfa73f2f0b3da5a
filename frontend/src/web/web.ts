// The page at `/`: the Code tab of the app without Jupyter. The panels and plots are the app's own;
// only where they lie, and what connects them, is here.

import { h, setText } from "../lib/dom.ts";
import { oncePerPage } from "../lib/library.ts";
import type { Model } from "../lib/model.ts";
import { mount } from "../page.ts";
import { readAddress, type View, writeAddress } from "./address.ts";
import { Connection, type Lost, type Problem } from "./connection.ts";
import { PageModel, type State } from "./page_model.ts";
import { WEB_TEXTS } from "./texts.ts";

const LIBRARY = new PageModel("library", () => {});
LIBRARY.update({ release: "page" });

/** Place on the page -> part that is shown there. */
const PARTS = {
  header: "header",
  toolbar: "toolbar",
  head_selector: "head_selector",
  heatmap: "plot",
  code_text: "code_text",
  bars: "plot",
  status: "status",
} as const;
type Place = keyof typeof PARTS;
const PLACES = Object.keys(PARTS) as Place[];

const ADDRESS_MS = 300;

/** Text and cursor of the editor. */
interface Typed {
  readonly value: string;
  readonly focused: boolean;
  readonly from: number;
  readonly to: number;
}

function loadPlotly(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "page/plotly.js";
    script.addEventListener("load", () => resolve(Reflect.get(globalThis, "Plotly")));
    script.addEventListener("error", () => reject(new Error(WEB_TEXTS.no_plotly)));
    document.head.append(script);
  });
}

class WebPage {
  private readonly places = new Map<Place, HTMLElement>();
  private readonly notice = h("div", { class: "ex-web-notice", role: "alert", hidden: true });
  private readonly panels: HTMLElement;
  private readonly connection: Connection;
  private models = new Map<string, PageModel>();
  private unmount: (() => void)[] = [];
  private view: View = readAddress(location.hash);
  private shown = location.hash;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement) {
    const place = (name: Place, classes = "") => {
      const node = h("div", { class: classes, "data-place": name });
      this.places.set(name, node);
      return node;
    };
    this.panels = h(
      "div",
      { class: "ex-web-panels" },
      place("header"),
      place("toolbar"),
      h(
        "div",
        { class: "ex-main" },
        place("head_selector"),
        h(
          "div",
          { class: "ex-panel ex-code-panel" },
          place("heatmap", "ex-heat"),
          place("code_text"),
          place("bars", "ex-bars"),
        ),
      ),
      place("status"),
    );
    const app = h("div", { class: "explorer-app ex-web" }, this.notice, this.panels);
    root.replaceChildren(app);
    const url = new URL("live", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.hash = "";
    this.connection = new Connection(url.href, () => this.current(), {
      opened: () => this.opened(),
      frame: (frame, buffers) => {
        const model = this.models.get(frame.part);
        if (frame.kind === "state") model?.update(frame.state);
        else model?.tell(frame.content, buffers);
      },
      lost: (why, problem) => this.lost(why, problem),
    });
    this.say(WEB_TEXTS.connecting, false);
    oncePerPage(LIBRARY as unknown as Model<never>, "plotly", loadPlotly).catch(() => {});
    window.addEventListener("hashchange", () => {
      if (location.hash === this.shown) return;
      this.view = readAddress(location.hash);
      this.offline = false;
      this.connection.connect();
    });
    // A page that was idle connects again when it is used.
    for (const event of ["focus", "pointerdown", "keydown"]) {
      window.addEventListener(event, () => this.wake(), { capture: true });
    }
    this.connection.connect();
  }

  private idle = false;
  private offline = false;

  private wake(): void {
    if (!this.idle) return;
    this.idle = false;
    this.connection.connect();
  }

  // ---- the connection

  private opened(): void {
    for (const stop of this.unmount) stop();
    this.unmount = [];
    this.models = new Map();
    for (const name of PLACES) {
      const model = new PageModel(name, (part, content) => this.connection.send(part, content));
      this.models.set(name, model);
      this.followView(name, model);
      let mounted = false;
      const begin = () => {
        if (mounted) return;
        mounted = true;
        const node = this.places.get(name) as HTMLElement;
        const before = name === "code_text" ? this.typed() : null;
        node.replaceChildren();
        this.unmount.push(
          mount(PARTS[name], model as Model<object>, LIBRARY as unknown as Model<never>, node),
        );
        if (name === "code_text") this.say("", false);
        if (before) this.restore(before);
      };
      // The texts come with the first state: nothing is built before.
      model.on("change:texts", begin);
    }
  }

  private editor(): HTMLTextAreaElement | null {
    return this.places.get("code_text")?.querySelector("textarea") ?? null;
  }

  /** Return what is in the editor, if the connection was lost meanwhile. */
  private typed(): Typed | null {
    const editor = this.editor();
    if (!this.offline || !editor?.value.trim()) return null;
    this.offline = false;
    return {
      value: editor.value,
      focused: document.activeElement === editor,
      from: editor.selectionStart,
      to: editor.selectionEnd,
    };
  }

  /** Return the view to begin with: what was typed without a connection must not be lost. */
  private current(): View {
    const editor = this.editor();
    if (this.offline && editor?.value.trim()) this.view = { ...this.view, source: editor.value };
    return this.view;
  }

  /** Put text and cursor where they were before the connection was lost. */
  private restore(typed: Typed): void {
    const look = () => {
      const editor = this.editor();
      if (!editor?.value) return;
      model?.off("change:source", look);
      if (editor.value !== typed.value) {
        editor.value = typed.value; // typed while the connection was made
        editor.dispatchEvent(new Event("input"));
      }
      editor.setSelectionRange(typed.from, typed.to);
      if (typed.focused) editor.focus();
    };
    const model = this.models.get("code_text");
    model?.on("change:source", look);
    look();
  }

  private lost(why: Lost, problem: Problem | null): void {
    this.offline = true;
    if (why === "token") this.askForToken(this.connection.token !== null);
    else if (why === "idle") {
      this.idle = true;
      this.say(WEB_TEXTS.idle, true);
    } else if (why === "refused" && problem) this.say(`${problem.detail} ${WEB_TEXTS.again}`, true);
    else this.say(WEB_TEXTS.lost, true);
  }

  private say(text: string, stale: boolean): void {
    this.notice.hidden = !text;
    this.notice.replaceChildren(text);
    this.panels.classList.toggle("ex-web-stale", stale);
  }

  private askForToken(wrong: boolean): void {
    const input = h("input", {
      type: "password",
      "aria-label": WEB_TEXTS.token,
      autocomplete: "off",
    });
    const submit = () => {
      this.connection.token = input.value.trim();
      this.say(WEB_TEXTS.connecting, true);
      this.connection.connect();
    };
    input.addEventListener("keydown", (event) => event.key === "Enter" && submit());
    this.say(wrong ? WEB_TEXTS.wrong_token : WEB_TEXTS.needs_token, true);
    this.notice.append(
      input,
      h("button", { type: "button", class: "ex-primary", onClick: submit }, WEB_TEXTS.use_token),
    );
    input.focus();
  }

  // ---- the view in the address

  private followView(name: Place, model: PageModel): void {
    const take = (names: readonly string[]) => () => {
      const content = (model.get("content") ?? {}) as State;
      const changes = names.filter((one) => one in content).map((one) => [one, content[one]]);
      this.take(Object.fromEntries(changes));
    };
    const kept: Partial<Record<Place, readonly string[]>> = {
      header: ["model"],
      toolbar: [
        "threshold",
        "threshold_mode",
        "threshold_scale",
        "unit_kind",
        "reduction",
        "normalisation",
        "colour_scale",
        "colour_range",
        "scaling",
        "hide_special",
        "hide_sink",
        "bar_order",
      ],
      head_selector: ["layer", "head", "measure"],
      code_text: ["direction"],
    };
    const names = kept[name];
    if (!names) return;
    model.on("change:content", () => {
      // Before there is a map, there is neither layer nor head to keep.
      if (name === "head_selector" && (model.get("content") as State)?.reason) return;
      take(names)();
    });
    if (name === "code_text") {
      model.on("change:source", () => {
        const source = model.get("source");
        if (source) this.take({ source });
      });
    }
  }

  private take(changes: View): void {
    this.view = { ...this.view, ...changes };
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const [hash] = writeAddress(this.view);
      this.shown = hash;
      history.replaceState(null, "", hash);
      this.shown = location.hash;
    }, ADDRESS_MS);
  }
}

const root = document.getElementById("explorer");
if (root) new WebPage(root);
else setText(document.body, WEB_TEXTS.no_root);
