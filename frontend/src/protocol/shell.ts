// The parts that all tabs share: header, toolbar, head selector, status.

import type { Choice, ChoiceGroup, Note, Plain, SetGesture } from "./common.ts";

export interface HeaderContent {
  readonly tab: string;
  readonly tabs: readonly (readonly [value: string, label: string])[];
  /** Whether the app has a page of its own, without Jupyter. */
  readonly own_page: boolean;
  readonly model: string;
  readonly models: readonly ChoiceGroup[];
  readonly status: { readonly kind: string; readonly text: string };
}

export interface SaveGesture {
  readonly kind: "save";
  readonly what: "html" | "png" | "settings" | "table" | "traces";
}

export type HeaderGesture = Plain<"copy"> | SaveGesture | SetGesture;

export interface ToolbarContent {
  readonly threshold: number;
  readonly threshold_mode: "auto" | "fixed";
  readonly threshold_found: string | null;
  readonly view_open: boolean;
  readonly threshold_name:
    | "citation_threshold"
    | "lexical_threshold"
    | "similarity_threshold"
    | "threshold";
  readonly threshold_label: string;
  readonly threshold_scale: "linear" | "log";
  readonly of_attention: boolean;
  readonly of_set: boolean;
  readonly reachable: readonly [low: number, high: number] | null;
  readonly reduction: string;
  readonly normalisation: string;
  readonly unit_kind: string | null;
  readonly of_code: boolean;
  readonly judging: boolean;
  readonly bar_order: string;
  readonly colour_scale: string;
  /** What the end of the colours is: 1, or the largest weight in view. */
  readonly colour_range: string;
  readonly scaling: string;
  readonly hide_special: boolean;
  readonly hide_sink: boolean;
  readonly choices: {
    readonly reduction: readonly Choice[];
    readonly normalisation: readonly Choice[];
    readonly unit_kind: readonly Choice[];
    readonly bar_order: readonly Choice[];
    readonly colour_scale: readonly Choice[];
    readonly colour_range: readonly Choice[];
    readonly scaling: readonly Choice[];
  };
  readonly counts: readonly (readonly [
    verdict: string,
    count: number,
    mark: string,
    colour: string,
  ])[];
}

export type ToolbarGesture = SetGesture;

export interface HeadSet {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly cells: readonly (readonly [layer: number, head: number, share: number])[];
}

export interface HeadSelectorContent {
  readonly layers: number;
  readonly heads: number;
  readonly layer: number | null;
  readonly head: number | null;
  readonly set: HeadSet | null;
  readonly last: { readonly layer: number; readonly head: number };
  readonly measure: string;
  readonly measures: readonly Choice[];
  readonly serial: number;
  readonly reason: string;
}

export interface HeadGesture {
  readonly kind: "head";
  readonly layer: number;
  readonly head: number;
}

export type HeadSelectorGesture = HeadGesture | Plain<"unpin"> | SetGesture;

export interface StatusContent {
  readonly sentence: string;
  /** What went wrong, or null. */
  readonly error: string | null;
  readonly notes: readonly Note[];
  readonly jobs: readonly JobProgress[];
}

export interface JobProgress {
  readonly job: string;
  readonly message: string;
  readonly fraction: number | null;
  /** Whether it brings something new in place of what the tab shows. */
  readonly replaces: boolean;
}

export interface CancelJobGesture {
  readonly kind: "cancel";
  readonly job: string;
}

export type StatusGesture = CancelJobGesture | Plain<"dismiss">;
