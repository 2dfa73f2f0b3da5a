"""Methods and baselines as dots with intervals: one row each, one panel per measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.figures._style.label_text import escape_label, shortened, three_digits, wrapped
from explorer.figures._style.row_columns import CODE, bar_column, row_pixels, text_column
from explorer.figures._style.score_axis import Truth, truth_terms
from explorer.figures._style.theme import TRANSPARENT, bare_axis, base_layout, note
from explorer.figures._thresholds.quality_map import QUALITY_LOOKS
from explorer.figures.colours import NEUTRAL_INK, Theme
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MARGIN, _TOP, _BELOW = 8, 44, 26
_NUMBER, _GAP = 44, 14
_LETTER_PIXELS = 6.9
_COLOUR, _QUIET = "#7a66f0", "#8d949c"

_WORDS = {name: look.word for name, look in QUALITY_LOOKS.items()}
_SHORT = _WORDS | {"average_precision": "AP"}


def method_dots(table: pd.DataFrame, **settings: Any) -> Any:
    """`method_dots_spec` as a Figure, with the same parameters."""
    import plotly.graph_objects as go

    figure: go.Figure = go.Figure(method_dots_spec(table, **settings))
    return figure


def method_dots_spec(
    table: pd.DataFrame,
    theme: Theme = "light",
    *,
    strong: Sequence[str] | None = None,
    metrics: Sequence[str] = ("auc", "average_precision", "f1"),
    prevalence: float | None = None,
    truth: Truth | None = None,
    width: int = 700,
) -> dict[str, Any]:
    """Measures of each method with intervals, and the chance level as a dashed line.

    Parameters
    ----------
    table : pandas.DataFrame
        As `explorer.validation.compare_scores`: ``scores`` (the name), and each metric
        with ``<metric>_low`` and ``<metric>_high``; a column ``note`` appears on hover. NaN is not
        known.
    theme : {"light", "dark"}
    strong : sequence of str, optional
        Names of the rows to bring forward, with filled dots; the first row by default.
    metrics : sequence of str
        ``"auc"``, ``"average_precision"`` or ``"f1"``.
    prevalence : float, optional
        Share of used units; ``table.attrs["prevalence"]`` by default.
    truth : {"labels", "ablation", "agreement"}, optional
        ``table.attrs["truth"]`` by default.
    width : int
        Pixels.

    Returns
    -------
    dict
        ``layout.meta["methods"]`` are the names in the order drawn; the trace ``row`` has a point
        for each.

    Raises
    ------
    InputError
        If a metric is not known, or not in the table.
    """
    for name in metrics:
        if name not in _WORDS or name not in table:
            raise InputError(
                f"Methods are compared by {', '.join(map(repr, _WORDS))}; "
                f"the table has no {name!r}."
            )
    prevalence = table.attrs.get("prevalence") if prevalence is None else prevalence
    truth_text = truth_terms(truth or table.attrs.get("truth", "labels"))[2]
    names = [str(name) for name in table["scores"]]
    count = len(names)
    forward = set(names[:1] if strong is None else strong)
    bold = np.array([name in forward for name in names], dtype=bool)
    room = width - 2 * _MARGIN
    longest = max((len(visible_text(name)) for name in names), default=4)
    gutter = int(max(60, min(16 + longest * _LETTER_PIXELS, 0.27 * width)))
    panel = (room - gutter) / max(1, len(metrics))
    letters = max(4, int((gutter - 10) / _LETTER_PIXELS))
    shown = [escape_label(shortened(visible_text(name), letters)) for name in names]
    fixed = {"fixedrange": True}
    axes: dict[str, Any] = {
        "xaxis": {"domain": [0, 1], "range": [0, room], "visible": False, **fixed}
    }
    traces = [
        bar_column(np.full(count, float(room)), TRANSPARENT, 1.0, base=0.0, name="row")
        | {"customdata": _hovers(table, names, metrics)}
        | {"hovertemplate": "%{customdata}<extra></extra>"},
        text_column(
            0,
            [
                f"<b>{one}</b>" if strongly else one
                for one, strongly in zip(shown, bold, strict=True)
            ],
            "right",
            axis="x",
            name="names",
        ),
    ]
    notes = []
    for place, metric in enumerate(metrics):
        left = gutter + place * panel + _GAP
        right = gutter + (place + 1) * panel - _NUMBER
        axis = f"x{place + 2}"
        values, low, high = _columns(table, metric)
        chance = _chance(metric, prevalence) if count else None
        ends = _range(values, low, high, chance)
        axes[f"xaxis{place + 2}"] = bare_axis(
            theme,
            range=list(ends),
            showgrid=True,
            tickangle=0,
            **(_ticks(ends) if count else {"tickvals": []}),
            **fixed,
        ) | {"domain": [left / room, right / room]}
        traces += _panel(metric, values, low, high, chance, bold, axis)
        traces.append(
            text_column(
                right + _NUMBER - 4,
                list(map(three_digits, values.tolist())),
                "left",
                axis="x",
                name=f"{metric} digits",
                **CODE,
            )
        )
        word = (_WORDS if panel > 150 else _SHORT)[metric]
        above = {"x": left / room, "xanchor": "left", "y": 1, "yanchor": "bottom"}
        notes.append(note(word, **above, yshift=22))
        if chance is not None and count:
            notes.append(note(f"chance {three_digits(chance)}", **above, yshift=6))
    if not count:
        notes = [note("No methods to compare.", x=0, y=0.5, xanchor="left", yanchor="middle")]
    notes.append(note(truth_text, x=0, xanchor="left", y=1, yanchor="bottom", yshift=22))
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=_TOP + row_pixels(count) * max(1, count) + _BELOW,
            margin={"l": _MARGIN, "r": _MARGIN, "t": _TOP, "b": _BELOW},
            barmode="overlay",
            bargap=0,
            hovermode="closest",
            meta={"methods": names},
            yaxis={"range": [max(1, count) - 0.5, -0.5], "visible": False, **fixed},
            **axes,
            annotations=notes,
        ),
    }


_Column = NDArray[np.float64]


def _columns(table: pd.DataFrame, metric: str) -> tuple[_Column, _Column, _Column]:
    values = table[metric].to_numpy(dtype=np.float64)
    found = [values]
    for end in ("low", "high"):
        name = f"{metric}_{end}"
        there = table[name].to_numpy(dtype=np.float64) if name in table else values * np.nan
        found.append(there)
    return found[0], found[1], found[2]


def _chance(metric: str, prevalence: float | None) -> float | None:
    """Chance level of a measure; for F1 the value of calling everything used."""
    if metric == "auc":
        return 0.5
    if prevalence is None or not 0 < prevalence <= 1:
        return None
    return prevalence if metric == "average_precision" else 2 * prevalence / (1 + prevalence)


def _range(
    values: _Column, low: _Column, high: _Column, chance: float | None
) -> tuple[float, float]:
    """Axis range around all drawn values, rounded outwards to tenths."""
    drawn = np.concatenate([values, low, high, [] if chance is None else [chance]])
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return 0.0, 1.0
    bottom = max(0.0, np.floor(drawn.min() * 10 - 0.2) / 10)
    top = min(1.0, np.ceil(drawn.max() * 10 + 0.2) / 10)
    room = 0.04 * (top - bottom)
    return float(bottom - room), float(top + room)


def _ticks(ends: tuple[float, float]) -> dict[str, Any]:
    step = next(step for step in (0.1, 0.2, 0.25, 0.5) if (ends[1] - ends[0]) / step < 4.5)
    first = int(np.ceil(ends[0] / step - 1e-9))
    ticks = [round(step * at, 2) for at in range(first, int(ends[1] / step + 1e-9) + 1)]
    return {
        "tickvals": ticks,
        "ticktext": [f"{tick:g}".removeprefix("0") or "0" for tick in ticks],
    }


def _panel(
    metric: str,
    values: _Column,
    low: _Column,
    high: _Column,
    chance: float | None,
    bold: NDArray[np.bool_],
    axis: str,
) -> list[dict[str, Any]]:
    count = len(values)
    rows = np.arange(count, dtype=np.float64)
    here = {"type": "scatter", "xaxis": axis, "yaxis": "y", "hoverinfo": "skip"}

    def intervals(which: NDArray[np.bool_], **line: Any) -> dict[str, Any]:
        gaps = np.full(int(which.sum()), np.nan)
        return here | {
            "x": np.stack([low[which], high[which], gaps], axis=1).reshape(-1),
            "y": np.repeat(rows[which], 3),
            "mode": "lines",
            "line": line,
            "name": f"{metric} intervals",
        }

    level = np.full(2, np.nan if chance is None else chance)
    return [
        here
        | {"x": level, "y": np.array([-0.5, max(1, count) - 0.5]), "name": f"{metric} chance"}
        | {"mode": "lines", "line": {"color": NEUTRAL_INK, "width": 1, "dash": "4px,3px"}},
        intervals(~bold, color=_QUIET, width=1.5),
        intervals(bold, color=_COLOUR, width=2.5),
        here
        | {
            "x": values,
            "y": rows,
            "mode": "markers",
            "marker": {
                "symbol": ["circle" if one else "circle-open" for one in bold],
                "size": [10 if one else 8 for one in bold],
                "color": [_COLOUR if one else _QUIET for one in bold],
                "line": {"width": [0 if one else 2 for one in bold]},
            },
            "cliponaxis": False,
            "name": metric,
        },
    ]


def _hovers(table: pd.DataFrame, names: Sequence[str], metrics: Sequence[str]) -> list[str]:
    hovers = [[f"<b>{escape_label(shortened(name, 80))}</b>"] for name in names]
    for metric in metrics:
        columns = (column.tolist() for column in _columns(table, metric))
        for lines, value, low, high in zip(hovers, *columns, strict=True):
            ends = "" if np.isnan(low) else f" ({three_digits(low)} to {three_digits(high)})"
            lines.append(f"{_WORDS[metric]} {three_digits(value)}{ends}")
    if "note" in table:
        for lines, text in zip(hovers, table["note"], strict=True):
            if isinstance(text, str) and text:
                lines.append(wrapped(text))
    return ["<br>".join(lines) for lines in hovers]
