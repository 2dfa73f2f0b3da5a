"""Feedback bars in two parts: one depends on the units, the other on scores and threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import (
    LABEL_MARKS,
    NUMBERS_PIXELS,
    UnitLabels,
    UnitLayout,
    UnitRows,
    feedback_rows,
)
from explorer.figures._style.row_columns import CODE, SELECTED, bar_column, row_pixels, text_column
from explorer.figures._style.score_axis import LOWEST, Scale, score_ticks
from explorer.figures._style.theme import TRANSPARENT, bare_axis, base_layout, note
from explorer.figures.colours import (
    ACCENT,
    SANS,
    VERDICT_LOOKS,
    Theme,
    feedback_colours,
    verdict_colour,
    verdict_mark,
)

if TYPE_CHECKING:
    import pandas as pd

# Edges of the number columns, in pixels from the left of the group.
_SCORE_ENDS, _FEEDBACK_ENDS, _VERDICT_BEGINS, _SIGN_AT = 62, 124, 136, 218
_MARGIN = 8
_LETTER_PIXELS, _VERDICT_LETTERS = 6.0, 11

VERDICT_WORDS: Mapping[str, str] = {verdict: verdict for verdict in VERDICT_LOOKS}
"""What the bars say for each verdict, unless a figure is given other words."""

Attribute = tuple[int, str]
"""Index of a trace, and plotly's dotted name of one of its attributes."""

# Indices of the traces.
(
    _REACHABLE, _SCORE, _ROW, _UNIT, _TEXT, _LABEL, _DIGITS, _FEEDBACK, _VERDICT, _DIAGNOSTICS,
) = range(10)  # fmt: skip


