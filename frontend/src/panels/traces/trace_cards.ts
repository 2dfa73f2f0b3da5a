// Traces: loading and stepping, question and answer, one card for each hyperedge.

import { quietButton, segmented } from "../../lib/controls.ts";
import { h, replace, setText } from "../../lib/dom.ts";
import { fill } from "../../lib/format.ts";
import type {
  Offer,
  OpenTraceContent,
  Problems,
  TraceCardsContent,
  TraceCardsGesture,
  TraceCardsTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { hyperedgeCard, hyperedgeText } from "./hyperedges.ts";
import { uploads } from "./uploads.ts";

const ACCEPTED = ".jsonl,.json,.ndjson,.csv,.tsv,.parquet,.gz,application/json";

export const traceCards = panel<TraceCardsContent, TraceCardsTexts, TraceCardsGesture>(
  "ex-cards-region",
  ({ el, texts, tell, listen }) => {
    let content: TraceCardsContent;
    const uploading = h("span", { class: "ex-note", role: "status" });
    const upload = uploads(tell, listen, (name, percent) =>
      setText(uploading, name ? fill(texts.uploading, { name, percent }) : ""),
    );
    const file = h("input", {
      type: "file",
      accept: ACCEPTED,
      class: "ex-file",
      tabindex: "-1",
      "aria-label": texts.file,
      onChange: () => {
        if (file.files?.[0]) upload(file.files[0]);
        file.value = "";
      },
    });
    const path = h("input", {
      type: "text",
      class: "ex-path",
      "aria-label": texts.path,
      placeholder: texts.path_placeholder,
      spellcheck: "false",
      onKeydown: (event) => {
        const wanted = path.value.trim();
        if (event.key === "Enter" && wanted) tell.now({ kind: "load_path", path: wanted });
      },
    });
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
      "aria-label": texts.number,
      onChange: () => {
        const index = Number(place.value) - 1;
        const known = Number.isInteger(index) && index >= 0 && index < content.count;
        if (known) tell.set("trace", index);
        else place.value = String(content.index + 1);
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
        view.node,
        h("span", { class: "ex-grow" }),
        h(
          "span",
          { class: "ex-sources" },
          quietButton(texts.load, texts.load_title, () => file.click()),
          file,
          path,
          quietButton(texts.examples, texts.examples_title, () =>
            tell.now({ kind: "load_examples" }),
          ),
        ),
      ),
      uploading,
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
    });
    dropTarget(el, upload);

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
        replace(body, h("p", { class: "ex-empty" }, texts.empty), problemList(content.problems));
        return;
      }
      view.show(opened.view);
      keepingPlace(opened.id === idShown, () => drawTrace(opened));
      idShown = opened.id;
    }

    function drawTrace(trace: OpenTraceContent): void {
      const actions = {
        texts,
        pinned: trace.pinned,
        pin: (unit: string | null) => tell.now({ kind: "pin", unit }),
        label: (unit: string, value: boolean | null) => tell.now({ kind: "label", unit, value }),
      };
      replace(
        body,
        questionAndAnswer(trace),
        offerBox(trace.offer),
        problemList(trace.problems),
        trace.notes.map((note) => h("p", { class: "ex-note" }, note)),
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
      );
    }

    /** Draw, and put the focus and the scrolled list back where they were. */
    function keepingPlace(scroll: boolean, drawAnew: () => void): void {
      const held = document.activeElement as HTMLElement | null;
      const inside = held !== null && el.contains(held);
      const unit = inside ? held.closest<HTMLElement>("[data-unit]")?.dataset.unit : undefined;
      const label = unit === undefined ? undefined : held?.dataset.label;
      const scrolled = body.querySelector(".ex-card-list")?.scrollTop ?? 0;
      drawAnew();
      const list = body.querySelector(".ex-card-list");
      if (list && scroll) list.scrollTop = scrolled;
      if (unit === undefined) return;
      const card = body.querySelector<HTMLElement>(`[data-unit="${CSS.escape(unit)}"]`);
      const button = card?.querySelector<HTMLElement>(`[data-label="${label}"]`);
      (label === undefined ? card : button)?.focus({ preventScroll: true });
    }

    function questionAndAnswer(trace: OpenTraceContent): HTMLElement {
      const row = (label: string, text: string, classes?: string) => [
        h("span", { class: "ex-qa-label" }, label),
        h("p", { class: classes }, text),
      ];
      const { query, answer, streaming, source } = trace;
      return h(
        "div",
        { class: "ex-qa" },
        row(texts.question, query || texts.no_question),
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
    function problemList({ title, lines, more }: Problems): HTMLElement | null {
      if (!lines.length) return null;
      const item = ([line, message]: Problems["lines"][number]) =>
        h("li", {}, line ? fill(texts.problem_line, { line, message }) : message);
      return h(
        "details",
        { class: "ex-problems" },
        h("summary", {}, title),
        h("ul", {}, lines.map(item)),
        more,
      );
    }
    return draw;
  },
);

/** Let files be dropped on an element. */
function dropTarget(el: HTMLElement, upload: (file: File) => void): void {
  const take = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
  };
  el.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    take(event);
    el.classList.add("ex-dropping");
  });
  el.addEventListener("dragleave", (event) => {
    if (!el.contains(event.relatedTarget as Node | null)) el.classList.remove("ex-dropping");
  });
  el.addEventListener("drop", (event) => {
    take(event);
    el.classList.remove("ex-dropping");
    const dropped = event.dataTransfer?.files[0];
    if (dropped) upload(dropped);
  });
}
