// The top line: name, tabs, model and its state, copy, save, help.

import { fillSelect, quietButton } from "../../lib/controls.ts";
import { h, setText } from "../../lib/dom.ts";
import { copyText, download } from "../../lib/files.ts";
import { fill } from "../../lib/format.ts";
import { followKernel } from "../../lib/model.ts";
import { followTheme } from "../../lib/theme.ts";
import type {
  Choice,
  HeaderContent,
  HeaderGesture,
  HeaderTexts,
  SaveGesture,
} from "../../protocol/index.ts";
import { isFilled, panel } from "../panel.ts";
import { helpDialog } from "./help.ts";
import { menu } from "./menu.ts";

/** What the list of models holds in place of a model. */
const OTHER_MODEL = "other…";
const NOTICE_MS = 2500;

export const header = panel<HeaderContent, HeaderTexts, HeaderGesture>(
  "ex-header",
  ({ el, model, texts, tell, listen, atEnd }) => {
    let content: HeaderContent | undefined;
    const first = model.get("content");
    const ownPage = isFilled(first) && first.own_page;
    const set = (name: "model" | "tab", value: string) => tell.now({ kind: "set", name, value });
    const tabs = h("div", { class: "ex-tabs", role: "tablist", "aria-label": texts.tabs });
    const modelSelect = h("select", {
      "aria-label": texts.model,
      class: "ex-model",
      onChange: () => {
        if (modelSelect.value === OTHER_MODEL) askForModel(true);
        else set("model", modelSelect.value);
      },
    });
    const modelInput = h("input", {
      type: "text",
      class: "ex-model-input",
      "aria-label": texts.model_input,
      placeholder: texts.model_placeholder,
      spellcheck: "false",
      hidden: true,
      onKeydown: (event) => {
        if (event.key === "Escape") askForModel(false);
        const wanted = modelInput.value.trim();
        if (event.key !== "Enter" || !wanted) return;
        set("model", wanted);
        askForModel(false);
      },
    });
    const light = h("span", { class: "ex-light", "aria-hidden": "true" });
    const state = h("span", { class: "ex-model-state", role: "status" });
    const notice = h("span", { class: "ex-notice", role: "status" });
    const gone = h("p", { class: "ex-gone", role: "alert", hidden: true });
    const save = (what: SaveGesture["what"]) => () => tell.now({ kind: "save", what });

    el.replaceChildren(
      h("span", { class: "ex-name" }, texts.name),
      tabs,
      h("span", { class: "ex-grow" }),
      h("span", { class: "ex-model-box" }, light, modelSelect, modelInput, state),
      notice,
      ...(ownPage ? [quietButton(texts.link, texts.link_title, copyLink)] : []),
      quietButton(texts.copy, texts.copy_title, () => tell.now({ kind: "copy" })),
      menu(texts.save, texts.save_title, [
        [texts.save_table, save("table")],
        [texts.save_html, save("html")],
        [texts.save_png, save("png")],
        ...(ownPage ? [] : [[texts.save_traces, save("traces")] as const]),
        [texts.save_settings, save("settings")],
      ]),
      ...helpDialog(texts),
      gone,
    );
    atEnd(
      followTheme((theme) => whenPlaced(el, (app) => app.setAttribute("data-ex-theme", theme))),
    );
    atEnd(
      followKernel(model, (isGone) => {
        if (gone.hidden !== isGone) return;
        gone.hidden = !isGone;
        setText(gone, isGone ? texts.gone : "");
        setText(state, isGone ? "" : (content?.status.text ?? ""));
        el.closest(".explorer-app")?.classList.toggle("ex-without-kernel", isGone);
      }),
    );

    /** Copy the address: it holds the view. */
    function copyLink(): void {
      const whole = new URLSearchParams(location.hash.slice(1)).has("code");
      const done = whole ? texts.link_copied : texts.link_without_code;
      copyText(location.href).then(() => say(done));
    }

    function askForModel(open: boolean): void {
      modelInput.hidden = !open;
      modelSelect.hidden = open;
      if (open) {
        modelInput.value = "";
        modelInput.focus();
      } else if (content) draw(content);
    }

    function tabButton([value, label]: HeaderContent["tabs"][number]): HTMLElement {
      return h(
        "button",
        {
          type: "button",
          role: "tab",
          "data-value": value,
          onClick: () => set("tab", value),
          onKeydown: (event) => {
            if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
            const all = [...tabs.children] as HTMLElement[];
            const step = event.key === "ArrowRight" ? 1 : all.length - 1;
            const next = all[(all.indexOf(event.currentTarget as HTMLElement) + step) % all.length];
            next.focus();
            next.click();
          },
        },
        label,
      );
    }

    function draw(next: HeaderContent): void {
      content = next;
      tabs.hidden = !next.tabs.length;
      if (tabs.childElementCount !== next.tabs.length) {
        tabs.replaceChildren(...next.tabs.map(tabButton));
      }
      for (const tab of tabs.children as HTMLCollectionOf<HTMLElement>) {
        const chosen = tab.dataset.value === next.tab;
        tab.setAttribute("aria-selected", String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
      }
      const other: [Choice] | [] = ownPage ? [] : [[OTHER_MODEL, texts.other_model]];
      const groups = next.models.filter(({ options }) => options.length || !ownPage);
      fillSelect(modelSelect, [...groups, ...other], next.model);
      light.dataset.state = next.status.kind;
      light.title = state.title = next.status.text;
      setText(state, next.status.text);
    }

    let quiet: ReturnType<typeof setTimeout> | undefined;
    function say(text: string): void {
      setText(notice, text);
      clearTimeout(quiet);
      quiet = setTimeout(() => setText(notice, ""), NOTICE_MS);
    }
    atEnd(() => clearTimeout(quiet));
    listen((message) => {
      if (message.kind === "download") {
        download(message);
        say(fill(texts.saved, { name: message.name }));
      } else if (message.kind === "copy") {
        copyText(message.text).then(() => say(texts.copied));
      }
    });
    return draw;
  },
);

/** Call `use` with the app as soon as the panel has its place in it. */
function whenPlaced(el: HTMLElement, use: (app: HTMLElement) => void, tries = 60): void {
  const app = el.closest<HTMLElement>(".explorer-app");
  if (app) use(app);
  else if (tries) requestAnimationFrame(() => whenPlaced(el, use, tries - 1));
}