class BarsFigure:
    """Feedback bars of one table, in a fixed part and a part that depends on scores and threshold.

    Only `attributes` have to be drawn again while a threshold is dragged; see `key`. The
    parameters are those of `feedback_bars`; of more than `most` units, those with the highest
    scores are shown.

    Attributes
    ----------
    rows
        Rows in drawing order.
    key
        Figures with equal keys differ in `attributes` only.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        labels: UnitLabels | None = None,
        theme: Theme = "light",
        *,
        sort: Literal["order", "score"] = "order",
        axis: Literal["linear", "log"] = "log",
        width: int = 700,
        threshold_line: bool = True,
        most: int | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        if axis not in {"linear", "log"} or sort not in {"order", "score"}:
            raise InputError(
                f"sort must be 'order' or 'score' and axis 'linear' or 'log'; got {sort!r}, "
                f"{axis!r}."
            )
        self.rows = feedback_rows(table, labels, sort, most)
        self._theme: Theme = theme
        self._axis: Scale = axis
        self._width = width
        self._threshold_line = threshold_line
        self._low = LOWEST if axis == "log" else 0.0
        self._words = dict(VERDICT_WORDS if words is None else words)
        self._numbers = NUMBERS_PIXELS + _more_pixels(self._words.values())
        rows, every = self.rows, self.rows.every
        # From all units: those with the highest scores are others for every head, and a figure
        # whose columns keep their widths is not drawn anew for it.
        self._layout = _unit_layout(
            tuple(every.names), tuple(every.texts), tuple(every.labels), width, self._numbers
        )
        self._units = _unit_columns(
            tuple(rows.names),
            tuple(rows.texts),
            tuple(rows.labels),
            tuple(rows.tokens),
            self._layout,
        )

    @property
    def key(self) -> tuple[object, ...]:
        """Everything that the figure depends on apart from `attributes`."""
        settings = (self._theme, self._axis, self._width, self._threshold_line)
        return (len(self.rows.names), *self._layout, *settings)

    def attributes(self, policy: FeedbackPolicy, selected: str | None) -> dict[Attribute, Any]:
        """Values that depend on scores, threshold and selection, by (trace, attribute)."""
        rows, units = self.rows, self._units
        verdicts = {word: _verdict(word, shown) for word, shown in self._words.items()}
        clear = [TRANSPARENT if unit != selected else SELECTED for unit in rows.names]
        marks = ["i" if found else "\u200a" for found in rows.reasons]
        return {
            (_REACHABLE, "x"): self._lengths(rows.reachable),
            (_SCORE, "x"): self._lengths(rows.scores),
            (_SCORE, "marker.color"): feedback_colours(rows.feedback, policy),
            (_ROW, "marker.color"): clear,
            (_ROW, "hovertext"): units.hovers,
            (_ROW, "customdata"): rows.numbers(self._words),
            (_UNIT, "text"): units.names,
            (_TEXT, "text"): units.texts,
            (_LABEL, "text"): units.labels,
            (_DIGITS, "text"): rows.score_texts,
            (_FEEDBACK, "text"): rows.feedback_texts,
            (_VERDICT, "text"): [
                verdicts.get(word) or _verdict(word, word) for word in rows.seen_verdicts
            ],
            (_DIAGNOSTICS, "marker.size"): [13 if found else 0 for found in rows.reasons],
            (_DIAGNOSTICS, "text"): marks,
            (_DIAGNOSTICS, "customdata"): rows.reason_texts(),
        }

    def _lengths(self, ends: NDArray[np.float64]) -> NDArray[np.float64]:
        lengths: NDArray[np.float64] = np.maximum(np.nan_to_num(ends), self._low) - self._low
        return lengths

    def spec(self, policy: FeedbackPolicy, selected: str | None) -> dict[str, Any]:
        """Return the whole figure as a dict with ``data`` and ``layout``."""
        rows, theme, width, axis = self.rows, self._theme, self._width, self._axis
        count = len(rows.names)
        _, gutter, _, labelled = self._layout
        room = width - 2 * _MARGIN
        left, right = gutter / room, 1.0 - self._numbers / room
        traces = self._traces()
        for (number, attribute), values in self.attributes(policy, selected).items():
            put_attribute(traces[number], attribute, values)
        fixed = {"fixedrange": True}
        return {
            "data": traces,
            "layout": base_layout(
                theme,
                height=44 + row_pixels(count) * max(1, count) + 8,
                margin={"l": _MARGIN, "r": _MARGIN, "t": 44, "b": 8},
                barmode="overlay",
                bargap=0,
                hovermode="closest",
                meta={"units": rows.names, "width": width},
                xaxis=bare_axis(theme, **_score_axis(axis), **fixed) | {"domain": [left, right]},
                xaxis2={"domain": [0, left], "range": [0, 1], "visible": False, **fixed},
                xaxis3={"domain": [right, 1], "range": [0, 1], "visible": False, **fixed},
                yaxis={"range": [max(1, count) - 0.5, -0.5], "visible": False, **fixed},
                shapes=_threshold(policy.number, axis) if self._threshold_line else [],
                annotations=_headings(left, right, room, count, labelled=labelled),
            ),
        }

    def _traces(self) -> list[dict[str, Any]]:
        """Return the traces in the order of their numbers, without `attributes`."""
        blank = [""] * len(self.rows.names)
        name_pixels, gutter, names_are_texts, _ = self._layout

        def bar(name: str, colour: str, thickness: float, **settings: Any) -> dict[str, Any]:
            ends = np.ones(len(blank)) - self._low
            return bar_column(ends, colour, thickness, base=self._low, name=name, **settings)

        def unit(pixels: float, align: str, **settings: Any) -> dict[str, Any]:
            return text_column(pixels / gutter, blank, align, axis="x2", **settings)

        def number(pixels: float, align: str, **settings: Any) -> dict[str, Any]:
            return text_column(pixels / self._numbers, blank, align, axis="x3", **settings)

        return [
            bar("reachable", "rgba(128,136,146,0.13)", 0.82, hoverinfo="skip"),
            bar("score", TRANSPARENT, 0.5, hoverinfo="skip"),
            # The whole row answers the pointer, also where the bar is short or missing.
            bar(
                "row",
                TRANSPARENT,
                1.0,
                hovertemplate="%{hovertext}<br>%{customdata}<extra></extra>",
            ),
            unit(0, "right", name="unit", **(CODE if names_are_texts else {})),
            unit(name_pixels, "right", name="text", opacity=0.75, **CODE),
            unit(gutter - 8, "left", name="label"),
            number(_SCORE_ENDS, "left", name="digits", **CODE),
            number(_FEEDBACK_ENDS, "left", name="feedback", **CODE),
            number(_VERDICT_BEGINS, "right", name="verdict"),
            {
                "type": "scatter",
                "x": np.full(len(blank), 1 - (NUMBERS_PIXELS - _SIGN_AT) / self._numbers),
                "y": np.arange(len(blank)),
                "xaxis": "x3",
                "mode": "markers+text",
                "marker": {"color": "rgba(128,136,146,0.25)", "line": {"width": 0}},
                "textfont": {"size": 10, "family": SANS, "weight": 600},
                "name": "diagnostics",
                "hovertemplate": "%{customdata}<extra></extra>",
            },
        ]


def put_attribute(trace: dict[str, Any], attribute: str, values: Any) -> None:
    """Set an attribute of a trace by plotly's dotted name."""
    *path, name = attribute.split(".")
    for step in path:
        trace = trace[step]
    trace[name] = values


