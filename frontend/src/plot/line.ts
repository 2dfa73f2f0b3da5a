// The line that can be dragged: a slider for hands, fingers and keys, on linear and log axes.

import { h } from "../lib/dom.ts";
import { threeDigits } from "../lib/format.ts";
import type { LineMarks } from "../protocol/index.ts";
import type { Axis } from "./plotly_internals.ts";

/** The first axes of a plot. */
export interface Axes {
  readonly x: Axis;
  readonly y: Axis;
}

const STEPS: Record<string, number> = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
};

export class Line {
  readonly handle: HTMLElement;
  options: LineMarks = { value: null, axis: "x", name: "" };
  value: number | null = null;
  held = false;
  private axes: Axes | null = null;

  /** `moved` is called with every value that a hand or a key gives the line. */
  constructor(
    over: HTMLElement,
    private readonly moved: (value: number) => void,
  ) {
    this.handle = h("div", {
      role: "slider",
      tabindex: "0",
      onPointerdown: (event) => this.take(event),
      onKeydown: (event) => this.key(event),
    });
    this.handle.hidden = true;
    over.append(this.handle);
  }

  /** Lay the line over these axes; null before the first drawing. */
  place(axes: Axes | null): void {
    this.axes = axes;
    this.handle.hidden = this.value === null || axes === null;
    if (this.value === null || axes === null) return;
    const { x, y } = axes;
    const upright = this.options.axis === "x";
    const axis = upright ? x : y;
    const [low, high] = lineLimits(axis, this.options);
    const pixel = axis.pixelOf(onAxis(axis, this.value));
    const at = Math.min(axis.length, Math.max(0, pixel));
    this.handle.className = `explorer-plot-line ${upright ? "upright" : "level"}${this.held ? " held" : ""}`;
    Object.assign(
      this.handle.style,
      upright
        ? { left: `${x.offset + at}px`, top: `${y.offset}px`, height: `${y.length}px`, width: "" }
        : { top: `${y.offset + at}px`, left: `${x.offset}px`, width: `${x.length}px`, height: "" },
    );
    const aria = {
      "aria-label": this.options.name,
      "aria-valuenow": this.value,
      "aria-valuemin": low,
      "aria-valuemax": high,
      "aria-orientation": upright ? "horizontal" : "vertical",
      "aria-valuetext": threeDigits(this.value),
    };
    for (const [name, value] of Object.entries(aria)) this.handle.setAttribute(name, String(value));
  }

  private get axis(): Axis | null {
    return this.axes?.[this.options.axis] ?? null;
  }

  private move(axis: Axis, value: number): void {
    const [low, high] = lineLimits(axis, this.options);
    this.value = Math.min(high, Math.max(low, value));
    this.place(this.axes);
    this.moved(this.value);
  }

  private take(event: PointerEvent): void {
    const axis = this.axis;
    if (event.button !== 0 || !axis || this.value === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    this.held = true;
    const upright = this.options.axis === "x";
    // Taken a few pixels beside the line it does not jump under the pointer.
    const point = (e: PointerEvent) => (upright ? e.clientX : e.clientY);
    const offset = point(event) - axis.pixelOf(onAxis(axis, this.value));
    const follow = (e: PointerEvent) => {
      // A drawing in the middle of a drag may have brought another axis.
      const now = this.axis;
      if (now) this.move(now, now.valueAt(point(e) - offset));
    };
    const release = () => {
      this.held = false;
      this.handle.removeEventListener("pointermove", follow);
      this.handle.removeEventListener("lostpointercapture", release);
      this.place(this.axes);
    };
    this.handle.addEventListener("pointermove", follow);
    this.handle.addEventListener("lostpointercapture", release);
    this.place(this.axes);
  }

  private key(event: KeyboardEvent): void {
    const axis = this.axis;
    if (!axis || this.value === null) return;
    const next = lineAfterKey(event.key, axis, this.options, this.value);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(axis, next);
  }
}

/** Return how far the line can be moved: by what was asked for, or to the ends of the axis. */
export function lineLimits(
  axis: Axis,
  options: Pick<LineMarks, "minimum" | "maximum">,
): [low: number, high: number] {
  const ends = [axis.valueAt(0), axis.valueAt(axis.length)];
  return [options.minimum ?? Math.min(...ends), options.maximum ?? Math.max(...ends)];
}

/** Return a value that has a place on the axis: on a log axis 0 stands at the edge. */
export function onAxis(axis: Axis, value: number): number {
  if (axis.type !== "log") return value;
  return Math.max(value, Math.min(axis.valueAt(0), axis.valueAt(axis.length)));
}

/** Return where a key moves the line, or null for a key that does not. */
export function lineAfterKey(
  key: string,
  axis: Axis,
  options: LineMarks,
  value: number,
): number | null {
  const [low, high] = lineLimits(axis, options);
  if (key === "Home") return low;
  if (key === "End") return high;
  const size = STEPS[key];
  if (size === undefined) return null;
  if (options.step) return value + size * options.step;
  if (axis.type !== "log") return value + (size * (high - low)) / 100;
  const [first, last] = axis.ends;
  return onAxis(axis, value) * 10 ** ((size * Math.abs(last - first)) / 100);
}
