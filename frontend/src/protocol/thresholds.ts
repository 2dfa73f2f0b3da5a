// The thresholds tab.

import type { Choice, Note, Plain, SetGesture, SettableName } from "./common.ts";

export interface AnswerContent {
  readonly hidden: boolean;
  readonly old: boolean;
  readonly kind: "working" | "few" | "none" | "keep" | "set" | "words";
  readonly sentence: string;
  readonly figures: readonly (readonly [value: string, label: string, detail: string])[];
  readonly sure: string;
  readonly held_out: string;
  readonly objective: string;
  readonly objectives: readonly Choice[];
  readonly number: {
    readonly name: SettableName;
    readonly value: number;
    readonly label: string;
    readonly title: string;
    readonly unit: string;
  } | null;
  readonly action: {
    readonly kind: "use" | "label";
    readonly label: string;
    readonly title: string;
  } | null;
  readonly undo: string;
}

export type AnswerGesture = Plain<"undo" | "use"> | SetGesture;

export interface FiguresContent {
  readonly method: string;
  readonly methods: readonly Choice[];
  readonly refused: string;
  readonly can_label: boolean;
  readonly old: boolean;
  readonly few: boolean;
  readonly truth: string;
  readonly truths: readonly Choice[];
  readonly least_drop: number;
  readonly columns: readonly [used: string, not_used: string];
  readonly offer: {
    readonly text: string;
    readonly kind: "cancel_scoring" | "measure" | "record_all" | "stop";
    readonly action: string;
  } | null;
  readonly message: string;
  readonly reporting: boolean;
  readonly there: boolean;
  readonly counts: readonly number[];
  readonly rows: readonly (readonly [
    label: string,
    title: string,
    value: string,
    low: string,
    high: string,
  ])[];
  readonly judged: string;
  readonly notes: readonly Note[];
  readonly recommending: boolean;
  readonly recommended: {
    readonly message: string;
    readonly accepted: boolean;
    readonly shown: boolean;
    readonly notes: readonly Note[];
    readonly outdated: string;
  } | null;
  readonly more: { readonly message: string; readonly busy: boolean } | null;
}

export interface ExportGesture {
  readonly kind: "export";
  readonly what: "json" | "python" | "recommended_json" | "recommended_python";
}

export type FiguresGesture =
  | ExportGesture
  | Plain<
      | "cancel_recommend"
      | "cancel_scoring"
      | "go_back"
      | "measure"
      | "read_again"
      | "recommend"
      | "record_all"
      | "report"
      | "stop"
      | "take"
    >
  | SetGesture;

export interface QuestionsContent {
  readonly hidden: boolean;
  readonly summary: string;
  readonly rows: readonly {
    readonly trace: number;
    readonly id: string;
    readonly question: string;
    readonly errors: string;
  }[];
}

export interface OpenGesture {
  readonly kind: "open";
  readonly trace: number;
}

export type QuestionsGesture = OpenGesture;

export interface CallChangesContent {
  readonly hidden: boolean;
  readonly reference: number;
  readonly threshold: number | null;
}

export type CallChangesGesture = Plain<"here"> | SetGesture;

export interface BaselinesContent {
  readonly hidden: boolean;
  readonly embedded: boolean;
  readonly busy: boolean;
  readonly message: string;
}

export type BaselinesGesture = Plain<"embed">;

export interface AgreementContent {
  readonly hidden: boolean;
  readonly rows: readonly (readonly string[])[];
  readonly embed: boolean;
  readonly busy: boolean;
}

export type AgreementGesture = Plain<"embed">;

export interface HeadQualityContent {
  readonly hidden: boolean;
  readonly measure: string;
  readonly measures: readonly Choice[];
  readonly there: boolean;
  readonly heads: string;
}

export type HeadQualityGesture = SetGesture;

export interface WeightMovesContent {
  readonly hidden: boolean;
  readonly strategy: string;
  readonly strategies: readonly Choice[];
  readonly message: string;
}

export type WeightMovesGesture = SetGesture;
