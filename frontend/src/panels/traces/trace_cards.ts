// Traces: stepping, question and answer, one card for each hyperedge.

import { badge, quietButton, segmented } from "../../lib/controls.ts";
import { h, replace, setText } from "../../lib/dom.ts";
import { folds } from "../../lib/folding.ts";
import { fill } from "../../lib/format.ts";
import type {
  Offer,
  OpenTraceContent,
  TraceCardsContent,
  TraceCardsGesture,
  TraceCardsTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { cardFilter } from "./card_filter.ts";
import { hyperedgeCard, hyperedgeText } from "./hyperedges.ts";

export const traceCards = panel<TraceCardsContent, TraceCardsTexts, TraceCardsGesture>(
  "ex-cards-region",
  ({ el, texts, tell }) => {
    let content: TraceCardsContent;
    const folded = folds(texts);
    const step = (by: number, sign: string, title: string) =>
      h(
        "button",
        { type: "button", class: "ex-step", title, "aria-label": title, onClick: () => go(by) },
        sign,
      );
    const place = h("input", {
      type: "text",
      inputmode: "numeric",
      class: "ex-place",
      title: texts.number,
      "aria-label": texts.number,
      onChange: () => {
        const wanted = place.value.trim();
        const index = Number(wanted) - 1;
        const known = Number.isInteger(index) && index >= 0 && index < content.count;
        // What is no place is an id; the kernel says so where no trace has it.
        if (known) tell.set("trace", index);
        else if (wanted && !/^[\d.,-]+$/.test(wanted)) tell.set("trace", wanted);
        place.value = String(content.index + 1);
      },
    });
    const of = h("span", { class: "ex-of" });
    const view = segmented(
      texts.view,
      [
        ["cards", texts.cards, texts.cards_title],
        ["text", texts.text, texts.text_title],
      ],
      (value) => tell.set("reading_view", value),
    );
    const id = h("bdi", { class: "ex-note ex-trace-id" });
    const chosen = cardFilter(texts, (wanted) => tell.now({ kind: "filter", ...wanted }));
    const nextUnlabelled = quietButton(texts.next_unlabelled, texts.next_unlabelled_title, () =>
      tell.now({ kind: "next_unlabelled" }),
    );
    const body = h("div", {
      class: "ex-trace",
      tabindex: "0",
      role: "group",
      "aria-label": texts.trace_label,
    });
    el.replaceChildren(
      h(
        "div",
        { class: "ex-panel-head" },
        h(
          "span",
          { class: "ex-stepper ex-trace-stepper" },
          step(-1, "‹", texts.previous),
          `${texts.trace} `,
          place,
          of,
          step(1, "›", texts.next),
        ),
        id,
        h("span", { class: "ex-grow" }),
        view.node,
      ),
      body,
    );

    let wanted: number | null = null; // where quick steps are heading
    function go(by: number): void {
      if (!content.count) return;
      wanted = Math.min(content.count - 1, Math.max(0, (wanted ?? content.index) + by));
      place.value = String(wanted + 1);
      tell.set("trace", wanted);
    }
    el.addEventListener("keydown", (event) => {
      const by = { PageUp: -1, PageDown: 1 }[event.key];
      if (by) {
        event.preventDefault();
        go(by);
      }
      if (event.key === "Escape") tell.now({ kind: "unpin" });
      const typing = (event.target as HTMLElement).tagName === "INPUT";
      if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) cardKeys(event);
    });

    /** Keys that label the card in focus and go on to the next one. */
    function cardKeys(event: KeyboardEvent): void {
      if (event.key === "u") {
        event.preventDefault();
        const open = [...body.querySelectorAll<HTMLElement>(".ex-card[data-labelled='false']")];
        const cards = [...body.querySelectorAll<HTMLElement>(".ex-card")];
        const at = cards.findIndex((card) => card.contains(document.activeElement));
        const further = open.find((card) => cards.indexOf(card) > at) ?? (at < 0 ? open[0] : null);
        if (further) further.focus();
        else tell.now({ kind: "next_unlabelled" });
        return;
      }
      const card = (event.target as HTMLElement).closest<HTMLElement>(".ex-card");
      const value = { y: true, n: false, "0": null }[event.key];
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!card || (value === undefined && by === undefined)) return;
      event.preventDefault();
      if (value !== undefined) {
        tell.now({ kind: "label", unit: card.dataset.unit ?? "", value });
      }
      const cards = [...body.querySelectorAll<HTMLElement>(".ex-card")];
      const next = cards[cards.indexOf(card) + (by ?? (value === null ? 0 : 1))];
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    }

    let fileShown: number | null = null;
    let idShown: string | null = null;
    function draw(next: TraceCardsContent): void {
      content = next;
      const opened = "file" in content ? content : null;
      if (content.index === wanted || opened?.file !== fileShown) wanted = null;
      fileShown = opened?.file ?? null;
      if (document.activeElement !== place) place.value = opened ? String(content.index + 1) : "";
      setText(of, opened ? fill(texts.of, { count: content.count }) : "");
      if (!opened) {
        setText(id, "");
        replace(body, h("p", { class: "ex-empty" }, texts.empty));
        return;
      }
      setText(id, opened.id);
      chosen.show(opened.filter, opened.cards.length);
      nextUnlabelled.hidden = !opened.more_unlabelled;
      view.show(opened.view);
      if (opened.id !== idShown) folded.reset();
      keepingPlace(opened.id === idShown, () => drawTrace(opened));
      idShown = opened.id;
    }

    function drawTrace(trace: OpenTraceContent): void {
      const actions = {
        texts,
        pinned: trace.pinned,
        folds: folded,
        pin: (unit: string | null) => tell.now({ kind: "pin", unit }),
        label: (unit: string, value: boolean | null) => tell.now({ kind: "label", unit, value }),
      };
      replace(
        body,
        questionAndAnswer(trace),
        offerBox(trace.offer),
        trace.notes.map((note) => h("p", { class: "ex-note" }, note)),
        trace.shared.length
          ? h("p", { class: "ex-note" }, `${texts.shared} `, trace.shared.map(badge))
          : null,
        h("div", { class: "ex-card-filter" }, chosen.node, nextUnlabelled),
        trace.cards.length ? null : h("p", { class: "ex-note" }, texts.none),
        trace.view === "text"
          ? h(
              "div",
              { class: "ex-facts" },
              trace.cards.map((one) => hyperedgeText(one, actions)),
            )
          : h(
              "div",
              { class: "ex-card-list" },
              trace.cards.map((one) => hyperedgeCard(one, actions)),
            ),
        chosen.pages,
        h("p", { class: "ex-note ex-keys" }, texts.keys),
      );
    }

    /** Draw, and put the focus and the scrolled list back where they were. */
    function keepingPlace(scroll: boolean, drawAnew: () => void): void {
      const held = document.activeElement as HTMLElement | null;
      const inside = held !== null && el.contains(held);
      const unit = inside ? held.closest<HTMLElement>("[data-unit]")?.dataset.unit : undefined;
      const label = unit === undefined ? undefined : held?.dataset.label;
      const scrolled = body.querySelector(".ex-card-list")?.scrollTop ?? 0;
      const typing = held !== null && chosen.node.contains(held) ? held : null;
      drawAnew();
      typing?.focus({ preventScroll: true });
      const list = body.querySelector(".ex-card-list");
      if (list && scroll) list.scrollTop = scrolled;
      if (unit === undefined) return;
      const card = body.querySelector<HTMLElement>(`[data-unit="${CSS.escape(unit)}"]`);
      const button = card?.querySelector<HTMLElement>(`[data-label="${label}"]`);
      (label === undefined ? card : button)?.focus({ preventScroll: true });
    }

    function questionAndAnswer(trace: OpenTraceContent): HTMLElement {
      const row = (label: string, text: string, classes: string) => [
        h("span", { class: "ex-qa-label" }, label),
        h("div", {}, folded.text(`:${label}`, text, classes)),
      ];
      const { query, answer, streaming, source } = trace;
      return h(
        "div",
        { class: "ex-qa" },
        row(texts.question, query || texts.no_question, "ex-question"),
        row(
          texts.answer,
          answer || (streaming ? "…" : texts.no_answer),
          streaming ? "ex-answer ex-streaming" : "ex-answer",
        ),
        source ? row(texts.evidence, source, "ex-source") : null,
      );
    }
    function offerBox(offer: Offer | null): HTMLElement | null {
      if (!offer) return null;
      const action = ([kind, label, title]: Offer["actions"][number]) =>
        h(
          "button",
          { type: "button", class: "ex-primary", title, onClick: () => tell.now({ kind }) },
          label,
        );
      return h("div", { class: "ex-offer" }, h("span", {}, offer.text), offer.actions.map(action));
    }
    return draw;
  },
);
