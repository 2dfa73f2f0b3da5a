// Every panel by the name that the kernel calls it.

import { codeText } from "./code/code_text.ts";
import type { Mount } from "./panel.ts";
import { headSelector } from "./shell/head_selector.ts";
import { header } from "./shell/header.ts";
import { status } from "./shell/status.ts";
import { toolbar } from "./shell/toolbar.ts";
import { answer } from "./thresholds/answer.ts";
import { headQuality, weightMoves } from "./thresholds/choices.ts";
import { agreement, baselines, callChanges } from "./thresholds/comparisons.ts";
import { figures } from "./thresholds/figures.ts";
import { questions } from "./thresholds/questions.ts";
import { methods } from "./traces/methods.ts";
import { traceCards } from "./traces/trace_cards.ts";
import { traceFile } from "./traces/trace_file.ts";
import { traceSettings } from "./traces/trace_settings.ts";
import { weights } from "./traces/weights.ts";

export const PANELS: Readonly<Record<string, Mount>> = {
  agreement,
  answer,
  baselines,
  call_changes: callChanges,
  code_text: codeText,
  figures,
  head_quality: headQuality,
  head_selector: headSelector,
  header,
  methods,
  questions,
  status,
  toolbar,
  trace_cards: traceCards,
  trace_file: traceFile,
  trace_settings: traceSettings,
  weight_moves: weightMoves,
  weights,
};
