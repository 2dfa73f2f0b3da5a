// Changes that need no new drawing: lengths and colours of bars, texts, positions of single points.
// plotly would recompute everything, which takes fifty times as long. Every change is checked first;
// if one does not fit what is on the page, plotly draws them all.

import type { ArrayChange } from "../protocol/index.ts";
import { type AnyArray, asArray, decode } from "./arrays.ts";
import { showPoint } from "./flat_points.ts";
import {
  type Axis,
  axesOf,
  BARS,
  bind,
  drawnText,
  drawnTrace,
  hasStackedBars,
  MARKERS,
  noteText,
  type PlotElement,
  type PointRecord,
  pointsOf,
  recordOf,
  recordsOf,
  shapeOf,
  store,
  storeMarker,
  TEXTS,
  type Trace,
} from "./plotly_internals.ts";

/** What carries out one change. */
type Step = () => void;

/** Attributes that are drawn nowhere but in a tooltip. */
const SILENT = new Set(["customdata", "hovertext", "hovertemplate", "meta", "name"]);

export class Patch {
  /** Plotly texts with tags or formulas, and the SVG that plotly made of them. */
  private readonly made = new Map<string, string>();

  constructor(private readonly gd: PlotElement) {}

  /** Return the steps that carry out all changes, or null where plotly has to draw. */
  plan(changes: readonly ArrayChange[]): Step[] | null {
    const steps: Step[] = [];
    for (const change of changes) {
      const step = this.step(change);
      if (!step) return null;
      steps.push(step);
    }
    return steps;
  }

  private step({ trace, path, value: encoded }: ArrayChange): Step | null {
    const full = drawnTrace(this.gd, trace);
    if (!full) return null;
    const value = decode(encoded);
    const keep = () => store(this.gd, trace, path, value);
    if (SILENT.has(path)) return keep;
    if (full.type === "bar") {
      const length = full.orientation === "h" ? "x" : "y";
      if (path === length) return this.lengths(trace, full, asArray(value), keep);
      if (path === "marker.color") return this.colours(trace, value);
    }
    if (full.type === "scatter") {
      if ((path === "x" || path === "y") && full.mode === "markers") {
        return this.places(trace, path, asArray(value), keep);
      }
      if (path === "text" && /text/.test(full.mode)) return this.texts(trace, asArray(value), keep);
      if (path === "marker.size" && full.mode !== "lines") {
        return this.sizes(trace, full, asArray(value));
      }
    }
    return null;
  }

  private lengths(i: number, full: Trace, values: AnyArray | null, keep: Step): Step | null {
    const axes = axesOf(this.gd, i);
    if (!axes || !values) return null;
    const level = full.orientation === "h";
    const [along, across] = level ? axes : [axes[1], axes[0]];
    const points = pointsOf(this.gd, i, BARS);
    if (along.autorange || full.text || hasStackedBars(this.gd)) return null;
    if (values.length !== recordsOf(this.gd, i).length || points.length !== values.length) {
      return null;
    }
    return () => {
      keep();
      points.forEach((element, n) => {
        const record = recordOf(element);
        const base = record.b ?? 0;
        const end = base + Number(values[record.i ?? n]);
        Object.assign(record, { s: end - base, s0: base, s1: end });
        const path = barPath(
          level,
          pixels(along, record.s0, record.s1),
          pixels(across, record.p0, record.p1),
          full.marker.cornerradius,
        );
        shapeOf(element)?.setAttribute("d", path);
      });
    };
  }

  private colours(i: number, colour: unknown): Step | null {
    const points = pointsOf(this.gd, i, BARS);
    const many = asArray(colour);
    if (!points.length) return null;
    if (many && many.length !== points.length) return null;
    if (many && Array.from(many).some((one) => typeof one !== "string")) return null;
    return () => {
      storeMarker(this.gd, i, "color", colour);
      points.forEach((element, n) => {
        const record = recordOf(element);
        const own = many ? many[record.i ?? n] : colour;
        if (many) record.mc = own;
        else delete record.mc;
        const path = shapeOf(element);
        if (path) Object.assign(path.style, { fill: own, fillOpacity: 1 });
      });
    };
  }

  private texts(i: number, values: AnyArray | null, keep: Step): Step | null {
    const elements = new Map(pointsOf(this.gd, i, TEXTS).map((group) => [recordOf(group), group]));
    for (const group of elements.values()) {
      const text = shapeOf(group);
      const shown = text && drawnText(text);
      // Letters are written as they are. Reading SVG back takes longer than writing it.
      if (!text || !shown || this.made.has(shown) || plainLetters(shown) !== null) continue;
      this.made.set(shown, text.innerHTML);
    }
    const records = recordsOf(this.gd, i);
    const [model] = elements.values(); // plotly has no element for an empty text: made after another
    if (!model || !values || values.length !== records.length) return null;
    const plans: [PointRecord, string, (element: SVGElement) => void][] = [];
    for (const [n, record] of records.entries()) {
      const text = String(values[record.i ?? n] ?? "");
      const letters = plainLetters(text);
      // SVG that plotly itself made, and cleaned, for the same text.
      const made = letters === null ? this.made.get(text) : undefined;
      if (letters === null && made === undefined) return null;
      const write = (element: SVGElement) => {
        if (letters !== null) writeLetters(element, letters);
        else element.innerHTML = made ?? "";
      };
      if (text || elements.has(record)) plans.push([record, text, write]);
    }
    return () => {
      keep();
      for (const [record, text, write] of plans) {
        const group = elements.get(record) ?? this.textLike(i, model, record);
        const element = shapeOf(group);
        record.tx = text;
        if (!element || drawnText(element) === text) continue;
        noteText(element, text);
        write(element);
      }
    };
  }

