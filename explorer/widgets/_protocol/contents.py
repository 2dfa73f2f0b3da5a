"""Contents: what every part of the page draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypedDict

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
from explorer.widgets._protocol.traces_contents import (
    Methods,
    TraceCards,
    TraceFile,
    TraceSettings,
    Weights,
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
    colour_range: list[tuple[str, str]]
    scaling: list[tuple[str, str]]


class Toolbar(TypedDict):
    """The line of controls."""

    threshold: float
    threshold_mode: Literal["auto", "fixed"]
    threshold_found: str | None
    view_open: bool
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
    colour_range: str
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
    replaces: bool


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
    bars_title: str
    reading_hint: bool
    pinned: int | None
    marked: list[int]
    window: CodeWindow | None


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
