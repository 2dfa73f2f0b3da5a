// The code tab.

import type { Choice, Plain, SetGesture } from "./common.ts";

/** A piece of a line: its text, its token or -1, and 0 for usual, 1 for special, 2 for a line break. */
export type LinePart = readonly [text: string, token: number, kind: number];

export interface CodeDocument {
  readonly serial: number;
  readonly lines: readonly (readonly [number: number | null, parts: readonly LinePart[]])[];
}

export interface CodeTextContent {
  readonly programs: readonly Choice[];
  readonly title: string;
  /** What was chosen: a language, or to find it. */
  readonly language: "auto" | "javascript" | "python" | "sql" | "text";
  /** The choices; that of "auto" says what was found. */
  readonly languages: readonly Choice[];
  readonly editable: boolean;
  /** Whether the attention follows while the code is typed. */
  readonly live: boolean;
  readonly direction: "column" | "row";
  /** Whose rows the bars show. */
  readonly bars_title: string;
  /** Whether to say how the picture is read. */
  readonly reading_hint: boolean;
  readonly pinned: number | null;
  readonly marked: readonly number[];
  readonly window: {
    readonly text: string;
    readonly previous: number | null;
    readonly next: number | null;
  } | null;
}

export interface RunGesture {
  readonly kind: "run";
  readonly source: string;
}

export interface TokenGesture {
  readonly kind: "hover" | "pin";
  readonly index: number | null;
}

export interface WindowGesture {
  readonly kind: "window";
  readonly start: number | null;
}

export interface ExampleGesture {
  readonly kind: "example";
  readonly name: string;
}

export type CodeTextGesture =
  | ExampleGesture
  | Plain<"editing">
  | RunGesture
  | SetGesture
  | TokenGesture
  | WindowGesture;
