// What the labels say of the threshold: counts and measures, the recommendation, and the exports.

import { badge, panelHead, quietButton, segmented } from "../../lib/controls.ts";
import { h, refill, replace, setText } from "../../lib/dom.ts";
import { download } from "../../lib/files.ts";
import { count } from "../../lib/format.ts";
import type { FiguresContent, FiguresGesture, FiguresTexts } from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { confusionTable, measureRows } from "./measures.ts";
import { numberInput } from "./number_input.ts";
import { recommendation } from "./recommendation.ts";

export const figures = panel<FiguresContent, FiguresTexts, FiguresGesture>(
  "ex-thresholds ex-thresholds-figures",
  ({ el, texts, tell, listen }) => {
    let content: FiguresContent;
    const button = (label: string, title: string, gesture: () => FiguresGesture) =>
      quietButton(label, title, () => tell.now(gesture()));
    const exporting = (label: string, title: string, what: "json" | "python") =>
      button(label, title, () => ({ kind: "export", what }));

    const methods = h("div", {
      class: "ex-segmented",
      role: "group",
      "aria-label": texts.methods_label,
    });
    const truthPlace = h("span");
    let truth: ReturnType<typeof segmented> | undefined;
    const drop = numberInput(texts.least_drop_label, texts.least_drop_title, {
      shown: () => content.least_drop,
      taken: (value) => value > 0,
      set: (value) => tell.set("least_drop", value),
    });
    const dropField = h("label", { class: "ex-field" }, texts.least_drop, drop.node);
    const messageLine = h("span", { class: "ex-note", role: "status" });

    const refusal = h("p", { role: "status" });
    const toTraces = quietButton(texts.label_in_traces, texts.label_in_traces_title, () =>
      tell.set("tab", "traces"),
    );
    const offer = h("p", { role: "status" });
    const accept = quietButton("", null, () => {
      if (content.offer) tell.now({ kind: content.offer.kind });
    });
    const refused = h(
      "div",
      { class: "ex-refused" },
      refusal,
      offer,
      h("div", { class: "ex-actions" }, toTraces, accept),
    );

    const judged = h("p", { class: "ex-note" });
    const counts = confusionTable(texts);
    const measures = measureRows(texts);
    const notes = h("div", { class: "ex-notes" });

    const recommend = button(texts.recommend, texts.recommend_title, () => ({
      kind: content.recommending ? "cancel_recommend" : "recommend",
    }));
    const report = button(texts.report, texts.report_title, () => ({ kind: "report" }));
    const exports = [
      exporting(texts.json, texts.json_title, "json"),
      exporting(texts.python, texts.python_title, "python"),
    ];
    const actions = h(
      "div",
      { class: "ex-actions" },
      recommend,
      h("span", { class: "ex-grow" }),
      h("span", { class: "ex-note" }, texts.export),
      exports,
      report,
    );
    const advice = recommendation(texts, tell);
    const moreMessage = h("span", { class: "ex-note" });
    const again = button(texts.read_again, texts.read_again_title, () => ({ kind: "read_again" }));
    const stopReading = button(texts.cancel, texts.stop_reading_title, () => ({
      kind: "cancel_scoring",
    }));
    const more = h(
      "div",
      { class: "ex-actions ex-more-signals", role: "status" },
      moreMessage,
      again,
      stopReading,
    );

    replace(
      el,
      panelHead(texts.methods, methods),
      panelHead(texts.truth, truthPlace, dropField, messageLine),
      refused,
      judged,
      h("div", { class: "ex-thresholds-numbers" }, counts.node, measures.node),
      notes,
      actions,
      advice.node,
      more,
    );
    listen((message) => {
      if (message.kind === "download") download(message);
    });
    el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target === drop.node) return;
      if (content.recommended?.shown) tell.now({ kind: "go_back" });
    });

    function drawChoices(): void {
      refill(methods, content.methods, () =>
        content.methods.map(([value, label, title]) =>
          h(
            "button",
            {
              type: "button",
              class: "ex-segment",
              "data-method": value,
              title,
              onClick: () => tell.set("method", value),
            },
            label,
          ),
        ),
      );
      for (const node of methods.children as HTMLCollectionOf<HTMLElement>) {
        node.setAttribute("aria-pressed", String(node.dataset.method === content.method));
      }
      if (!truth) {
        truth = segmented(texts.truth_label, content.truths, (value) => tell.set("truth", value));
        truthPlace.replaceWith(truth.node);
      }
      truth.show(content.truth);
      dropField.hidden = content.truth !== "ablation";
      drop.show();
      setText(messageLine, content.message);
      messageLine.title = content.message;
    }
    function drawRefusal(): void {
      refused.hidden = !content.refused && !content.offer;
      toTraces.hidden = !content.refused || !content.can_label;
      refusal.hidden = !content.refused;
      setText(refusal, content.refused);
      offer.hidden = accept.hidden = !content.offer;
      setText(offer, content.offer?.text ?? "");
      setText(accept, content.offer?.action ?? "");
    }
    function drawFigures(): void {
      const parts = [judged, counts.node, measures.node, actions];
      for (const node of parts) node.hidden = !content.there;
      for (const node of [judged, counts.node, measures.node]) {
        node.classList.toggle("ex-old", content.old);
      }
      setText(judged, content.judged);
      counts.show(content.columns, content.counts.map(count));
      measures.show(content.rows);
      refill(notes, content.notes, () => content.notes.map(badge));
    }
    function drawActions(): void {
      // What is in view is about to be replaced: neither exported nor searched.
      for (const node of exports) node.disabled = content.old;
      report.disabled = content.reporting || content.old;
      recommend.hidden = content.few;
      recommend.disabled = content.old && !content.recommending;
      setText(recommend, content.recommending ? texts.cancel : texts.recommend);
      recommend.title = content.recommending ? texts.cancel_recommend_title : texts.recommend_title;
      more.hidden = !content.more;
      setText(moreMessage, content.more?.message ?? "");
      again.hidden = Boolean(content.more?.busy);
      stopReading.hidden = !content.more?.busy;
    }
    return (next) => {
      content = next;
      drawChoices();
      drawRefusal();
      drawFigures();
      drawActions();
      advice.show(content.recommended);
    };
  },
);