  private textLike(i: number, model: SVGElement, record: PointRecord): SVGElement {
    const group = model.cloneNode(true) as SVGElement;
    bind(group, record);
    const text = group.querySelector("text");
    const [x, y] = axesOf(this.gd, i) ?? [];
    if (text && x && y) {
      bind(text, record);
      for (const [name, axis] of [["x", x] as const, ["y", y] as const]) {
        const shift =
          Number(text.getAttribute(name)) - axis.pixelOfCalculated(recordOf(model)[name]);
        text.setAttribute(name, String(axis.pixelOfCalculated(record[name]) + shift));
      }
    }
    model.parentNode?.append(group);
    return group;
  }

  private places(i: number, key: "x" | "y", values: AnyArray | null, keep: Step): Step | null {
    const axes = axesOf(this.gd, i);
    const points = pointsOf(this.gd, i, MARKERS);
    if (!axes || !values || axes.some((axis) => axis.autorange)) return null;
    if (values.length !== recordsOf(this.gd, i).length || points.length !== values.length) {
      return null;
    }
    const [x, y] = axes;
    if ((key === "x" ? x : y).type !== "linear") return null;
    if (Array.from(values).some((value) => !Number.isFinite(value))) return null;
    return () => {
      keep();
      points.forEach((element, n) => {
        const record = recordOf(element);
        record[key] = Number(values[record.i ?? n]);
        const place = [x.pixelOfCalculated(record.x), y.pixelOfCalculated(record.y)];
        element.setAttribute("transform", `translate(${place})`);
      });
    };
  }

  private sizes(i: number, full: Trace, sizes: AnyArray | null): Step | null {
    const points = pointsOf(this.gd, i, MARKERS);
    const { symbol = "circle", sizemode, sizeref = 1 } = full.marker;
    if (!sizes || symbol !== "circle" || sizemode === "area" || sizeref !== 1) return null;
    if (sizes.length !== recordsOf(this.gd, i).length || points.length !== sizes.length)
      return null;
    return () => {
      storeMarker(this.gd, i, "size", sizes);
      points.forEach((element, n) => {
        const record = recordOf(element);
        const r = Number(sizes[record.i ?? n]) / 2;
        Object.assign(record, { ms: 2 * r, mrc: r });
        showPoint(element);
        element.setAttribute("d", `M${r},0A${r},${r} 0 1,1 0,-${r}A${r},${r} 0 0,1 ${r},0Z`);
      });
    };
  }
}

/** Write letters into the text node that is there: the browser need not make another one. */
function writeLetters(element: Element, letters: string): void {
  const only = element.childNodes.length === 1 ? element.firstChild : null;
  if (only instanceof Text) only.data = letters;
  else element.textContent = letters;
}

const pixels = (axis: Axis, from: number, to: number): [number, number] => [
  Math.round(axis.pixelOfCalculated(from)),
  Math.round(axis.pixelOfCalculated(to)),
];

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" };

/** Return the letters that a plotly text stands for, or null where it has tags, formulas or lines. */
export function plainLetters(text: string): string | null {
  if (/[<\n]/.test(text) || /^\$.*\$$/.test(text)) return null;
  let known = true;
  const letters = text.replace(/&(#?\w+);?/g, (all, name: string) => {
    const letter = name.startsWith("#")
      ? String.fromCodePoint(Number(name.slice(1)) || 0xfffd)
      : ENTITIES[name];
    if (letter === undefined || !all.endsWith(";")) known = false;
    return letter ?? "";
  });
  return known ? letters : null;
}

/**
 * Return the outline of a bar, with round corners at its end.
 *
 * `level` says that it lies along x; `from`, `to` are pixels along it, `a`, `b` pixels across.
 */
export function barPath(
  level: boolean,
  [from, to]: readonly [number, number],
  [a, b]: readonly [number, number],
  rounding?: unknown,
): string {
  if (from === to || a === b || ![from, to, a, b].every(Number.isFinite)) return "M0,0Z";
  const low = Math.min(a, b);
  const high = Math.max(a, b);
  const wanted = (rounding as { value?: unknown } | undefined)?.value ?? rounding;
  const most = Math.min(Math.abs(to - from), (high - low) / 2);
  const r = Math.min(Number.parseFloat(String(wanted)) || 0, most);
  const way = Math.sign(to - from);
  const at = (u: number, v: number) => (level ? `${u},${v}` : `${v},${u}`);
  // Both turns go the same way round, which depends on where the bar points.
  const sweep = way > 0 === level ? 1 : 0;
  const arc = (u: number, v: number) => (r ? `A${r},${r} 0 0 ${sweep} ${at(u, v)}` : "");
  const shoulder = to - way * r;
  return (
    `M${at(from, low)}L${at(shoulder, low)}${arc(to, low + r)}` +
    `L${at(to, high - r)}${arc(shoulder, high)}L${at(from, high)}Z`
  );
}
