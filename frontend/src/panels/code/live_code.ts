// The code on a page of its own: the attention follows while it is typed.

import { fillSelect, segmented } from "../../lib/controls.ts";
import { h, setText } from "../../lib/dom.ts";
import type {
  CodeDocument,
  CodeTextContent,
  CodeTextGesture,
  CodeTextTexts,
} from "../../protocol/index.ts";
import { isFilled, type Place } from "../panel.ts";
import { codeFrame } from "./code_frame.ts";
import { LiveText } from "./live_text.ts";
import { windowNote } from "./window_note.ts";

/** Build the panel; returns what draws its content. */
export function liveCode({
  el,
  model,
  texts,
  tell,
  follow,
  atEnd,
}: Place<CodeTextContent, CodeTextTexts, CodeTextGesture, CodeDocument>): (
  content: CodeTextContent,
) => void {
  let content: CodeTextContent | undefined;
  let sent: string | null = null; // the newest text that the service has from here
  const title = h("span", { class: "ex-panel-title" });
  const examples: HTMLSelectElement = h("select", {
    "aria-label": texts.examples_title,
    title: texts.examples_title,
    onChange: () => {
      if (!examples.value) return;
      sent = null;
      tell.now({ kind: "example", name: examples.value });
    },
  });
  const direction = segmented(
    texts.direction,
    [
      ["row", texts.row, texts.row_title],
      ["column", texts.column, texts.column_title],
    ],
    (value) => tell.set("direction", value),
  );
  const code = new LiveText(texts.editor, texts.placeholder, texts.live_title, {
    typed: (source) => {
      sent = source;
      if (source.trim()) tell.latest({ kind: "run", source });
    },
    hover: (index) => tell.latest({ kind: "hover", index }),
    pin: (index) => tell.now({ kind: "pin", index }),
    walk: (index) => tell.latest({ kind: "pin", index }, "walk"),
  });
  atEnd(() => code.close());
  const note = windowNote(texts, (start) => tell.now({ kind: "window", start }));
  const head = h(
    "div",
    { class: "ex-panel-head" },
    title,
    h("span", { class: "ex-grow" }),
    examples,
  );
  const frame = codeFrame(el, texts, tell, [head, note.node, code.node], direction.node);
  atEnd(() => frame.close());

  let built: number | null = null;
  function buildDocument(): void {
    const sentDocument = model.get("document");
    if (!isFilled(sentDocument) || sentDocument.serial === built) return;
    built = sentDocument.serial;
    code.build(sentDocument.lines);
  }
  function adopt(): void {
    const source = model.get("source");
    // What was typed here is newer than what the service says about it.
    if (sent !== null || !source || source === code.value) return;
    code.setValue(source);
    sent = source;
  }
  function tint(): void {
    const palette = model.get("palette");
    if (isFilled(palette)) code.tint(model.get("tint"), palette);
  }
  const update = () => content && draw(content);
  follow("source", update);
  follow("document", update);
  follow("tint", tint);
  follow("palette", tint);

  function draw(next: CodeTextContent): void {
    content = next;
    adopt();
    buildDocument();
    fillSelect(examples, [["", texts.examples], ...content.programs], "");
    examples.hidden = !content.programs.length;
    setText(title, content.title);
    direction.show(content.direction);
    code.mark(content.pinned, content.marked);
    note.show(content.window);
    frame.show(content);
    tint();
  }
  return draw;
}
