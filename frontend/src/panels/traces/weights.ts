// Under the bars: the entities of this trace's hyperedges, or how weights move over all traces.

import { fillSelect, quietButton, segmented } from "../../lib/controls.ts";
import { h, refill, setText } from "../../lib/dom.ts";
import type { WeightsContent, WeightsGesture, WeightsTexts } from "../../protocol/index.ts";
import { panel } from "../panel.ts";

export const weights = panel<WeightsContent, WeightsTexts, WeightsGesture>(
  "ex-weights",
  ({ el, texts, tell }) => {
    const view = segmented(
      texts.view,
      [
        ["entities", texts.entities, texts.entities_title],
        ["weights", texts.weights, texts.weights_title],
      ],
      (value) => tell.set("weight_view", value),
    );
    const strategy: HTMLSelectElement = h("select", {
      "aria-label": texts.strategy,
      title: texts.strategy_title,
      onChange: () => tell.set("update_strategy", strategy.value),
    });
    const field = h("label", { class: "ex-field" }, texts.update, strategy);
    const messageLine = h("span", { class: "ex-note", role: "status" });
    const cancel = quietButton(texts.cancel, null, () => tell.now({ kind: "cancel" }));
    const rise = h("p", { class: "ex-note ex-rise" });
    el.replaceChildren(
      h("div", { class: "ex-panel-head" }, view.node, field, cancel),
      rise,
      messageLine,
    );
    return (content) => {
      el.hidden = content.hidden;
      view.show(content.view);
      field.hidden = content.view !== "weights";
      fillSelect(strategy, content.strategies, content.strategy);
      cancel.hidden = !content.busy;
      rise.hidden = content.rise === null;
      refill(rise, content.rise, () => {
        if (content.rise === null) return [];
        const [text, label, title] = content.rise;
        return [`${text} `, quietButton(label, title, () => tell.now({ kind: "rise" }))];
      });
      setText(messageLine, content.message);
    };
  },
);
