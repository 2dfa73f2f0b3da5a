// Long texts: folded after some lines, with a button that shows the rest.

import { h, setText } from "./dom.ts";

export interface Folds {
  /** Return a text in a paragraph; long ones are folded until `key` is opened. */
  text(key: string, words: string, classes: string): HTMLElement[];
  /** Fold everything again: what is shown is another thing. */
  reset(): void;
}

/** A text of fewer characters without line breaks takes no more than four lines anywhere. */
const SHORT = 140;

/** Return what folds texts; which of them are open is kept while they are drawn anew. */
export function folds(texts: { readonly more: string; readonly less: string }): Folds {
  const open = new Set<string>();
  const shows = new WeakMap<Element, () => void>();
  // How many lines a text takes is known once it is on the page, and changes with the width.
  const sizes =
    typeof ResizeObserver === "undefined"
      ? null
      : new ResizeObserver((entries) => {
          for (const { target } of entries) shows.get(target)?.();
        });
  return {
    reset: () => open.clear(),
    text(key, words, classes) {
      const paragraph = h("p", { class: `${classes} ex-foldable`, dir: "auto" }, words);
      if (words.length < SHORT && !words.includes("\n")) return [paragraph];
      const button = h("button", {
        type: "button",
        class: "ex-quiet ex-more",
        hidden: true,
        onClick: (event) => {
          event.stopPropagation();
          if (!open.delete(key)) open.add(key);
          show();
        },
        onKeydown: (event) => event.stopPropagation(),
      });
      const show = () => {
        const unfolded = open.has(key);
        paragraph.classList.toggle("ex-folded", !unfolded);
        setText(button, unfolded ? texts.less : texts.more);
        button.setAttribute("aria-expanded", String(unfolded));
        if (!unfolded) button.hidden = paragraph.scrollHeight <= paragraph.clientHeight + 1;
        else button.hidden = false;
      };
      show();
      shows.set(paragraph, show);
      sizes?.observe(paragraph);
      return [paragraph, button];
    },
  };
}
