// Heatmap cells: one byte each, painted on a canvas behind plotly's axes.

import { h } from "../lib/dom.ts";
import type { AxisLabels, CellsMessage } from "../protocol/index.ts";
import { coverage, MISSING, paintCells } from "./pixels.ts";
import {
  type Axis,
  axesOf,
  colourScale,
  drawing,
  type PlotElement,
  type Trace,
} from "./plotly_internals.ts";

/** The code of the largest value; codes run from 0 to here. */
export const LEVELS = 254;

/** First and last position of a block. */
export type Span = readonly [first: number, last: number];

/** A part of the plane, in units of the axes. */
export interface Extent {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

/** A heatmap: its codes, where its cells lie, and the canvas that shows them. */
export class Cells {
  readonly canvas: HTMLCanvasElement;
  message!: CellsMessage;
  codes!: Uint8Array;
  private readonly context: CanvasRenderingContext2D;
  private colours = new Uint32Array(256);
  private image: ImageData | null = null;

  constructor(
    private readonly gd: PlotElement,
    readonly trace: number,
    message: CellsMessage,
    opacity = 1,
  ) {
    this.canvas = h("canvas", { class: "explorer-cells" });
    this.canvas.style.opacity = String(opacity);
    this.context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    this.set(message);
  }

  /** Take other numbers; `draw` shows them. */
  set(message: CellsMessage): void {
    this.message = message;
    const { buffer, byteOffset, byteLength } = message.codes;
    this.codes = new Uint8Array(buffer, byteOffset, byteLength);
  }

  get axes(): [x: Axis, y: Axis] {
    const axes = axesOf(this.gd, this.trace);
    if (!axes) throw new Error("a heatmap has no axes before plotly has drawn them");
    return axes;
  }

  /** Take the colours of the figure; called after plotly has worked out its defaults. */
  recolour(): void {
    const { stops, reversed } = colourScale(this.gd, this.trace);
    this.colours = lookUpTable(stops, reversed);
  }

  draw(): void {
    const [x, y] = this.axes;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(x.length * ratio);
    const height = Math.round(y.length * ratio);
    if (!(width > 0 && height > 0)) return;
    const { canvas, context, message } = this;
    if (canvas.width !== width || canvas.height !== height || !this.image) {
      canvas.width = width;
      canvas.height = height;
      this.image = context.createImageData(width, height);
    }
    Object.assign(canvas.style, {
      left: `${x.offset}px`,
      top: `${y.offset}px`,
      width: `${x.length}px`,
      height: `${y.length}px`,
    });
    const container = drawing(this.gd);
    if (canvas.parentNode !== container) container?.prepend(canvas);
    const { columns, rows, x0, dx, y0, dy } = message;
    paintCells(
      new Uint32Array(this.image.data.buffer),
      this.codes,
      columns,
      this.colours,
      coverage((pixel) => x.valueAt(pixel / ratio), width, x0, dx, columns),
      coverage((pixel) => y.valueAt(pixel / ratio), height, y0, dy, rows),
    );
    context.putImageData(this.image, 0, 0);
  }

  /** Return the cell under a point of the axes, in pixels, or null. */
  at(px: number, py: number): { row: number; column: number } | null {
    const [x, y] = this.axes;
    if (px < 0 || py < 0 || px > x.length || py > y.length) return null;
    const { x0, dx, y0, dy, rows, columns } = this.message;
    const column = Math.floor((x.valueAt(px) - x0) / dx + 0.5);
    const row = Math.floor((y.valueAt(py) - y0) / dy + 0.5);
    const inside = row >= 0 && column >= 0 && row < rows && column < columns;
    return inside ? { row, column } : null;
  }

  /** Return the positions (tokens) that a cell stands for: several where the map is pooled. */
  positions(row: number, column: number): { rows: Span; columns: Span } {
    const { x0, dx, y0, dy } = this.message;
    return { rows: positionsOf(row, y0, dy), columns: positionsOf(column, x0, dx) };
  }

  /** Return the value that a cell's colour stands for; NaN where it has none. */
  approximate(row: number, column: number): number {
    const { columns, zmin, zmax } = this.message;
    const code = this.codes[row * columns + column];
    return code === MISSING ? Number.NaN : zmin + (code / LEVELS) * (zmax - zmin);
  }
}

/** Return first and last position of a cell: whole numbers inside it, its last edge left out. */
export function positionsOf(cell: number, start: number, step: number): Span {
  const centre = start + cell * step;
  const half = Math.abs(step) / 2;
  const from = Math.ceil(centre - half) + 0; // never -0
  return [from, Math.max(from, Math.ceil(centre + half) - 1)];
}

// A colour scale as 256 pixels; the canvas interpolates between plotly's stops as plotly does.
function lookUpTable(
  stops: readonly (readonly [number, string])[],
  reversed: boolean,
): Uint32Array<ArrayBuffer> {
  const canvas = h("canvas");
  canvas.width = LEVELS + 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const gradient = context.createLinearGradient(0.5, 0, LEVELS + 0.5, 0);
  for (const [stop, colour] of stops) gradient.addColorStop(reversed ? 1 - stop : stop, colour);
  context.fillStyle = gradient;
  context.fillRect(0, 0, LEVELS + 1, 1);
  const table = new Uint32Array(256);
  table.set(new Uint32Array(context.getImageData(0, 0, LEVELS + 1, 1).data.buffer));
  table[MISSING] = 0;
  return table;
}

/** Return what plotly gets in place of the cells: it draws axes and colour bar, and no cells. */
export function standIn(trace: Trace, cells: CellsMessage, extent: Extent): Trace {
  const { x0, x1, y0, y1 } = extent;
  const { zmin, zmax } = cells;
  return {
    ...trace,
    x0: x0 + (x1 - x0) / 4,
    dx: (x1 - x0) / 2,
    y0: y0 + (y1 - y0) / 4,
    dy: (y1 - y0) / 2,
    z: [
      [zmin, zmin],
      [zmin, zmin],
    ],
    zmin,
    zmax,
    zauto: false,
    opacity: 0,
    hoverinfo: "skip",
    hovertemplate: undefined,
  };
}

/** Return what all cells cover, or all labels where there are some. */
export function extentOf(cells: CellsMessage, labels?: AxisLabels | null): Extent {
  const span = (start: number, step: number, count: number, names?: readonly string[] | null) =>
    names?.length ? [-0.5, names.length - 0.5] : [start - step / 2, start + (count - 0.5) * step];
  const [x0, x1] = span(cells.x0, cells.dx, cells.columns, labels?.x);
  const [y0, y1] = span(cells.y0, cells.dy, cells.rows, labels?.y);
  return { x0, x1, y0, y1 };
}
