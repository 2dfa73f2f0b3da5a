// An example of everything that travels between kernel and page, as the types have it: the compiler
// compares them with the types, and `protocol.test.ts` writes them down for the tests of Python.
// Every key and every variant occurs; a buffer is a DataView here and "<bytes>" there.

import type * as P from "../src/protocol/index.ts";

const bytes = (length: number) => new DataView(new ArrayBuffer(length));
const ack: P.Ack = { view: "v1", key: "hovered", n: 3 };

// ---- contents of the panels

const header: P.HeaderContent = {
  tab: "code",
  tabs: [["code", "Code"]],
  own_page: false,
  model: "tiny",
  models: [{ group: "On this machine", options: [["tiny", "Tiny", "2 layers"]] }],
  status: { kind: "ready", text: "ready" },
};

const toolbar: P.ToolbarContent = {
  threshold: 0.1,
  threshold_mode: "auto",
  threshold_found: "Threshold 0.100, found by auto: the default.",
  view_open: false,
  threshold_name: "threshold",
  threshold_label: "threshold",
  threshold_scale: "log",
  of_attention: true,
  of_set: false,
  reachable: [0.001, 0.4],
  reduction: "mean",
  normalisation: "raw",
  unit_kind: "line",
  of_code: true,
  judging: false,
  bar_order: "order",
  colour_scale: "blues",
  colour_range: "fixed",
  scaling: "linear",
  hide_special: false,
  hide_sink: true,
  choices: {
    reduction: [["mean", "mean"]],
    normalisation: [["raw", "raw"]],
    unit_kind: [["line", "lines"]],
    bar_order: [["order", "order"]],
    colour_scale: [["blues", "Blues"]],
    colour_range: [["fixed", "0 to 1"]],
    scaling: [["linear", "linear"]],
  },
  counts: [["used", 3, "●", "#3b6fb6"]],
};

const toolbarOfTraces: P.ToolbarContent = {
  ...toolbar,
  threshold_mode: "fixed",
  threshold_found: null,
  threshold_name: "similarity_threshold",
  threshold_scale: "linear",
  reachable: null,
  unit_kind: null,
};

const headSelector: P.HeadSelectorContent = {
  layers: 2,
  heads: 4,
  layer: 1,
  head: null,
  set: { name: "set of 2 heads", title: "listed", caption: "by weight", cells: [[0, 3, 0.5]] },
  last: { layer: 1, head: 2 },
  measure: "entropy",
  measures: [["entropy", "entropy"]],
  serial: 1,
  reason: "",
};

const status: P.StatusContent = {
  sentence: "3 of 6 units count as used",
  error: null,
  notes: [["units", "Lines without code are left out."]],
  jobs: [
    { job: "code", message: "recording", fraction: 0.5, replaces: true },
    { job: "scoring", message: "reading", fraction: null, replaces: false },
  ],
};

const codeText: P.CodeTextContent = {
  programs: [["fibonacci.py", "Recursion"]],
  title: "python, 12 tokens",
  language: "auto",
  languages: [
    ["auto", "python (found)"],
    ["text", "text"],
  ],
  editable: true,
  live: false,
  direction: "row",
  bars_title: "what “seen” (line 8) looks at",
  reading_hint: true,
  pinned: 3,
  marked: [1, 2],
  window: { text: "tokens 0 to 512", previous: null, next: 512 },
};

const card: P.TraceCard = {
  id: "h0",
  text: "The Nile is long.",
  entities: ["Nile"],
  label: true,
  score: 0.25,
  feedback: 0.7,
  verdict: "used",
  mark: "●",
  colour: "#3b6fb6",
  diagnostics: [["clipped", "The score was raised to 0."]],
};

const problems: P.Problems = {
  title: "1 line not read",
  lines: [
    [3, "it is not valid JSON"],
    [null, "a note"],
  ],
  more: "",
};

const traceFile: P.TraceFileContent = {
  name: "traces.jsonl",
  format: "langfuse",
  formats: [
    ["native", "explorer's own"],
    ["langfuse", "Langfuse"],
  ],
  counts: ["5 traces", "40 hyperedges", "answers: all"],
  labels: "12 of 40 labelled",
  kept: "3 labels are in memory only.",
  unsaved: true,
  problems,
  opening: "",
  failure: null,
};
const failedFile: P.TraceFileContent = {
  ...traceFile,
  formats: [],
  opening: "other.json",
  failure: {
    title: "langfuse.json was not loaded.",
    message: "No known format.",
    still: "Below is still what was open before: traces.jsonl.",
    formats: [["ragas", "RAGAS"]],
  },
};

const traceSettings: P.TraceSettingsContent = {
  hidden: false,
  title: "Packaged recommendation",
  text: "chosen without the trace in view.",
  actions: [["reference", "reference settings", "Means, 0.1"]],
};

