// A button that opens a menu.

import { h } from "../../lib/dom.ts";

/** Return a button with a menu under it: each item has a text and what it does. */
export function menu(
  label: string,
  title: string,
  items: readonly (readonly [text: string, action: () => void])[],
): HTMLElement {
  const list = h("div", { class: "ex-menu-list", role: "menu", hidden: true });
  const button = h(
    "button",
    {
      type: "button",
      class: "ex-quiet",
      title,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onClick: () => toggle(Boolean(list.hidden)),
    },
    label,
  );
  const toggle = (open: boolean) => {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) list.querySelector("button")?.focus();
  };
  const entries = items.map(([text, action]) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        onClick: () => {
          toggle(false);
          action();
        },
      },
      text,
    ),
  );
  list.append(...entries);
  const node: HTMLElement = h(
    "div",
    {
      class: "ex-menu",
      onFocusout: (event) => {
        if (!node.contains(event.relatedTarget as Node | null)) toggle(false);
      },
      onKeydown: (event) => {
        if (event.key === "Escape" && !list.hidden) {
          event.preventDefault();
          toggle(false);
          button.focus();
        }
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (list.hidden || !step) return;
        const at = entries.indexOf(document.activeElement as HTMLButtonElement);
        entries[(at + step + entries.length) % entries.length].focus();
        event.preventDefault();
      },
    },
    button,
    list,
  );
  return node;
}
