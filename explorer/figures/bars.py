"""Feedback bars: one row per unit, its score against the threshold, its feedback as colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError
from explorer.feedback import FeedbackPolicy
from explorer.figures.colours import (
    ACCENT,
    MONO,
    SANS,
    Theme,
    feedback_colour,
    verdict_colour,
    verdict_mark,
)
from explorer.figures.labels import escape_label, shortened, three_digits, wrapped
from explorer.figures.looks import LABEL_SIZE, TEXT_SIZE, TRANSPARENT, bare_axis, base_layout, note
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

Labels = Mapping[str, bool | None] | Sequence[bool | None]
"""Ground truth per unit, by name or in the table's order: used, not used, or None if unlabelled."""

LOWEST = 1e-4
"""Where the log axis starts; smaller scores, and zero, have no bar."""

_LABEL_MARKS = {True: "✓", False: "✗", None: ""}
_LABEL_WORDS = {True: "labelled used", False: "labelled not used", None: ""}

# Widths of letters, about; a text that is wider all the same is cut off by its column.
_MONO_PIXELS = 6.75  # at 11 px
_SANS_PIXELS = 6.9  # at 12 px

# The columns of numbers, in pixels from their left: where each ends or begins.
_SCORE_ENDS, _FEEDBACK_ENDS, _VERDICT_BEGINS, _SIGN_AT, _NUMBERS = 62, 124, 136, 218, 230
_MARGIN = 8
_LABEL_PIXELS = 24


@dataclass(frozen=True)
class _Rows:
    """The table in the order drawn, with everything that is written in a row."""

    names: list[str]
    texts: list[str]
    scores: NDArray[np.float64]
    feedback: NDArray[np.float64]
    verdicts: list[str]
    reachable: NDArray[np.float64]
    labels: list[bool | None]
    reasons: list[list[str]]
    tokens: list[int]