class _UnitColumns(NamedTuple):
    """What is written about units, whatever their scores are."""

    names: list[str]
    texts: list[str]
    labels: list[str]
    hovers: list[str]


@lru_cache(maxsize=32)
def _unit_layout(
    names: tuple[str, ...],
    texts: tuple[str, ...],
    labels: tuple[bool | None, ...],
    width: int,
    numbers: int,
) -> UnitLayout:
    """Return the widths that units need in a figure of this width; kept for the latest units."""
    rows = UnitRows(list(names), list(texts), list(labels))
    return rows.layout(width, numbers + round(0.36 * width))


@lru_cache(maxsize=32)
def _unit_columns(
    names: tuple[str, ...],
    texts: tuple[str, ...],
    labels: tuple[bool | None, ...],
    tokens: tuple[int, ...],
    layout: UnitLayout,
) -> _UnitColumns:
    """Return what is written about units in columns of these widths; kept for the latest units."""
    rows = UnitRows(list(names), list(texts), list(labels))
    return _UnitColumns(
        rows.fitting_names(layout),
        rows.fitting_texts(layout),
        [LABEL_MARKS[label] for label in labels],
        rows.hovers(tokens),
    )


def _verdict(verdict: str, word: str) -> str:
    return f'<span style="color:{verdict_colour(verdict)}">{verdict_mark(verdict)}</span> {word}'


def _more_pixels(words: Iterable[str]) -> int:
    """Return how much wider the column of verdicts is for these words than for "not used"."""
    return max(0, round(_LETTER_PIXELS * (max(map(len, words)) - _VERDICT_LETTERS)))


def _score_axis(scale: Scale) -> dict[str, Any]:
    return score_ticks(scale) | {
        "side": "top",
        "showgrid": True,
        "gridwidth": 1,
        "layer": "below traces",
        "tickangle": 0,
    }


def table_policy(table: pd.DataFrame, policy: FeedbackPolicy | None) -> FeedbackPolicy:
    """Return the policy that draws a table, with a number as threshold; the table's for None."""
    if policy is not None and not policy.is_auto:
        return policy
    given = FeedbackPolicy() if policy is None else policy
    if "threshold" in table.attrs:
        return replace(given, threshold=table.attrs["threshold"])
    return given.for_scores(table["score"])


def _threshold(threshold: float, axis: str) -> list[dict[str, Any]]:
    at = max(threshold, LOWEST) if axis == "log" else threshold
    line = {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
    return [line | {"name": "threshold", "line": {"color": ACCENT, "width": 1.5}, "layer": "above"}]


def _headings(
    left: float, right: float, room: int, count: int, *, labelled: bool
) -> list[dict[str, Any]]:
    if count == 0:
        return [note("No units to show.", x=0, y=0.5, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "bottom", "yshift": 18}
    headings = [
        note("unit", x=0, xanchor="left", **above),
        note("score", x=right + _SCORE_ENDS / room, xanchor="right", **above),
        note("feedback", x=right + _FEEDBACK_ENDS / room, xanchor="right", **above),
        note("verdict", x=right + _VERDICT_BEGINS / room, xanchor="left", **above),
    ]
    if labelled:
        headings.append(note("label", x=left - 4 / room, xanchor="right", **above))
    return headings
