// plotly moves every text of a plot by a transform of its group. The browser keeps, paints and puts
// together each of these by itself, which takes a frame of forty bars longer than everything else.

import {
  axesOf,
  MARKERS,
  type PlotElement,
  pointsOf,
  recordOf,
  shapeOf,
  TEXTS,
  traceCount,
} from "./plotly_internals.ts";

interface Folded {
  readonly at: Place;
  readonly shift: Place;
}

type Place = readonly [x: number, y: number];

export class FlatPoints {
  private readonly folded = new WeakMap<Element, Folded>();

  constructor(private readonly gd: PlotElement) {}

  /**
   * Move each text by its own place instead of a transform, and take away points without a size.
   *
   * Called when plotly has drawn. Nothing is done where axes can be zoomed: plotly scales the groups
   * of texts during that gesture.
   */
  flatten(): void {
    for (let i = 0; i < traceCount(this.gd); i++) {
      if (!axesOf(this.gd, i)?.every((axis) => axis.fixed)) continue;
      for (const group of pointsOf(this.gd, i, TEXTS)) this.fold(group);
      for (const point of pointsOf(this.gd, i, MARKERS)) showPoint(point);
    }
  }

  private fold(group: SVGElement): void {
    const shift = shiftOf(group);
    const text = shapeOf(group);
    if (!shift || !text || text.querySelector("tspan[x]")) return;
    const known = this.folded.get(text);
    const now = placeOf(text);
    // plotly may style a text anew and leave it where it was put here.
    const kept = known && known.at[0] === now[0] && known.at[1] === now[1];
    const [x, y] = kept ? [now[0] - known.shift[0], now[1] - known.shift[1]] : now;
    text.setAttribute("x", String(x + shift[0]));
    text.setAttribute("y", String(y + shift[1]));
    group.removeAttribute("transform");
    this.folded.set(text, { at: placeOf(text), shift });
  }
}

/** Show a point, or take it away where it has no size. */
export function showPoint(point: SVGElement): void {
  const display = recordOf(point).mrc === 0 ? "none" : "";
  if (point.style.display !== display) point.style.display = display;
}

function placeOf(text: SVGElement): Place {
  return [Number(text.getAttribute("x")), Number(text.getAttribute("y"))];
}

/** Return by how much an element is moved; null where it is not, or is more than moved. */
function shiftOf(element: SVGElement): Place | null {
  const found = /^translate\(([-\d.e]+)[, ]([-\d.e]+)\)$/.exec(
    element.getAttribute("transform") ?? "",
  );
  return found && [Number(found[1]), Number(found[2])];
}
