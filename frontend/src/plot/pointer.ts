// Pointer over heatmap cells: crosshair, tooltip with the true value, click to pin.

import { h } from "../lib/dom.ts";
import { threeDigits } from "../lib/format.ts";
import type {
  AxisLabels,
  CellPlace,
  ExactValues,
  PlotMarks,
  PlotTexts,
} from "../protocol/index.ts";
import type { Cells, Span } from "./cells.ts";
import type { Gestures } from "./gestures.ts";
import type { Axis } from "./plotly_internals.ts";

const DOUBLE_CLICK = 300; // milliseconds in which plotly takes two clicks for one double click

interface Found {
  readonly cells: Cells;
  readonly row: number;
  readonly column: number;
  readonly px: number;
  readonly py: number;
}

/** What the pointer has to know of the plot that it is over. */
export interface Surroundings {
  readonly el: HTMLElement;
  readonly host: HTMLElement;
  readonly over: HTMLElement;
  readonly gestures: Gestures;
  readonly texts: PlotTexts;
  readonly grids: readonly Cells[];
  readonly labels: AxisLabels;
  /** What rows, columns and values are called. */
  readonly words: { readonly x: string; readonly y: string; readonly z: string };
  readonly isDrawn: boolean;
  readonly heatmapSerial: number;
  marks: PlotMarks;
  nextClick(): number;
}

export class Pointer {
  private readonly exact = new Map<number, Float32Array>(); // row -> values, of the heatmap now drawn
  private readonly area = h("div", { class: "explorer-plot-area" });
  private readonly tip = h("div", { class: "explorer-plot-tip", role: "tooltip" });
  private readonly bands = {
    row: h("div", { class: "explorer-plot-band over" }),
    column: h("div", { class: "explorer-plot-band over" }),
    pinnedRow: h("div", { class: "explorer-plot-band pinned" }),
    pinnedColumn: h("div", { class: "explorer-plot-band pinned" }),
  };
  private readonly frames = h("div"); // around marked stretches of columns
  private last: Found | null = null;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private clickedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly plot: Surroundings) {
    const bands = Object.values(this.bands);
    for (const band of bands) band.hidden = true;
    this.area.append(...bands, this.frames);
    plot.over.prepend(this.area);
    this.tip.hidden = true;
    plot.el.append(this.tip);
    const { host } = plot;
    host.addEventListener("pointermove", (event) => this.move(event));
    host.addEventListener("pointerleave", () => this.leave());
    // plotly covers the page with a sheet while a button is down, so `click` never comes.
    host.addEventListener("pointerdown", (event) => this.press(event), true);
  }

  /** Pin a cell of the map, or let go what is pinned. */
  pin(cell: readonly [row: number, column: number] | null): void {
    const [row, column] = cell ?? [null, null];
    this.plot.marks = { ...this.plot.marks, row, column };
    this.plot.gestures.pin.post(cell);
    this.show();
  }

  /** Take the true values of rows; those of numbers that are not drawn yet come again later. */
  answer({ serial, rows }: ExactValues, buffers: readonly DataView[]): void {
    if (serial !== this.plot.heatmapSerial) return;
    rows.forEach((row, i) => {
      const { buffer, byteOffset, byteLength } = buffers[i];
      this.exact.set(row, new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)));
    });
    this.show();
  }

  /** New numbers are drawn: the values read before are not theirs. */
  forget(): void {
    this.exact.clear();
    if (!this.last) return;
    const { cells, row, column } = this.last;
    const { rows, columns } = cells.message;
    if (!this.plot.grids.includes(cells) || row >= rows || column >= columns) this.last = null;
    else this.ask(this.last);
    this.show();
  }

  show(): void {
    this.crosshair();
    const found = this.last;
    this.tip.hidden = !found;
    if (!found) return;
    const { lines, isExact } = this.described(found);
    this.tip.replaceChildren(h("dl", null, lines));
    this.tip.dataset.exact = String(isExact);
    const room = this.plot.el.getBoundingClientRect();
    const beside = (at: number, size: number, all: number) =>
      Math.max(0, at + 14 + size > all ? at - 14 - size : at + 14);
    const left = beside(found.px, this.tip.offsetWidth, room.width);
    const top = beside(found.py, this.tip.offsetHeight, room.height);
    Object.assign(this.tip.style, { left: 0, top: 0, transform: `translate(${left}px, ${top}px)` });
  }

  crosshair(): void {
    const cells = this.last?.cells ?? this.plot.grids[0];
    for (const band of Object.values(this.bands)) band.hidden = true;
    this.frames.replaceChildren();
    if (!cells || !this.plot.isDrawn) return;
    const [x, y] = cells.axes;
    Object.assign(this.area.style, {
      left: `${x.offset}px`,
      top: `${y.offset}px`,
      width: `${x.length}px`,
      height: `${y.length}px`,
    });
    const { row: bandRow, column: bandColumn, pinnedRow, pinnedColumn } = this.bands;
    if (this.last) {
      const { x0, dx, y0, dy } = cells.message;
      layBand(bandRow, y, y0 + this.last.row * dy, Math.abs(dy), "level");
      layBand(bandColumn, x, x0 + this.last.column * dx, Math.abs(dx), "upright");
    }
    const { row, column, columns } = this.plot.marks;
    this.frames.append(...columns.map(([start, stop]) => frameOf(x, start, stop)));
    if (row !== null) layBand(pinnedRow, y, row, 1, "level");
    if (column !== null) layBand(pinnedColumn, x, column, 1, "upright");
  }

  private find(event: PointerEvent): Found | null {
    const box = this.plot.host.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    for (const cells of this.plot.grids) {
      const [x, y] = cells.axes;
      const cell = cells.at(px - x.offset, py - y.offset);
      if (cell) return { cells, ...cell, px, py };
    }
    return null;
  }

  private move(event: PointerEvent): void {
    const found = event.buttons ? null : this.find(event);
    if (!found) {
      this.leave();
      return;
    }
    const same = this.last?.row === found.row && this.last.column === found.column;
    this.last = found;
    if (!same) {
      this.plot.gestures.hovered.post(placeOf(found));
      this.ask(found);
    }
    this.show();
  }

  private leave(): void {
    if (!this.last) return;
    this.last = null;
    this.show();
    this.plot.gestures.hovered.post(null);
  }

  private press(down: PointerEvent): void {
    if (down.button !== 0) return;
    const up = (event: PointerEvent) => {
      window.removeEventListener("pointerup", up, true);
      const moved = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      const again = event.timeStamp - this.clickedAt < DOUBLE_CLICK;
      const found = moved < 4 ? this.find(event) : null;
      if (!found) return;
      this.clickedAt = event.timeStamp;
      this.plot.el.focus({ preventScroll: true });
      clearTimeout(this.waiting);
      // A double click shows everything, and pins nothing.
      if (!again) this.waiting = setTimeout(() => this.click(found), DOUBLE_CLICK);
    };
    window.addEventListener("pointerup", up, true);
  }

  private click(found: Found): void {
    const { marks, gestures } = this.plot;
    gestures.clicked.post({ ...placeOf(found), n: this.plot.nextClick() });
    if (!marks.pin) return;
    const { rows, columns } = found.cells.positions(found.row, found.column);
    const pinned = marks.row === rows[0] && marks.column === columns[0];
    this.pin(pinned ? null : [rows[0], columns[0]]);
  }

  /** Ask the kernel for the true values of the row under the pointer, once for each drawing. */
  private ask({ cells, row }: Found): void {
    const { marks, grids, gestures } = this.plot;
    if (marks.exact && cells === grids[0] && !this.exact.has(row)) gestures.exact.post([row]);
  }

  private described({ cells, row, column }: Found): { lines: Node[]; isExact: boolean } {
    const { grids, labels, texts, words } = this.plot;
    const block = cells.positions(row, column);
    const exact = cells === grids[0] ? this.exact.get(row)?.[column] : undefined;
    const value = exact ?? cells.approximate(row, column);
    const about = exact !== undefined || Number.isNaN(value) ? "" : texts.approximate;
    const many = Math.abs(cells.message.dx * cells.message.dy) > 1;
    return {
      lines: [
        ...tipLine(words.y, ...named(block.rows, labels.y)),
        ...tipLine(words.x, ...named(block.columns, labels.x)),
        ...tipLine(many ? `${texts.largest} ${words.z}` : words.z, about + threeDigits(value)),
      ],
      isExact: exact !== undefined,
    };
  }
}

