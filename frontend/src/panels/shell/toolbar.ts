// The line of controls that the tabs share: the threshold, the counts, and the menu of the rest.

import { h, refill, setText } from "../../lib/dom.ts";
import { fill, threeDigits, typedNumber } from "../../lib/format.ts";
import type { ToolbarContent, ToolbarGesture, ToolbarTexts } from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { viewMenu } from "./view_menu.ts";

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
    const auto = h(
      "button",
      {
        type: "button",
        class: "ex-segment ex-mean",
        onClick: () =>
          tell.set("threshold_mode", content.threshold_mode === "auto" ? "fixed" : "auto"),
      },
      texts.auto,
    );
    const view = viewMenu(texts, tell);
    const counts = h("span", { class: "ex-counts", role: "status", "aria-label": texts.verdicts });
    el.replaceChildren(
      h("div", { class: "ex-field ex-threshold-field" }, thresholdLabel, slider, number, auto),
      h("span", { class: "ex-grow" }),
      counts,
      view.node,
    );

    function draw(next: ToolbarContent): void {
      content = next;
      drawThreshold();
      view.show(content);
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
      auto.hidden = !content.of_attention || content.judging || content.of_set;
      auto.setAttribute("aria-pressed", String(content.threshold_mode === "auto"));
      auto.title = content.threshold_found ?? texts.auto_title;
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
