// What travels between the kernel and every panel of the page.

/** One choice: its value, its label, and what it says on hover. */
export type Choice = readonly [value: string, label: string, title?: string];

export interface ChoiceGroup {
  readonly group: string;
  readonly options: readonly Choice[];
}

/** What a gesture carries when the kernel must have dealt with it before the next is sent. */
export interface Ack {
  readonly view: string;
  readonly key: string;
  readonly n: number;
}

export interface Acknowledged {
  readonly kind: "acknowledged";
  readonly ack: Ack;
}

/** Traits of the app that the page may set. */
export type SettableName =
  | "bar_order"
  | "citation_threshold"
  | "colour_range"
  | "colour_scale"
  | "compare"
  | "cost_ratio"
  | "direction"
  | "head"
  | "heads"
  | "hide_sink"
  | "hide_special"
  | "language"
  | "layer"
  | "least_drop"
  | "least_precision"
  | "least_recall"
  | "lexical_threshold"
  | "measure"
  | "method"
  | "model"
  | "normalisation"
  | "objective"
  | "quality"
  | "reading_hint"
  | "reading_view"
  | "reduction"
  | "reference_threshold"
  | "scaling"
  | "similarity_threshold"
  | "tab"
  | "threshold"
  | "threshold_mode"
  | "threshold_scale"
  | "trace"
  | "truth"
  | "unit_kind"
  | "update_strategy"
  | "view_open"
  | "weight_view"
  | "weights_can_rise";

export interface SetGesture {
  readonly kind: "set";
  readonly name: SettableName;
  readonly value: unknown;
}

/** A gesture that says all by its kind. */
export interface Plain<Kind extends string> {
  readonly kind: Kind;
}

export interface Download {
  readonly kind: "download";
  readonly name: string;
  readonly mime: string;
  /** The content, as text or as bytes in base64. */
  readonly text?: string;
  readonly base64?: string;
}

export interface Copy {
  readonly kind: "copy";
  readonly text: string;
}

/** A piece of an upload has arrived. */
export interface Received {
  readonly kind: "received";
}

/** Scroll to a token. */
export interface Reveal {
  readonly kind: "reveal";
  readonly index: number;
}

export type PanelMessage = Acknowledged | Copy | Download | Received | Reveal;

/** Colours of attention: 256 for each theme. */
export interface Palette {
  readonly name: string;
  readonly light: readonly string[];
  readonly dark: readonly string[];
}

/** The traits of a panel's model. */
export interface PanelState<Content, Texts, Document = never> {
  /** Everything the panel draws; empty until there is something. */
  readonly content: Content | Record<string, never>;
  /** The words of the panel that never change. */
  readonly texts: Texts;
  /** What is large and changes seldom. */
  readonly document: Document | Record<string, never>;
  /** The code, for the editor. */
  readonly source: string;
  /** Colour index of every token, one byte each; for the grid of heads a float32 each. */
  readonly tint: DataView;
  readonly palette: Palette | Record<string, never>;
}

/** A word and what it says on hover. */
export type Note = readonly [word: string, message: string];
