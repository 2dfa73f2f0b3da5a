// What is scored and how it is drawn: set seldom, so it is folded into a menu that stays as it was left.

import { fillSelect, segmented } from "../../lib/controls.ts";
import { h } from "../../lib/dom.ts";
import type { Messenger } from "../../lib/messenger.ts";
import type {
  SettableName,
  ToolbarContent,
  ToolbarGesture,
  ToolbarTexts,
} from "../../protocol/index.ts";

export interface ViewMenu {
  readonly node: HTMLElement;
  show(content: ToolbarContent): void;
}

export function viewMenu(texts: ToolbarTexts, tell: Messenger<ToolbarGesture>): ViewMenu {
  let open: boolean | null = null; // until a hand opens or closes it, the kernel says
  const pick = (name: SettableName, label: string, title: string) => {
    const select: HTMLSelectElement = h("select", {
      "aria-label": label,
      title,
      onChange: () => tell.set(name, select.value),
    });
    return select;
  };
  const check = (name: SettableName, text: string, title: string) => {
    const box: HTMLInputElement = h("input", {
      type: "checkbox",
      onChange: () => tell.set(name, box.checked),
    });
    return { box, label: h("label", { class: "ex-check", title }, box, text) };
  };
  const field = (text: string, ...inside: HTMLElement[]) =>
    h("label", { class: "ex-field" }, h("span", {}, text), inside);
  const reduction = pick("reduction", texts.reduction, texts.reduction_title);
  const normalisation = pick("normalisation", texts.normalisation, texts.normalisation_title);
  const unitKind = pick("unit_kind", texts.units, texts.units_title);
  const order = pick("bar_order", texts.order_title, texts.order_title);
  const colours = pick("colour_scale", texts.colour_scale, texts.colour_scale_title);
  const scaling = pick("scaling", texts.scaling, texts.scaling_title);
  const range = pick("colour_range", texts.colour_range, texts.colour_range_title);
  const special = check("hide_special", texts.hide_special, texts.hide_special_title);
  const sink = check("hide_sink", texts.hide_sink, texts.hide_sink_title);
  const scale = segmented(
    texts.scale,
    [
      ["log", texts.log, texts.log_title],
      ["linear", texts.linear, texts.linear_title],
    ],
    (value) => tell.set("threshold_scale", value),
  );
  const unitField = field(texts.units.toLowerCase(), unitKind);
  const reductionField = field(texts.score, reduction);
  const normalisationField = field(texts.normalised, normalisation);
  const orderField = field(texts.order, order);
  const scaleField = h("div", { class: "ex-field" }, h("span", {}, texts.axis), scale.node);
  const coloursField = field(texts.colours, colours, scaling, range);
  const hideField = h(
    "div",
    { class: "ex-field" },
    h("span", {}, texts.hide),
    special.label,
    sink.label,
  );
  const sheet = h(
    "div",
    { class: "ex-view-sheet", role: "group", "aria-label": texts.view_title, hidden: true },
    unitField,
    reductionField,
    normalisationField,
    orderField,
    scaleField,
    coloursField,
    hideField,
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "ex-quiet ex-view-button",
      title: texts.view_title,
      "aria-expanded": "false",
      onClick: () => turn(Boolean(sheet.hidden)),
    },
    texts.view,
  );
  const node = h(
    "div",
    {
      class: "ex-view",
      onKeydown: (event) => {
        if (event.key !== "Escape" || sheet.hidden) return;
        event.stopPropagation();
        turn(false);
        button.focus();
      },
    },
    button,
    sheet,
  );
  function turn(wanted: boolean): void {
    open = wanted;
    lay(wanted);
    tell.set("view_open", wanted);
  }
  function lay(wanted: boolean): void {
    sheet.hidden = !wanted;
    button.setAttribute("aria-expanded", String(wanted));
  }
  return {
    node,
    show(content) {
      lay(open ?? content.view_open);
      for (const label of [reductionField, normalisationField]) {
        label.hidden = !content.of_attention;
        label.classList.toggle("ex-overridden", content.of_set);
        label.title = content.of_set ? texts.overridden : "";
      }
      const { choices } = content;
      fillSelect(reduction, choices.reduction, content.reduction);
      fillSelect(normalisation, choices.normalisation, content.normalisation);
      scaleField.hidden = !content.of_attention || content.of_set;
      scale.show(content.threshold_scale);
      orderField.hidden = coloursField.hidden = content.judging;
      unitField.hidden = content.unit_kind === null;
      if (content.unit_kind !== null) fillSelect(unitKind, choices.unit_kind, content.unit_kind);
      fillSelect(order, choices.bar_order, content.bar_order);
      fillSelect(colours, choices.colour_scale, content.colour_scale);
      fillSelect(scaling, choices.scaling, content.scaling);
      fillSelect(range, choices.colour_range, content.colour_range);
      hideField.hidden = !content.of_code;
      special.box.checked = content.hide_special;
      sink.box.checked = content.hide_sink;
      // Nothing to set: no menu.
      node.hidden = !content.of_attention && content.judging;
    },
  };
}
