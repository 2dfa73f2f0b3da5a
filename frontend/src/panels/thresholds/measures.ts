// The numbers at a threshold: the table of counts, and the measures with their intervals.

import { h, setText } from "../../lib/dom.ts";
import { fill, NO_NUMBER } from "../../lib/format.ts";
import type { FiguresContent, FiguresTexts } from "../../protocol/index.ts";

/** Return the table of calls by truth: called used and not used, under what the truth says. */
export function confusionTable(texts: FiguresTexts) {
  const columns = [0, 1].map(() => h("th", { scope: "col" }));
  const cells = [0, 1, 2, 3].map(() => h("td"));
  const [hit, alarm, missed, left] = cells;
  hit.className = left.className = "ex-right";
  const row = (label: string, ...values: HTMLElement[]) =>
    h("tr", {}, h("th", { scope: "row" }, label), values);
  const node = h(
    "table",
    { class: "ex-confusion", "aria-label": texts.counts },
    h("thead", {}, h("tr", {}, h("td"), columns)),
    h("tbody", {}, row(texts.called_used, hit, alarm), row(texts.called_not_used, missed, left)),
  );
  return {
    node,
    show(titles: readonly string[], counts: readonly string[]) {
      columns.forEach((column, place) => {
        setText(column, titles[place]);
      });
      counts.forEach((text, place) => {
        setText(cells[place], text);
      });
    },
  };
}

/** Return the list of measures: name, value, and the interval where there is one. */
export function measureRows(texts: FiguresTexts) {
  const node = h("div", { class: "ex-figures", role: "list", "aria-label": texts.figures });
  const rows: { value: HTMLElement; interval: HTMLElement }[] = [];
  const row = ([label, title]: FiguresContent["rows"][number]) => {
    const value = h("b", { class: "ex-number-text" });
    const interval = h("span", { class: "ex-interval" });
    rows.push({ value, interval });
    const name = h("span", { class: "ex-figure-name" }, label);
    return h("div", { title, role: "listitem" }, name, value, interval);
  };
  return {
    node,
    show(measures: FiguresContent["rows"]) {
      if (rows.length !== measures.length) {
        rows.length = 0;
        node.replaceChildren(...measures.map(row));
      }
      measures.forEach(([, , value, low, high], place) => {
        setText(rows[place].value, value || NO_NUMBER);
        setText(rows[place].interval, low === "" ? "" : fill(texts.interval, { low, high }));
      });
    },
  };
}
