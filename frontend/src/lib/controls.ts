// Controls that several panels use.

import type { Choice, ChoiceGroup, Note } from "../protocol/index.ts";
import { type Child, h } from "./dom.ts";

/** Give a select its options, and the value that is chosen. */
export function fillSelect(
  select: HTMLSelectElement,
  options: readonly (Choice | ChoiceGroup)[],
  value: string,
): void {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    const option = ([choice, label, title]: Choice) => h("option", { value: choice, title }, label);
    select.replaceChildren(
      ...options.map((entry) =>
        "group" in entry
          ? h("optgroup", { label: entry.group }, entry.options.map(option))
          : option(entry),
      ),
    );
  }
  if (select.value !== value) select.value = value;
}

export interface Segmented {
  readonly node: HTMLElement;
  show(value: string): void;
}

/** Return a row of buttons of which one is pressed. */
export function segmented(
  label: string,
  choices: readonly Choice[],
  onPick: (value: string) => void,
): Segmented {
  const buttons = choices.map(([value, text, title]) =>
    h("button", { type: "button", class: "ex-segment", title, onClick: () => onPick(value) }, text),
  );
  const node = h("div", { class: "ex-segmented", role: "group", "aria-label": label }, buttons);
  return {
    node,
    show(value) {
      choices.forEach(([choice], index) => {
        buttons[index].setAttribute("aria-pressed", String(choice === value));
      });
    },
  };
}

/** Return a button without a frame. */
export function quietButton(
  text: string,
  title: string | null,
  onClick: () => void,
): HTMLButtonElement {
  return h("button", { type: "button", class: "ex-quiet", title, onClick }, text);
}

/** Return the head of a panel: a title, followed by controls. */
export function panelHead(title: string, ...children: Child[]): HTMLElement {
  return h(
    "div",
    { class: "ex-panel-head" },
    h("span", { class: "ex-panel-title" }, title),
    children,
  );
}

/** Return a word that says more on hover and to a screen reader. */
export function badge([word, message]: Note): HTMLElement {
  return h(
    "span",
    { class: "ex-badge", title: message, tabindex: "0", "aria-label": message },
    word,
  );
}
