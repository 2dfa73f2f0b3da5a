// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PlotElement, Plotly } from "../src/plot/plotly_internals.ts";
import { mountPlot } from "../src/plot/view.ts";
import type { PlotGesture, PlotMarks, PlotState, PlotTexts } from "../src/protocol/index.ts";

type State = { -readonly [name in keyof PlotState<PlotTexts>]: PlotState<PlotTexts>[name] };

const MARKS: PlotMarks = {
  height: 300,
  name: "bars",
  line: { value: null, axis: "x", name: "threshold" },
  row: null,
  column: null,
  columns: [],
  pin: false,
  exact: false,
  zoom: { n: 0, window: null },
};

/** A plot of three bars on a page: its size, how often that was read, and what was drawn. */
class Page {
  room = { width: 640, height: 300 };
  reads = 0;
  readonly reacted: object[] = [];
  readonly sent: PlotGesture[] = [];
  readonly state: State = {
    figure: { serial: 1, data: [{ type: "bar", x: [0, 1, 2] }], layout: {} },
    labels: {},
    heatmap: null,
    arrays: null,
    marks: MARKS,
    texts: { not_drawn: "{reason}" } as PlotTexts,
  };
  private readonly handlers = new Map<string, () => void>();
  private frames: FrameRequestCallback[] = [];
  private observed: (() => void) | null = null;

  constructor() {
    vi.stubGlobal("requestAnimationFrame", (run: FrameRequestCallback) => this.frames.push(run));
    const observe = (run: () => void) => {
      this.observed = run;
    };
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(run: () => void) {
          observe(run);
        }
        observe() {}
        disconnect() {}
      },
    );
    const el = document.createElement("div");
    for (const [name, side] of [
      ["clientWidth", "width"] as const,
      ["clientHeight", "height"] as const,
    ]) {
      Object.defineProperty(el, name, {
        get: () => {
          this.reads += 1;
          return this.room[side];
        },
      });
    }
    document.body.append(el);
    const react = async (gd: PlotElement, data: object[], layout: object) => {
      const axis = { range: [0, 1], type: "linear", _offset: 0, _length: 100 };
      this.reacted.push(layout);
      Object.assign(gd, {
        data,
        layout,
        on: () => {},
        calcdata: [],
        _fullData: data,
        _fullLayout: { ...layout, xaxis: axis, yaxis: axis },
      });
    };
    const nothing = async () => {};
    const plotly: Plotly = {
      react,
      restyle: nothing,
      relayout: async (gd, update) => {
        this.reacted.push(update);
        Object.assign((gd as unknown as { _fullLayout: object })._fullLayout, update);
      },
      redraw: nothing,
      purge: () => {},
      PlotSchema: { get: () => ({ traces: { bar: {} } }) },
    };
    const model = {
      get: <Name extends keyof State>(name: Name) => this.state[name],
      on: (event: string, handler: () => void) => void this.handlers.set(event, handler),
      off: () => {},
      send: (gesture: PlotGesture) => void this.sent.push(gesture),
    };
    mountPlot(model as unknown as Parameters<typeof mountPlot>[0], el, plotly);
  }

  set(changes: Partial<State>): void {
    Object.assign(this.state, changes);
    for (const name of Object.keys(changes)) this.handlers.get(`change:${name}`)?.();
  }

  resize(width: number, height: number): void {
    this.room = { width, height };
    this.observed?.();
  }

  /** Run the frames that were asked for, and what follows from each. */
  async settle(): Promise<void> {
    while (this.frames.length) {
      for (const run of this.frames.splice(0)) run(0);
      await new Promise((done) => setTimeout(done));
    }
  }
}

const arrays = (serial: number) => ({
  serial,
  changes: [{ trace: 0, path: "hovertext", serial, value: ["a", "b", "c"] }],
});

describe("a plot", () => {
  let page: Page;

  beforeEach(async () => {
    page = new Page();
    await page.settle();
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("is drawn in the size that the page gives it", () => {
    expect(page.reacted).toEqual([expect.objectContaining({ width: 640, height: 300 })]);
    expect(page.sent).toEqual([{ kind: "drawn", serial: 1, width: 640 }]);
  });

  it("measures nothing while only numbers change", async () => {
    page.reads = 0;
    for (const serial of [2, 3, 4]) {
      page.set({ arrays: arrays(serial) });
      await page.settle();
    }
    expect(page.sent.at(-1)).toEqual({ kind: "drawn", serial: 4, width: 640 });
    expect(page.reads).toBe(0);
  });

  it("measures again for a new figure of another height", async () => {
    page.room.height = 500;
    page.set({ marks: { ...MARKS, height: 500 } });
    page.set({ figure: { ...(page.state.figure ?? never()), serial: 2 } });
    await page.settle();
    expect(page.reacted.at(-1)).toMatchObject({ width: 640, height: 500 });
  });

  it("is fitted to another size, and says how wide it is", async () => {
    page.resize(900, 300);
    await page.settle();
    expect(page.reacted.at(-1)).toMatchObject({ width: 900, height: 300 });
    expect(page.sent.at(-1)).toEqual({ kind: "width", width: 900 });
  });

  it("waits while it is hidden, and draws when it is shown", async () => {
    page.resize(0, 0);
    page.set({ arrays: arrays(2) });
    await page.settle();
    expect(page.sent.at(-1)).toMatchObject({ serial: 1 });
    page.resize(640, 300);
    await page.settle();
    expect(page.sent).toContainEqual({ kind: "drawn", serial: 2, width: 640 });
  });
});

function never(): never {
  throw new Error("there is a figure");
}
