// Which hyperedges of a trace have a card: by kind, by words, and a part of very many.

import { quietButton } from "../../lib/controls.ts";
import { h, setText } from "../../lib/dom.ts";
import { fill } from "../../lib/format.ts";
import type { CardFilter, TraceCardsTexts, WhichCards } from "../../protocol/index.ts";

export interface Wanted {
  readonly words: string;
  readonly which: WhichCards;
  readonly first: number;
}

/** Return the controls of the filter, and those that go through very many cards. */
export function cardFilter(texts: TraceCardsTexts, ask: (wanted: Wanted) => void) {
  let shown: CardFilter;
  let count = 0;
  const choice = (which: WhichCards, title: string) =>
    h("button", {
      type: "button",
      class: "ex-segment",
      title,
      onClick: () => ask({ words: shown.words, which, first: 0 }),
    });
  const buttons = {
    all: choice("all", texts.all_title),
    unlabelled: choice("unlabelled", texts.unlabelled_title),
    doubtful: choice("doubtful", texts.doubtful_title),
  };
  const search: HTMLInputElement = h("input", {
    type: "text",
    class: "ex-search",
    "aria-label": texts.search,
    placeholder: texts.search_placeholder,
    onInput: () => ask({ words: search.value, which: shown.which, first: 0 }),
  });
  const node = h(
    "span",
    { class: "ex-filter-controls", role: "group", "aria-label": texts.filter },
    h("span", { class: "ex-segmented" }, buttons.all, buttons.unlabelled, buttons.doubtful),
    search,
  );
  const turn = (by: number) => () =>
    ask({ words: shown.words, which: shown.which, first: Math.max(0, shown.first + by * 200) });
  const earlier = quietButton(texts.earlier, null, turn(-1));
  const later = quietButton(texts.later, null, turn(1));
  const range = h("span", { class: "ex-note" });
  const pages = h("div", { class: "ex-pages" }, earlier, range, later);
  return {
    node,
    pages,
    show(filter: CardFilter, cards: number): void {
      shown = filter;
      count = cards;
      const [all, unlabelled, doubtful] = filter.counts;
      setText(buttons.all, `${texts.all} ${all}`);
      setText(buttons.unlabelled, fill(texts.unlabelled, { count: unlabelled }));
      setText(buttons.doubtful, fill(texts.doubtful, { count: doubtful }));
      for (const [which, button] of Object.entries(buttons)) {
        button.setAttribute("aria-pressed", String(which === filter.which));
      }
      if (document.activeElement !== search) search.value = filter.words;
      pages.hidden = count >= filter.matching;
      earlier.hidden = filter.first === 0;
      later.hidden = filter.first + count >= filter.matching;
      const last = filter.first + count;
      setText(range, fill(texts.range, { first: filter.first + 1, last, count: filter.matching }));
    },
  };
}
