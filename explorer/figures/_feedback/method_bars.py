"""Figure of several methods: one row per hyperedge, one column of feedback bars per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import (
    LABEL_MARKS,
    LABEL_WORDS,
    UnitLabels,
    UnitLayout,
    UnitRows,
    ordered_labels,
)
from explorer.figures._feedback.method_columns import (
    ROW_HOVER,
    MethodColumn,
    agreement_heading,
    column_axes,
    column_traces,
    heading_trace,
    hover_line,
    label_heading,
    neutral_line,
    quiet_text,
)
from explorer.figures._style.row_columns import CODE, SELECTED, bar_column, row_pixels, text_column
from explorer.figures._style.theme import TRANSPARENT, base_layout, note
from explorer.figures.colours import (
    Theme,
)

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MARGIN = 8
_HEADING = 54
"""Pixels above the rows for the method, its agreement, and kappa."""
_LABEL_LINE = 14
"""Pixels for one more line: how many calls are right by label."""

_NARROWEST, _WIDEST = 108, 168


_ABSENT = {
    "attention": "no attention in this trace",
    "logprobs": "no log-probabilities in this trace",
}


def method_bars(
    table: pd.DataFrame,
    agreement: pd.DataFrame | None = None,
    *,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    width: int = 700,
    selected: str | None = None,
    sort: str = "order",
    labels: UnitLabels | None = None,
    absent: Mapping[str, str] | None = None,
) -> go.Figure:
    """Feedback of several methods on the same hyperedges, side by side.

    A bar starts at neutral feedback and goes right for used and left for not used, in the colour
    of the feedback. The verdict's mark and the number follow it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `FeedbackExtractor.compare`: ``unit``, ``text``, and for each method ``<method>`` and
        ``<method>_verdict``. The methods are those of ``attrs["methods"]``, or all that have a
        verdict.
    agreement : pandas.DataFrame, optional
        From `explorer.rag.agreement`: the agreement of each method with the first, shown above its
        column.
    policy : FeedbackPolicy, optional
        Values of neutral and negative feedback. Default: the default policy.
    theme : {"light", "dark"}
    width : int
        Approximate width on the page in pixels.
    selected : str, optional
        The unit to mark, by name.
    sort : str
        ``"order"`` as in the table, ``"score"`` by falling feedback of the first method, a method's
        name by its feedback, or ``"disagreement"`` by falling range of feedback.
    labels : mapping of unit to bool, or sequence of bool, optional
        Ground truth: marked ✓ (used) or ✗ (not used).
    absent : mapping of method to str, optional
        Message in the column of a method without any feedback.

    Returns
    -------
    plotly.graph_objects.Figure
        ``layout.meta["units"]`` lists the units in drawing order; clickable traces have one point
        per unit. The layout does not depend on the threshold.

    Raises
    ------
    InputError
        If the table has no method, or `sort` is unknown.
    ShapeError
        If the number of labels differs from the number of units.
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
    labels: UnitLabels | None = None,
    absent: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """`method_bars` as a plain dict with ``data`` and ``layout``."""
    policy = FeedbackPolicy() if policy is None else policy
    methods = _methods(table)
    found = {method: _numbers(table, method) for method in methods}
    order = _order(found, sort)
    names = [str(name) for name in table["unit"]]
    texts = [str(text) for text in table["text"]] if "text" in table else names
    truth = ordered_labels(names, labels)
    rows = UnitRows(
        names=[names[i] for i in order],
        texts=[texts[i] for i in order],
        labels=[truth[i] for i in order],
    )
    room = width - 2 * _MARGIN
    others = 2 * _MARGIN + len(methods) * min(_WIDEST, max(_NARROWEST, round(0.14 * width)))
    layout = rows.layout(width, others)
    gutter = layout.gutter
    pixels = max(_NARROWEST, min(_WIDEST, (room - gutter) // len(methods)))
    columns = [
        MethodColumn(
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
    # In rows: headings are text traces, because annotations would change the layout.
    pixels_above = _HEADING + _LABEL_LINE * rows.labelled
    top = -0.5 - pixels_above / row
    fills = [SELECTED if name == selected else TRANSPARENT for name in rows.names]
    headings = rows.headings()
    hovers = [head + LABEL_WORDS[label] for head, label in zip(headings, rows.labels, strict=True)]
    traces = _names(rows, layout, fills, hovers, columns, top)
    compared = {} if agreement is None else _with_first(agreement, methods[0])
    for place, column in enumerate(columns):
        if place == 0 and compared:
            heading = quiet_text("the reference")
        else:
            heading = (
                ""
                if column.absent
                else agreement_heading(compared.get(column.method), column.pixels)
            )
        if rows.labelled and not column.absent:
            by_label = label_heading(column.verdicts, rows.labels)
            heading = "<br>".join(filter(None, (by_label, heading)))
        message = (absent or {}).get(column.method, _ABSENT.get(column.method, "unknown"))
        traces += column_traces(column, policy, fills, hovers, heading, message, top)
    drawn = gutter + pixels * len(columns)
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=pixels_above + row * max(1, count) + 2 * _MARGIN,
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
            **column_axes(columns, gutter, max(room, drawn), policy),
            shapes=[neutral_line(one, policy, count) for one in columns if not one.absent],
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
            "A table of methods needs the columns unit, text, and for each method its feedback and "
            "verdict, such as attention and attention_verdict, as compare() returns them."
        )
    return tuple(named)


def _numbers(table: pd.DataFrame, method: str) -> tuple[NDArray[np.float64], list[str]]:
    """Feedback and verdicts of a method, in table order."""
    if method not in table or f"{method}_verdict" not in table:
        raise InputError(f"The table has no columns {method} and {method}_verdict.")
    values = table[method].to_numpy(dtype=np.float64)
    return np.clip(values, 0.0, 1.0), [str(word) for word in table[f"{method}_verdict"]]


def _with_first(agreement: pd.DataFrame, first: str) -> dict[str, tuple[int, int, float]]:
    """For each method: number of calls equal to the first method's, of how many, and kappa."""
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
    raise InputError(f"sort must be 'order', 'score', 'disagreement' or a method; got {sort!r}.")


def _names(
    rows: UnitRows,
    layout: UnitLayout,
    fills: list[str],
    hovers: list[str],
    columns: Sequence[MethodColumn],
    top: float,
) -> list[dict[str, Any]]:
    """Traces of names, texts and labels; the hover lists all methods."""
    gutter = layout.gutter

    def text(pixels: float, texts: Sequence[str], align: str, **settings: Any) -> dict[str, Any]:
        return text_column(pixels / gutter, texts, align, axis="x", **settings)

    values = [
        "<br>".join(hover_line(column, index) for column in columns if not column.absent)
        for index in range(len(rows.names))
    ]
    count = len(rows.names)
    heads = [quiet_text("unit"), quiet_text("label") if rows.labelled else ""]
    return [
        bar_column(np.ones(count), fills, 1.0, base=0.0, name="row")
        | {"hovertext": hovers, "customdata": values}
        | {"hovertemplate": ROW_HOVER},
        text(
            0,
            rows.fitting_names(layout),
            "right",
            name="unit",
            **(CODE if layout.names_are_texts else {}),
        ),
        text(
            layout.name_pixels,
            rows.fitting_texts(layout),
            "right",
            name="text",
            opacity=0.75,
            **CODE,
        ),
        text(gutter - 8, [LABEL_MARKS[label] for label in rows.labels], "left", name="label"),
        heading_trace([0.0, 1.0 - 4 / gutter], heads, top, "x", ["bottom right", "bottom left"]),
    ]
