"""Contents: what every part of the page draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NotRequired, TypedDict

from explorer.widgets._protocol.content_parts import Note
from explorer.widgets._protocol.thresholds_contents import (
    Baselines,
    CallChanges,
    HeadQuality,
    MethodAgreement,
    ThresholdAnswer,
    ThresholdFigures,
    ThresholdQuestions,
    WeightMoves,
)


class Palette(TypedDict):
    """Colours of attention: 256 for each theme."""

    name: str
    light: list[str]
    dark: list[str]


class ChoiceGroup(TypedDict):
    """Choices under a heading."""

    group: str
    options: list[tuple[str, str, str]]


# the shell


class ModelStatus(TypedDict):
    """How the model is."""

    kind: str
    text: str


class Header(TypedDict):
    """The top line."""

    tab: str
    tabs: list[tuple[str, str]]
    own_page: bool
    model: str
    models: list[ChoiceGroup]
    status: ModelStatus


class ToolbarChoices(TypedDict):
    """What can be chosen in the toolbar."""

    reduction: list[tuple[str, str]]
    normalisation: list[tuple[str, str]]
    unit_kind: list[tuple[str, str]]
    bar_order: list[tuple[str, str]]
    colour_scale: list[tuple[str, str]]
    scaling: list[tuple[str, str]]


class Toolbar(TypedDict):
    """The line of controls."""

    threshold: float
    threshold_mode: Literal["auto", "fixed"]
    threshold_found: str | None
    threshold_name: Literal[
        "citation_threshold", "lexical_threshold", "similarity_threshold", "threshold"
    ]
    threshold_label: str
    threshold_scale: Literal["linear", "log"]
    of_attention: bool
    of_set: bool
    reachable: tuple[float, float] | None
    reduction: str
    normalisation: str
    unit_kind: str | None
    of_code: bool
    judging: bool
    bar_order: str
    colour_scale: str
    scaling: str
    hide_special: bool
    hide_sink: bool
    choices: ToolbarChoices
    counts: list[tuple[str, int, str, str]]


class HeadSet(TypedDict):
    """A set of heads that overrides layer and head."""

    name: str
    title: str
    caption: str
    cells: list[tuple[int, int, float]]


class LastHead(TypedDict):
    """Layer and head before a mean was chosen."""

    layer: int
    head: int


class HeadSelector(TypedDict):
    """Layer, head, and the grid of heads."""

    layers: int
    heads: int
    layer: int | None
    head: int | None
    set: HeadSet | None
    last: LastHead
    measure: str
    measures: list[tuple[str, str]]
    serial: int
    reason: str


class JobProgress(TypedDict):
    """A job under way."""

    job: str
    message: str
    fraction: float | None


class Status(TypedDict):
    """The last line."""

    sentence: str
    error: str | None
    notes: list[Note]
    jobs: list[JobProgress]


# the code tab


class CodeDocument(TypedDict):
    """Lines of the code: number and parts, each with text, token (or -1) and kind."""

    serial: int
    lines: list[tuple[int | None, list[tuple[str, int, int]]]]


class CodeWindow(TypedDict):
    """The stretch of a long code that is in view."""

    text: str
    previous: int | None
    next: int | None


class CodeText(TypedDict):
    """The code."""

    programs: list[tuple[str, str]]
    title: str
    language: Literal["auto", "javascript", "python", "sql", "text"]
    languages: list[tuple[str, str]]
    editable: bool
    live: bool
    direction: Literal["column", "row"]
    pinned: int | None
    marked: list[int]
    window: CodeWindow | None


# the traces tab


class TraceCard(TypedDict):
    """A hyperedge."""

    id: str
    text: str
    entities: list[str]
    label: bool | None
    score: float | None
    feedback: float | None
    verdict: str
    mark: str
    colour: str
    diagnostics: list[Note]


class Problems(TypedDict):
    """What was wrong with a trace file."""

    title: str
    lines: list[tuple[int | None, str]]
    more: str


class LoadFailed(TypedDict):
    """A file that could not be loaded: what to say, and the formats it may be read as."""

    title: str
    message: str
    still: str
    formats: list[tuple[str, str]]


class TraceFile(TypedDict):
    """The file of the traces."""

    name: str
    format: str
    formats: list[tuple[str, str]]
    counts: list[str]
    labels: str
    kept: str
    unsaved: bool
    problems: Problems
    opening: str
    failure: LoadFailed | None


class TraceSettings(TypedDict):
    """Where heads and threshold come from; kind, label and title of what else can be had."""

    hidden: bool
    title: str
    text: str
    actions: list[tuple[str, str, str]]


class Offer(TypedDict):
    """What can be done about something that a trace lacks: kind, label and title of each."""

    text: str
    actions: list[tuple[str, str, str]]


class CardFilterContent(TypedDict):
    """Which hyperedges have a card: of all of this kind that have the words, some from the first.

    ``counts``: all hyperedges, those without a label, and the doubtful ones.
    """

    words: str
    which: Literal["all", "doubtful", "unlabelled"]
    first: int
    matching: int
    counts: tuple[int, int, int]


class TraceCards(TypedDict):
    """The open trace; only the first two keys without one.

    The filter: words, which hyperedges, the first of those shown; how many there are of each kind.
    """

    count: int
    index: int
    file: NotRequired[int]
    id: NotRequired[str]
    view: NotRequired[Literal["cards", "text"]]
    source: NotRequired[str]
    query: NotRequired[str]
    answer: NotRequired[str]
    streaming: NotRequired[bool]
    offer: NotRequired[Offer | None]
    notes: NotRequired[list[str]]
    shared: NotRequired[list[Note]]
    cards: NotRequired[list[TraceCard]]
    filter: NotRequired[CardFilterContent]
    more_unlabelled: NotRequired[bool]
    pinned: NotRequired[str | None]


class Methods(TypedDict):
    """What feedback is computed from: value, label, title, and whether it can be had."""

    hidden: bool
    method: str
    compare: bool
    methods: list[tuple[str, str, str, bool]]
    message: str


class Weights(TypedDict):
    """Entities or weights under the bars."""

    hidden: bool
    view: Literal["entities", "weights"]
    strategy: str
    strategies: list[tuple[str, str]]
    busy: bool
    message: str


CONTENTS: Final[Mapping[str, type]] = {
    "header": Header,
    "toolbar": Toolbar,
    "head_selector": HeadSelector,
    "status": Status,
    "code_text": CodeText,
    "trace_file": TraceFile,
    "trace_settings": TraceSettings,
    "trace_cards": TraceCards,
    "methods": Methods,
    "weights": Weights,
    "answer": ThresholdAnswer,
    "figures": ThresholdFigures,
    "questions": ThresholdQuestions,
    "call_changes": CallChanges,
    "baselines": Baselines,
    "agreement": MethodAgreement,
    "head_quality": HeadQuality,
    "weight_moves": WeightMoves,
}
"""What every part of the page draws."""
