// One view of one plot: waits until it can be seen, draws the newest state once a frame, reports back.

import { askToUnpin, h } from "../lib/dom.ts";
import { fill } from "../lib/format.ts";
import { listen, type Model } from "../lib/model.ts";
import { followTheme } from "../lib/theme.ts";
import type { PlotMarks, PlotMessage, PlotState, PlotTexts } from "../protocol/index.ts";
import { Figure, type Size } from "./figure.ts";
import { Gestures } from "./gestures.ts";
import { Line } from "./line.ts";
import { isDrawn, type PlotElement, type Plotly, type PlotlyEvent } from "./plotly_internals.ts";
import { Pointer } from "./pointer.ts";
import { Zoom } from "./zoom.ts";

const PARTS = ["figure", "heatmap", "arrays"] as const;
const HIDDEN_FRAMES = 30;

type PlotModel = Model<PlotState<PlotTexts>>;

/** Show a plot in an element; returns what takes it away. */
export function mountPlot(model: PlotModel, el: HTMLElement, plotly: Plotly): () => void {
  const view = new View(model, el, plotly);
  return () => view.close();
}

class View {
  marks: PlotMarks;
  readonly texts: PlotTexts;
  readonly gestures: Gestures;
  readonly host = h("div", { class: "explorer-plot-host", role: "img" });
  readonly over = h("div", { class: "explorer-plot-over" });
  private readonly gd = h("div", { style: "width:100%;height:100%" }) as unknown as PlotElement;
  private readonly figure: Figure;
  private readonly line: Line;
  private readonly pointer: Pointer;
  private readonly stops: (() => void)[] = [];
  private alert: HTMLElement | null = null;
  private clicks = 0;
  private drawing = false;
  private asked = false;
  private closed = false;
  private connected = false;
  /** Size of the element; null when it has to be measured. */
  private measured: Size | null = null;
  private resized = false;
  private rethemed = false;
  private failed = 0; // serial of the newest state that could not be drawn
  private hiddenFrames = 0;
  private readonly zoom: Zoom;
  private zoomSerial = 0;

  constructor(
    private readonly model: PlotModel,
    readonly el: HTMLElement,
    private readonly plotly: Plotly,
  ) {
    this.marks = { ...model.get("marks") };
    this.texts = model.get("texts");
    this.gestures = new Gestures(model);
    this.host.append(this.gd);
    el.append(this.host, this.over);
    el.setAttribute("role", "group");
    this.line = new Line(this.over, (value) => this.gestures.line.post(value));
    this.figure = new Figure(this.gd, plotly, this.texts, {
      moved: () => {
        this.line.place(this.figure.axes);
        this.pointer.crosshair();
      },
      renumbered: () => this.pointer.forget(),
    });
    this.pointer = new Pointer(this);
    this.zoom = new Zoom(
      this,
      this.figure,
      this.texts,
      (window) => this.gestures.zoom.post(window),
      (error) => this.fail(error),
    );
    this.listen();
    this.request();
  }

  // ---- what the pointer asks for

  get grids() {
    return this.figure.grids;
  }

  get labels() {
    return this.figure.labels;
  }

  get words() {
    return this.figure.words;
  }

  get heatmapSerial(): number {
    return this.figure.heatmapSerial;
  }

  get isDrawn(): boolean {
    return isDrawn(this.gd);
  }

  nextClick(): number {
    this.clicks += 1;
    return this.clicks;
  }

  // ---- when to draw

