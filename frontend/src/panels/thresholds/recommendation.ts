// The box of the recommendation: what it says, its notes, and what can be done with it.

import { quietButton } from "../../lib/controls.ts";
import { h, refill, setText } from "../../lib/dom.ts";
import type { Messenger } from "../../lib/messenger.ts";
import type {
  ExportGesture,
  FiguresContent,
  FiguresGesture,
  FiguresTexts,
} from "../../protocol/index.ts";

export function recommendation(texts: FiguresTexts, tell: Messenger<FiguresGesture>) {
  let found: FiguresContent["recommended"] = null;
  const exporting = (label: string, title: string, what: ExportGesture["what"]) =>
    quietButton(label, title, () => tell.now({ kind: "export", what }));
  const messageLine = h("p", { class: "ex-advice-text" });
  const outdated = h("p", { class: "ex-advice-old" });
  const notes = h("div", { class: "ex-advice-notes" });
  const take = quietButton(texts.take, null, () =>
    tell.now({ kind: found?.shown ? "go_back" : "take" }),
  );
  const exports = [
    h("span", { class: "ex-note" }, texts.export_recommended),
    exporting(texts.json, texts.recommended_json_title, "recommended_json"),
    exporting(texts.python, texts.recommended_python_title, "recommended_python"),
  ];
  const node = h(
    "div",
    { class: "ex-advice", role: "status" },
    outdated,
    messageLine,
    notes,
    h("div", { class: "ex-actions" }, take, h("span", { class: "ex-grow" }), exports),
  );
  return {
    node,
    show(next: FiguresContent["recommended"]) {
      found = next;
      node.hidden = !next;
      if (!next) return;
      setText(outdated, next.outdated);
      outdated.hidden = !next.outdated;
      node.classList.toggle("ex-outdated", Boolean(next.outdated));
      setText(messageLine, next.message);
      // In a box of its own a note is shown in full: it is meant to be read before the choice is used.
      refill(notes, next.notes, () =>
        next.notes.map(([code, message]) =>
          h("p", { class: "ex-note" }, h("b", {}, code), ". ", message),
        ),
      );
      setText(take, next.shown ? texts.go_back : texts.take);
      take.title = next.shown ? texts.go_back_title : texts.take_title;
      for (const part of [take, ...exports]) part.hidden = !next.accepted;
    },
  };
}
