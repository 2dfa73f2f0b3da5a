// Tick labels: as many as there is room for, and every token as text.

import type { AxisLabels } from "../protocol/index.ts";
import { asArray, sameItems } from "./arrays.ts";
import type { Extent } from "./cells.ts";
import { type Axis, type Layout, namedAxis, type PlotElement } from "./plotly_internals.ts";

const LABEL_LENGTH = 14;
const LABEL_GAP = 14; // CSS pixels from one label to the next
const STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000];

/** A position on an axis and the plotly text that stands there. */
export type Tick = readonly [value: unknown, text: string];

/** The axes whose labels are thinned here, and all the labels that they have. */
export class Ticks {
  private readonly all = new Map<string, Tick[]>();

  constructor(private readonly gd: PlotElement) {}

  /** Take over the axes of a new figure, before plotly draws it; `cells` is what a heatmap covers. */
  prepare(layout: Layout, labels: AxisLabels, cells: Extent | null): void {
    this.all.clear();
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      const axis = layout[name];
      const own = name === "xaxis" ? labels.x : name === "yaxis" ? labels.y : null;
      const ticks = allTicks(own, axis);
      if (!ticks) continue;
      this.all.set(name, ticks);
      if (name.startsWith("x") && cells) axis.tickangle ??= -90;
      Object.assign(axis, { tickmode: "array", tickvals: [], ticktext: [] });
    }
    if (!cells) return;
    for (const [name, ...ends] of [
      ["xaxis", cells.x0, cells.x1] as const,
      ["yaxis", cells.y0, cells.y1] as const,
    ]) {
      const axis = layout[name];
      axis.showgrid ??= false; // lines would lie over the cells
      axis.zeroline ??= false;
      if (axis.range || axis.autorange === false) continue;
      axis.range = axis.autorange === "reversed" ? ends.reverse() : ends;
      delete axis.autorange;
    }
  }

  /** Take other tokens for the first axes. */
  rename(labels: AxisLabels): void {
    for (const [name, own] of [["xaxis", labels.x] as const, ["yaxis", labels.y] as const]) {
      const ticks = own && allTicks(own);
      if (ticks) this.all.set(name, ticks);
    }
  }

  /** Return what plotly must be told for the ticks of the visible range; null when it knows. */
  update(): Record<string, unknown> | null {
    const update: Record<string, unknown> = {};
    for (const [name, ticks] of this.all) {
      const axis = namedAxis(this.gd, name);
      if (!axis) continue;
      const { tickvals, ticktext } = thinned(ticks, axis);
      const now = this.gd.layout[name];
      if (sameItems(tickvals, now.tickvals) && sameItems(ticktext, now.ticktext)) continue;
      Object.assign(update, {
        [`${name}.tickmode`]: "array",
        [`${name}.tickvals`]: tickvals,
        [`${name}.ticktext`]: ticktext,
      });
    }
    return Object.keys(update).length ? update : null;
  }
}

// plotly reads tags and entities in its texts; a token has neither.
export function asText(token: string): string {
  return token.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function shortened(token: string): string {
  const letters = Array.from(token);
  return letters.length > LABEL_LENGTH ? `${letters.slice(0, LABEL_LENGTH - 1).join("")}…` : token;
}

/** Return all labels of an axis; null where plotly's own ticks do. */
export function allTicks(labels?: readonly string[] | null, axis?: Layout): Tick[] | null {
  if (labels?.length) return labels.map((token, i) => [i, asText(shortened(String(token)))]);
  const values = asArray(axis?.tickvals);
  const texts = asArray(axis?.ticktext);
  if (axis?.tickmode === "linear" || !values || !texts || texts.length < 2) return null;
  return Array.from(values, (value, i) => [value, String(texts[i] ?? "")]);
}

/** Return the ticks to draw in the visible range, so that no two labels touch. */
export function thinned(
  ticks: readonly Tick[],
  axis: Pick<Axis, "calculated" | "ends" | "length">,
): { tickvals: unknown[]; ticktext: string[] } {
  const [low, high] = [...axis.ends].sort((a, b) => a - b);
  const place = (i: number) => axis.calculated(ticks[i][0]);
  const visible = [...ticks.keys()].filter((i) => place(i) >= low && place(i) <= high);
  if (!visible.length) return { tickvals: [], ticktext: [] };
  const first = visible[0];
  const last = visible[visible.length - 1];
  const count = last - first + 1;
  // The part of the axis that the labels take up, half a gap at each end.
  const share =
    visible.length > 1
      ? ((Math.abs(place(last) - place(first)) / (high - low)) * count) / (count - 1)
      : 1;
  const gap = (axis.length * Math.min(1, share)) / count;
  const step = STEPS.find((candidate) => gap * candidate >= LABEL_GAP) ?? STEPS[STEPS.length - 1];
  // By stretches of this length, not from the edge: labels stay put while panning.
  const shown = spoken(ticks, step, Math.ceil(LABEL_GAP / gap)).filter(
    (i) => i >= first && i <= last,
  );
  return { tickvals: shown.map((i) => ticks[i][0]), ticktext: shown.map((i) => ticks[i][1]) };
}

/** Return one tick of every stretch, by preference a name, with so many places between two. */
function spoken(ticks: readonly Tick[], step: number, apart: number): number[] {
  const shown: number[] = [];
  for (let start = 0; start < ticks.length; start += step) {
    let best = -1;
    const from = Math.max(start, shown.length ? shown[shown.length - 1] + apart : 0);
    for (let i = from; i < Math.min(start + step, ticks.length); i += 1) {
      if (best < 0 || worth(ticks[i][1]) > worth(ticks[best][1])) best = i;
    }
    if (best >= 0) shown.push(best);
  }
  return shown;
}

/** How much a label says: a name more than a letter or a number, and that more than a sign. */
export function worth(text: string): number {
  if (/\p{L}[\p{L}\p{N}_]+/u.test(text.replace(/&\w+;/g, ""))) return 2;
  return /[\p{L}\p{N}]/u.test(text.replace(/&\w+;/g, "")) ? 1 : 0;
}
