// Everything that travels between the kernel and the page, written down once on this side. Python
// writes it down in `explorer.widgets`; `tests/shared/messages.json` holds an example of every part,
// which the tests of both sides read.

import type { CodeTextGesture } from "./code.ts";
import type { HeaderGesture, HeadSelectorGesture, StatusGesture, ToolbarGesture } from "./shell.ts";
import type {
  AgreementGesture,
  AnswerGesture,
  BaselinesGesture,
  CallChangesGesture,
  FiguresGesture,
  HeadQualityGesture,
  QuestionsGesture,
  WeightMovesGesture,
} from "./thresholds.ts";
import type { TraceFileGesture, TraceSettingsGesture } from "./trace_file.ts";
import type { MethodsGesture, TraceCardsGesture, WeightsGesture } from "./traces.ts";

export type * from "./code.ts";
export type * from "./common.ts";
export type * from "./plot.ts";
export type * from "./shell.ts";
export type * from "./texts.ts";
export type * from "./thresholds.ts";
export type * from "./trace_file.ts";
export type * from "./traces.ts";

/** Any gesture of any panel. */
export type Gesture =
  | AgreementGesture
  | AnswerGesture
  | BaselinesGesture
  | CodeTextGesture
  | FiguresGesture
  | CallChangesGesture
  | HeadQualityGesture
  | HeaderGesture
  | HeadSelectorGesture
  | MethodsGesture
  | QuestionsGesture
  | StatusGesture
  | ToolbarGesture
  | TraceCardsGesture
  | TraceFileGesture
  | TraceSettingsGesture
  | WeightMovesGesture
  | WeightsGesture;
