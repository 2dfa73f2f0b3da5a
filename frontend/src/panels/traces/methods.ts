// Above the bars: what feedback is computed from, one method at a time or side by side.

import { h, refill, setText } from "../../lib/dom.ts";
import type { MethodsContent, MethodsGesture, MethodsTexts } from "../../protocol/index.ts";
import { panel } from "../panel.ts";

export const methods = panel<MethodsContent, MethodsTexts, MethodsGesture>(
  "ex-methods",
  ({ el, texts, tell }) => {
    let content: MethodsContent;
    const list = h("div", { class: "ex-segmented", role: "group", "aria-label": texts.label });
    const compare = h(
      "button",
      {
        type: "button",
        class: "ex-quiet ex-toggle",
        title: texts.compare_title,
        onClick: () => tell.set("compare", !content.compare),
      },
      texts.compare,
    );
    const messageLine = h("span", { class: "ex-note", role: "status" });
    const title = h("span", { class: "ex-panel-title" }, texts.title);
    el.replaceChildren(h("div", { class: "ex-panel-head" }, title, list, compare), messageLine);

    const method = ([value, label, hint, there]: MethodsContent["methods"][number]) =>
      h(
        "button",
        {
          type: "button",
          class: "ex-segment",
          "data-method": value,
          "data-there": String(there),
          title: hint,
          onClick: () => tell.set("method", value),
        },
        label,
      );
    return (next) => {
      content = next;
      el.hidden = content.hidden;
      refill(list, content.methods, () => content.methods.map(method));
      for (const button of list.children as HTMLCollectionOf<HTMLElement>) {
        button.setAttribute("aria-pressed", String(button.dataset.method === content.method));
      }
      compare.setAttribute("aria-pressed", String(content.compare));
      setText(messageLine, content.message);
    };
  },
);
