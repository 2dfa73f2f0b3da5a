// Find a text in the code: how often it is there, and a way from one place to the next.

import { h, setText } from "../../lib/dom.ts";
import { fill } from "../../lib/format.ts";
import type { CodeDocument, CodeTextTexts } from "../../protocol/index.ts";
import { textOf } from "./live_lines.ts";

/** Return the first token of every place of a text in lines, whatever its case. */
export function placesOf(lines: CodeDocument["lines"], wanted: string): number[] {
  const sought = wanted.toLowerCase();
  if (!sought) return [];
  const [text, pieces] = textOf(lines);
  const lower = text.toLowerCase();
  const found: number[] = [];
  let piece = 0;
  for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, at + sought.length)) {
    while (piece < pieces.length && pieces[piece].stop <= at) piece += 1;
    if (piece < pieces.length) found.push(pieces[piece].token);
  }
  return found;
}

export interface TokenSearch {
  readonly node: HTMLElement;
  /** Other lines are shown. */
  build(lines: CodeDocument["lines"]): void;
}

/** Return the field; `show` is called with the token that was found, or null. */
export function tokenSearch(
  texts: CodeTextTexts,
  show: (token: number | null) => void,
): TokenSearch {
  let lines: CodeDocument["lines"] = [];
  let found: number[] = [];
  let at = 0;
  const count = h("span", { class: "ex-note ex-found-count", role: "status" });
  const field = h("input", {
    type: "text",
    class: "ex-find",
    "aria-label": texts.find,
    title: texts.find_title,
    placeholder: texts.find,
    spellcheck: "false",
    onInput: () => search(),
    onKeydown: (event) => {
      if (event.key === "Enter" && found.length) {
        event.preventDefault();
        at = (at + (event.shiftKey ? found.length - 1 : 1)) % found.length;
        report();
      } else if (event.key === "Escape" && field.value) {
        event.stopPropagation();
        field.value = "";
        search();
      }
    },
  });
  function search(): void {
    found = placesOf(lines, field.value);
    at = 0;
    report();
  }
  function report(): void {
    const words = { n: found.length ? at + 1 : 0, of: found.length };
    setText(count, field.value ? fill(texts.found, words) : "");
    show(found[at] ?? null);
  }
  return {
    node: h("span", { class: "ex-find-box" }, field, count),
    build(next) {
      lines = next;
      if (field.value) search();
    },
  };
}
