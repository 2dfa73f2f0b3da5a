"""Methods side by side: one row per hyperedge, one column of feedback bars per method."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import (
    LABEL_MARKS,
    LABEL_WORDS,
    LabelSides,
    NamedRows,
    feedback_digits,
    truth_of,
)
from explorer.figures._style.label_text import escape_label
from explorer.figures._style.row_columns import CODE, SELECTED, bar_column, row_pixels, text_column
from explorer.figures._style.theme import LABEL_SIZE, TEXT_SIZE, TRANSPARENT, base_layout, note
from explorer.figures.colours import (
    NEUTRAL_INK,
    Theme,
    feedback_colour,
    verdict_colour,
    verdict_mark,
)

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MARGIN = 8
_HEADING = 54
"""Pixels above the rows: the method, how far it agrees, and kappa."""

_NARROWEST, _WIDEST = 108, 168
_GAP = 12
_ROOM_FOR_THREE_DIGITS = 112
_LETTER_PIXELS = 6.2

_HOVER = "%{hovertext}<br>%{customdata}<extra></extra>"

_ABSENT = {
    "attention": "no attention in this trace",
    "logprobs": "no log-probabilities in this trace",
}


@dataclass(frozen=True)
class _Column:
    """One method: its numbers in the order drawn, and where it stands."""

    method: str
    feedback: NDArray[np.float64]
    verdicts: list[str]
    axis: str
    pixels: int
    """Width, with the gap at its left."""

    @property
    def absent(self) -> bool:
        """Whether the method knows nothing about any hyperedge."""
        return bool(np.isnan(self.feedback).all())

    @property
    def digits(self) -> int:
        """How many decimals there is room for."""
        return 3 if self.pixels >= _ROOM_FOR_THREE_DIGITS else 2

    @property
    def number_pixels(self) -> int:
        """Width of mark and number."""
        return 54 if self.digits == 3 else 46

    @property
    def bar_pixels(self) -> int:
        """Length of a bar from the least feedback to 1."""
        return self.pixels - _GAP - self.number_pixels


def method_bars(
    table: pd.DataFrame,
    agreement: pd.DataFrame | None = None,
    *,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    width: int = 700,
    selected: str | None = None,
    sort: str = "order",
    labels: LabelSides | None = None,
    absent: Mapping[str, str] | None = None,
) -> go.Figure:
    """Feedback of several methods on the same hyperedges, side by side.

    A bar goes from neutral feedback to the right where a method says used and to the left where it
    says not used, in the colour of the feedback; behind it stand the verdict's mark and the number.

    Parameters
    ----------
    table : pandas.DataFrame
        From `FeedbackExtractor.compare`: ``unit``, ``text``, and for each method ``<method>`` and
        ``<method>_verdict``. The methods are those of ``attrs["methods"]``, or all that have a
        verdict.
    agreement : pandas.DataFrame, optional
        From `explorer.rag.agreement`. How far each method agrees with the first is said above its
        column.
    policy : FeedbackPolicy, optional
        What neutral and negative feedback are; the defaults when left out.
    theme : {"light", "dark"}
    width : int
        About how wide the figure will be shown, in pixels.
    selected : str, optional
        The unit to mark, by name.
    sort : str
        ``"order"`` as in the table, ``"score"`` by falling feedback of the first method, the name
        of a method by its feedback, or ``"disagreement"``, the most disputed first.
    labels : mapping of unit to bool, or sequence of bool, optional
        Ground truth: marked ✓ (used) or ✗ (not used).
    absent : mapping of method to str, optional
        What to say in the column of a method that knows nothing.

    Returns
    -------
    plotly.graph_objects.Figure
        ``layout.meta["units"]`` are the units in the order drawn; what can be clicked has one point
        per unit. The layout does not change with the threshold.

    Raises
    ------
    InputError
        When the table has no method, or `sort` names none.
    ShapeError
        When there are not as many labels as units.
    """
    import plotly.graph_objects as go

    spec = methods_spec(
        table,
        agreement,
        policy=policy,
        theme=theme,
        width=width,
        selected=selected,
        sort=sort,
        labels=labels,
        absent=absent,
    )
    return go.Figure(spec)


def methods_spec(
    table: pd.DataFrame,
    agreement: pd.DataFrame | None = None,
    *,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    width: int = 700,
    selected: str | None = None,
    sort: str = "order",
    labels: LabelSides | None = None,
    absent: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """`method_bars` as a plain dict with ``data`` and ``layout``."""
    policy = FeedbackPolicy() if policy is None else policy
    methods = _methods(table)
    found = {method: _numbers(table, method) for method in methods}
    order = _order(found, sort)
    names = [str(name) for name in table["unit"]]
    texts = [str(text) for text in table["text"]] if "text" in table else names
    truth = truth_of(names, labels)
    rows = NamedRows(
        names=[names[i] for i in order],
        texts=[texts[i] for i in order],
        labels=[truth[i] for i in order],
    )
    room = width - 2 * _MARGIN
    beside = 2 * _MARGIN + len(methods) * min(_WIDEST, max(_NARROWEST, round(0.14 * width)))
    name_pixels, gutter = rows.gutter(width, beside)
    pixels = max(_NARROWEST, min(_WIDEST, (room - gutter) // len(methods)))
    columns = [
        _Column(
            method,
            found[method][0][order],
            [found[method][1][i] for i in order],
            f"x{place + 2}",
            pixels,
        )
        for place, method in enumerate(methods)
    ]
    count = len(names)
    row = row_pixels(count)
    # In rows: the headings are texts in the plot, since an annotation would change the layout.
    top = -0.5 - _HEADING / row
    fills = [SELECTED if name == selected else TRANSPARENT for name in rows.names]
    headings = rows.headings()
    hovers = [head + LABEL_WORDS[label] for head, label in zip(headings, rows.labels, strict=True)]
    traces = _names(rows, name_pixels, gutter, fills, hovers, columns, top)
    told = {} if agreement is None else _with_first(agreement, methods[0])
    for place, column in enumerate(columns):
        if place == 0 and told:
            heading = _quiet("the reference")
        else:
            heading = "" if column.absent else _agreed(told.get(column.method), column.pixels)
        message = (absent or {}).get(column.method, _ABSENT.get(column.method, "not known"))
        traces += _column(column, policy, fills, hovers, heading, message, top)
    drawn = gutter + pixels * len(columns)
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=_HEADING + row * max(1, count) + 2 * _MARGIN,
            margin={"l": _MARGIN, "r": _MARGIN, "t": _MARGIN, "b": _MARGIN},
            barmode="overlay",
            bargap=0,
            hovermode="closest",
            meta={"units": rows.names, "methods": list(methods)},
            yaxis={
                "range": [max(1, count) - 0.5, top],
                "visible": False,
                "fixedrange": True,
            },
            **_axes(columns, gutter, max(room, drawn), policy),
            shapes=[_neutral_line(one, policy, count) for one in columns if not one.absent],
            annotations=[]
            if count
            else [note("No units to show.", x=0, y=0.1, xanchor="left", yanchor="middle")],
        ),
    }


def _methods(table: pd.DataFrame) -> tuple[str, ...]:
    named: Sequence[str] = table.attrs.get("methods", ())
    if not named:
        columns = [str(name) for name in table.columns]
        named = [name.removesuffix("_verdict") for name in columns if name.endswith("_verdict")]
    if not named or "unit" not in table:
        raise InputError(
            "A table of methods has the columns unit, text, and for each method its feedback and "
            "its verdict, such as attention and attention_verdict; compare() makes one."
        )
    return tuple(named)


def _numbers(table: pd.DataFrame, method: str) -> tuple[NDArray[np.float64], list[str]]:
    """Feedback and verdicts of a method."""
    if method not in table or f"{method}_verdict" not in table:
        raise InputError(f"The table has no columns {method} and {method}_verdict.")
    values = table[method].to_numpy(dtype=np.float64)
    return np.clip(values, 0.0, 1.0), [str(word) for word in table[f"{method}_verdict"]]


def _with_first(agreement: pd.DataFrame, first: str) -> dict[str, tuple[int, int, float]]:
    """By method: how many calls equal those of the first, of how many, and Cohen's kappa."""
    if not {"first", "second", "units", "agreement", "kappa"} <= set(agreement.columns):
        raise InputError(
            "The agreement of methods has the columns first, second, units, agreement and kappa; "
            "explorer.rag.agreement makes it."
        )
    pairs = agreement[agreement["first"] == first]
    found = {}
    for second, units, share, kappa in zip(
        pairs["second"], pairs["units"], pairs["agreement"], pairs["kappa"], strict=True
    ):
        equal = round(share * units) if units else 0
        found[str(second)] = (equal, int(units), float(kappa))
    return found


