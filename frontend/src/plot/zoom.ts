// What part of a plot is in view: by dragging, by the wheel, and back to all of it.

import { h } from "../lib/dom.ts";
import type { PlotTexts, PlotWindow } from "../protocol/index.ts";
import { sameItems } from "./arrays.ts";
import type { Figure } from "./figure.ts";

const PER_NOTCH = 1.0015; // how much a pixel of the wheel makes larger
const LEAST_CELLS = 3;

type Ends = readonly [low: number, high: number];

/** Return ends moved into others, as long as they were, or as long as there is room. */
export function within([low, high]: Ends, [first, last]: Ends): Ends {
  const length = Math.min(high - low, last - first);
  const start = Math.min(Math.max(low, first), last - length);
  return [start, start + length];
}

/** Return ends made longer by a factor around a place that stays where it is. */
export function stretched([low, high]: Ends, place: number, factor: number): Ends {
  return [place - (place - low) * factor, place + (high - place) * factor];
}

export class Zoom {
  /** The window in view; null is all. */
  window: PlotWindow = null;
  private readonly button: HTMLButtonElement;
  private wheeled: { factor: number; x: number; y: number } | null = null;

  /** `told` is called with every window that a hand has chosen. */
  constructor(
    private readonly plot: { el: HTMLElement; host: HTMLElement; over: HTMLElement },
    private readonly figure: Figure,
    texts: PlotTexts,
    private readonly told: (window: PlotWindow) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.button = h(
      "button",
      { type: "button", class: "explorer-plot-all", hidden: true, onClick: () => this.reset() },
      texts.see_all,
    );
    plot.el.append(this.button);
    plot.host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** A figure has been drawn: the zoom of another one is over. */
  drawn(): void {
    const now = this.figure.window();
    if (this.window && !sameItems(this.window, now)) this.report(null);
    this.show();
  }

  /** Take what plotly has made of a gesture; what was dragged past the edge comes back. */
  take(): void {
    const now = this.figure.window();
    const { extent } = this.figure;
    if (!now || !extent) {
      this.report(now);
      return;
    }
    const x = within([now[0], now[1]], ordered(extent.x0, extent.x1));
    const y = within([now[2], now[3]], ordered(extent.y0, extent.y1));
    const kept = [...x, ...y] as const;
    if (sameItems(kept, now)) this.report(now);
    else this.go(kept);
  }

  /** Show a window that the kernel asks for. */
  set(window: PlotWindow): void {
    this.window = window;
    this.figure.zoomTo(window).then(() => this.show(), this.failed);
  }

  /** Show everything in the figure. */
  reset(): void {
    this.figure.goHome().then(() => this.report(null), this.failed);
  }

  /** Move the window to a row and a column that are out of view. */
  reveal(row: number | null, column: number | null): void {
    if (!this.window) return;
    const [x0, x1, y0, y1] = this.window;
    const around = (ends: Ends, place: number | null): Ends => {
      if (place === null || (place >= ends[0] && place <= ends[1])) return ends;
      const half = (ends[1] - ends[0]) / 2;
      return [place - half, place + half];
    };
    const { extent } = this.figure;
    if (!extent) return;
    const x = within(around([x0, x1], column), ordered(extent.x0, extent.x1));
    const y = within(around([y0, y1], row), ordered(extent.y0, extent.y1));
    if (!sameItems([...x, ...y], this.window)) this.go([...x, ...y]);
  }

  private go(window: readonly [number, number, number, number]): void {
    const { extent } = this.figure;
    const all = extent && [...ordered(extent.x0, extent.x1), ...ordered(extent.y0, extent.y1)];
    if (all && sameItems(all, window)) this.reset();
    else this.figure.zoomTo(window).then(() => this.report(this.figure.window()), this.failed);
  }

  private report(window: PlotWindow): void {
    const same =
      window === this.window || (window && this.window && sameItems(window, this.window));
    this.window = window;
    this.show();
    if (!same) this.told(window);
  }

  private show(): void {
    this.button.hidden = this.window === null || !this.figure.extent;
  }

  /** With Ctrl, or once the plot was clicked: a page must go on scrolling under a resting hand. */
  private wheel(event: WheelEvent): void {
    const { extent, axes } = this.figure;
    const { el, host } = this.plot;
    const meant = event.ctrlKey || event.metaKey || el.contains(document.activeElement);
    if (!extent || !axes || !meant || !event.deltaY) return;
    if (event.deltaY > 0 && !this.window) return; // nothing more to see
    const box = host.getBoundingClientRect();
    const x = event.clientX - box.left - axes.x.offset;
    const y = event.clientY - box.top - axes.y.offset;
    if (x < 0 || y < 0 || x > axes.x.length || y > axes.y.length) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode ? 30 : 1);
    const waiting = this.wheeled !== null;
    this.wheeled = { factor: (this.wheeled?.factor ?? 1) * PER_NOTCH ** pixels, x, y };
    if (!waiting) requestAnimationFrame(() => this.turn());
  }

  private turn(): void {
    const wheeled = this.wheeled;
    this.wheeled = null;
    const { extent, axes } = this.figure;
    if (!wheeled || !extent || !axes) return;
    const part = (axis: typeof axes.x, pixel: number, all: Ends): Ends => {
      const now = ordered(...axis.ends);
      const least = Math.min(LEAST_CELLS, all[1] - all[0]) / (now[1] - now[0]);
      return within(stretched(now, axis.valueAt(pixel), Math.max(wheeled.factor, least)), all);
    };
    const x = part(axes.x, wheeled.x, ordered(extent.x0, extent.x1));
    const y = part(axes.y, wheeled.y, ordered(extent.y0, extent.y1));
    this.go([...x, ...y]);
  }
}

function ordered(a: number, b: number): Ends {
  return a < b ? [a, b] : [b, a];
}
