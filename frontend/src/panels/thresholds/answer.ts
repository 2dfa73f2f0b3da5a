// What to use and what to expect: one sentence, three numbers, and how sure they are.

import { panelHead, quietButton, type Segmented, segmented } from "../../lib/controls.ts";
import { h, refill, replace, setText } from "../../lib/dom.ts";
import type { AnswerContent, AnswerGesture, AnswerTexts } from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { numberInput } from "./number_input.ts";

export const answer = panel<AnswerContent, AnswerTexts, AnswerGesture>(
  "ex-thresholds ex-thresholds-answer",
  ({ el, texts, tell }) => {
    let content: AnswerContent;
    let objective: Segmented | undefined;
    let focusUndo = false;
    const objectivePlace = h("span");
    const number = numberInput("", "", {
      shown: () => content.number?.value ?? Number.NaN,
      taken: () => true, // what makes no sense is refused with a sentence
      set: (value) => {
        if (content.number) tell.set(content.number.name, value);
      },
    });
    const numberLabel = h("span");
    const unit = h("span");
    const field = h("label", { class: "ex-field" }, numberLabel, number.node, unit);
    const sentence = h("p", { class: "ex-answer-sentence", role: "status" });
    const numbers = h("div", {
      class: "ex-answer-numbers",
      role: "list",
      "aria-label": texts.figures,
    });
    const heldOut = h("p", { class: "ex-note ex-answer-held-out" });
    const sure = h("p", { class: "ex-note" });
    const act = quietButton("", null, () => {
      const action = content.action;
      if (!action) return;
      if (action.kind === "label") {
        tell.set("tab", "traces");
        return;
      }
      focusUndo = true;
      tell.now({ kind: "use" });
    });
    act.classList.add("ex-answer-act");
    const undo = quietButton("", texts.undo_title, () => tell.now({ kind: "undo" }));
    const actions = h("div", { class: "ex-actions" }, act, undo);
    replace(
      el,
      panelHead(texts.objective, objectivePlace, field),
      sentence,
      numbers,
      actions,
      sure,
      heldOut,
    );
    el.setAttribute("aria-label", texts.label);
    el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target === number.node || !content.undo) return;
      event.stopPropagation();
      tell.now({ kind: "undo" });
    });

    const figure = ([value, label, detail]: readonly string[]) =>
      h(
        "div",
        { role: "listitem" },
        h("b", { class: "ex-number-text" }, value),
        h("span", {}, label),
        h("span", { class: "ex-interval" }, detail),
      );
    return (next) => {
      content = next;
      el.hidden = content.hidden;
      el.dataset.kind = content.kind;
      el.classList.toggle("ex-answer-old", content.old);
      if (!objective) {
        objective = segmented(texts.objective_label, content.objectives, (value) =>
          tell.set("objective", value),
        );
        objectivePlace.replaceWith(objective.node);
      }
      objective.show(content.objective);
      field.hidden = !content.number;
      if (content.number) {
        setText(numberLabel, content.number.label);
        setText(unit, content.number.unit);
        number.node.title = content.number.title;
        number.node.setAttribute("aria-label", content.number.label);
        number.show();
      }
      setText(sentence, content.sentence);
      refill(numbers, content.figures, () => content.figures.map(figure));
      numbers.hidden = !content.figures.length;
      setText(sure, content.sure);
      sure.hidden = !content.sure;
      setText(heldOut, content.held_out);
      heldOut.hidden = !content.held_out;
      act.hidden = !content.action;
      act.disabled = content.old;
      setText(act, content.action?.label ?? "");
      act.title = content.action?.title ?? "";
      undo.hidden = !content.undo;
      setText(undo, content.undo);
      actions.hidden = act.hidden && undo.hidden;
      if (focusUndo && !undo.hidden) {
        focusUndo = false;
        undo.focus(); // so that Esc is heard here
      }
    };
  },
);
