"""Marks of the figure of weights: the band, the bounds, the lines and their end labels."""

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
)
from explorer.figures.colours import MONO, NEUTRAL_INK, feedback_colour
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd


LEADER_PIXELS = 22

NUMBER_PIXELS = 46

LABEL_HEIGHT = 17

LETTER_PIXELS = 6.75

_MOST_MARKS = 60
"""Lines with at most this many updates have a dot for each."""

_BAND = "rgba(128,136,146,0.15)"


def quantile_columns(band: pd.DataFrame) -> list[float]:
    columns: list[Any] = list(band.columns)
    return sorted(name for name in columns if isinstance(name, float))


def band_traces(band: pd.DataFrame | None) -> list[dict[str, Any]]:
    if band is None or not len(band):
        return []
    quantiles = quantile_columns(band)
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
        traces.append(quiet_line(steps, median, "median", {"width": 1.5, "color": "#a4abb3"}))
    return traces


def quiet_line(x: Any, y: Any, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": line,
        "hoverinfo": "skip",
        "name": name,
    }


def bound_traces(
    bounds: tuple[set[float], set[float]],
    steps: int,
    extent: tuple[float, float],
    pixel: float,
) -> list[dict[str, Any]]:
    lower, upper = bounds
    low, high = min(lower, default=np.nan), max(upper, default=np.nan)
    # Outside the bounds, if there is room.
    places = np.array([high + 9 * pixel, low - 9 * pixel])
    visible = [extent[0] + 8 * pixel <= place <= extent[1] - 8 * pixel for place in places]
    texts = [
        f"{'highest ' if len(upper) > 1 else ''}upper bound {three_digits(high)}",
        f"{'lowest ' if len(lower) > 1 else ''}lower bound {three_digits(low)}",
    ]
    dashed = {"color": NEUTRAL_INK, "width": 1, "dash": "4px,3px"}
    return [
        quiet_line(np.array([0, steps]), np.full(2, high), "upper bound", dashed),
        quiet_line(np.array([0, steps]), np.full(2, low), "lower bound", dashed),
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


def lines_on_others(chosen: Sequence[pd.DataFrame]) -> tuple[dict[int, int], list[int]]:
    """Return the place of each line among those with its last weight, and the largest such group.

    Lines with one last weight, to three digits as shown, lie on each other from their last updates
    on. The first of them has place 0; the group is empty where no two lines share a weight.
    """
    same: dict[float, list[int]] = {}
    for place, part in enumerate(chosen):
        same.setdefault(round(float(part["weight"].iloc[-1]), 3), []).append(place)
    shared = {place: n for places in same.values() for n, place in enumerate(places)}
    largest = max(same.values(), key=len, default=[])
    return shared, largest if len(largest) > 1 else []


def weight_line(
    place: int,
    part: pd.DataFrame,
    steps: int,
    policy: FeedbackPolicy,
    selected: int | None,
    above: int = 0,
) -> dict[str, Any]:
    """Line of a hyperedge; `above` is how many lines it lies on."""
    strong = int(part["hyperedge"].iloc[0]) == selected
    feedback = part["feedback"].to_numpy()
    colour = _colour(part, policy)
    # A weight is constant until the next update, and after the last one until the end.
    x = np.append(part["step"].to_numpy(), steps)
    y = np.append(part["weight"].to_numpy(), part["weight"].iloc[-1])
    sizes = np.zeros(len(x))
    colours = [colour] * len(x)
    if len(part) <= _MOST_MARKS:
        sizes[:-1][~np.isnan(feedback)] = 8 if strong else 5
        colours[:-1] = [feedback_colour(value, policy) for value in feedback]
    moments = map(update_hover, part["step"], part["trace"], feedback)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines+markers",
        "line": {
            "shape": "hv",
            "width": (3 if strong else 1.75) + 2 * bool(above),
            "color": colour,
            # Gaps show the lines below; each has its own.
            **({"dash": f"4px,{8 * above}px"} if above else {}),
        },
        "marker": {"size": sizes, "color": colours, "opacity": 1, "line": {"width": 0}},
        "opacity": 1.0 if strong or selected is None else 0.4,
        "name": f"line {place}",
        "hovertext": line_hover(part),
        "customdata": [*moments, "after the last trace"],
        "hovertemplate": "%{hovertext}<br>%{customdata}: weight <b>%{y:.3f}</b><extra></extra>",
    }


def _colour(part: pd.DataFrame, policy: FeedbackPolicy) -> str:
    feedback = part["feedback"].to_numpy()
    known = feedback[~np.isnan(feedback)]
    return feedback_colour(float(known.mean()) if known.size else None, policy)


def line_hover(part: pd.DataFrame) -> str:
    """Hover text of a line: name, text, number of updates and bounds."""
    name, text = str(part["name"].iloc[0]), str(part["text"].iloc[0])
    count = int(part["updates"].iloc[0])
    lines = [f"<b>{escape_label(shortened(name, 80))}</b>"]
    if text and text != name:
        lines.append(wrapped(text))
    bounds = f"{three_digits(part['lower'].iloc[0])} to {three_digits(part['upper'].iloc[0])}"
    lines.append(f"{count} update{'' if count == 1 else 's'}, bounds {bounds}")
    return "<br>".join(lines)


def update_hover(step: int, trace: str, feedback: float) -> str:
    if step == 0:
        return "before the first trace"
    named = "" if trace == str(step) else f" ({escape_label(shortened(trace, 40))})"
    return f"trace {step}{named}, feedback {feedback_digits(feedback)}"


def end_labels(
    chosen: Sequence[pd.DataFrame],
    selected: int | None,
    pixels: int,
    extent: tuple[float, float],
    pixel: float,
) -> list[dict[str, Any]]:
    """Weight and name at the end of each line, spread vertically, with leader lines."""
    letters = max(3, int((pixels - LEADER_PIXELS - NUMBER_PIXELS) / LETTER_PIXELS))
    ends = np.array([part["weight"].iloc[-1] for part in chosen], dtype=np.float64)
    apart, half = LABEL_HEIGHT * pixel, LABEL_HEIGHT / 2 * pixel
    heights = spread_apart(ends, apart, extent[0] + half, extent[1] - half)
    texts = []
    for part, end in zip(chosen, ends, strict=True):
        name = visible_text(" ".join(str(part["name"].iloc[0]).split()))
        text = f"{three_digits(end)[:5]} {escape_label(shortened(name, letters))}"
        strong = int(part["hyperedge"].iloc[0]) == selected
        texts.append(f"<b>{text}</b>" if strong else text)
    # One trace for all leaders: end of the line, a bend, the label, then a gap.
    bend, stop = 4 / pixels, (LEADER_PIXELS - 4) / pixels
    x = np.tile([0.0, bend, stop, np.nan], len(chosen))
    y = np.array([[end, end, high, np.nan] for end, high in zip(ends, heights, strict=True)])
    return [
        quiet_line(x, y.reshape(-1), "leaders", {"width": 1, "color": NEUTRAL_INK})
        | {"xaxis": "x2", "yaxis": "y2"},
        {
            "type": "scatter",
            "x": np.full(len(chosen), LEADER_PIXELS / pixels),
            "y": heights,
            "xaxis": "x2",
            "yaxis": "y2",
            "mode": "text",
            "text": texts,
            "textposition": "middle right",
            "textfont": {"family": MONO, "size": LABEL_SIZE},
            "cliponaxis": False,
            "customdata": list(map(line_hover, chosen)),
            "hovertemplate": "%{customdata}<extra></extra>",
            "name": "labels",
        },
    ]