  private listen(): void {
    const on = (name: string, handler: () => void) => {
      this.model.on(`change:${name}`, handler);
      this.stops.push(() => this.model.off(`change:${name}`, handler));
    };
    for (const name of PARTS) on(name, () => this.request());
    on("marks", () => this.takeMarks());
    const receive = (message: PlotMessage, buffers: readonly DataView[]) => {
      if (message.kind === "exact") this.pointer.answer(message, buffers);
      else if (this.gestures.acknowledged(message.ack) === "line") this.takeMarks();
    };
    this.stops.push(listen(this.model, receive));
    // A hidden tab has no size: drawing waits here until it has one.
    const resize = new ResizeObserver(() => {
      this.measured = this.measure();
      this.resized = true;
      this.hiddenFrames = 0;
      this.request();
    });
    resize.observe(this.el);
    this.stops.push(() => resize.disconnect());
    this.stops.push(
      followTheme(() => {
        this.rethemed = isDrawn(this.gd);
        if (this.rethemed) this.request();
      }),
    );
    this.el.tabIndex = -1; // a click takes the keys along
    this.el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (this.marks.row !== null && this.marks.pin) this.pointer.pin(null);
      askToUnpin(this.el);
    });
  }

  private request(): void {
    if (this.asked || this.closed) return;
    this.asked = true;
    requestAnimationFrame(() => this.frame());
  }

  private async frame(): Promise<void> {
    this.asked = false;
    if (this.closed || this.drawing) return; // what is drawing now looks again when it is done
    this.applyHeight();
    // plotly measures texts, which have no size in a hidden page. JupyterLab hides everything for a
    // moment when the theme changes, too short for a resize to be noticed.
    if (this.rethemed || this.model.get("figure")?.serial !== this.figure.drawn.figure) {
      this.measured = null;
    }
    const { width, height } = this.size;
    if (!(width > 0 && height > 0)) {
      this.measured = null; // what is hidden for longer is noticed
      if (this.hiddenFrames++ < HIDDEN_FRAMES) this.request();
      return;
    }
    this.hiddenFrames = 0;
    if (this.failed && this.newestSerial() <= this.failed) return; // it would fail the same way
    this.drawing = true;
    try {
      await this.draw();
    } catch (error) {
      this.fail(error);
    }
    this.drawing = false;
    const anew = this.model.get("figure") !== null && this.figure.drawn.figure === 0;
    if (!this.closed && (anew || this.newestSerial() > this.drawnSerial())) this.request();
  }

  private newestSerial(): number {
    return Math.max(0, ...PARTS.map((name) => this.model.get(name)?.serial ?? 0));
  }

  private drawnSerial(): number {
    return Math.max(this.failed, ...Object.values(this.figure.drawn));
  }

  // ---- drawing

  /** Draw what is newer than the picture. Everything up to the first `await` shows in this frame. */
  private async draw(): Promise<void> {
    const figure = this.model.get("figure");
    const heatmap = this.model.get("heatmap");
    const arrays = this.model.get("arrays");
    if (!figure) return;
    const { drawn } = this.figure;
    let drew = 0;
    if (figure.serial !== drawn.figure) {
      await this.figure.draw(figure, this.model.get("labels"), heatmap, arrays, this.size);
      drew = Math.max(figure.serial, heatmap?.serial ?? 0, arrays?.serial ?? 0);
      this.resized = this.rethemed = false;
      this.connect();
      this.zoom.drawn();
      this.clearError();
    } else {
      if (heatmap && heatmap.serial !== drawn.heatmap) {
        drew = Math.max(drew, heatmap.serial);
        await this.figure.drawHeatmap(heatmap);
      }
      if (arrays && arrays.serial !== drawn.arrays) {
        drew = Math.max(drew, arrays.serial);
        await this.figure.drawArrays(arrays);
      }
      if (this.rethemed) {
        this.rethemed = false;
        await this.figure.retheme();
      }
      if (this.resized) {
        this.resized = false;
        await this.figure.fit(this.size);
        // What fits a figure of this width is the kernel's to say.
        this.gestures.width(this.size.width);
      }
    }
    this.applyMarks();
    if (drew) this.report(drew);
  }

  /** A size that is read after a change of the page makes the browser lay it out at once. */
  private get size(): Size {
    this.measured ??= this.measure();
    return this.measured;
  }

  private measure(): Size {
    return { width: this.el.clientWidth, height: this.el.clientHeight };
  }

  // ---- plotly's events

  private connect(): void {
    if (this.connected) return;
    this.connected = true;
    const { gd, gestures } = this;
    gd.on("plotly_relayouting", () => this.figure.redrawCells());
    gd.on("plotly_afterplot", () => {
      if (!this.drawing) this.figure.redrawCells();
    });
    gd.on("plotly_relayout", (change: object) => {
      if (!this.figure.isOurs) this.zoomed(change);
    });
    gd.on("plotly_doubleclick", () => this.zoom.reset());
    const point = ({ points: [one] }: PlotlyEvent) => {
      const { curveNumber: trace, pointIndex, pointNumber, x, y } = one;
      return { trace, x, y, index: pointIndex ?? pointNumber };
    };
    gd.on("plotly_hover", (event: PlotlyEvent) => gestures.hovered.post(point(event)));
    gd.on("plotly_unhover", () => gestures.hovered.post(null));
    gd.on("plotly_click", (event: PlotlyEvent) =>
      gestures.clicked.post({ ...point(event), n: this.nextClick() }),
    );
  }

  private zoomed(change: object): void {
    if (!Object.keys(change).some((key) => /axis\d*\.(range|autorange)/.test(key))) return;
    this.figure.redrawCells();
    this.figure.retick().catch((error) => this.fail(error));
    this.zoom.take();
  }

  // ---- marks

  private applyHeight(): void {
    const height = `${this.marks.height}px`;
    if (this.el.style.height === height) return;
    this.el.style.height = height;
    this.measured = null;
  }

  private takeMarks(): void {
    const marks = this.model.get("marks");
    // What a hand pinned a moment ago holds until the kernel has heard of it.
    const before = this.marks;
    const { row, column } = this.gestures.pin.busy ? before : marks;
    this.marks = { ...marks, row, column };
    this.applyHeight();
    this.applyMarks();
    if (row !== before.row || column !== before.column) this.zoom.reveal(row, column);
  }

  private applyMarks(): void {
    const { line, name, zoom } = this.marks;
    this.el.setAttribute("aria-label", name);
    this.host.setAttribute("aria-label", name);
    this.line.options = line;
    // While a hand moves the line, or its last place is on the way, the kernel's word is older.
    if (!this.line.held && !this.gestures.line.busy) this.line.value = line.value;
    if (!isDrawn(this.gd)) return;
    this.line.place(this.figure.axes);
    this.pointer.crosshair();
    if (zoom.n <= this.zoomSerial) return;
    this.zoomSerial = zoom.n;
    this.zoom.set(zoom.window);
  }

  // ---- how it went

  private report(serial: number, state = "ready"): void {
    this.el.dataset.state = state;
    this.el.dataset.drawn = String(serial);
    this.gestures.drawn({ serial, width: this.size.width });
  }

  private fail(error: unknown): void {
    console.error("[explorer] plot", error);
    const reason = error instanceof Error ? error.message : String(error);
    const message = fill(this.texts.not_drawn, { reason });
    this.alert?.remove();
    this.alert = h("p", { class: "explorer-plot-note", role: "alert" }, message);
    this.el.append(this.alert);
    this.failed = this.newestSerial();
    this.figure.drawn.figure = 0; // whatever comes next starts from the whole figure
    this.gestures.error(message);
    this.report(this.failed, "failed");
  }

  private clearError(): void {
    if (!this.failed) return;
    this.alert?.remove();
    this.failed = 0;
    this.gestures.error("");
  }

  close(): void {
    this.closed = true;
    for (const stop of this.stops) stop();
    this.gestures.close();
    this.plotly.purge(this.gd);
  }
}
