// One figure on the page: what plotly draws of it, the cells behind, and what changes in place.

import { hostTheme } from "../lib/theme.ts";
import type {
  ArraysMessage,
  AxisLabels,
  Encoded,
  FigureMessage,
  HeatmapMessage,
  PlotTexts,
  PlotWindow,
} from "../protocol/index.ts";
import { decode, putAt, sameItems } from "./arrays.ts";
import { Cells, type Extent, extentOf, standIn } from "./cells.ts";
import { paintTheme } from "./figure_theme.ts";
import { FlatPoints } from "./flat_points.ts";
import { Patch } from "./patch.ts";
import {
  type Axis,
  drawnSize,
  drawnTrace,
  firstAxis,
  type Layout,
  type PlotElement,
  type Plotly,
} from "./plotly_internals.ts";
import { Ticks } from "./ticks.ts";

const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  typesetMath: false,
  responsive: false,
  doubleClick: false, // plotly goes back to the first figure that it has drawn, not to this one
  showTips: false,
};

const NARROW = 340; // CSS pixels

/** Newest serials that are on the page. */
export interface DrawnSerials {
  figure: number;
  heatmap: number;
  arrays: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export class Figure {
  grids: Cells[] = [];
  labels: AxisLabels = {};
  words: { x: string; y: string; z: string };
  readonly drawn: DrawnSerials = { figure: 0, heatmap: 0, arrays: 0 };
  /** Serial of the numbers that the first heatmap shows. */
  heatmapSerial = 0;
  /** Whether plotly reports what was asked of it here, and not a gesture. */
  private asked = 0;
  /** What the cells of a heatmap cover. */
  extent: Extent | null = null;
  /** What shows all of the figure. */
  private home: Record<string, unknown> = {};
  private narrow = false;
  private readonly ticks: Ticks;
  private readonly patch: Patch;
  private readonly points: FlatPoints;

  /** `moved` is called whenever the axes may lie elsewhere, `renumbered` with new numbers. */
  constructor(
    readonly gd: PlotElement,
    private readonly plotly: Plotly,
    private readonly texts: PlotTexts,
    private readonly on: { moved(): void; renumbered(): void },
  ) {
    this.words = { x: texts.key, y: texts.query, z: texts.weight };
    this.ticks = new Ticks(gd);
    this.patch = new Patch(gd);
    this.points = new FlatPoints(gd);
  }

  get isOurs(): boolean {
    return this.asked > 0;
  }

  /** The first axes, or null before the first drawing. */
  get axes(): { x: Axis; y: Axis } | null {
    const x = firstAxis(this.gd, "x");
    const y = firstAxis(this.gd, "y");
    return x && y ? { x, y } : null;
  }

  /** Draw a figure as it is by now: with the newest numbers of its heatmap and its arrays. */
  async draw(
    figure: FigureMessage,
    labels: AxisLabels,
    heatmap: HeatmapMessage | null,
    arrays: ArraysMessage | null,
    size: Size,
  ): Promise<void> {
    const { gd, plotly } = this;
    this.check(figure);
    const newer = heatmap?.labels ?? {};
    this.labels = { x: newer.x ?? labels.x, y: newer.y ?? labels.y };
    const messages = figure.data.map((trace) => trace.cells);
    const first = messages.findIndex(Boolean);
    this.extent = first < 0 ? null : extentOf(messages[first] ?? never(), this.labels);
    const data = figure.data.map((trace, i) => {
      const { cells, ...rest } = trace;
      const decoded = decode(rest as { readonly [name: string]: Encoded });
      if (cells) {
        return standIn(decoded, cells, i === first && this.extent ? this.extent : extentOf(cells));
      }
      for (const change of arrays?.changes ?? []) {
        if (change.trace === i) putAt(decoded, change.path, decode(change.value));
      }
      return decoded;
    });
    const layout = decode(figure.layout);
    paintTheme(layout, data, hostTheme());
    layout.margin = { l: 64, r: 16, t: layout.title?.text ? 48 : 16, b: 44, ...layout.margin };
    this.narrow = size.width < NARROW;
    if (this.extent && this.narrow) leaveLegendOut(layout);
    this.ticks.prepare(layout, this.labels, this.extent);
    this.home = homeOf(layout);
    Object.assign(layout, { ...size, autosize: false });
    for (const cells of this.grids) cells.canvas.remove();
    this.grids = [];
    await plotly.react(gd, data, layout, CONFIG);
    this.points.flatten();
    this.grids = messages.flatMap((message, i) =>
      message ? [new Cells(gd, i, message, figure.data[i].opacity ?? 1)] : [],
    );
    for (const cells of this.grids) cells.recolour();
    const [grid] = this.grids;
    if (heatmap && grid) {
      const { zmin, zmax } = grid.message;
      grid.set(heatmap);
      if (heatmap.zmin !== zmin || heatmap.zmax !== zmax) await this.rescale(heatmap);
    }
    this.readWords();
    await this.retick();
    this.redrawCells();
    Object.assign(this.drawn, {
      figure: figure.serial,
      heatmap: heatmap?.serial ?? 0,
      arrays: arrays?.serial ?? 0,
    });
    this.heatmapSerial = Math.max(figure.serial, this.drawn.heatmap);
    this.on.renumbered();
  }

  /** Put other numbers into the first heatmap. They show with this frame. */
  async drawHeatmap(heatmap: HeatmapMessage): Promise<void> {
    const [cells] = this.grids;
    if (!cells) return;
    const { zmin, zmax } = cells.message;
    cells.set(heatmap);
    cells.draw(); // on the screen with this frame, whatever plotly has to do afterwards
    this.drawn.heatmap = this.heatmapSerial = heatmap.serial;
    const { x, y } = heatmap.labels;
    const renamed = (x && !sameItems(x, this.labels.x)) || (y && !sameItems(y, this.labels.y));
    if (renamed) {
      this.labels = { x: x ?? this.labels.x, y: y ?? this.labels.y };
      this.ticks.rename(this.labels);
    }
    this.on.renumbered();
    if (renamed) await this.retick();
    if (heatmap.zmin !== zmin || heatmap.zmax !== zmax) await this.rescale(heatmap);
  }

  /** Carry out the changes of arrays that are newer than the picture. */
  async drawArrays(arrays: ArraysMessage): Promise<void> {
    const changes = arrays.changes.filter(({ serial }) => serial > this.drawn.arrays);
    const steps = this.grids.length ? null : this.patch.plan(changes);
    if (steps) for (const step of steps) step();
    else {
      // All traces in one call: plotly works everything out anew for each.
      const traces = [...new Set(changes.map(({ trace }) => trace))];
      const paths = [...new Set(changes.map(({ path }) => path))];
      const newest = (trace: number, path: string) =>
        changes.find((change) => change.trace === trace && change.path === path)?.value;
      const update = Object.fromEntries(
        // undefined: as it was
        paths.map((path) => [path, traces.map((trace) => decode(newest(trace, path)))]),
      );
      await this.plotly.restyle(this.gd, update, traces);
      this.points.flatten();
    }
    this.drawn.arrays = arrays.serial;
  }

  /** Draw for another size, or note that the whole figure has to be drawn for it. */
  async fit(size: Size): Promise<void> {
    if (this.extent && size.width < NARROW !== this.narrow) {
      this.drawn.figure = 0;
      return;
    }
    const now = drawnSize(this.gd);
    if (!now || (now.width === size.width && now.height === size.height)) return;
    await this.relayout({ ...size });
    await this.retick();
    this.redrawCells();
  }

  /** Draw in the host's theme as it is now. */
  async retheme(): Promise<void> {
    const { gd } = this;
    paintTheme(gd.layout, gd.data, hostTheme());
    await this.ours(() => this.plotly.redraw(gd));
    this.redrawCells();
  }

  async retick(): Promise<void> {
    const update = this.ticks.update();
    if (update) await this.relayout(update);
  }

  redrawCells(): void {
    for (const cells of this.grids) cells.draw();
    this.on.moved();
  }

  /** The visible window in axis units, or null where everything is visible. */
  window(): PlotWindow {
    const { x, y } = this.axes ?? never();
    const ends = (axis: Axis) => [...axis.ends].sort((a, b) => a - b);
    const [x0, x1] = ends(x);
    const [y0, y1] = ends(y);
    if (this.extent) {
      const [ex0, ex1] = [this.extent.x0, this.extent.x1].sort((a, b) => a - b);
      const [ey0, ey1] = [this.extent.y0, this.extent.y1].sort((a, b) => a - b);
      if (x0 <= ex0 && x1 >= ex1 && y0 <= ey0 && y1 >= ey1) return null;
    } else if (x.autorange && y.autorange) return null;
    return [x0, x1, y0, y1];
  }

  /** Show a window of the axes, or everything. */
  async zoomTo(window: PlotWindow): Promise<void> {
    const axes = this.axes ?? never();
    const e = this.extent;
    const [x0, x1, y0, y1] = window ?? (e ? [e.x0, e.x1, e.y0, e.y1] : []);
    const turned = (axis: Axis, ends: unknown[]) => {
      const [low, high] = (ends as number[]).sort((a, b) => a - b);
      return axis.reversed ? [high, low] : [low, high];
    };
    await this.relayout(
      x0 === undefined
        ? { "xaxis.autorange": true, "yaxis.autorange": true }
        : { "xaxis.range": turned(axes.x, [x0, x1]), "yaxis.range": turned(axes.y, [y0, y1]) },
    );
    await this.retick();
    this.redrawCells();
  }

  /** Show everything. */
  async goHome(): Promise<void> {
    await this.relayout(this.home);
    await this.retick();
    this.redrawCells();
  }

  private check(figure: FigureMessage): void {
    const supported = this.plotly.PlotSchema.get().traces;
    const types = figure.data.map((trace) => trace.type ?? "scatter");
    const odd = types.find((type) => !(type in supported));
    if (odd) throw new Error(this.texts.unknown_type.replace("{type}", odd));
  }

  /** The colour bar's numbers. */
  private rescale({ zmin, zmax }: HeatmapMessage): Promise<unknown> {
    const z = [
      [zmin, zmin],
      [zmin, zmin],
    ];
    return this.plotly.restyle(this.gd, { zmin, zmax, z: [z] }, [this.grids[0].trace]);
  }

  private readWords(): void {
    const { key, query, weight } = this.texts;
    const [grid] = this.grids;
    const colourBar = grid ? drawnTrace(this.gd, grid.trace)?.colorbar?.title?.text : null;
    const z = /^Click to enter/.test(colourBar ?? "") ? null : colourBar;
    this.words = {
      x: this.axes?.x.title ?? key,
      y: this.axes?.y.title ?? query,
      z: z || weight,
    };
  }

  private relayout(update: object): Promise<void> {
    return this.ours(() => this.plotly.relayout(this.gd, update));
  }

  private async ours(work: () => Promise<unknown>): Promise<void> {
    this.asked += 1;
    try {
      await work();
      this.points.flatten();
    } finally {
      this.asked -= 1;
    }
  }
}

/** A narrow heatmap has no room for the scale at its right. */
function leaveLegendOut(layout: Layout): void {
  const inside = ({ x }: { x?: unknown }) => !(typeof x === "number" && x >= 1);
  layout.images = layout.images?.filter(inside);
  layout.annotations = layout.annotations?.filter(inside);
  layout.margin.r = 12;
}

/** Return what puts every axis of a layout back to where it begins. */
function homeOf(layout: Layout): Record<string, unknown> {
  const home: Record<string, unknown> = {};
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    const { range, autorange, fixedrange } = layout[name];
    if (fixedrange) continue;
    if (range) home[`${name}.range`] = [...range];
    else home[`${name}.autorange`] = autorange ?? true;
  }
  return home;
}

function never(): never {
  throw new Error("nothing is drawn yet");
}
