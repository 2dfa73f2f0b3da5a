// Layer and head: steppers, their means, and a grid of all heads coloured by a measure; or the set of
// heads that overrides them.

import { fillSelect } from "../../lib/controls.ts";
import { h, setText, whenAskedToUnpin } from "../../lib/dom.ts";
import { fill } from "../../lib/format.ts";
import { followTheme } from "../../lib/theme.ts";
import type {
  HeadSelectorContent,
  HeadSelectorGesture,
  HeadSelectorTexts,
} from "../../protocol/index.ts";
import { isFilled, panel } from "../panel.ts";
import { HeadGrid } from "./head_grid.ts";

const REMEMBERED_MS = 2000;
const STEPS: Record<string, readonly [Axis, number]> = {
  ArrowUp: ["layer", -1],
  ArrowDown: ["layer", 1],
  ArrowLeft: ["head", -1],
  ArrowRight: ["head", 1],
};

type Axis = "head" | "layer";

export const headSelector = panel<HeadSelectorContent, HeadSelectorTexts, HeadSelectorGesture>(
  "ex-head-selector",
  ({ el, model, texts, tell, follow, atEnd }) => {
    let content: HeadSelectorContent;
    let dark = false;
    const layer = stepper("layer", texts.layer, texts.layer_mean, [
      texts.previous_layer,
      texts.next_layer,
    ]);
    const head = stepper("head", texts.head, texts.head_mean, [
      texts.previous_head,
      texts.next_head,
    ]);
    const measure: HTMLSelectElement = h("select", {
      "aria-label": texts.measure_title,
      title: texts.measure_title,
      onChange: () => tell.set("measure", measure.value),
    });
    const measureField = h("label", { class: "ex-field" }, texts.grid, measure);
    const setName = h("span", {});
    const removeSet = h(
      "button",
      {
        type: "button",
        class: "ex-step",
        "aria-label": texts.remove_set,
        title: texts.remove_set_title,
        onClick: () => leaveSet(),
      },
      "×",
    );
    const set = h("div", { class: "ex-set", role: "group" }, setName, removeSet);
    const grid = new HeadGrid(texts.grid_role);
    const caption = h("div", { class: "ex-grid-caption" });
    const legend = h(
      "div",
      { class: "ex-grid-axes", "aria-hidden": "true" },
      h("span", {}, texts.layer_axis),
      h("span", {}, texts.head_axis),
    );
    const reason = h("p", { class: "ex-note" });
    el.replaceChildren(
      set,
      layer.node,
      head.node,
      measureField,
      grid.legend,
      legend,
      grid.node,
      caption,
      reason,
    );

    grid.node.addEventListener("keydown", (event) => {
      if (event.key === "m") toggleMean("head");
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      move(...step);
    });
    grid.node.addEventListener("click", (event) => {
      const cell = grid.cellAt(event);
      if (!cell) return;
      grid.node.focus();
      remember("layer", cell.layer);
      remember("head", cell.head);
      show();
      tell.latest({ kind: "head", ...cell });
    });
    grid.node.addEventListener("pointermove", (event) => {
      const cell = grid.cellAt(event);
      if (cell) setText(caption, grid.describe(cell));
    });
    grid.node.addEventListener("pointerleave", () => show());
    el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target === measure || !content.set) return;
      event.preventDefault();
      leaveSet();
    });
    atEnd(whenAskedToUnpin(el, () => tell.now({ kind: "unpin" })));

    // What was chosen here counts until the kernel has heard of it: an answer to an earlier gesture
    // that arrives meanwhile must not undo it, or the next step would start from the wrong place.
    const chosen = new Map<Axis, { value: number | null; until: number }>();
    function remember(name: Axis, value: number | null): void {
      chosen.set(name, { value, until: performance.now() + REMEMBERED_MS });
      content = { ...content, [name]: value, set: null };
    }
    function leaveSet(): void {
      content = { ...content, set: null };
      show();
      if (grid.node.hidden) el.querySelector<HTMLElement>("button:not(.ex-set *)")?.focus();
      else grid.node.focus();
      tell.now({ kind: "set", name: "heads", value: null });
    }
    function choose(name: Axis, value: number | null): void {
      remember(name, value);
      show();
      tell.set(name, value);
    }
    function toggleMean(name: Axis): void {
      choose(name, content[name] === null ? content.last[name] : null);
    }
    function move(name: Axis, step: number): void {
      const count = content[`${name}s`];
      const from = content[name];
      if (!count) return;
      if (from === null) choose(name, content.last[name]);
      else choose(name, Math.min(count - 1, Math.max(0, from + step)));
    }

    function stepper(
      name: Axis,
      label: string,
      meanTitle: string,
      [previous, next]: [string, string],
    ) {
      const value = h("span", { class: "ex-stepper-value", "aria-live": "polite" });
      const button = (step: number, sign: string, title: string) =>
        h(
          "button",
          {
            type: "button",
            class: "ex-step",
            "aria-label": title,
            title,
            onClick: () => move(name, step),
          },
          sign,
        );
      const mean = h(
        "button",
        {
          type: "button",
          class: "ex-segment ex-mean",
          title: meanTitle,
          "aria-label": meanTitle,
          onClick: () => toggleMean(name),
        },
        texts.mean,
      );
      const node = h(
        "div",
        { class: "ex-stepper", role: "group", "aria-label": label },
        h("span", { class: "ex-stepper-label" }, label.toLowerCase()),
        button(-1, "‹", previous),
        value,
        button(1, "›", next),
        mean,
      );
      return {
        node,
        show() {
          const now = content[name];
          node.title = content.set ? texts.overridden : "";
          setText(value, now === null ? "·" : String(now));
          mean.setAttribute("aria-pressed", String(now === null));
          node.classList.toggle("ex-off", content[`${name}s`] < 2);
        },
      };
    }

    function showSet(): void {
      const shown = content.set;
      set.hidden = !shown;
      el.classList.toggle("ex-of-set", Boolean(shown));
      setText(setName, shown?.name ?? "");
      set.title = shown?.title ?? "";
      set.setAttribute("aria-label", shown ? `${shown.name}: ${shown.title}` : "");
      grid.markSet(shown?.cells ?? []);
    }
    function show(): void {
      layer.show();
      head.show();
      showSet();
      const { layer: l, head: n, layers, heads } = content;
      const names = { layer: l ?? texts.mean, head: n ?? texts.mean, layers, heads };
      if (content.set) setText(caption, content.set.caption);
      else if (l !== null && n !== null) setText(caption, grid.describe({ layer: l, head: n }));
      else setText(caption, fill(texts.grid_caption, names));
      grid.node.setAttribute("aria-label", fill(texts.grid_label, names));
      grid.frameHead(l, n);
    }

    let painted = "";
    function draw(next: HeadSelectorContent): void {
      content = { ...next };
      for (const [name, { value, until }] of chosen) {
        if (next[name] === value || performance.now() > until) chosen.delete(name);
        else content = { ...content, [name]: value };
      }
      const single = content.layers * content.heads <= 1;
      for (const node of [
        grid.node,
        grid.legend,
        legend,
        caption,
        measureField,
        layer.node,
        head.node,
      ]) {
        node.hidden = single;
      }
      setText(reason, content.reason);
      if (single) {
        showSet();
        return;
      }
      fillSelect(measure, content.measures, content.measure);
      const palette = model.get("palette");
      const key = `${content.serial} ${dark} ${palette.name}`;
      if (key !== painted) {
        painted = key;
        const colours = isFilled(palette) ? palette[dark ? "dark" : "light"] : undefined;
        grid.paint(content, floats(model.get("tint")), colours, dark);
      }
      show();
    }

    function again(): void {
      const latest = model.get("content");
      if (isFilled(latest)) draw(latest);
    }
    follow("tint", () => {
      painted = "";
      again();
    });
    follow("palette", again);
    atEnd(
      followTheme((theme) => {
        dark = theme === "dark";
        again();
      }),
    );
    return draw;
  },
);

function floats(view: DataView): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = view;
  return new Float32Array((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
}