def _order(
    found: Mapping[str, tuple[NDArray[np.float64], list[str]]], sort: str
) -> NDArray[np.intp]:
    feedback = [values for values, _ in found.values()]
    if sort == "order":
        return np.arange(len(feedback[0]))
    if sort == "disagreement":
        each = np.stack(feedback)
        least = np.where(np.isnan(each), np.inf, each).min(axis=0)
        largest = np.where(np.isnan(each), -np.inf, each).max(axis=0)
        return np.argsort(least - largest, kind="stable")
    if sort == "score":
        return np.argsort(-feedback[0], kind="stable")
    if sort in found:
        return np.argsort(-found[sort][0], kind="stable")
    raise InputError(
        f"Rows are sorted by 'order', 'score', 'disagreement' or a method, and not by {sort!r}."
    )


def _names(
    rows: NamedRows,
    name_pixels: int,
    gutter: int,
    fills: list[str],
    hovers: list[str],
    columns: Sequence[_Column],
    top: float,
) -> list[dict[str, Any]]:
    """Names, texts and labels at the left, which answer the pointer with all methods."""

    def text(pixels: float, texts: Sequence[str], align: str, **settings: Any) -> dict[str, Any]:
        return text_column(pixels / gutter, texts, align, axis="x", **settings)

    told = [
        "<br>".join(_said(column, index) for column in columns if not column.absent)
        for index in range(len(rows.names))
    ]
    count = len(rows.names)
    heads = [_quiet("unit"), _quiet("label") if rows.labelled else ""]
    return [
        bar_column(np.ones(count), fills, 1.0, base=0.0, name="row")
        | {"hovertext": hovers, "customdata": told}
        | {"hovertemplate": _HOVER},
        text(
            0,
            rows.fitting_names(name_pixels),
            "right",
            name="unit",
            **(CODE if rows.names_are_texts else {}),
        ),
        text(
            name_pixels,
            rows.fitting_texts(gutter - name_pixels),
            "right",
            name="text",
            opacity=0.75,
            **CODE,
        ),
        text(gutter - 8, [LABEL_MARKS[label] for label in rows.labels], "left", name="label"),
        _heading([0.0, 1.0 - 4 / gutter], heads, top, "x", ["bottom right", "bottom left"]),
    ]


