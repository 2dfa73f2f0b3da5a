"""Contents: what the parts of the traces tab draw."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from explorer.widgets._protocol.content_parts import Note


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
    """Entities or weights under the bars; ``rise``: whether weights can rise, and a button."""

    hidden: bool
    view: Literal["entities", "weights"]
    strategy: str
    strategies: list[tuple[str, str]]
    rise: tuple[str, str, str] | None
    busy: bool
    message: str
