// What is written down on this side of the protocol, for the tests of the other side to read.
// After a change run `npm test -- --update`.

import { describe, expect, it } from "vitest";
import texts from "../../tests/shared/page_texts.json" with { type: "json" };
import { PANELS } from "../src/panels/index.ts";
import type * as P from "../src/protocol/index.ts";
import { CONTENTS, EXAMPLES, GESTURES } from "./examples.ts";

describe("the protocol", () => {
  it("is what tests/shared/messages.json shows to Python", async () => {
    const written = JSON.stringify(
      EXAMPLES,
      (_, value) => (value instanceof DataView ? "<bytes>" : value),
      2,
    );
    await expect(`${written}\n`).toMatchFileSnapshot("../../tests/shared/messages.json");
  });

  it("has contents and gestures of every panel", () => {
    const panels = Object.keys(PANELS).sort();
    expect(Object.keys(CONTENTS)).toEqual(panels);
    expect(Object.keys(GESTURES)).toEqual(panels);
  });
});

// Both ways, so that no key is missing and none is left over; the compiler says so.
interface Texts {
  readonly agreement: P.AgreementTexts;
  readonly answer: P.AnswerTexts;
  readonly baselines: P.BaselinesTexts;
  readonly call_changes: P.CallChangesTexts;
  readonly code_text: P.CodeTextTexts;
  readonly figures: P.FiguresTexts;
  readonly head_quality: P.HeadQualityTexts;
  readonly head_selector: P.HeadSelectorTexts;
  readonly header: P.HeaderTexts;
  readonly methods: P.MethodsTexts;
  readonly plot: P.PlotTexts;
  readonly questions: P.QuestionsTexts;
  readonly status: P.StatusTexts;
  readonly toolbar: P.ToolbarTexts;
  readonly trace_cards: P.TraceCardsTexts;
  readonly trace_file: P.TraceFileTexts;
  readonly trace_settings: P.TraceSettingsTexts;
  readonly weight_moves: P.WeightMovesTexts;
  readonly weights: P.WeightsTexts;
}
type Writable<T> = { -readonly [K in keyof T]: Writable<T[K]> };
const known: Texts = texts;
const whole: typeof texts = known as Writable<Texts>;

describe("the texts", () => {
  it("are none of them empty", () => {
    const check = (value: unknown, path: string): void => {
      if (typeof value === "string") expect(value, path).toMatch(/\S/);
      else for (const [key, item] of Object.entries(value as object)) check(item, `${path}.${key}`);
    };
    check(whole, "texts");
  });
});
