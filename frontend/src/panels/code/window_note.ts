// Which part of a long code is shown, and the way to the parts before and after it.

import { h } from "../../lib/dom.ts";
import type { CodeTextContent, CodeTextTexts } from "../../protocol/index.ts";

export interface WindowNote {
  readonly node: HTMLElement;
  show(window: CodeTextContent["window"]): void;
}

/** Return the note; `open` is called with the first token of the part that is asked for. */
export function windowNote(texts: CodeTextTexts, open: (start: number | null) => void): WindowNote {
  const node = h("div", { class: "ex-note ex-window", hidden: true });
  return {
    node,
    show(window) {
      node.hidden = !window;
      if (!window) return;
      const step = (start: number | null, label: string) =>
        h(
          "button",
          {
            type: "button",
            class: "ex-quiet",
            disabled: start === null,
            onClick: () => open(start),
          },
          label,
        );
      node.replaceChildren(
        h("span", {}, window.text),
        step(window.previous, texts.earlier),
        step(window.next, texts.later),
      );
    },
  };
}
