"""Gestures: what the parts of the page report to the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypedDict, get_args

import msgspec

from explorer.errors import InputError

SettableName = Literal[
    "bar_order", "citation_threshold", "colour_range", "colour_scale", "compare", "cost_ratio",
    "direction", "head", "heads", "hide_sink", "hide_special", "language", "layer", "least_drop",
    "least_precision", "least_recall", "lexical_threshold", "measure", "method", "model",
    "normalisation", "objective", "quality", "reading_hint", "reading_view", "reduction",
    "reference_threshold", "scaling", "similarity_threshold", "tab", "threshold", "threshold_mode",
    "threshold_scale", "trace", "truth", "unit_kind", "update_strategy", "view_open", "weight_view",
    "weights_can_rise",
]  # fmt: skip

SETTABLE: Final[frozenset[str]] = frozenset(get_args(SettableName))
"""Traits of the app that the page may set."""


class Ack(TypedDict):
    """What comes back to the page when a gesture has been dealt with."""

    view: str
    key: str
    n: int


class Gesture(TypedDict):
    """A gesture that says all by its kind."""

    kind: str
    ack: NotRequired[Ack]


class SetTrait(Gesture):
    """A control of the page sets a trait of the app."""

    name: SettableName
    value: Any


class Save(Gesture):
    """The view is saved as a file."""

    what: Literal["html", "png", "settings", "table", "traces"]


class PickHead(Gesture):
    """A cell of the grid of heads is clicked."""

    layer: int
    head: int


class CancelJob(Gesture):
    """A job of the status line is cancelled."""

    job: str


class Run(Gesture):
    """The code of the editor is run."""

    source: str


class PointAtToken(Gesture):
    """A token of the code is hovered or pinned; None: no more."""

    index: int | None


class OpenWindow(Gesture):
    """Another stretch of a long code is asked for."""

    start: int | None


class OpenExample(Gesture):
    """An example program is chosen."""

    name: str


class PinUnit(Gesture):
    """A hyperedge is pinned; None: no more."""

    unit: str | None


class LabelUnit(Gesture):
    """A hyperedge is labelled used or not used; None removes the label."""

    unit: str
    value: bool | None


class LoadPath(Gesture):
    """A trace file is opened by its path."""

    path: str


class LoadAs(Gesture):
    """A trace file is read again, in a format of this name."""

    format: str


class WriteLabels(Gesture):
    """The traces are written with their labels."""

    path: str


class FilterCards(Gesture):
    """Other hyperedges are asked for."""

    words: str
    which: Literal["all", "doubtful", "unlabelled"]
    first: int


class Upload(Gesture):
    """A piece of a file, in the one buffer of the message."""

    id: str
    name: str
    size: int
    offset: int


class TooLarge(Gesture):
    """A file was not sent: it is too large for the page."""

    name: str
    size: int


class Unreadable(Gesture):
    """A file was not sent: the page cannot read it."""

    name: str


class OpenTrace(Gesture):
    """The trace of a question is opened, by its index."""

    trace: int


class Export(Gesture):
    """A config is saved."""

    what: Literal["json", "python", "recommended_json", "recommended_python"]


_OFFERS: Final = (
    "auto", "by_labels", "by_text", "cancel_scoring", "cancel_trace", "leave_heads", "read_again",
    "record", "record_all",
)  # fmt: skip

GESTURES: Final[Mapping[str, Mapping[str, type]]] = {
    "header": {"set": SetTrait, "copy": Gesture, "save": Save},
    "toolbar": {"set": SetTrait},
    "head_selector": {"set": SetTrait, "head": PickHead, "unpin": Gesture},
    "status": {"cancel": CancelJob, "dismiss": Gesture},
    "code_text": {
        "set": SetTrait, "run": Run, "editing": Gesture, "pin": PointAtToken,
        "hover": PointAtToken, "window": OpenWindow, "example": OpenExample,
    },
    "trace_file": {
        "save_labels": Gesture, "write_labels": WriteLabels,
        "load_path": LoadPath, "load_as": LoadAs, "load_examples": Gesture, "dismiss": Gesture,
        "upload": Upload, "too_large": TooLarge, "unreadable": Unreadable,
    },
    "trace_settings": dict.fromkeys(
        ("packaged", "reference", "auto", "previous", "by_labels"), Gesture
    ),
    "trace_cards": {
        "set": SetTrait, "pin": PinUnit, "unpin": Gesture, "label": LabelUnit,
        "filter": FilterCards, "next_unlabelled": Gesture,
        **dict.fromkeys(_OFFERS, Gesture),
    },
    "methods": {"set": SetTrait},
    "weights": {"set": SetTrait, "cancel": Gesture, "rise": Gesture},
    "answer": {"set": SetTrait, "use": Gesture, "undo": Gesture},
    "figures": {
        "set": SetTrait, "recommend": Gesture, "cancel_recommend": Gesture,
        "read_again": Gesture, "record_all": Gesture, "cancel_scoring": Gesture,
        "measure": Gesture, "stop": Gesture, "take": Gesture, "go_back": Gesture,
        "export": Export, "report": Gesture,
    },
    "questions": {"open": OpenTrace},
    "call_changes": {"set": SetTrait, "here": Gesture},
    "baselines": {"embed": Gesture},
    "agreement": {"embed": Gesture},
    "head_quality": {"set": SetTrait},
    "weight_moves": {"set": SetTrait},
}  # fmt: skip
"""The gestures of every part of the page, by their kinds."""


def check_gesture(part: str, message: Mapping[str, Any]) -> str:
    """Return the kind of a gesture.

    Raises
    ------
    InputError
        The part has no such gesture, or the gesture lacks something.
    """
    return checked_kind(GESTURES[part], f"the {part.replace('_', ' ')}", message)


def checked_kind(known: Mapping[str, type], what: str, message: Mapping[str, Any]) -> str:
    """Return the kind of a message that is as `known` says; `what` is what sent it."""
    kind = message.get("kind")
    if not isinstance(kind, str) or kind not in known:
        raise InputError(
            f"The page sent {kind!r} from {what}, which this version of explorer does not know. "
            "Reload the page, or restart the kernel if explorer was updated."
        )
    try:
        msgspec.convert(message, known[kind])
    except msgspec.ValidationError as error:
        raise InputError(
            f"The page sent {kind!r} from {what} in a form that this version of explorer does not "
            f"know: {error}. Reload the page, or restart the kernel if explorer was updated."
        ) from error
    return kind