const noTrace: P.TraceCardsContent = { count: 0, index: 0 };

const openTrace: P.TraceCardsContent = {
  count: 2,
  index: 0,
  file: 17,
  id: "t0",
  view: "cards",
  source: "attention given by the trace",
  query: "How long?",
  answer: "Very.",
  streaming: false,
  offer: { text: "No attention.", actions: [["record", "record attention", "Read this trace"]] },
  notes: ["One hyperedge is not in the prompt."],
  shared: [["short", "All are short."]],
  filter: { words: "", which: "all", first: 0, matching: 2, counts: [2, 1, 0] },
  more_unlabelled: true,
  cards: [card, { ...card, label: null, score: null, feedback: null }],
  pinned: "h0",
};

const methods: P.MethodsContent = {
  hidden: false,
  method: "attention",
  compare: false,
  methods: [["attention", "attention", "Where the reader looked", true]],
  message: "",
};

const weights: P.WeightsContent = {
  hidden: false,
  view: "entities",
  strategy: "ema",
  strategies: [["ema", "ema"]],
  rise: null,
  busy: false,
  message: "",
};

const answer: P.AnswerContent = {
  hidden: false,
  old: false,
  kind: "set",
  sentence: "Set the threshold to 0.08.",
  figures: [["0.08", "threshold", ""]],
  sure: "From 60 traces.",
  held_out: "Each trace was judged.",
  objective: "cost",
  objectives: [["cost", "cost", "What it costs"]],
  number: {
    name: "cost_ratio",
    value: 2,
    label: "a wrong fact kept",
    title: "Above 0",
    unit: "right facts lost",
  },
  action: { kind: "use", label: "set it", title: "Everywhere" },
  undo: "back to 0.1 (Esc)",
};

const figures: P.FiguresContent = {
  method: "attention",
  methods: [["attention", "attention", "Scores of attention"]],
  refused: "",
  can_label: true,
  old: false,
  few: false,
  truth: "labels",
  truths: [["labels", "labels", "Labelled by a person"]],
  least_drop: 0.5,
  columns: ["labelled used", "labelled not used"],
  offer: { text: "Not measured yet.", kind: "measure", action: "measure causal use" },
  message: "",
  reporting: false,
  there: true,
  counts: [3, 1, 0, 2],
  rows: [["F1", "Harmonic mean", "0.857", "0.5", "1"]],
  judged: "attention, mean. 6 labelled hyperedges",
  notes: [["few labels", "Label more."]],
  recommending: false,
  recommended: {
    message: "Recommended: layer 1",
    accepted: true,
    shown: false,
    notes: [["a", "b"]],
    outdated: "Labels changed since: search again.",
  },
  more: { message: "Not read yet.", busy: false },
};

const refusedFigures: P.FiguresContent = {
  ...figures,
  offer: { text: "Measuring …", kind: "stop", action: "cancel" },
  recommended: null,
  more: null,
};

const questions: P.QuestionsContent = {
  hidden: false,
  summary: "At this threshold 1 of 60 questions ends with nothing called used.",
  rows: [{ trace: 3, id: "q3", question: "Which valve?", errors: "missed 1 of 2" }],
};

const callChanges: P.CallChangesContent = { hidden: false, reference: 0.1, threshold: 0.2 };
const baselines: P.BaselinesContent = {
  hidden: false,
  embedded: true,
  busy: false,
  message: "ahead",
};
const agreement: P.AgreementContent = {
  hidden: false,
  rows: [["embedding at 0.700", "0.5", "0.2 to 0.8", "90% of 10 calls are the same"]],
  embed: false,
  busy: false,
};
const headQuality: P.HeadQualityContent = {
  hidden: false,
  measure: "auc",
  measures: [["auc", "ROC-AUC", "0.5 is chance"]],
  there: true,
  heads: "",
};
const weightMoves: P.WeightMovesContent = {
  hidden: false,
  strategy: "ema",
  strategies: [["ema", "ema", "A part of the way"]],
  message: "",
};

export const CONTENTS: Record<string, readonly object[]> = {
  agreement: [agreement],
  answer: [answer, { ...answer, number: null, action: null }],
  baselines: [baselines],
  call_changes: [callChanges, { ...callChanges, threshold: null }],
  code_text: [codeText, { ...codeText, direction: "column", pinned: null, window: null }],
  figures: [figures, refusedFigures],
  head_quality: [headQuality],
  head_selector: [headSelector, { ...headSelector, layer: null, head: 0, set: null }],
  header: [header],
  methods: [methods],
  questions: [questions],
  status: [status],
  toolbar: [toolbar, toolbarOfTraces],
  trace_cards: [noTrace, openTrace],
  trace_file: [traceFile, failedFile],
  trace_settings: [traceSettings],
  weight_moves: [weightMoves],
  weights: [
    weights,
    { ...weights, view: "weights", rise: ["None can rise.", "let weights rise", "additive"] },
  ],
};

