"""Marks of the score histogram: bars, single scores, shading, and hover columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures._style.label_text import three_digits
from explorer.figures._style.score_axis import Scale
from explorer.figures._style.theme import TRANSPARENT
from explorer.figures._thresholds.score_groups import ScoreGroups
from explorer.figures.colours import tinted, verdict_colour

_PALE = 0.38
"""Opacity of bars on the side of the threshold that is called not used."""


def bars(
    edges: NDArray[np.float64],
    tall: list[NDArray[np.float64]],
    threshold: float | None,
    scale: Scale,
) -> list[dict[str, Any]]:
    """Bars of both halves, used units upwards; strong from the threshold on, pale below it."""
    # plotly takes centre and width of a bar in scores, on a log axis as well.
    left, right = edges[:-1], edges[1:]
    gap = 0.08 * (right - left)
    seen = np.sqrt(left * right) if scale == "log" else (left + right) / 2
    strong = np.ones(len(seen), dtype=bool) if threshold is None else seen >= threshold
    traces = []
    for name, lengths, colour in (
        ("used", tall[0], verdict_colour("used")),
        ("not used", -tall[1], verdict_colour("not used")),
    ):
        pale = tinted(colour, _PALE)
        traces.append(
            {
                "type": "bar",
                "x": (left + right) / 2,
                "y": lengths,
                "width": right - left - gap,
                "marker": {
                    "color": [colour if one else pale for one in strong],
                    "line": {"width": 0},
                    "cornerradius": 1,
                },
                "name": name,
                "hoverinfo": "skip",
            }
        )
    return traces


def hover_columns(
    edges: NDArray[np.float64],
    counts: tuple[NDArray[np.intp], NDArray[np.intp]],
    reach: list[float],
    scale: Scale,
    words: tuple[str, str, str],
) -> dict[str, Any]:
    """Invisible columns over the whole height, so that short bars have a hover too."""
    texts = []
    ends = list(map(three_digits, edges.tolist()))
    used, not_used = (part.tolist() for part in counts)
    for at in range(len(ends) - 1):
        place = f"score {ends[at]} to {ends[at + 1]}"
        if at == 0 and scale == "log":
            place = f"score below {ends[1]}"
        elif at == len(ends) - 2 and edges[-1] < 1:
            place = f"score from {ends[at]} up"
        texts.append(f"{place}<br>{used[at]:,} {words[0]}<br>{not_used[at]:,} {words[1]}")
    return {
        "type": "bar",
        "x": (edges[:-1] + edges[1:]) / 2,
        "y": np.full(len(ends) - 1, reach[0] + reach[1]),
        "base": -reach[1],
        "width": np.diff(edges),
        "marker": {"color": TRANSPARENT, "line": {"width": 0}},
        "name": "bins",
        "customdata": texts,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def shade(reachable: float | None, low: float, high: float, reach: list[float]) -> dict[str, Any]:
    """Shading over the range of scores that units can reach."""
    end = low if reachable is None else float(min(max(reachable, low), high))
    return {
        "type": "scatter",
        "x": np.array([low, end, end, low]),
        "y": np.array([-reach[1], -reach[1], reach[0], reach[0]]),
        "mode": "lines",
        "fill": "toself",
        "fillcolor": "rgba(128,136,146,0.10)",
        "line": {"width": 0},
        "name": "reachable",
        "hoverinfo": "skip",
    }


def rug(
    scores: ScoreGroups, low: float, high: float, reach: list[float], *, shown: bool
) -> dict[str, Any]:
    """One stroke per score at the edge of its half, if there are few scores."""
    used, not_used = (scores.used, scores.not_used) if shown else (np.empty(0), np.empty(0))
    sizes = used.size, not_used.size
    colours = [verdict_colour("used")] * sizes[0] + [verdict_colour("not used")] * sizes[1]
    return {
        "type": "scatter",
        "x": np.clip(np.concatenate([used, not_used]), low, high),
        "y": np.repeat([0.95 * reach[0], -0.95 * reach[1]], sizes),
        "mode": "markers",
        "marker": {
            "symbol": "line-ns-open",
            "size": 9,
            "color": colours,
            "line": {"width": 1.5},
        },
        "name": "rug",
        "hoverinfo": "skip",
    }
