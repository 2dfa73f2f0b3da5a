// The file of the traces: the top of the traces tab.

import type { Plain } from "./common.ts";

export interface Problems {
  readonly title: string;
  readonly lines: readonly (readonly [line: number | null, message: string])[];
  readonly more: string;
}

/** A file that could not be loaded, and the formats that it may be read as. */
export interface LoadFailure {
  readonly title: string;
  readonly message: string;
  readonly still: string;
  readonly formats: readonly (readonly [value: string, label: string])[];
}

export interface TraceFileContent {
  readonly name: string;
  readonly format: string;
  readonly formats: readonly (readonly [value: string, label: string])[];
  readonly counts: readonly string[];
  readonly labels: string;
  /** Where labels are kept. */
  readonly kept: string;
  readonly unsaved: boolean;
  readonly problems: Problems;
  readonly opening: string;
  readonly failure: LoadFailure | null;
}

export interface LoadAsGesture {
  readonly kind: "load_as";
  readonly format: string;
}

export interface WriteLabelsGesture {
  readonly kind: "write_labels";
  readonly path: string;
}

export interface LoadPathGesture {
  readonly kind: "load_path";
  readonly path: string;
}

/** A piece of a file, in the one buffer of the message. */
export interface UploadGesture {
  readonly kind: "upload";
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly offset: number;
}

export interface TooLargeGesture {
  readonly kind: "too_large";
  readonly name: string;
  readonly size: number;
}

export interface UnreadableGesture {
  readonly kind: "unreadable";
  readonly name: string;
}

export type TraceFileGesture =
  | LoadAsGesture
  | LoadPathGesture
  | Plain<"dismiss" | "load_examples" | "save_labels">
  | TooLargeGesture
  | UnreadableGesture
  | UploadGesture
  | WriteLabelsGesture;

export type SettingsKind = "auto" | "by_labels" | "packaged" | "previous" | "reference";

/** Where heads and threshold come from, and what else can be had. */
export interface TraceSettingsContent {
  readonly hidden: boolean;
  readonly title: string;
  readonly text: string;
  readonly actions: readonly (readonly [kind: SettingsKind, label: string, title: string])[];
}

export type TraceSettingsGesture = Plain<SettingsKind>;