def feedback_bars(
    table: pd.DataFrame,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    labels: Labels | None = None,
    *,
    sort: Literal["order", "score"] = "order",
    axis: Literal["linear", "log"] = "log",
    width: int = 700,
    threshold_line: bool = True,
) -> go.Figure:
    """Horizontal bars of a feedback table.

    Each row has the unit's name and text, a bar as long as its score in the colour of its
    feedback, a pale track as far as its score could reach, and the numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        From `explorer.feedback.feedback_table`.
    policy : FeedbackPolicy, optional
        Where the threshold stands and what colours mean; the defaults, at the table's threshold,
        when left out.
    theme : {"light", "dark"}
    labels : mapping of unit to bool, or sequence of bool, optional
        Ground truth: marked ✓ (used) or ✗ (not used).
    sort : {"order", "score"}
        Rows in the table's order, or by falling score with unknown ones last.
    axis : {"linear", "log"}
        The score axis. It always shows the same range, so that bars compare from head to head.
    width : int
        About how wide the figure will be shown, in pixels, to decide how much of the texts fits.
    threshold_line : bool
        Whether to draw the threshold; a view with a line to drag draws its own.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace has one point per unit in the order drawn, which is ``layout.meta["units"]``.

    Raises
    ------
    InputError
        When `sort` or `axis` has no such name.
    ShapeError
        When there are not as many labels as units.
    """
    import plotly.graph_objects as go

    if axis not in {"linear", "log"} or sort not in {"order", "score"}:
        raise InputError(
            f"Bars are sorted by 'order' or 'score' on a 'linear' or 'log' axis; {sort!r} on "
            f"{axis!r} is neither."
        )
    policy = FeedbackPolicy(table.attrs.get("threshold", 0.1)) if policy is None else policy
    rows = _rows(table, labels, sort)
    count = len(rows.names)
    row_height = 26 if count <= 12 else 22 if count <= 30 else 18
    name_pixels, gutter = _gutter(rows, width)
    room = width - 2 * _MARGIN
    left, right = gutter / room, 1.0 - _NUMBERS / room
    places = np.arange(count)
    low = LOWEST if axis == "log" else 0.0
    hovers = [_hover(rows, index) for index in range(count)]
    names_are_code = _names_are_texts(rows)

    def text(pixels: float, texts: Sequence[str], align: str, **settings: Any) -> go.Scatter:
        column, wide = ("x2", gutter) if settings.pop("of_names", False) else ("x3", _NUMBERS)
        font = {"family": settings.pop("family", SANS), "size": settings.pop("size", TEXT_SIZE)}
        return go.Scatter(
            x=np.full(count, pixels / wide),
            y=places,
            xaxis=column,
            mode="text",
            text=list(texts),
            textposition=f"middle {align}",
            textfont=font,
            hoverinfo="skip",
            **settings,
        )

    def bar(ends: NDArray[np.float64], colour: Any, thickness: float, **settings: Any) -> go.Bar:
        return go.Bar(
            x=np.maximum(np.nan_to_num(ends), low) - low,
            y=places,
            base=np.full(count, low),
            orientation="h",
            width=thickness,
            marker={"color": colour, "line": {"width": 0}, "cornerradius": 2},
            **({"hoverinfo": "skip"} | settings),
        )

    code = {"family": MONO, "size": LABEL_SIZE}
    names = _fitting(rows.names, name_pixels)
    texts = [""] * count if names_are_code else _fitting_texts(rows, gutter - name_pixels)
    traces = [
        bar(rows.reachable, "rgba(128,136,146,0.13)", 0.82, name="reachable"),
        bar(rows.scores, [feedback_colour(f, policy) for f in rows.feedback], 0.5, name="score"),
        # The whole row answers the pointer, also where the bar is short or missing.
        bar(np.ones(count), TRANSPARENT, 1.0, name="row", **_telling(hovers)),
        text(0, names, "right", name="unit", of_names=True, **(code if names_are_code else {})),
        text(name_pixels, texts, "right", name="text", of_names=True, opacity=0.75, **code),
        text(
            gutter - 8,
            [_LABEL_MARKS[label] for label in rows.labels],
            "left",
            name="label",
            of_names=True,
        ),
        text(_SCORE_ENDS, list(map(three_digits, rows.scores)), "left", name="digits", **code),
        text(
            _FEEDBACK_ENDS,
            ["?" if np.isnan(f) else f"{f:.3f}" for f in rows.feedback],
            "left",
            name="feedback",
            **code,
        ),
        text(_VERDICT_BEGINS, list(map(_verdict, rows.verdicts)), "right", name="verdict"),
        go.Scatter(
            x=np.full(count, _SIGN_AT / _NUMBERS),
            y=places,
            xaxis="x3",
            mode="markers+text",
            marker={
                "size": [13 if found else 0 for found in rows.reasons],
                "color": "rgba(128,136,146,0.25)",
                "line": {"width": 0},
            },
            text=["i" if found else "" for found in rows.reasons],
            textfont={"size": 10, "family": SANS, "weight": 600},
            name="diagnostics",
            **_telling(["<br>".join(map(wrapped, found)) for found in rows.reasons]),
        ),
    ]
    fixed = {"fixedrange": True}
    return go.Figure(
        data=traces,
        layout=base_layout(
            theme,
            height=44 + row_height * max(1, count) + 8,
            margin={"l": _MARGIN, "r": _MARGIN, "t": 44, "b": 8},
            barmode="overlay",
            bargap=0,
            hovermode="closest",
            meta={"units": rows.names},
            xaxis=bare_axis(theme, **_score_axis(axis), **fixed) | {"domain": [left, right]},
            xaxis2={"domain": [0, left], "range": [0, 1], "visible": False, **fixed},
            xaxis3={"domain": [right, 1], "range": [0, 1], "visible": False, **fixed},
            yaxis={"range": [max(1, count) - 0.5, -0.5], "visible": False, **fixed},
            shapes=_threshold(policy.threshold, axis) if threshold_line else [],
            annotations=_headings(left, right, room, count, labelled=_labelled(rows)),
        ),
    )


