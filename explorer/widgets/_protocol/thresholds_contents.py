"""Contents: what the parts of the thresholds tab draw."""

from __future__ import annotations

from typing import Literal, TypedDict

from explorer.widgets._protocol.content_parts import Note


class AnswerNumber(TypedDict):
    """The number of an objective: the trait, its value and its texts."""

    name: str
    value: float
    label: str
    title: str
    unit: str


class AnswerAction(TypedDict):
    """What can be done."""

    kind: Literal["use", "label"]
    label: str
    title: str


class ThresholdAnswer(TypedDict):
    """What to use and what to expect: figures are value, label and detail."""

    hidden: bool
    old: bool
    kind: Literal["working", "few", "none", "keep", "set", "words"]
    sentence: str
    figures: list[tuple[str, str, str]]
    sure: str
    held_out: str
    objective: str
    objectives: list[tuple[str, str, str]]
    number: AnswerNumber | None
    action: AnswerAction | None
    undo: str


class MeasureOffer(TypedDict):
    """What can be done where causal use is not known."""

    text: str
    kind: Literal["cancel_scoring", "measure", "record_all", "stop"]
    action: str


class Recommended(TypedDict):
    """What is recommended."""

    message: str
    accepted: bool
    shown: bool
    notes: list[Note]
    outdated: str


class MoreReadings(TypedDict):
    """What could be read in addition."""

    message: str
    busy: bool


class ThresholdFigures(TypedDict):
    """What the labels say of the threshold."""

    method: str
    methods: list[tuple[str, str, str]]
    refused: str
    can_label: bool
    old: bool
    few: bool
    truth: str
    truths: list[tuple[str, str, str]]
    least_drop: float
    columns: tuple[str, str]
    offer: MeasureOffer | None
    message: str
    reporting: bool
    there: bool
    counts: list[int]
    rows: list[tuple[str, str, str, str, str]]
    judged: str
    notes: list[Note]
    recommending: bool
    recommended: Recommended | None
    more: MoreReadings | None


class QuestionRow(TypedDict):
    """A question with errors: index and id of its trace, its text, and what is wrong."""

    trace: int
    id: str
    question: str
    errors: str


class ThresholdQuestions(TypedDict):
    """The calls question by question."""

    hidden: bool
    summary: str
    rows: list[QuestionRow]


class CallChanges(TypedDict):
    """The two thresholds between which calls change."""

    hidden: bool
    reference: float
    threshold: float | None


class Baselines(TypedDict):
    """How far the scores are ahead of baselines."""

    hidden: bool
    embedded: bool
    busy: bool
    message: str


class MethodAgreement(TypedDict):
    """How far other methods agree: method, kappa, interval and share of each."""

    hidden: bool
    rows: list[tuple[str, str, str, str]]
    embed: bool
    busy: bool


class HeadQuality(TypedDict):
    """How every head is judged."""

    hidden: bool
    measure: str
    measures: list[tuple[str, str, str]]
    there: bool
    heads: str


class WeightMoves(TypedDict):
    """How feedback changes the weights."""

    hidden: bool
    strategy: str
    strategies: list[tuple[str, str, str]]
    message: str
