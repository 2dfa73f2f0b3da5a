// What the threshold is compared with: another threshold, baselines, other methods.

import { panelHead, quietButton } from "../../lib/controls.ts";
import { h, refill, replace, setText } from "../../lib/dom.ts";
import { threeDigits } from "../../lib/format.ts";
import type {
  AgreementContent,
  AgreementGesture,
  AgreementTexts,
  BaselinesContent,
  BaselinesGesture,
  BaselinesTexts,
  CallChangesContent,
  CallChangesGesture,
  CallChangesTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { numberInput } from "./number_input.ts";

/** Above the calls that change: the reference threshold and the current one. */
export const callChanges = panel<CallChangesContent, CallChangesTexts, CallChangesGesture>(
  "ex-thresholds ex-thresholds-between",
  ({ el, texts, tell }) => {
    let content: CallChangesContent;
    const reference = numberInput(texts.reference, texts.reference_title, {
      shown: () => content.reference,
      taken: () => true,
      set: (value) => tell.set("reference_threshold", value),
    });
    const current = h("span", { class: "ex-number-text" });
    const here = quietButton(texts.here, texts.here_title, () => tell.now({ kind: "here" }));
    const and = h("span", { class: "ex-panel-title" }, texts.and);
    const gap = h("span", { class: "ex-grow" });
    replace(el, panelHead(texts.between, reference.node, and, current, gap, here));
    return (next) => {
      content = next;
      el.hidden = content.hidden;
      reference.show();
      setText(current, threeDigits(content.threshold));
      here.disabled = content.reference === content.threshold;
    };
  },
);

/** Above the baselines: how far the scores are ahead of them. */
export const baselines = panel<BaselinesContent, BaselinesTexts, BaselinesGesture>(
  "ex-thresholds ex-thresholds-free",
  ({ el, texts, tell }) => {
    const messageLine = h("span", { class: "ex-note" });
    const embed = quietButton(texts.embed, texts.embed_title, () => tell.now({ kind: "embed" }));
    replace(el, panelHead(texts.title, h("span", { class: "ex-grow" }), embed), messageLine);
    return (content) => {
      el.hidden = content.hidden;
      embed.hidden = content.embedded;
      embed.disabled = content.busy;
      setText(messageLine, content.message);
    };
  },
);

/** How far other methods make the same calls. */
export const agreement = panel<AgreementContent, AgreementTexts, AgreementGesture>(
  "ex-thresholds ex-thresholds-agree",
  ({ el, texts, tell }) => {
    const embed = quietButton(texts.embed, texts.embed_title, () => tell.now({ kind: "embed" }));
    const rows = h("div", { class: "ex-agreement", role: "list", "aria-label": texts.label });
    replace(
      el,
      panelHead(texts.title, h("span", { class: "ex-grow" }), embed),
      rows,
      h("p", { class: "ex-note" }, texts.explanation),
    );
    const row = ([method, kappa, interval, same]: readonly string[]) =>
      h(
        "div",
        { role: "listitem" },
        h("span", { class: "ex-figure-name" }, method),
        h("b", { class: "ex-number-text" }, kappa),
        h("span", { class: "ex-interval" }, interval),
        h("span", { class: "ex-interval" }, same),
      );
    return (content) => {
      el.hidden = content.hidden;
      embed.hidden = !content.embed;
      embed.disabled = content.busy;
      refill(rows, content.rows, () => content.rows.map(row));
    };
  },
);
