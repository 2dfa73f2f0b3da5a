// A field for a number: what is typed is taken when it is one, and put back when it is not.

import { h } from "../../lib/dom.ts";
import { threeDigits, typedNumber } from "../../lib/format.ts";

export interface NumberInputOptions {
  /** The current number. */
  shown(): number;
  /** Whether a number is valid. */
  taken(value: number): boolean;
  set(value: number): void;
}

export function numberInput(label: string, title: string, options: NumberInputOptions) {
  const node = h("input", {
    type: "text",
    class: "ex-number",
    inputmode: "decimal",
    "aria-label": label,
    title,
    onChange: () => {
      const value = typedNumber(node.value);
      if (Number.isFinite(value) && options.taken(value)) options.set(value);
      else node.value = threeDigits(options.shown());
    },
    onKeydown: (event) => {
      if (event.key === "Enter") node.blur();
    },
  });
  return {
    node,
    /** Show the current number, unless the field is being edited. */
    show() {
      if (document.activeElement !== node) node.value = threeDigits(options.shown());
    },
  };
}
