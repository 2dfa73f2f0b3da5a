// The calls question by question, and the questions with most errors.

import { panelHead } from "../../lib/controls.ts";
import { h, refill, replace, setText } from "../../lib/dom.ts";
import type { QuestionsContent, QuestionsGesture, QuestionsTexts } from "../../protocol/index.ts";
import { panel } from "../panel.ts";

export const questions = panel<QuestionsContent, QuestionsTexts, QuestionsGesture>(
  "ex-thresholds ex-thresholds-questions",
  ({ el, texts, tell }) => {
    const summary = h("p", { class: "ex-note" });
    const list = h("div", { class: "ex-questions", role: "list", "aria-label": texts.list });
    replace(el, panelHead(texts.title), summary, list);
    const row = ({ trace, id, question, errors }: QuestionsContent["rows"][number]) =>
      h(
        "div",
        { role: "listitem" },
        h(
          "button",
          {
            type: "button",
            class: "ex-quiet",
            title: texts.open_title,
            onClick: () => tell.now({ kind: "open", trace }),
          },
          h("bdi", {}, id),
        ),
        h("span", { class: "ex-question-text", dir: "auto", title: question }, question),
        h("span", { class: "ex-note" }, errors),
      );
    return (content) => {
      el.hidden = content.hidden;
      setText(summary, content.summary);
      refill(list, content.rows, () => content.rows.map(row));
    };
  },
);