def _rows(table: pd.DataFrame, labels: Labels | None, sort: str) -> _Rows:
    count = len(table)
    scores = table["score"].to_numpy(dtype=np.float64)
    reachable = np.asarray(table.attrs.get("reachable", np.ones(count)), dtype=np.float64)
    if reachable.shape != (count,):  # the table was filtered after it was made
        reachable = np.ones(count)
    names = [str(name) for name in table["unit"]]
    if labels is None:
        truth: list[bool | None] = [None] * count
    elif isinstance(labels, Mapping):
        truth = [labels.get(name) for name in names]
    else:
        truth = list(labels)
    if len(truth) != count:
        raise ShapeError(f"There are {count} units, but {len(truth)} labels.")
    # A stable sort: units with one score keep the table's order. NaN sorts last.
    order = np.argsort(-scores, kind="stable") if sort == "score" else np.arange(count)
    texts = [str(text) for text in table["text"]]
    verdicts = [str(verdict) for verdict in table["verdict"]]
    reasons = [[str(reason) for reason in found] for found in table["diagnostics"]]
    tokens = [int(number) for number in table["tokens"]]
    return _Rows(
        names=[names[i] for i in order],
        texts=[texts[i] for i in order],
        scores=np.clip(scores[order], 0.0, 1.0),
        feedback=table["feedback"].to_numpy(dtype=np.float64)[order],
        verdicts=[verdicts[i] for i in order],
        reachable=np.clip(reachable[order], 0.0, 1.0),
        labels=[None if truth[i] is None else bool(truth[i]) for i in order],
        reasons=[reasons[i] for i in order],
        tokens=[tokens[i] for i in order],
    )


def _names_are_texts(rows: _Rows) -> bool:
    """Whether the texts would only say the names again, as those of identifiers do."""
    return all(
        visible_text(text).strip("· ") == name.split(" (")[0] or text == name
        for name, text in zip(rows.names, rows.texts, strict=True)
    )


def _labelled(rows: _Rows) -> bool:
    return any(label is not None for label in rows.labels)


def _gutter(rows: _Rows, width: int) -> tuple[int, int]:
    """Pixels for the names, and for names, texts and labels together."""
    label = _LABEL_PIXELS if _labelled(rows) else 8
    longest = max((len(visible_text(name)) for name in rows.names), default=4)
    if _names_are_texts(rows):
        names = int(min(12 + longest * _MONO_PIXELS, 0.34 * width))
        return names, max(72, names + label)
    names = int(min(14 + longest * _SANS_PIXELS, 0.2 * width))
    letters = max((len(text) for text in rows.texts), default=0)
    texts = int(min(8 + letters * _MONO_PIXELS, 0.42 * width - names))
    return names, names + texts + label


def _fitting(names: Sequence[str], pixels: int) -> list[str]:
    letters = max(3, int((pixels - 6) / _MONO_PIXELS))
    return [escape_label(shortened(name, letters)) for name in names]


def _fitting_texts(rows: _Rows, pixels: int) -> list[str]:
    letters = max(3, int((pixels - (_LABEL_PIXELS if _labelled(rows) else 8)) / _MONO_PIXELS))
    flat = (" ".join(text.split()) for text in rows.texts)
    return [escape_label(shortened(text, letters)) for text in flat]


def _verdict(verdict: str) -> str:
    return f'<span style="color:{verdict_colour(verdict)}">{verdict_mark(verdict)}</span> {verdict}'


def _telling(hovers: list[str]) -> dict[str, Any]:
    return {
        "customdata": hovers,
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverinfo": None,
    }


def _hover(rows: _Rows, index: int) -> str:
    lines = [f"<b>{escape_label(shortened(rows.names[index], 80))}</b>"]
    if rows.texts[index] and rows.texts[index] != rows.names[index]:
        lines.append(wrapped(rows.texts[index]))
    score, feedback = rows.scores[index], rows.feedback[index]
    number = rows.tokens[index]
    lines.append(
        f"score {three_digits(score)} (at most {three_digits(rows.reachable[index])}), "
        f"feedback {'?' if np.isnan(feedback) else f'{feedback:.3f}'}, {rows.verdicts[index]}"
    )
    label = _LABEL_WORDS[rows.labels[index]]
    lines.append(f"{number} token{'' if number == 1 else 's'}{', ' + label if label else ''}")
    lines.extend(wrapped(reason) for reason in rows.reasons[index])
    return "<br>".join(lines)


def _score_axis(axis: str) -> dict[str, Any]:
    shared = {"side": "top", "showgrid": True, "gridwidth": 1, "layer": "below traces"}
    if axis == "log":
        return shared | {
            "type": "log",
            "range": [np.log10(LOWEST), 0],
            "tickvals": [1e-4, 1e-3, 1e-2, 1e-1, 1],
            "ticktext": ["", ".001", ".01", ".1", "1"],
        }
    return (
        shared
        | {"range": [0, 1], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
        | {"ticktext": ["0", ".25", ".5", ".75", "1"]}
    )


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
