// The only module that reads private parts of plotly.js: fields with a leading underscore, the
// records it computes for every point, and the SVG it makes. A test looks for them in the vendored
// plotly.js, so that it fails when a new version renames one.

/** What plotly.js offers to everybody. */
export interface Plotly {
  react(gd: PlotElement, data: Trace[], layout: Layout, config: object): Promise<unknown>;
  restyle(gd: PlotElement, update: object, traces: number[]): Promise<unknown>;
  relayout(gd: PlotElement, update: object): Promise<unknown>;
  redraw(gd: PlotElement): Promise<unknown>;
  purge(gd: PlotElement): void;
  readonly PlotSchema: { get(): { traces: Record<string, unknown> } };
}

// biome-ignore lint/suspicious/noExplicitAny: attributes of figures are of every kind
export type Trace = Record<string, any>;
// biome-ignore lint/suspicious/noExplicitAny: attributes of figures are of every kind
export type Layout = Record<string, any>;
// biome-ignore lint/suspicious/noExplicitAny: attributes of figures are of every kind
export type PointRecord = Record<string, any>;

export interface PlotlyEvent {
  readonly points: readonly {
    readonly curveNumber: number;
    readonly pointIndex?: number;
    readonly pointNumber: number;
    readonly x: number | string;
    readonly y: number | string;
  }[];
}

/** The element that plotly.js draws in. */
export interface PlotElement extends HTMLElement {
  data: Trace[];
  layout: Layout;
  on(event: string, handler: (event: never) => void): void;
}

interface FullAxis {
  _offset: number;
  _length: number;
  _dfltTitle?: { x?: string };
  type: string;
  range: [unknown, unknown];
  autorange?: unknown;
  fixedrange?: boolean;
  title?: { text?: string };
  p2d(pixel: number): number;
  d2p(value: unknown): number;
  c2p(value: number, clipped?: boolean): number;
  r2c?(value: unknown): number;
  d2c?(value: unknown): number;
}

interface FullPlotElement extends PlotElement {
  _fullLayout?: Layout;
  _fullData?: Trace[];
  calcdata?: PointRecord[][];
}

/** An axis as it was last drawn. */
export class Axis {
  constructor(private readonly full: FullAxis) {}

  /** Pixels from the edge of the plot to where the axis begins. */
  get offset(): number {
    return this.full._offset;
  }

  /** Pixels along the axis. */
  get length(): number {
    return this.full._length;
  }

  get type(): string {
    return this.full.type;
  }

  get autorange(): boolean {
    return Boolean(this.full.autorange);
  }

  /** Whether it cannot be zoomed. */
  get fixed(): boolean {
    return Boolean(this.full.fixedrange);
  }

  /** Whether larger values lie towards the start. */
  get reversed(): boolean {
    const [first, last] = this.ends;
    return first > last;
  }

  /** First and last visible value as plotly calculates with them: exponents on a log axis. */
  get ends(): [first: number, last: number] {
    const [first, last] = this.full.range.map((end) => this.full.r2c?.(end) ?? Number(end));
    return [first, last];
  }

  /** The title that the figure gave, without plotly's own "Click to enter…". */
  get title(): string | null {
    const text = this.full.title?.text;
    if (!text || text === this.full._dfltTitle?.x || /^Click to enter/.test(text)) return null;
    return text;
  }

  /** The value under a pixel of the axis. */
  valueAt(pixel: number): number {
    return this.full.p2d(pixel);
  }

  /** The pixel of a value. */
  pixelOf(value: unknown): number {
    return this.full.d2p(value);
  }

  /** The pixel of a number that plotly has calculated. */
  pixelOfCalculated(value: number): number {
    return this.full.c2p(value, true);
  }

  /** A value as plotly calculates with it. */
  calculated(value: unknown): number {
    return Number(this.full.d2c?.(value) ?? value);
  }
}

/** Whether plotly has drawn anything into this element. */
export function isDrawn(gd: PlotElement): boolean {
  return fullLayout(gd) !== undefined;
}

/** Return the first x or y axis, or null before the first drawing. */
export function firstAxis(gd: PlotElement, letter: "x" | "y"): Axis | null {
  return namedAxis(gd, `${letter}axis`);
}

/** Return an axis by its name in the layout, such as `xaxis2`. */
export function namedAxis(gd: PlotElement, name: string): Axis | null {
  const full = fullLayout(gd)?.[name];
  return full ? new Axis(full) : null;
}

