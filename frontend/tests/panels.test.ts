// @vitest-environment happy-dom
// Every panel draws its examples; single gestures of the larger ones.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import pageTexts from "../../tests/shared/page_texts.json" with { type: "json" };
import { PANELS } from "../src/panels/index.ts";
import { fromSlider, toSlider } from "../src/panels/shell/toolbar.ts";
import { CONTENTS, EXAMPLES } from "./examples.ts";
import { FakeModel } from "./fake_model.ts";

const TEXTS: Record<string, object> = pageTexts;

interface State {
  content: object;
  texts: object;
  document: object;
  source: string;
  tint: DataView;
  palette: object;
}

let el: HTMLElement;
let stop: () => void;

beforeEach(() => {
  window.matchMedia = vi.fn().mockReturnValue({
    matches: false,
    addEventListener: () => {},
    removeEventListener: () => {},
  });
  // happy-dom has no canvas to draw on.
  HTMLCanvasElement.prototype.getContext = vi.fn().mockReturnValue({ fillRect: () => {} }) as never;
  el = document.createElement("div");
  document.body.append(el);
  stop = () => {};
});
afterEach(() => {
  stop();
  el.remove();
});

function show(part: string, content: object = CONTENTS[part][0]): FakeModel<State> {
  const model = new FakeModel<State>({
    content,
    texts: TEXTS[part],
    document: EXAMPLES.document,
    source: "x = 1",
    tint: new DataView(new ArrayBuffer(32)),
    palette: EXAMPLES.palette,
  });
  stop = PANELS[part](model, el);
  return model;
}

const button = (text: string) => {
  const found = [...el.querySelectorAll("button")].find((one) => one.textContent === text);
  if (!found) throw new Error(`no button “${text}” in ${el.textContent}`);
  return found;
};
const labelled = <Tag extends HTMLElement>(label: string) =>
  el.querySelector(`[aria-label="${label}"]`) as Tag;

