"""Weight lines: how the weights of hyperedges move from trace to trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import feedback_digits
from explorer.figures._style.label_text import (
    escape_label,
    shortened,
    spread_apart,
    three_digits,
    wrapped,
)
from explorer.figures._style.theme import (
    LABEL_SIZE,
    axis_title,
    bare_axis,
    base_layout,
    note,
)
from explorer.figures.colours import MONO, NEUTRAL_INK, Theme, feedback_colour
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MARGIN = {"l": 46, "r": 8, "t": 30, "b": 38}
_LEADER_PIXELS = 22
_NUMBER_PIXELS = 46
_LABEL_HEIGHT = 17
_LETTER_PIXELS = 6.75
_MOST_MARKS = 60
"""A line with more updates than this is a line; with fewer, each is a dot to point at."""

_BAND = "rgba(128,136,146,0.15)"


def weight_lines(
    lines: pd.DataFrame,
    band: pd.DataFrame | None = None,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    *,
    width: int = 700,
    selected: int | None = None,
) -> go.Figure:
    """The weights of some hyperedges over the traces, before a band of all.

    Each hyperedge is a line in the colour of the feedback that it got on average, with its weight
    and name at the end. A dot is an update, in the colour of its feedback. Dashed lines are the
    bounds: those of the selected hyperedge, or the outermost of those drawn.

    Parameters
    ----------
    lines : pandas.DataFrame
        From `explorer.rag._weights.weight_trajectory.Trajectory.lines`.
    band : pandas.DataFrame, optional
        From `Trajectory.band`: ``step`` and columns named by quantiles, outermost first and last.
    policy : FeedbackPolicy, optional
        What the colours mean; the defaults when left out.
    theme : {"light", "dark"}
    width : int
        About how wide the figure will be shown, in pixels, to decide how much of the names fits.
    selected : int, optional
        The number of the hyperedge to bring forward.

    Returns
    -------
    plotly.graph_objects.Figure
        ``layout.meta["lines"]`` are the numbers of the hyperedges drawn and
        ``layout.meta["first_line"]`` is the trace of the first of them.
    """
    import plotly.graph_objects as go

    return go.Figure(weight_lines_spec(lines, band, policy, theme, width=width, selected=selected))


def weight_lines_spec(
    lines: pd.DataFrame,
    band: pd.DataFrame | None = None,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    *,
    width: int = 700,
    selected: int | None = None,
) -> dict[str, Any]:
    """`weight_lines` as a plain dict; its layout stays while the threshold moves."""
    policy = FeedbackPolicy() if policy is None else policy
    chosen = [part for _, part in lines.groupby("hyperedge", sort=False)]
    steps = int(lines.attrs.get("steps", lines["step"].max() if len(lines) else 1))
    height = max(300, 90 + _LABEL_HEIGHT * len(chosen))
    room = width - _MARGIN["l"] - _MARGIN["r"]
    labels = _label_pixels(chosen, width)
    right = 1.0 - labels / room
    bounds = _bounds(chosen, selected)
    low, high = extent = _extent(lines, band, bounds)
    pixel = (high - low) / (height - _MARGIN["t"] - _MARGIN["b"])
    numbers = [int(part["hyperedge"].iloc[0]) for part in chosen]
    traces = [
        *_band_traces(band),
        *_bound_traces(bounds, steps, extent, pixel),
        *(_line(place, part, steps, policy, selected) for place, part in enumerate(chosen)),
        *_end_labels(chosen, selected, labels, extent, pixel),
    ]
    fixed = {"fixedrange": True}
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=height,
            margin=_MARGIN,
            hovermode="closest",
            meta={"lines": numbers, "first_line": len(traces) - 2 - len(chosen)},
            xaxis=bare_axis(
                theme,
                range=[0, steps],
                tickformat="d",
                nticks=max(2, min(10, int(right * room / 70))),
                title=axis_title("trace", 6),
                **fixed,
            )
            | {"domain": [0, right]},
            xaxis2={
                "domain": [right, 1],
                "range": [0, 1],
                "visible": False,
                "anchor": "y2",
                **fixed,
            },
            yaxis2={"range": [low, high], "visible": False, "anchor": "x2", **fixed},
            yaxis=bare_axis(
                theme,
                range=[low, high],
                showgrid=True,
                tick0=0,
                dtick=next((d for d in (0.05, 0.25, 0.5, 1.0) if high - low < 7 * d), None),
                nticks=6,
                title=axis_title("weight", 6),
                **fixed,
            ),
            annotations=_captions(chosen, band, right),
        ),
    }


def _extent(
    lines: pd.DataFrame, band: pd.DataFrame | None, bounds: tuple[set[float], set[float]]
) -> tuple[float, float]:
    """The range of weights to show: what is drawn, out to the next quarter.

    In steps, so that it stays where it is while the threshold moves; and with the bounds, where
    they are those of all.
    """
    seen = [lines["weight"].to_numpy(dtype=np.float64)]
    if band is not None:
        seen += [band[name].to_numpy(dtype=np.float64) for name in _quantiles(band)]
    seen += [np.array(list(values)) for values in bounds if len(values) == 1]
    weights = np.concatenate(seen)
    weights = weights[np.isfinite(weights)]
    if not weights.size:
        return -0.05, 1.05
    low = np.floor(weights.min() * 4 + 1e-6) / 4
    high = max(np.ceil(weights.max() * 4 - 1e-6) / 4, low + 0.25)
    room = 0.1 * (high - low)
    return float(low - room), float(high + room)


def _bounds(chosen: Sequence[pd.DataFrame], selected: int | None) -> tuple[set[float], set[float]]:
    """The lower and the upper bounds of the selected line, or of all drawn."""
    own = [part for part in chosen if part["hyperedge"].iloc[0] == selected]
    told = own or chosen
    return {float(part["lower"].iloc[0]) for part in told}, {
        float(part["upper"].iloc[0]) for part in told
    }


def _quantiles(band: pd.DataFrame) -> list[float]:
    columns: list[Any] = list(band.columns)
    return sorted(name for name in columns if isinstance(name, float))


def _band_traces(band: pd.DataFrame | None) -> list[dict[str, Any]]:
    if band is None or not len(band):
        return []
    quantiles = _quantiles(band)
    steps = band["step"].to_numpy()
    around = np.concatenate([steps, steps[::-1]])

    def between(low: float, high: float) -> dict[str, Any]:
        edges = [band[high].to_numpy(), band[low].to_numpy()[::-1]]
        return {
            "type": "scatter",
            "x": around,
            "y": np.concatenate(edges),
            "mode": "lines",
            "fill": "toself",
            "fillcolor": _BAND,
            "line": {"width": 0},
            "hoverinfo": "skip",
            "name": f"band {low:g}",
        }

    pairs = zip(quantiles, reversed(quantiles), strict=True)
    traces = [between(low, high) for low, high in pairs if low < high]
    if len(quantiles) % 2:
        median = band[quantiles[len(quantiles) // 2]].to_numpy()
        traces.append(_quiet(steps, median, "median", {"width": 1.5, "color": "#a4abb3"}))
    return traces


def _quiet(x: Any, y: Any, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": line,
        "hoverinfo": "skip",
        "name": name,
    }


def _bound_traces(
    bounds: tuple[set[float], set[float]],
    steps: int,
    extent: tuple[float, float],
    pixel: float,
) -> list[dict[str, Any]]:
    lower, upper = bounds
    low, high = min(lower, default=np.nan), max(upper, default=np.nan)
    # On the far side of the lines, where there is room.
    places = np.array([high + 9 * pixel, low - 9 * pixel])
    visible = [extent[0] + 8 * pixel <= place <= extent[1] - 8 * pixel for place in places]
    texts = [
        f"{'highest ' if len(upper) > 1 else ''}upper bound {three_digits(high)}",
        f"{'lowest ' if len(lower) > 1 else ''}lower bound {three_digits(low)}",
    ]
    dashed = {"color": NEUTRAL_INK, "width": 1, "dash": "4px,3px"}
    return [
        _quiet(np.array([0, steps]), np.full(2, high), "upper bound", dashed),
        _quiet(np.array([0, steps]), np.full(2, low), "lower bound", dashed),
        {
            "type": "scatter",
            "x": np.zeros(2),
            "y": places,
            "mode": "text",
            "text": [t if shown else "" for t, shown in zip(texts, visible, strict=True)],
            "textposition": "middle right",
            "textfont": {"size": LABEL_SIZE, "color": NEUTRAL_INK},
            "hoverinfo": "skip",
            "name": "bounds",
        },
    ]


def _line(
    place: int, part: pd.DataFrame, steps: int, policy: FeedbackPolicy, selected: int | None
) -> dict[str, Any]:
    strong = int(part["hyperedge"].iloc[0]) == selected
    feedback = part["feedback"].to_numpy()
    colour = _colour(part, policy)
    # A weight stays until the next update, and after the last one to the end.
    x = np.append(part["step"].to_numpy(), steps)
    y = np.append(part["weight"].to_numpy(), part["weight"].iloc[-1])
    sizes = np.zeros(len(x))
    colours = [colour] * len(x)
    if len(part) <= _MOST_MARKS:
        sizes[:-1][~np.isnan(feedback)] = 8 if strong else 5
        colours[:-1] = [feedback_colour(value, policy) for value in feedback]
    moments = map(_moment, part["step"], part["trace"], feedback)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines+markers",
        "line": {"shape": "hv", "width": 3 if strong else 1.75, "color": colour},
        "marker": {"size": sizes, "color": colours, "opacity": 1, "line": {"width": 0}},
        "opacity": 1.0 if strong or selected is None else 0.4,
        "name": f"line {place}",
        "hovertext": _told(part),
        "customdata": [*moments, "after the last trace"],
        "hovertemplate": "%{hovertext}<br>%{customdata}: weight <b>%{y:.3f}</b><extra></extra>",
    }


def _colour(part: pd.DataFrame, policy: FeedbackPolicy) -> str:
    feedback = part["feedback"].to_numpy()
    known = feedback[~np.isnan(feedback)]
    return feedback_colour(float(known.mean()) if known.size else None, policy)


def _told(part: pd.DataFrame) -> str:
    """Name, text, updates and bounds of a line, the same at each of its points."""
    name, text = str(part["name"].iloc[0]), str(part["text"].iloc[0])
    count = int(part["updates"].iloc[0])
    lines = [f"<b>{escape_label(shortened(name, 80))}</b>"]
    if text and text != name:
        lines.append(wrapped(text))
    bounds = f"{three_digits(part['lower'].iloc[0])} to {three_digits(part['upper'].iloc[0])}"
    lines.append(f"{count} update{'' if count == 1 else 's'}, kept within {bounds}")
    return "<br>".join(lines)


def _moment(step: int, trace: str, feedback: float) -> str:
    if step == 0:
        return "before the first trace"
    named = "" if trace == str(step) else f" ({escape_label(shortened(trace, 40))})"
    return f"trace {step}{named}, feedback {feedback_digits(feedback)}"


def _label_pixels(chosen: Sequence[pd.DataFrame], width: int) -> int:
    """Width of the column of names at the right."""
    longest = max((len(str(part["name"].iloc[0])) for part in chosen), default=0)
    # Never narrower than the heading above the column.
    names = max(52, min(longest * _LETTER_PIXELS + 8, 0.26 * width))
    return int(_LEADER_PIXELS + _NUMBER_PIXELS + names)


def _end_labels(
    chosen: Sequence[pd.DataFrame],
    selected: int | None,
    pixels: int,
    extent: tuple[float, float],
    pixel: float,
) -> list[dict[str, Any]]:
    """Weight and name at the end of each line, moved apart, and what joins them to it."""
    letters = max(3, int((pixels - _LEADER_PIXELS - _NUMBER_PIXELS) / _LETTER_PIXELS))
    ends = np.array([part["weight"].iloc[-1] for part in chosen], dtype=np.float64)
    apart, half = _LABEL_HEIGHT * pixel, _LABEL_HEIGHT / 2 * pixel
    heights = spread_apart(ends, apart, extent[0] + half, extent[1] - half)
    texts = []
    for part, end in zip(chosen, ends, strict=True):
        name = visible_text(" ".join(str(part["name"].iloc[0]).split()))
        text = f"{three_digits(end)[:5]} {escape_label(shortened(name, letters))}"
        strong = int(part["hyperedge"].iloc[0]) == selected
        texts.append(f"<b>{text}</b>" if strong else text)
    # One trace for all: end of the line, a bend, the label, and a gap.
    bend, stop = 4 / pixels, (_LEADER_PIXELS - 4) / pixels
    x = np.tile([0.0, bend, stop, np.nan], len(chosen))
    y = np.array([[end, end, high, np.nan] for end, high in zip(ends, heights, strict=True)])
    return [
        _quiet(x, y.reshape(-1), "leaders", {"width": 1, "color": NEUTRAL_INK})
        | {"xaxis": "x2", "yaxis": "y2"},
        {
            "type": "scatter",
            "x": np.full(len(chosen), _LEADER_PIXELS / pixels),
            "y": heights,
            "xaxis": "x2",
            "yaxis": "y2",
            "mode": "text",
            "text": texts,
            "textposition": "middle right",
            "textfont": {"family": MONO, "size": LABEL_SIZE},
            "cliponaxis": False,
            "customdata": list(map(_told, chosen)),
            "hovertemplate": "%{customdata}<extra></extra>",
            "name": "labels",
        },
    ]


def _captions(
    chosen: Sequence[pd.DataFrame], band: pd.DataFrame | None, right: float
) -> list[dict[str, Any]]:
    if not chosen:
        return [note("No hyperedge to follow.", x=0, y=0.5, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "bottom", "yshift": 8}
    captions = [note("weight at the end", x=right, xanchor="left", xshift=_LEADER_PIXELS, **above)]
    if band is not None and len(band):
        quantiles = _quantiles(band)
        count = band.attrs.get("hyperedges", 0)
        told = f"grey: {quantiles[0]:.0%} to {quantiles[-1]:.0%} of {count:,}"
        if band.attrs.get("repeated") == 0:
            told = f"{count:,} hyperedges, each once"
        captions.append(note(told, x=0, xanchor="left", **above))
    return captions