const codeDocument: P.CodeDocument = {
  serial: 1,
  lines: [
    [null, [["<s>", 0, 1]]],
    [
      1,
      [
        ["x", 1, 0],
        [" ", -1, 0],
        ["⏎", 2, 2],
      ],
    ],
  ],
};
const palette: P.Palette = { name: "blues", light: ["#ffffff"], dark: ["#000000"] };

// ---- gestures of the panels

const set: P.SetGesture = { kind: "set", name: "threshold", value: 0.2 };

const SETTABLE: Record<P.SettableName, true> = {
  bar_order: true,
  citation_threshold: true,
  colour_range: true,
  colour_scale: true,
  compare: true,
  cost_ratio: true,
  direction: true,
  head: true,
  heads: true,
  hide_sink: true,
  hide_special: true,
  language: true,
  layer: true,
  least_drop: true,
  least_precision: true,
  least_recall: true,
  lexical_threshold: true,
  measure: true,
  method: true,
  model: true,
  normalisation: true,
  objective: true,
  quality: true,
  reading_hint: true,
  reading_view: true,
  reduction: true,
  reference_threshold: true,
  scaling: true,
  similarity_threshold: true,
  tab: true,
  threshold: true,
  threshold_mode: true,
  threshold_scale: true,
  trace: true,
  truth: true,
  unit_kind: true,
  update_strategy: true,
  view_open: true,
  weight_view: true,
  weights_can_rise: true,
};

/** One example for every kind of a union, no kind left out. */
type OfEveryKind<Sent extends { kind: string }> = {
  readonly [Kind in Sent["kind"]]: Extract<Sent, { kind: Kind }> | (Sent & { kind: Kind });
};

const plain = <Kind extends string>(kind: Kind): P.Plain<Kind> => ({ kind });

const headerGestures: OfEveryKind<P.HeaderGesture> = {
  set,
  copy: plain("copy"),
  save: { kind: "save", what: "table" },
};
const headSelectorGestures: OfEveryKind<P.HeadSelectorGesture> = {
  set: { kind: "set", name: "head", value: null },
  head: { kind: "head", layer: 1, head: 0 },
  unpin: plain("unpin"),
};
const statusGestures: OfEveryKind<P.StatusGesture> = {
  cancel: { kind: "cancel", job: "code" },
  dismiss: plain("dismiss"),
};
const codeTextGestures: OfEveryKind<P.CodeTextGesture> = {
  set,
  run: { kind: "run", source: "x = 1" },
  editing: plain("editing"),
  pin: { kind: "pin", index: 2 },
  hover: { kind: "hover", index: null },
  window: { kind: "window", start: 512 },
  example: { kind: "example", name: "fibonacci.py" },
};
const traceCardsGestures: OfEveryKind<P.TraceCardsGesture> = {
  set,
  pin: { kind: "pin", unit: "h0" },
  unpin: plain("unpin"),
  filter: { kind: "filter", words: "nile", which: "doubtful", first: 0 },
  next_unlabelled: plain("next_unlabelled"),
  label: { kind: "label", unit: "h0", value: null },
  auto: plain("auto"),
  by_labels: plain("by_labels"),
  by_text: plain("by_text"),
  cancel_scoring: plain("cancel_scoring"),
  cancel_trace: plain("cancel_trace"),
  leave_heads: plain("leave_heads"),
  read_again: plain("read_again"),
  record: plain("record"),
  record_all: plain("record_all"),
};
const traceSettingsGestures: OfEveryKind<P.TraceSettingsGesture> = {
  auto: plain("auto"),
  by_labels: plain("by_labels"),
  packaged: plain("packaged"),
  previous: plain("previous"),
  reference: plain("reference"),
};
const traceFileGestures: OfEveryKind<P.TraceFileGesture> = {
  load_path: { kind: "load_path", path: "traces.jsonl" },
  load_examples: plain("load_examples"),
  upload: { kind: "upload", id: "1 a.jsonl", name: "a.jsonl", size: 10, offset: 0 },
  too_large: { kind: "too_large", name: "a.jsonl", size: 1e9 },
  unreadable: { kind: "unreadable", name: "folder" },
  load_as: { kind: "load_as", format: "ragas" },
  save_labels: plain("save_labels"),
  write_labels: { kind: "write_labels", path: "labelled.jsonl" },
  dismiss: plain("dismiss"),
};
const questionsGestures: OfEveryKind<P.QuestionsGesture> = {
  open: { kind: "open", trace: 3 },
};
const answerGestures: OfEveryKind<P.AnswerGesture> = {
  set,
  use: plain("use"),
  undo: plain("undo"),
};
const figuresGestures: OfEveryKind<P.FiguresGesture> = {
  set,
  recommend: plain("recommend"),
  record_all: plain("record_all"),
  cancel_recommend: plain("cancel_recommend"),
  read_again: plain("read_again"),
  cancel_scoring: plain("cancel_scoring"),
  measure: plain("measure"),
  stop: plain("stop"),
  take: plain("take"),
  go_back: plain("go_back"),
  export: { kind: "export", what: "recommended_json" },
  report: plain("report"),
};
const onlySet: OfEveryKind<P.SetGesture> = { set };
const callChangesGestures: OfEveryKind<P.CallChangesGesture> = { set, here: plain("here") };
const weightsGestures: OfEveryKind<P.WeightsGesture> = {
  set,
  cancel: plain("cancel"),
  rise: plain("rise"),
};
const embedding: OfEveryKind<P.BaselinesGesture> & OfEveryKind<P.AgreementGesture> = {
  embed: plain("embed"),
};

