"""Columns of the figure of methods: one column of bars, verdicts and headings per method."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import (
    feedback_digits,
)
from explorer.figures._style.label_text import escape_label
from explorer.figures._style.row_columns import CODE, bar_column, text_column
from explorer.figures._style.theme import LABEL_SIZE, TEXT_SIZE
from explorer.figures.colours import (
    NEUTRAL_INK,
    feedback_colour,
    verdict_colour,
    verdict_mark,
)

if TYPE_CHECKING:
    pass


_GAP = 12

_ROOM_FOR_THREE_DIGITS = 112

_LETTER_PIXELS = 6.2

ROW_HOVER = "%{hovertext}<br>%{customdata}<extra></extra>"


@dataclass(frozen=True)
class MethodColumn:
    """One method: its numbers in drawing order, and its axis."""

    method: str
    feedback: NDArray[np.float64]
    verdicts: list[str]
    axis: str
    pixels: int
    """Width in pixels, including the gap at its left."""

    @property
    def absent(self) -> bool:
        """Whether the method has no feedback for any hyperedge."""
        return bool(np.isnan(self.feedback).all())

    @property
    def digits(self) -> int:
        """Number of decimals that fit."""
        return 3 if self.pixels >= _ROOM_FOR_THREE_DIGITS else 2

    @property
    def number_pixels(self) -> int:
        """Width in pixels of mark and number."""
        return 54 if self.digits == 3 else 46

    @property
    def bar_pixels(self) -> int:
        """Length in pixels of a bar from negative feedback to 1."""
        return self.pixels - _GAP - self.number_pixels


def column_traces(
    column: MethodColumn,
    policy: FeedbackPolicy,
    fills: list[str],
    hovers: list[str],
    heading: str,
    message: str,
    top: float,
) -> list[dict[str, Any]]:
    method, feedback = column.method, column.feedback
    low, high = column_range(column, policy)
    start, unit = policy.negative, (1.0 - policy.negative) / column.bar_pixels
    count = len(feedback)
    here = {"xaxis": column.axis}
    lengths = np.nan_to_num(np.maximum(feedback, start) - policy.neutral, nan=0.0)
    colours = [feedback_colour(value, policy) for value in feedback]
    letters = max(8, int((column.pixels - _GAP) / _LETTER_PIXELS))
    lines = (
        textwrap.wrap(message, letters, break_long_words=False) if column.absent and count else []
    )
    marks = ["" if column.absent else _mark(column, at) for at in range(count)]
    title = f"{escape_label(method)}<br>{heading}" if heading else escape_label(method)
    return [
        bar_column(np.full(count, high - low), fills, 1.0, base=low, name=f"{method} row", **here)
        | {"hovertext": hovers, "customdata": [hover_line(column, at) for at in range(count)]}
        | {"hovertemplate": ROW_HOVER},
        bar_column(lengths, colours, 0.5, base=policy.neutral, name=method, **here)
        | {"hoverinfo": "skip"},
        text_column(
            1.0 + 6 * unit, marks, "right", axis=column.axis, name=f"{method} verdict", **CODE
        ),
        heading_trace([start], [title], top, column.axis, ["bottom right"]),
        heading_trace(
            [start],
            [quiet_text("<br>".join(map(escape_label, lines)))],
            (count - 1) / 2,
            column.axis,
            ["middle right"],
        ),
    ]


def hover_line(column: MethodColumn, index: int) -> str:
    number, verdict = feedback_digits(column.feedback[index]), column.verdicts[index]
    return f"{escape_label(column.method)}: feedback {number}, {verdict}"


def _mark(column: MethodColumn, index: int) -> str:
    verdict, feedback = column.verdicts[index], column.feedback[index]
    mark = f'<span style="color:{verdict_colour(verdict)}">{verdict_mark(verdict)}</span>'
    return mark if math.isnan(feedback) else f"{mark} {feedback:.{column.digits}f}"


def label_heading(verdicts: Sequence[str], labels: Sequence[bool | None]) -> str:
    """How many calls of a method agree with the label; a near verdict calls not used."""
    known = [
        (verdict == "used", label)
        for verdict, label in zip(verdicts, labels, strict=True)
        if label is not None and verdict != "unknown"
    ]
    if not known:
        return ""
    return quiet_text(f"right by label {sum(call == label for call, label in known)}/{len(known)}")


def agreement_heading(counts: tuple[int, int, float] | None, pixels: int) -> str:
    """Agreement of a method with the first, in one or two lines."""
    if counts is None:
        return ""
    equal, total, kappa = counts
    if not total:
        return quiet_text("nothing to compare")
    words = [f"agrees {equal}/{total}"]
    # Kappa is undefined if both methods always make the same call.
    words.append(
        "no κ: all alike" if math.isnan(kappa) else f"κ {kappa:.2f}".replace("-", "\u2212")
    )
    joined = ", ".join(words)
    if len(joined) * _LETTER_PIXELS < pixels - _GAP:
        return quiet_text(joined)
    return "<br>".join(map(quiet_text, words))


def quiet_text(text: str) -> str:
    """Wrap escaped text in the colour of headings."""
    if not text:
        return ""
    return f'<span style="color:{NEUTRAL_INK};font-size:{LABEL_SIZE}px">{text}</span>'


def heading_trace(
    x: list[float], texts: list[str], y: float, axis: str, aligned: list[str]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": np.array(x),
        "y": np.full(len(x), y),
        "xaxis": axis,
        "mode": "text",
        "text": texts,
        "textposition": aligned,
        "textfont": {"size": TEXT_SIZE},
        "hoverinfo": "skip",
    }


def column_range(column: MethodColumn, policy: FeedbackPolicy) -> tuple[float, float]:
    """Axis range of a column: a gap, feedback from negative to 1, then mark and number."""
    unit = (1.0 - policy.negative) / column.bar_pixels
    return policy.negative - _GAP * unit, 1.0 + column.number_pixels * unit


def column_axes(
    columns: Sequence[MethodColumn], gutter: int, room: int, policy: FeedbackPolicy
) -> dict[str, Any]:
    hidden = {"visible": False, "fixedrange": True}
    axes: dict[str, Any] = {"xaxis": {"domain": [0, gutter / room], "range": [0, 1], **hidden}}
    for place, column in enumerate(columns):
        left = gutter + place * column.pixels
        axes[f"xaxis{place + 2}"] = {
            "domain": [left / room, (left + column.pixels) / room],
            "range": list(column_range(column, policy)),
            **hidden,
        }
    return axes


def neutral_line(column: MethodColumn, policy: FeedbackPolicy, count: int) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": column.axis,
        "yref": "y",
        "x0": policy.neutral,
        "x1": policy.neutral,
        "y0": -0.5,
        "y1": count - 0.5,
        "line": {"color": NEUTRAL_INK, "width": 1},
        "opacity": 0.5,
        "layer": "below",
    }
