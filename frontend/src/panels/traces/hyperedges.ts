// Hyperedges of a trace: as cards, or as the text that was read.

import { badge } from "../../lib/controls.ts";
import { h } from "../../lib/dom.ts";
import type { Folds } from "../../lib/folding.ts";
import { fill, threeDigits } from "../../lib/format.ts";
import type { TraceCard, TraceCardsTexts } from "../../protocol/index.ts";

export interface HyperedgeActions {
  readonly texts: TraceCardsTexts;
  readonly pinned: string | null;
  readonly folds: Folds;
  pin(unit: string | null): void;
  label(unit: string, value: boolean | null): void;
}

/** Return the card of a hyperedge: its text, score, verdict, label, entities and diagnostics. */
export function hyperedgeCard(entry: TraceCard, actions: HyperedgeActions): HTMLElement {
  const { id, mark, verdict, entities, diagnostics } = entry;
  return h(
    "div",
    {
      class: "ex-card",
      "data-verdict": verdict,
      "data-labelled": String(entry.label !== null),
      ...pinnable(entry, actions),
    },
    h(
      "div",
      { class: "ex-card-head" },
      h("bdi", { class: "ex-card-id" }, id),
      labelButtons(entry, actions),
      h("span", { class: "ex-grow" }),
      h(
        "span",
        { class: "ex-call" },
        h("span", { class: "ex-number-text" }, threeDigits(entry.score)),
        h("span", { class: "ex-verdict", "data-verdict": verdict }, `${mark} ${verdict}`),
      ),
    ),
    actions.folds.text(id, entry.text, "ex-card-text"),
    entities.length || diagnostics.length
      ? h(
          "div",
          { class: "ex-chips" },
          entities.map((name) => h("bdi", { class: "ex-chip" }, name)),
          h("span", { class: "ex-grow" }),
          diagnostics.map(badge),
        )
      : null,
  );
}

/** Return a hyperedge as a piece of running text. */
export function hyperedgeText(
  entry: TraceCard,
  actions: HyperedgeActions,
): (HTMLElement | string)[] {
  const { id, label, verdict, mark } = entry;
  const { texts } = actions;
  const labelled = label === null ? "" : label ? " ✓" : " ✗";
  const fact = h(
    "span",
    {
      class: "ex-fact",
      dir: "auto",
      "data-verdict": verdict,
      ...pinnable(entry, actions),
      title: fill(texts.fact_title, { id, score: threeDigits(entry.score), verdict }),
    },
    h("span", { class: "ex-fact-mark", "aria-hidden": "true" }, mark),
    entry.text || texts.no_text,
    h("sub", {}, h("bdi", {}, id), labelled),
  );
  return [fact, " "];
}

function pinnable({ id, colour }: TraceCard, { pinned, pin }: HyperedgeActions) {
  const isPinned = pinned === id;
  const toggle = () => pin(isPinned ? null : id);
  return {
    tabindex: "0",
    role: "button",
    "aria-pressed": String(isPinned),
    "data-unit": id,
    style: `--ex-feedback:${colour}`,
    onClick: toggle,
    onKeydown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle();
    },
  };
}

// Ground truth: two small buttons; the pressed one is the label, pressing it again removes it.
function labelButtons(entry: TraceCard, { texts, label }: HyperedgeActions): HTMLElement {
  const { id } = entry;
  const button = (value: boolean, sign: string, words: string) => {
    const isLabel = entry.label === value;
    return h(
      "button",
      {
        type: "button",
        class: "ex-label",
        "data-label": String(value),
        "aria-pressed": String(isLabel),
        title: fill(isLabel ? texts.labelled_title : texts.label_as, { id, label: words }),
        "aria-label": fill(texts.label_as, { id, label: words }),
        onClick: (event) => {
          event.stopPropagation();
          label(id, isLabel ? null : value);
        },
        onKeydown: (event) => event.stopPropagation(),
      },
      isLabel ? `${sign} ${fill(texts.labelled, { label: words })}` : sign,
    );
  };
  return h(
    "span",
    { class: "ex-labels", role: "group", "aria-label": fill(texts.label, { id }) },
    button(true, "✓", texts.used),
    button(false, "✗", texts.not_used),
  );
}
