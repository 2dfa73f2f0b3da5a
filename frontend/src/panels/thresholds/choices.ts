// A heading with a choice, and a sentence under them.

import { panelHead, type Segmented, segmented } from "../../lib/controls.ts";
import { h, replace, setText } from "../../lib/dom.ts";
import type {
  Choice,
  HeadQualityContent,
  HeadQualityGesture,
  HeadQualityTexts,
  WeightMovesContent,
  WeightMovesGesture,
  WeightMovesTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";

function headedChoice(
  el: HTMLElement,
  texts: { readonly title: string; readonly label: string },
  onPick: (value: string) => void,
) {
  const place = h("span");
  const messageLine = h("p", { class: "ex-note" });
  let choice: Segmented | undefined;
  replace(el, panelHead(texts.title, place), messageLine);
  return (choices: readonly Choice[], chosen: string, text: string): Segmented => {
    if (!choice) {
      choice = segmented(texts.label, choices, onPick);
      place.replaceWith(choice.node);
    }
    choice.show(chosen);
    messageLine.hidden = !text;
    setText(messageLine, text);
    return choice;
  };
}

/** Above the map of the heads: how they are judged, or why there is no map. */
export const headQuality = panel<HeadQualityContent, HeadQualityTexts, HeadQualityGesture>(
  "ex-thresholds ex-thresholds-measure",
  ({ el, texts, tell }) => {
    const show = headedChoice(el, texts, (value) => tell.set("quality", value));
    return (content) => {
      el.hidden = content.hidden;
      show(content.measures, content.measure, content.heads).node.hidden = !content.there;
    };
  },
);

/** Above the weights: how feedback moves them, and what that leads to. */
export const weightMoves = panel<WeightMovesContent, WeightMovesTexts, WeightMovesGesture>(
  "ex-thresholds ex-thresholds-moves",
  ({ el, texts, tell }) => {
    const show = headedChoice(el, texts, (value) => tell.set("update_strategy", value));
    return (content) => {
      el.hidden = content.hidden;
      show(content.strategies, content.strategy, content.message);
    };
  },
);
