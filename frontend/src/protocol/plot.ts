// Figures: what a plot draws, and what is reported about it.

import type { Ack, Acknowledged } from "./common.ts";

/** An array of numbers as a raw buffer. */
export interface EncodedArray {
  readonly dtype:
    | "float32"
    | "float64"
    | "int16"
    | "int32"
    | "int8"
    | "uint16"
    | "uint32"
    | "uint8";
  readonly shape: readonly number[];
  readonly buffer: DataView;
}

/** JSON in which arrays of numbers are encoded. */
export type Encoded =
  | EncodedArray
  | boolean
  | number
  | string
  | null
  | readonly Encoded[]
  | { readonly [name: string]: Encoded };

/** A heatmap on a uniform grid: one byte a cell, and where the cells lie. */
export interface CellsMessage {
  readonly rows: number;
  readonly columns: number;
  readonly codes: DataView;
  readonly zmin: number;
  readonly zmax: number;
  readonly x0: number;
  readonly dx: number;
  readonly y0: number;
  readonly dy: number;
}

/** Tokens along the axes; an axis without them keeps the labels that it has. */
export interface AxisLabels {
  readonly x?: readonly string[] | null;
  readonly y?: readonly string[] | null;
}

export interface EncodedTrace {
  readonly cells?: CellsMessage;
  readonly type?: string;
  readonly opacity?: number | null;
  readonly [name: string]: Encoded | CellsMessage | undefined;
}

export interface FigureMessage {
  readonly serial: number;
  readonly data: readonly EncodedTrace[];
  readonly layout: { readonly [name: string]: Encoded };
}

export interface HeatmapMessage extends CellsMessage {
  readonly serial: number;
  readonly labels: AxisLabels;
}

/** One attribute of one trace that differs from the figure, and the change that made it so. */
export interface ArrayChange {
  readonly trace: number;
  /** Plotly's name for it, such as `x` or `marker.color`. */
  readonly path: string;
  readonly serial: number;
  readonly value: Encoded;
}

export interface ArraysMessage {
  readonly serial: number;
  /** Every difference from the figure. A page that drew a serial needs only what is newer. */
  readonly changes: readonly ArrayChange[];
}

export interface LineMarks {
  readonly value: number | null;
  readonly axis: "x" | "y";
  readonly name: string;
  readonly minimum?: number | null;
  readonly maximum?: number | null;
  readonly step?: number | null;
}

/** `x0, x1, y0, y1` in units of the axes; null for everything. */
export type PlotWindow = readonly [x0: number, x1: number, y0: number, y1: number] | null;

/** Small things that are drawn over a figure, and how it is shown. */
export interface PlotMarks {
  readonly height: number;
  readonly name: string;
  readonly line: LineMarks;
  readonly row: number | null;
  readonly column: number | null;
  /** Stretches of the x axis that are framed: first position, and the one after the last. */
  readonly columns: readonly (readonly [start: number, stop: number])[];
  readonly pin: boolean;
  readonly exact: boolean;
  readonly zoom: { readonly n: number; readonly window: PlotWindow };
}

/** The traits of a plot's model. */
export interface PlotState<Texts> {
  readonly figure: FigureMessage | null;
  /** Tokens of the figure, which seldom change when the figure does. */
  readonly labels: AxisLabels;
  readonly heatmap: HeatmapMessage | null;
  readonly arrays: ArraysMessage | null;
  readonly marks: PlotMarks;
  readonly texts: Texts;
}

/** True values of rows of the heatmap that was sent with this serial; one buffer a row. */
export interface ExactValues {
  readonly kind: "exact";
  readonly rows: readonly number[];
  readonly serial: number;
}

export type PlotMessage = Acknowledged | ExactValues;

/** A cell of a heatmap. */
export interface CellPlace {
  readonly trace: number;
  readonly row: number;
  readonly column: number;
  readonly x: number;
  readonly y: number;
  readonly value: number | null;
}

/** A point of any other trace. */
export interface PointPlace {
  readonly trace: number;
  readonly index: number;
  readonly x: number | string;
  readonly y: number | string;
}

export type Place = CellPlace | PointPlace;

export type PlotGesture = (
  | { readonly kind: "drawn"; readonly serial: number; readonly width: number }
  | { readonly kind: "width"; readonly width: number }
  | { readonly kind: "error"; readonly value: string }
  | { readonly kind: "line"; readonly value: number }
  | { readonly kind: "hovered"; readonly value: Place | null }
  | { readonly kind: "clicked"; readonly value: Place & { readonly n: number } }
  | { readonly kind: "zoom"; readonly value: PlotWindow }
  | { readonly kind: "pin"; readonly value: readonly [row: number, column: number] | null }
  | { readonly kind: "exact"; readonly rows: readonly number[] }
) & { readonly ack?: Ack };