describe.each(Object.keys(PANELS))("%s", (part) => {
  it("draws every example, and nothing before there is content", () => {
    const model = show(part, {});
    expect(el.childElementCount).toBe(0);
    for (const content of [...CONTENTS[part], ...CONTENTS[part]]) {
      model.set({ content });
      expect(el.childElementCount).toBeGreaterThan(0);
      expect(el.textContent).not.toMatch(/undefined|NaN|\[object|\{\w+\}/);
    }
  });

  it("leaves no handler behind", () => {
    const model = show(part);
    expect(model.listeners).toBeGreaterThan(0);
    stop();
    expect(model.listeners).toBe(0);
  });

  it("shows its texts as texts", () => {
    const content = JSON.parse(
      JSON.stringify(CONTENTS[part][0]).replaceAll("The Nile", "<b>The</b> Nile"),
    );
    show(part, content);
    expect(el.querySelector("b b, .ex-card-text b")).toBeNull();
  });
});

describe("header", () => {
  it("reports tabs, copy and save", () => {
    const model = show("header");
    button("Code").click();
    button("copy").click();
    button("save").click();
    button("Picture (PNG)").click();
    expect(model.gestures).toEqual([
      { kind: "set", name: "tab", value: "code" },
      { kind: "copy" },
      { kind: "save", what: "png" },
    ]);
  });

  it("asks for a model that is not in the list, and takes Escape for no", () => {
    const model = show("header");
    const select = labelled<HTMLSelectElement>("Model");
    select.value = "other…";
    select.dispatchEvent(new Event("change"));
    const input = labelled<HTMLInputElement>("Folder of a model, or its id on the hub");
    expect([select.hidden, input.hidden]).toEqual([true, false]);
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect([select.hidden, input.hidden, select.value]).toEqual([false, true, "tiny"]);
    input.value = " some/model ";
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    expect(model.gestures).toEqual([{ kind: "set", name: "model", value: "some/model" }]);
  });
});

describe("toolbar", () => {
  it("has thresholds where they belong on either scale", () => {
    for (const scale of ["log", "linear"] as const) {
      for (const threshold of [0, 0.001, 0.1, 0.5, 1]) {
        expect(fromSlider(toSlider(threshold, scale), scale)).toBeCloseTo(threshold, 10);
      }
    }
    expect(toSlider(1e-9, "log")).toBe(-4);
  });

  it("sets the threshold that is typed, also with a comma, and restores it after an invalid entry", () => {
    const model = show("toolbar");
    const typed = labelled<HTMLInputElement>("Threshold, typed");
    expect(typed.value).toBe("0.100");
    for (const text of ["0,25", "many"]) {
      typed.value = text;
      typed.dispatchEvent(new Event("change"));
    }
    expect(model.gestures).toEqual([{ kind: "set", name: "threshold", value: 0.25 }]);
    expect(typed.value).toBe("0.100");
  });
});

describe("head_selector", () => {
  const value = () => [...el.querySelectorAll(".ex-stepper-value")].map((one) => one.textContent);

  it("walks from what was chosen last, before the kernel has answered", () => {
    const model = show("head_selector", { ...CONTENTS.head_selector[0], layer: 0, head: 1 });
    labelled<HTMLButtonElement>("Next layer").click();
    labelled<HTMLButtonElement>("Next head").click();
    labelled<HTMLButtonElement>("Next head").click();
    expect(value()).toEqual(["1", "3"]);
    model.set({ content: { ...CONTENTS.head_selector[0], layer: 0, head: 1 } }); // older news
    expect(value()).toEqual(["1", "3"]);
    expect(model.gestures.at(-1)).toEqual({ kind: "set", name: "head", value: 2 });
  });

  it("goes no further than there are layers, and back from a mean to the last one", () => {
    const model = show("head_selector");
    labelled<HTMLButtonElement>("Next layer").click();
    expect(value()[0]).toBe("1");
    labelled<HTMLButtonElement>("Mean over all heads").click();
    expect(value()[1]).toBe("2");
    expect(model.gestures.at(-1)).toEqual({ kind: "set", name: "head", value: 2 });
  });

  it("removes the head set", () => {
    const model = show("head_selector");
    labelled<HTMLButtonElement>("Remove the head set").click();
    expect(model.gestures).toEqual([{ kind: "set", name: "heads", value: null }]);
    expect(el.querySelector<HTMLElement>(".ex-set")?.hidden).toBe(true);
  });
});

describe("status", () => {
  it("cancels the job whose button it is, and dismisses an error", () => {
    const model = show("status", { ...CONTENTS.status[0], error: "It failed." });
    el.querySelectorAll<HTMLButtonElement>(".ex-jobs .ex-job button")[0].click();
    button("dismiss").click();
    expect(model.gestures).toEqual([{ kind: "cancel", job: "scoring" }, { kind: "dismiss" }]);
    model.set({ content: { ...CONTENTS.status[0], jobs: [] } });
    expect(el.querySelector(".ex-job")).toBeNull();
    expect(el.querySelector<HTMLElement>(".ex-failure")?.hidden).toBe(true);
  });
});

describe("code_text", () => {
  const editor = () => labelled<HTMLTextAreaElement>("Code to explore");

  it("keeps what was typed over a look at the tokens, and runs it", () => {
    const model = show("code_text");
    button("edit").click();
    editor().value = "y = 2";
    button("back").click();
    expect(editor().hidden).toBe(true);
    button("edit").click();
    expect(editor().value).toBe("y = 2");
    button("run").click();
    expect(model.gestures).toEqual([
      { kind: "editing" },
      { kind: "editing" },
      { kind: "run", source: "y = 2" },
    ]);
  });

  it("pins a token that is clicked, and walks with the arrow keys", () => {
    const model = show("code_text", { ...CONTENTS.code_text[0], pinned: 1 });
    el.querySelector<HTMLElement>('[data-token="2"]')?.click();
    const code = el.querySelector(".ex-code") as HTMLElement;
    for (const key of ["ArrowRight", "Escape"]) {
      code.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    }
    expect(model.gestures).toEqual([
      { kind: "pin", index: 2 },
      { kind: "pin", index: 2 },
      { kind: "pin", index: null },
    ]);
  });
});

describe("trace_cards", () => {
  const open = CONTENTS.trace_cards[1];

  it("labels and takes a label back, and pins by the card", () => {
    const model = show("trace_cards", open);
    const [card, other] = el.querySelectorAll<HTMLElement>(".ex-card");
    card.querySelector<HTMLElement>('[data-label="true"]')?.click();
    other.querySelector<HTMLElement>('[data-label="false"]')?.click();
    card.click();
    expect(model.gestures).toEqual([
      { kind: "label", unit: "h0", value: null },
      { kind: "label", unit: "h0", value: false },
      { kind: "pin", unit: null },
    ]);
  });

  it("labels by keys and goes on to the next card, and finds one without a label", () => {
    const model = show("trace_cards", open);
    const [first, second] = el.querySelectorAll<HTMLElement>(".ex-card");
    second.dataset.unit = "h1";
    const press = (key: string) =>
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    first.focus();
    press("n");
    expect(document.activeElement).toBe(second);
    press("0");
    press("ArrowUp");
    expect(document.activeElement).toBe(first);
    press("u");
    expect(document.activeElement).toBe(second);
    press("u");
    expect(model.gestures).toEqual([
      { kind: "label", unit: "h0", value: false },
      { kind: "label", unit: "h1", value: null },
      { kind: "next_unlabelled" },
    ]);
  });

  it("asks for other hyperedges, and for a trace by its id", () => {
    const model = show("trace_cards", {
      ...open,
      filter: { words: "", which: "all", first: 0, matching: 260, counts: [260, 3, 5] },
    });
    button("unlabelled 3").click();
    button("later").click();
    const place = labelled<HTMLInputElement>("Number or id of the trace");
    place.value = "t17";
    place.dispatchEvent(new Event("change"));
    expect(model.gestures).toEqual([
      { kind: "filter", words: "", which: "unlabelled", first: 0 },
      { kind: "filter", words: "", which: "all", first: 200 },
      { kind: "set", name: "trace", value: "t17" },
    ]);
    expect(el.textContent).toContain("1 to 2 of 260");
  });

  it("steps from where quick steps are heading", () => {
    const model = show("trace_cards", { ...open, count: 9 });
    for (let n = 0; n < 3; n++) labelled<HTMLButtonElement>("Next trace (PgDn)").click();
    expect(labelled<HTMLInputElement>("Number or id of the trace").value).toBe("4");
    expect(model.gestures).toEqual([{ kind: "set", name: "trace", value: 1 }]);
  });

  it("offers what helps", () => {
    const model = show("trace_cards", open);
    button("record attention").click();
    expect(model.gestures).toEqual([{ kind: "record" }]);
  });
});

describe("trace_file", () => {
  it("says at the path what was not loaded, whose traces are in view, and reads it otherwise", () => {
    const model = show("trace_file", CONTENTS.trace_file[1]);
    const alert = el.querySelector('[role="alert"]') as HTMLElement;
    expect(alert.textContent).toContain("langfuse.json was not loaded. No known format.");
    expect(alert.textContent).toContain("Below is still what was open before: traces.jsonl.");
    const menu = labelled<HTMLSelectElement>("Read the file that failed as this format");
    menu.value = "ragas";
    menu.dispatchEvent(new Event("change"));
    button("dismiss").click();
    expect(model.gestures).toEqual([{ kind: "load_as", format: "ragas" }, { kind: "dismiss" }]);
    model.set({ content: CONTENTS.trace_file[0] });
    expect(alert.hidden).toBe(true);
  });

  it("keeps a path that failed, and forgets one that was opened", () => {
    const [good, failed] = CONTENTS.trace_file;
    const model = show("trace_file", good);
    const path = labelled<HTMLInputElement>("Path of a trace file");
    path.value = "other.json";
    model.set({ content: { ...good, opening: "other.json" } });
    model.set({ content: { ...failed, opening: "" } });
    expect(path.value).toBe("other.json");
    expect(path.getAttribute("aria-invalid")).toBe("true");
    model.set({ content: { ...good, opening: "other.json" } });
    model.set({ content: good });
    expect(path.value).toBe("");
    expect(path.getAttribute("aria-invalid")).toBe("false");
  });

  it("uploads a file piece by piece, each after the one before has arrived", async () => {
    const model = show("trace_file");
    const dropped = new Event("drop", { bubbles: true, cancelable: true });
    const file = new File([new Uint8Array(700_000)], "a.jsonl");
    Object.assign(dropped, { dataTransfer: { files: [file] } });
    el.dispatchEvent(dropped);
    await vi.waitFor(() => expect(model.sent).toHaveLength(1));
    model.tell({ kind: "received" });
    await vi.waitFor(() => expect(model.sent).toHaveLength(2));
    const pieces = model.sent.map(({ content, buffers }) => [
      content.offset,
      content.size,
      buffers[0].byteLength,
    ]);
    expect(pieces).toEqual([
      [0, 700_000, 524_288],
      [524_288, 700_000, 175_712],
    ]);
  });

  it("sends nothing of a file that is too large", () => {
    const model = show("trace_file");
    const dropped = new Event("drop", { bubbles: true, cancelable: true });
    Object.assign(dropped, { dataTransfer: { files: [{ name: "big", size: 3e8 }] } });
    el.dispatchEvent(dropped);
    expect(model.gestures).toEqual([{ kind: "too_large", name: "big", size: 3e8 }]);
  });
});

describe("figures", () => {
  it("reports its buttons by what they do now", () => {
    const model = show("figures");
    button("search all settings").click();
    button("use it in every tab").click();
    button("JSON").click();
    button("measure causal use").click();
    model.set({ content: { ...CONTENTS.figures[0], recommending: true } });
    button("cancel").click();
    expect(model.gestures).toEqual([
      { kind: "recommend" },
      { kind: "take" },
      { kind: "export", what: "json" },
      { kind: "measure" },
      { kind: "cancel_recommend" },
    ]);
  });
});

describe("answer", () => {
  it("does what it says, and Esc undoes it", () => {
    const model = show("answer");
    button("set it").click();
    model.set({ content: { ...CONTENTS.answer[0], undo: "back to 0.2 (Esc)" } });
    const undo = button("back to 0.2 (Esc)");
    expect(document.activeElement).toBe(undo);
    undo.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(model.gestures).toEqual([{ kind: "use" }, { kind: "undo" }]);
  });

  it("sets the number of the objective by its own name", () => {
    const model = show("answer");
    const field = el.querySelector<HTMLInputElement>("input.ex-number");
    if (!field) throw new Error("no field");
    field.value = "5";
    field.dispatchEvent(new Event("change", { bubbles: true }));
    expect(model.gestures).toEqual([{ kind: "set", name: "cost_ratio", value: 5 }]);
  });

  it("asks for labels where there are too few", () => {
    const model = show("answer");
    const action = { kind: "label", label: "label them", title: "Each card" };
    model.set({ content: { ...CONTENTS.answer[0], kind: "few", figures: [], action } });
    button("label them").click();
    expect(model.gestures).toEqual([{ kind: "set", name: "tab", value: "traces" }]);
    expect(el.querySelector<HTMLElement>(".ex-answer-numbers")?.hidden).toBe(true);
  });
});

describe("the header without a kernel", () => {
  it("says that the kernel is gone, and greys the app", () => {
    el.className = "explorer-app";
    const panel = document.createElement("div");
    el.append(panel);
    const model = new FakeModel<State>({
      content: CONTENTS.header[0],
      texts: TEXTS.header,
      document: EXAMPLES.document,
      source: "",
      tint: new DataView(new ArrayBuffer(0)),
      palette: EXAMPLES.palette,
    });
    stop = PANELS.header(model, panel);
    const alert = panel.querySelector<HTMLElement>("[role=alert]");
    expect(alert?.hidden).toBe(true);
    expect(el.dataset.exTheme).toBe("light");
    model.die();
    expect(alert?.hidden).toBe(false);
    expect(alert?.textContent).toBe("The kernel is gone. Run the cell again.");
    expect(el.classList.contains("ex-without-kernel")).toBe(true);
    expect(panel.querySelector(".ex-model-state")?.textContent).toBe("");
  });
});

describe("what is coming", () => {
  it("is said over the picture, which is dimmed, and can be cancelled there", () => {
    vi.useFakeTimers();
    el.className = "explorer-app";
    const place = document.createElement("div");
    el.append(place);
    const job = { job: "code", message: "recording 500 tokens", fraction: null, replaces: true };
    const model = new FakeModel<State>({
      content: { sentence: "", error: null, notes: [], jobs: [job] },
      texts: TEXTS.status,
      document: EXAMPLES.document,
      source: "",
      tint: new DataView(new ArrayBuffer(0)),
      palette: EXAMPLES.palette,
    });
    stop = PANELS.status(model, place);
    const coming = place.querySelector<HTMLElement>(".ex-coming");
    expect(coming?.hidden).toBe(true); // what is over at once needs no words
    vi.advanceTimersByTime(500);
    expect(coming?.hidden).toBe(false);
    expect(coming?.textContent).toContain("recording 500 tokens");
    expect(el.classList.contains("ex-dimmed")).toBe(true);
    button("cancel").click();
    expect(model.gestures).toEqual([{ kind: "cancel", job: "code" }]);
    model.set({ content: { sentence: "", error: null, notes: [], jobs: [] } });
    expect(coming?.hidden).toBe(true);
    expect(el.classList.contains("ex-dimmed")).toBe(false);
    vi.useRealTimers();
  });
});
