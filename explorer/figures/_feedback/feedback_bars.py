"""Feedback bars: one row per unit, its score against the threshold, its feedback as colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import (
    LABEL_MARKS,
    NUMBERS_PIXELS,
    LabelSides,
    feedback_digits,
    rows_of,
)
from explorer.figures._style.label_text import three_digits, wrapped
from explorer.figures._style.row_columns import CODE, SELECTED, bar_column, row_pixels, text_column
from explorer.figures._style.score_axis import LOWEST, Scale, score_ticks
from explorer.figures._style.theme import TRANSPARENT, bare_axis, base_layout, note
from explorer.figures.colours import (
    ACCENT,
    SANS,
    Theme,
    feedback_colour,
    verdict_colour,
    verdict_mark,
)

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

# The columns of numbers, in pixels from their left: where each ends or begins.
_SCORE_ENDS, _FEEDBACK_ENDS, _VERDICT_BEGINS, _SIGN_AT = 62, 124, 136, 218
_MARGIN = 8


def feedback_bars(
    table: pd.DataFrame,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    labels: LabelSides | None = None,
    *,
    sort: Literal["order", "score"] = "order",
    axis: Literal["linear", "log"] = "log",
    width: int = 700,
    threshold_line: bool = True,
    selected: str | None = None,
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
    selected : str, optional
        The unit to mark, by name.
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

    return go.Figure(
        feedback_bars_spec(
            table,
            policy,
            theme,
            labels,
            sort=sort,
            axis=axis,
            width=width,
            threshold_line=threshold_line,
            selected=selected,
        )
    )


def feedback_bars_spec(
    table: pd.DataFrame,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    labels: LabelSides | None = None,
    *,
    sort: Literal["order", "score"] = "order",
    axis: Literal["linear", "log"] = "log",
    width: int = 700,
    threshold_line: bool = True,
    selected: str | None = None,
) -> dict[str, Any]:
    """`feedback_bars` as a plain dict with ``data`` and ``layout``.

    Making a plotly Figure checks every property, which takes ten times as long as all the rest; a
    view that redraws while a hand moves the threshold takes this.
    """
    if axis not in {"linear", "log"} or sort not in {"order", "score"}:
        raise InputError(
            f"Bars are sorted by 'order' or 'score' on a 'linear' or 'log' axis; {sort!r} on "
            f"{axis!r} is neither."
        )
    policy = FeedbackPolicy(table.attrs.get("threshold", 0.1)) if policy is None else policy
    rows = rows_of(table, labels, sort)
    count = len(rows.names)
    name_pixels, gutter = rows.gutter(width, NUMBERS_PIXELS + round(0.36 * width))
    room = width - 2 * _MARGIN
    left, right = gutter / room, 1.0 - NUMBERS_PIXELS / room
    low = LOWEST if axis == "log" else 0.0

    def name(pixels: float, texts: Sequence[str], align: str, **settings: Any) -> dict[str, Any]:
        return text_column(pixels / gutter, texts, align, axis="x2", **settings)

    def number(pixels: float, texts: Sequence[str], align: str, **settings: Any) -> dict[str, Any]:
        return text_column(pixels / NUMBERS_PIXELS, texts, align, axis="x3", **settings)

    def bar(ends: Any, colour: Any, thickness: float, **settings: Any) -> dict[str, Any]:
        lengths = np.maximum(np.nan_to_num(ends), low) - low
        return bar_column(lengths, colour, thickness, base=low, **settings)

    names = rows.fitting_names(name_pixels)
    texts = rows.fitting_texts(gutter - name_pixels)
    traces = [
        bar(rows.reachable, "rgba(128,136,146,0.13)", 0.82, name="reachable", hoverinfo="skip"),
        bar(
            rows.scores,
            [feedback_colour(f, policy) for f in rows.feedback],
            0.5,
            name="score",
            hoverinfo="skip",
        ),
        # The whole row answers the pointer, also where the bar is short or missing.
        # What stays and what follows the threshold are apart, so that little travels on a change.
        bar(
            np.ones(count),
            [SELECTED if unit == selected else TRANSPARENT for unit in rows.names],
            1.0,
            name="row",
            hovertext=rows.whole_texts(),
            customdata=rows.numbers(),
            hovertemplate="%{hovertext}<br>%{customdata}<extra></extra>",
        ),
        name(0, names, "right", name="unit", **(CODE if rows.names_are_texts else {})),
        name(name_pixels, texts, "right", name="text", opacity=0.75, **CODE),
        name(gutter - 8, [LABEL_MARKS[label] for label in rows.labels], "left", name="label"),
        number(_SCORE_ENDS, list(map(three_digits, rows.scores)), "left", name="digits", **CODE),
        number(
            _FEEDBACK_ENDS,
            list(map(feedback_digits, rows.feedback)),
            "left",
            name="feedback",
            **CODE,
        ),
        number(_VERDICT_BEGINS, list(map(_verdict, rows.verdicts)), "right", name="verdict"),
        dict(
            type="scatter",
            x=np.full(count, _SIGN_AT / NUMBERS_PIXELS),
            y=np.arange(count),
            xaxis="x3",
            mode="markers+text",
            marker={
                "size": [13 if found else 0 for found in rows.reasons],
                "color": "rgba(128,136,146,0.25)",
                "line": {"width": 0},
            },
            text=["i" if found else "\u200a" for found in rows.reasons],
            textfont={"size": 10, "family": SANS, "weight": 600},
            name="diagnostics",
            **_telling(["<br>".join(map(wrapped, found)) for found in rows.reasons]),
        ),
    ]
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
            meta={"units": rows.names},
            xaxis=bare_axis(theme, **_score_axis(axis), **fixed) | {"domain": [left, right]},
            xaxis2={"domain": [0, left], "range": [0, 1], "visible": False, **fixed},
            xaxis3={"domain": [right, 1], "range": [0, 1], "visible": False, **fixed},
            yaxis={"range": [max(1, count) - 0.5, -0.5], "visible": False, **fixed},
            shapes=_threshold(policy.threshold, axis) if threshold_line else [],
            annotations=_headings(left, right, room, count, labelled=rows.labelled),
        ),
    }


def _verdict(verdict: str) -> str:
    return f'<span style="color:{verdict_colour(verdict)}">{verdict_mark(verdict)}</span> {verdict}'


def _telling(hovers: list[str]) -> dict[str, Any]:
    return {
        "customdata": hovers,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _score_axis(scale: Scale) -> dict[str, Any]:
    return score_ticks(scale) | {
        "side": "top",
        "showgrid": True,
        "gridwidth": 1,
        "layer": "below traces",
        "tickangle": 0,
    }


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
