// The traces tab.

import type { Choice, Note, Plain, SetGesture } from "./common.ts";

export interface TraceCard {
  readonly id: string;
  readonly text: string;
  readonly entities: readonly string[];
  readonly label: boolean | null;
  readonly score: number | null;
  readonly feedback: number | null;
  readonly verdict: string;
  readonly mark: string;
  readonly colour: string;
  readonly diagnostics: readonly Note[];
}

/** What can be done about something that a trace lacks. */
export type OfferKind =
  | "auto"
  | "by_labels"
  | "by_text"
  | "cancel_scoring"
  | "cancel_trace"
  | "leave_heads"
  | "read_again"
  | "record"
  | "record_all";

export interface Offer {
  readonly text: string;
  readonly actions: readonly (readonly [kind: OfferKind, label: string, title: string])[];
}

export type WhichCards = "all" | "doubtful" | "unlabelled";

/** Which hyperedges have a card; counts of all, of those without a label, of the doubtful ones. */
export interface CardFilter {
  readonly words: string;
  readonly which: WhichCards;
  readonly first: number;
  readonly matching: number;
  readonly counts: readonly [all: number, unlabelled: number, doubtful: number];
}

export interface NoTraceContent {
  readonly count: 0;
  readonly index: 0;
}

export interface OpenTraceContent {
  readonly count: number;
  readonly index: number;
  readonly file: number;
  readonly id: string;
  readonly view: "cards" | "text";
  readonly source: string;
  readonly query: string;
  readonly answer: string;
  readonly streaming: boolean;
  readonly offer: Offer | null;
  readonly notes: readonly string[];
  /** Notes that all cards have, shown once. */
  readonly shared: readonly Note[];
  readonly cards: readonly TraceCard[];
  readonly filter: CardFilter;
  readonly more_unlabelled: boolean;
  readonly pinned: string | null;
}

export type TraceCardsContent = NoTraceContent | OpenTraceContent;

export interface PinUnitGesture {
  readonly kind: "pin";
  readonly unit: string | null;
}

export interface LabelGesture {
  readonly kind: "label";
  readonly unit: string;
  readonly value: boolean | null;
}

export interface FilterCardsGesture {
  readonly kind: "filter";
  readonly words: string;
  readonly which: WhichCards;
  readonly first: number;
}

export type TraceCardsGesture =
  | FilterCardsGesture
  | LabelGesture
  | PinUnitGesture
  | Plain<OfferKind | "next_unlabelled" | "unpin">
  | SetGesture;

export interface MethodsContent {
  readonly hidden: boolean;
  readonly method: string;
  readonly compare: boolean;
  readonly methods: readonly (readonly [
    value: string,
    label: string,
    title: string,
    there: boolean,
  ])[];
  readonly message: string;
}

export type MethodsGesture = SetGesture;

export interface WeightsContent {
  readonly hidden: boolean;
  readonly view: "entities" | "weights";
  readonly strategy: string;
  readonly strategies: readonly Choice[];
  /** Whether weights can rise; text and title of the button that changes it. */
  readonly rise: readonly [text: string, label: string, title: string] | null;
  readonly busy: boolean;
  readonly message: string;
}

export type WeightsGesture = Plain<"cancel" | "rise"> | SetGesture;