function placeOf({ cells, row, column }: Found): CellPlace {
  const { x0, dx, y0, dy } = cells.message;
  const value = cells.approximate(row, column);
  return {
    trace: cells.trace,
    row,
    column,
    value: Number.isNaN(value) ? null : value,
    x: x0 + column * dx,
    y: y0 + row * dy,
  };
}

/** Return number and token of a position, or of the first and the last of several. */
export function named(
  [first, last]: Span,
  labels?: readonly string[] | null,
): [number: string, token?: string] {
  const end = labels ? labels.length - 1 : Number.POSITIVE_INFINITY;
  if (first === last || (last > end && first === end)) return [String(first), labels?.[first]];
  const tokens = labels ? `${labels[first] ?? ""} … ${labels[last] ?? labels[end]}` : undefined;
  return [`${first}–${Math.min(last, end)}`, tokens];
}

function tipLine(word: string, number: string, token?: string): [Node, Node] {
  const code = token === undefined ? [] : ["  ", h("code", null, token)];
  return [h("dt", null, word), h("dd", null, number, code)];
}

function frameOf(axis: Axis, start: number, stop: number): HTMLElement {
  const frame = h("div", { class: "explorer-plot-band marked" });
  const ends = [axis.pixelOf(start - 0.5), axis.pixelOf(stop - 0.5)];
  const [a, b] = ends.sort((p, q) => p - q);
  Object.assign(frame.style, { left: `${a}px`, width: `${b - a}px`, top: "0", bottom: "0" });
  return frame;
}

function layBand(
  band: HTMLElement,
  axis: Axis,
  centre: number,
  size: number,
  way: "level" | "upright",
): void {
  const ends = [axis.pixelOf(centre - size / 2), axis.pixelOf(centre + size / 2)];
  const [a, b] = ends.sort((p, q) => p - q);
  // A cell thinner than this would leave no line to see.
  const thickness = Math.max(b - a, 3);
  const start = `${(a + b - thickness) / 2}px`;
  band.hidden = false;
  Object.assign(
    band.style,
    way === "level"
      ? { top: start, height: `${thickness}px`, left: "-2px", right: "-2px" }
      : { left: start, width: `${thickness}px`, top: "-2px", bottom: "-2px" },
  );
}
