// The line of controls that the tabs share: threshold, score, units, colours, and the counts.

import { fillSelect, segmented } from "../../lib/controls.ts";
import { h, refill, setText } from "../../lib/dom.ts";
import { fill, threeDigits, typedNumber } from "../../lib/format.ts";
import type {
  SettableName,
  ToolbarContent,
  ToolbarGesture,
  ToolbarTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";

const FLOOR = -4; // the log slider ends at 1e-4; smaller thresholds can be typed
const REFUSED_MS = 400;

export const toolbar = panel<ToolbarContent, ToolbarTexts, ToolbarGesture>(
  "ex-toolbar",
  ({ el, texts, tell }) => {
    let content: ToolbarContent;
    const slider = h("input", {
      type: "range",
      class: "ex-threshold",
      "aria-label": texts.threshold,
      onInput: () => {
        const value = fromSlider(Number(slider.value), content.threshold_scale);
        number.value = threeDigits(value);
        slider.setAttribute("aria-valuetext", number.value);
        tell.set(content.threshold_name, value);
      },
    });
    const number = h("input", {
      type: "text",
      inputmode: "decimal",
      class: "ex-number",
      "aria-label": texts.threshold_typed,
      onChange: () => {
        const value = typedNumber(number.value);
        if (Number.isFinite(value)) tell.set(content.threshold_name, value);
        else draw(content);
      },
      // What the kernel refused must not stay there as if it held.
      onBlur: () =>
        setTimeout(() => {
          number.value = threeDigits(content.threshold);
        }, REFUSED_MS),
    });
    const thresholdLabel = h("span", {});
    const scale = segmented(
      texts.scale,
      [
        ["log", texts.log, texts.log_title],
        ["linear", texts.linear, texts.linear_title],
      ],
      (value) => tell.set("threshold_scale", value),
    );
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
      h("label", { class: "ex-field" }, text, inside);
    const reduction = pick("reduction", texts.reduction, texts.reduction_title);
    const normalisation = pick("normalisation", texts.normalisation, texts.normalisation_title);
    const unitKind = pick("unit_kind", texts.units, texts.units_title);
    const order = pick("bar_order", texts.order_title, texts.order_title);
    const colours = pick("colour_scale", texts.colour_scale, texts.colour_scale_title);
    const scaling = pick("scaling", texts.scaling, texts.scaling_title);
    const special = check("hide_special", texts.hide_special, texts.hide_special_title);
    const sink = check("hide_sink", texts.hide_sink, texts.hide_sink_title);
    const counts = h("span", { class: "ex-counts", role: "status", "aria-label": texts.verdicts });
    const reductionField = field(texts.score, reduction);
    const normalisationField = field(texts.normalised, normalisation);
    const unitField = field(texts.units.toLowerCase(), unitKind);
    const orderField = field(texts.order, order);
    const coloursField = field(texts.colours, colours, scaling);
    el.replaceChildren(
      h(
        "div",
        { class: "ex-field ex-threshold-field" },
        thresholdLabel,
        slider,
        number,
        scale.node,
      ),
      reductionField,
      normalisationField,
      unitField,
      orderField,
      coloursField,
      h("span", { class: "ex-field" }, special.label, sink.label),
      h("span", { class: "ex-grow" }),
      counts,
    );

    function draw(next: ToolbarContent): void {
      content = next;
      drawThreshold();
      for (const label of [reductionField, normalisationField]) {
        label.hidden = !content.of_attention;
        label.classList.toggle("ex-overridden", content.of_set);
        label.title = content.of_set ? texts.overridden : "";
      }
      const { choices } = content;
      fillSelect(reduction, choices.reduction, content.reduction);
      fillSelect(normalisation, choices.normalisation, content.normalisation);
      orderField.hidden = coloursField.hidden = content.judging;
      unitField.hidden = content.unit_kind === null;
      if (content.unit_kind !== null) fillSelect(unitKind, choices.unit_kind, content.unit_kind);
      fillSelect(order, choices.bar_order, content.bar_order);
      fillSelect(colours, choices.colour_scale, content.colour_scale);
      fillSelect(scaling, choices.scaling, content.scaling);
      special.label.hidden = sink.label.hidden = !content.of_code;
      special.box.checked = content.hide_special;
      sink.box.checked = content.hide_sink;
      refill(counts, content.counts, () =>
        content.counts.map(([verdict, count, mark, colour]) =>
          h(
            "span",
            { class: "ex-count", "data-verdict": verdict },
            h("span", { class: "ex-mark", style: `color:${colour}`, "aria-hidden": "true" }, mark),
            `${count} ${verdict}`,
          ),
        ),
      );
    }

    function drawThreshold(): void {
      const { threshold, threshold_scale: which, reachable } = content;
      const isLog = which === "log";
      setText(thresholdLabel, content.threshold_label);
      scale.node.hidden = !content.of_attention || content.of_set;
      scale.show(which);
      slider.min = String(isLog ? FLOOR : 0);
      slider.max = String(isLog ? 0 : 1);
      slider.step = String(isLog ? 0.01 : 0.001);
      // A slider that is held, or a number that is typed, is newer than what the kernel knows.
      if (document.activeElement !== slider || !slider.matches(":active"))
        slider.value = String(toSlider(threshold, which));
      slider.setAttribute("aria-valuetext", threeDigits(threshold));
      if (document.activeElement !== number || !number.matches(":focus"))
        number.value = threeDigits(threshold);
      const [low, high] = reachable ?? [0, 0];
      slider.style.setProperty("--ex-low", placeOnSlider(low, which));
      slider.style.setProperty("--ex-high", placeOnSlider(high, which));
      slider.title = reachable
        ? fill(texts.reachable, { low: threeDigits(low), high: threeDigits(high) })
        : "";
    }
    return draw;
  },
);

type Scale = ToolbarContent["threshold_scale"];

/** Return the threshold that a place of the slider stands for. */
export function fromSlider(x: number, scale: Scale): number {
  if (scale === "linear") return x;
  return x <= FLOOR ? 0 : Number((10 ** x).toPrecision(4));
}

/** Return the place of a threshold on the slider. */
export function toSlider(threshold: number, scale: Scale): number {
  if (scale === "linear") return threshold;
  return threshold > 0 ? Math.max(FLOOR, Math.log10(threshold)) : FLOOR;
}

function placeOnSlider(threshold: number, scale: Scale): string {
  const [low, high] = scale === "log" ? [FLOOR, 0] : [0, 1];
  return `${(100 * (toSlider(threshold, scale) - low)) / (high - low)}%`;
}