def _column(
    column: _Column,
    policy: FeedbackPolicy,
    fills: list[str],
    hovers: list[str],
    heading: str,
    message: str,
    top: float,
) -> list[dict[str, Any]]:
    method, feedback = column.method, column.feedback
    low, high = _range(column, policy)
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
        | {"hovertext": hovers, "customdata": [_said(column, at) for at in range(count)]}
        | {"hovertemplate": _HOVER},
        bar_column(lengths, colours, 0.5, base=policy.neutral, name=method, **here)
        | {"hoverinfo": "skip"},
        text_column(
            1.0 + 6 * unit, marks, "right", axis=column.axis, name=f"{method} verdict", **CODE
        ),
        _heading([start], [title], top, column.axis, ["bottom right"]),
        _heading(
            [start],
            [_quiet("<br>".join(map(escape_label, lines)))],
            (count - 1) / 2,
            column.axis,
            ["middle right"],
        ),
    ]


def _said(column: _Column, index: int) -> str:
    number, verdict = feedback_digits(column.feedback[index]), column.verdicts[index]
    return f"{escape_label(column.method)}: feedback {number}, {verdict}"


def _mark(column: _Column, index: int) -> str:
    verdict, feedback = column.verdicts[index], column.feedback[index]
    mark = f'<span style="color:{verdict_colour(verdict)}">{verdict_mark(verdict)}</span>'
    return mark if math.isnan(feedback) else f"{mark} {feedback:.{column.digits}f}"


def _agreed(told: tuple[int, int, float] | None, pixels: int) -> str:
    """How far a method agrees with the first, in as many lines as its column needs."""
    if told is None:
        return ""
    equal, total, kappa = told
    if not total:
        return _quiet("nothing to compare")
    words = [f"agrees {equal}/{total}"]
    # Undefined where both always make the same call: chance explains all of it.
    words.append("κ ?" if math.isnan(kappa) else f"κ {kappa:.2f}".replace("-", "\u2212"))
    joined = ", ".join(words)
    if len(joined) * _LETTER_PIXELS < pixels - _GAP:
        return _quiet(joined)
    return "<br>".join(map(_quiet, words))


def _quiet(text: str) -> str:
    """Text in the quiet colour of headings; it is escaped already."""
    if not text:
        return ""
    return f'<span style="color:{NEUTRAL_INK};font-size:{LABEL_SIZE}px">{text}</span>'


def _heading(
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


def _range(column: _Column, policy: FeedbackPolicy) -> tuple[float, float]:
    """The axis of a column: a gap, feedback from negative to 1, and room for mark and number."""
    unit = (1.0 - policy.negative) / column.bar_pixels
    return policy.negative - _GAP * unit, 1.0 + column.number_pixels * unit


def _axes(
    columns: Sequence[_Column], gutter: int, room: int, policy: FeedbackPolicy
) -> dict[str, Any]:
    hidden = {"visible": False, "fixedrange": True}
    axes: dict[str, Any] = {"xaxis": {"domain": [0, gutter / room], "range": [0, 1], **hidden}}
    for place, column in enumerate(columns):
        left = gutter + place * column.pixels
        axes[f"xaxis{place + 2}"] = {
            "domain": [left / room, (left + column.pixels) / room],
            "range": list(_range(column, policy)),
            **hidden,
        }
    return axes


def _neutral_line(column: _Column, policy: FeedbackPolicy, count: int) -> dict[str, Any]:
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