/** Return the axes that a trace lies on. */
export function axesOf(gd: PlotElement, trace: number): [x: Axis, y: Axis] | null {
  const { xaxis = "x", yaxis = "y" } = fullTrace(gd, trace) ?? {};
  const name = (ref: string) => `${ref.charAt(0)}axis${ref.slice(1)}`;
  const x = namedAxis(gd, name(xaxis));
  const y = namedAxis(gd, name(yaxis));
  return x && y ? [x, y] : null;
}

/** Return how many traces plotly has worked out. */
export function traceCount(gd: PlotElement): number {
  return (gd as FullPlotElement)._fullData?.length ?? 0;
}

/** Return width and height that plotly has drawn for, or null before that. */
export function drawnSize(gd: PlotElement): { width: number; height: number } | null {
  const layout = fullLayout(gd);
  return layout ? { width: layout.width, height: layout.height } : null;
}

/** Return the stops of a trace's colours, its own or those of the axis that it shares. */
export function colourScale(
  gd: PlotElement,
  trace: number,
): { stops: readonly (readonly [number, string])[]; reversed: boolean } {
  const full = fullTrace(gd, trace) ?? {};
  const source = full.coloraxis ? fullLayout(gd)?.[full.coloraxis] : full;
  return { stops: source.colorscale, reversed: Boolean(source.reversescale) };
}

/** Return a trace with plotly's defaults worked out, where it is drawn in its own place. */
export function drawnTrace(gd: PlotElement, trace: number): Trace | null {
  const full = fullTrace(gd, trace);
  return full && full.index === trace && full.visible === true ? full : null;
}

/** Whether the bars of several traces stand on each other. */
export function hasStackedBars(gd: PlotElement): boolean {
  const bars = ((gd as FullPlotElement)._fullData ?? []).filter((trace) => trace.type === "bar");
  return bars.length > 1 && ["stack", "relative"].includes(fullLayout(gd)?.barmode);
}

/** Set an attribute of a trace, both as given and as worked out, without drawing. */
export function store(gd: PlotElement, trace: number, name: string, value: unknown): void {
  gd.data[trace][name] = value;
  const full = fullTrace(gd, trace);
  if (full) full[name] = value;
}

/** Set an attribute of a trace's markers in the same way. */
export function storeMarker(gd: PlotElement, trace: number, name: string, value: unknown): void {
  gd.data[trace].marker = { ...gd.data[trace].marker, [name]: value };
  const full = fullTrace(gd, trace);
  if (full) full.marker[name] = value;
}

/** Return what plotly has worked out for every point of a trace. */
export function recordsOf(gd: PlotElement, trace: number): PointRecord[] {
  return (gd as FullPlotElement).calcdata?.[trace] ?? [];
}

/** Elements of points: the group of a trace's bars or points, and one point in it. */
export const BARS = [".trace.bars", ".point"] as const;
export const MARKERS = [".trace.scatter", "path.point"] as const;
export const TEXTS = [".trace.scatter", ".textpoint"] as const;

/** Return the elements of a trace's points. */
export function pointsOf(
  gd: PlotElement,
  trace: number,
  [groups, point]: readonly [string, string],
): SVGElement[] {
  const group = [...gd.querySelectorAll(groups)].find(
    (candidate) => boundTo(candidate)?.[0]?.trace?.index === trace,
  );
  return group ? [...group.querySelectorAll<SVGElement>(point)] : [];
}

/** Return the record that an element was drawn from. */
export function recordOf(element: Element): PointRecord {
  return boundTo(element) as PointRecord;
}

/** Return what the group of a bar or of a text draws: its one path or text. */
export function shapeOf(group: SVGElement): SVGElement | null {
  return group.firstElementChild as SVGElement | null;
}

/** Bind an element to a record, as plotly would have. */
export function bind(element: Element, record: PointRecord): void {
  (element as unknown as { __data__: PointRecord }).__data__ = record;
}

/** Return the plotly text that a text element shows. */
export function drawnText(element: Element): string | undefined {
  return (element as SVGElement).dataset.unformatted;
}

/** Note which plotly text a text element shows. */
export function noteText(element: Element, text: string): void {
  (element as SVGElement).dataset.unformatted = text;
}

/** Return the element that holds everything plotly has drawn. */
export function drawing(gd: PlotElement): Element | null {
  return gd.querySelector(".svg-container");
}

// biome-ignore lint/suspicious/noExplicitAny: d3 binds whatever it was given
function boundTo(element: Element): any {
  return (element as unknown as { __data__?: unknown }).__data__;
}

function fullLayout(gd: PlotElement): Layout | undefined {
  return (gd as FullPlotElement)._fullLayout;
}

function fullTrace(gd: PlotElement, trace: number): Trace | undefined {
  return (gd as FullPlotElement)._fullData?.[trace];
}
