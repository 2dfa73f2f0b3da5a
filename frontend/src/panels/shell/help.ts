// How to read the picture, and what mouse and keyboard do.

import { h } from "../../lib/dom.ts";
import type { HeaderTexts } from "../../protocol/index.ts";

/** Return the button that opens the help, and the help. */
export function helpDialog(texts: HeaderTexts): [button: HTMLElement, dialog: HTMLElement] {
  const dialog = h(
    "div",
    {
      class: "ex-help",
      role: "dialog",
      "aria-label": texts.help,
      hidden: true,
      tabindex: "-1",
      onKeydown: (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        show(false);
        button.focus();
      },
    },
    h("strong", {}, texts.reading),
    h("p", {}, texts.reading_text),
    h("strong", {}, texts.keys),
    h(
      "dl",
      {},
      texts.keys_list.map(([key, action]) => [h("dt", {}, key), h("dd", {}, action)]),
    ),
    h("p", {}, texts.caution),
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "ex-quiet",
      title: texts.help_title,
      "aria-label": texts.help,
      "aria-expanded": "false",
      onClick: () => show(Boolean(dialog.hidden)),
    },
    "?",
  );
  function show(open: boolean): void {
    dialog.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) dialog.focus();
  }
  return [button, dialog];
}
