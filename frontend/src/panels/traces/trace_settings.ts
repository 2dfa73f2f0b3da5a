// Under the file: where heads and threshold come from, and what else can be asked for.

import { quietButton } from "../../lib/controls.ts";
import { h, refill } from "../../lib/dom.ts";
import type {
  TraceSettingsContent,
  TraceSettingsGesture,
  TraceSettingsTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";

export const traceSettings = panel<TraceSettingsContent, TraceSettingsTexts, TraceSettingsGesture>(
  "ex-trace-settings",
  ({ el, texts, tell }) =>
    (content) => {
      el.hidden = content.hidden;
      el.setAttribute("role", "group");
      el.setAttribute("aria-label", texts.label);
      refill(el, content, () => [
        h("span", {}, h("strong", {}, content.title), `: ${content.text}`),
        content.actions.map(([kind, label, title]) =>
          quietButton(label, title, () => tell.now({ kind })),
        ),
      ]);
    },
);