export const GESTURES: Record<string, Record<string, object>> = {
  agreement: embedding,
  answer: answerGestures,
  baselines: embedding,
  call_changes: callChangesGestures,
  code_text: codeTextGestures,
  figures: figuresGestures,
  head_quality: onlySet,
  head_selector: headSelectorGestures,
  header: headerGestures,
  methods: onlySet,
  questions: questionsGestures,
  status: statusGestures,
  toolbar: onlySet,
  trace_cards: traceCardsGestures,
  trace_file: traceFileGestures,
  trace_settings: traceSettingsGestures,
  weight_moves: onlySet,
  weights: weightsGestures,
};

// ---- messages to the panels

const panelMessages: OfEveryKind<P.PanelMessage> = {
  acknowledged: { kind: "acknowledged", ack },
  copy: { kind: "copy", text: "Explorer()" },
  download: { kind: "download", name: "a.csv", mime: "text/csv", text: "a,b" },
  received: { kind: "received" },
  reveal: { kind: "reveal", index: 7 },
};

// ---- plots

const cells: P.CellsMessage = {
  rows: 1,
  columns: 2,
  codes: bytes(2),
  zmin: 0,
  zmax: 1,
  x0: 0,
  dx: 1,
  y0: 0,
  dy: 1,
};
const figure: P.FigureMessage = {
  serial: 1,
  data: [
    { type: "heatmap", opacity: 1, cells },
    { type: "bar", x: { dtype: "float32", shape: [2], buffer: bytes(8) }, y: ["a", null] },
  ],
  layout: { height: 300 },
};
const marks: P.PlotMarks = {
  height: 300,
  name: "attention",
  line: { value: 0.1, axis: "x", name: "threshold", minimum: 0, maximum: null, step: null },
  row: 1,
  column: null,
  columns: [[0, 2]],
  pin: true,
  exact: false,
  zoom: { n: 1, window: [0, 1, 0, 1] },
};
const plotTraits = {
  figure: [figure],
  labels: [{ x: ["a", "b"], y: null } satisfies P.AxisLabels],
  heatmap: [{ ...cells, serial: 2, labels: { x: ["a", "b"], y: null } } satisfies P.HeatmapMessage],
  arrays: [
    {
      serial: 3,
      changes: [{ trace: 1, path: "marker.color", serial: 3, value: ["#111", "#222"] }],
    } satisfies P.ArraysMessage,
  ],
  marks: [marks, { ...marks, line: { value: null, axis: "y", name: "t" } } satisfies P.PlotMarks],
};
const plotGestures: OfEveryKind<P.PlotGesture> = {
  drawn: { kind: "drawn", serial: 3, width: 640 },
  width: { kind: "width", width: 640 },
  error: { kind: "error", value: "" },
  line: { kind: "line", value: 0.2, ack },
  hovered: { kind: "hovered", value: null, ack },
  clicked: {
    kind: "clicked",
    value: { trace: 0, row: 1, column: 2, x: 2, y: 1, value: 0.25, n: 1 },
    ack,
  },
  zoom: { kind: "zoom", value: [0, 1, 0, 1], ack },
  pin: { kind: "pin", value: [1, 2], ack },
  exact: { kind: "exact", rows: [1], ack },
};
const plotMessages: OfEveryKind<P.PlotMessage> = {
  acknowledged: { kind: "acknowledged", ack },
  exact: { kind: "exact", rows: [1], serial: 3 },
};

export const EXAMPLES = {
  settable: Object.keys(SETTABLE),
  contents: CONTENTS,
  document: codeDocument,
  palette,
  gestures: GESTURES,
  acknowledged_gesture: { ...set, ack },
  panel_messages: panelMessages,
  plot: { traits: plotTraits, gestures: plotGestures, messages: plotMessages },
};
