"""Marks of the ranking figure: curves with bands and names, points, and the line of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures._style.label_text import escape_label, shortened, three_digits
from explorer.figures._style.line_labels import line_label_positions
from explorer.figures._style.score_axis import BAND
from explorer.figures._style.theme import LABEL_SIZE
from explorer.figures._thresholds.rank_curve import OperatingPoint, RankCurve
from explorer.figures.colours import ACCENT, NEUTRAL_INK
from explorer.source import visible_text

_COLOUR = "#7a66f0"

_QUIET = "#a4abb3"

_LETTER_PIXELS = 6.0


def panel_traces(
    name: str,
    curve: RankCurve,
    baselines: Sequence[RankCurve],
    chance_x: NDArray[np.float64],
    chance_y: NDArray[np.float64],
    size: tuple[float, float],
    axes: tuple[str, str],
) -> list[dict[str, Any]]:
    here = {"xaxis": axes[0], "yaxis": axes[1]}

    def line(x: Any, y: Any, called: str, **look: Any) -> dict[str, Any]:
        return {
            "type": "scatter",
            "x": x,
            "y": y,
            "mode": "lines",
            "line": look,
            "hoverinfo": "skip",
            "name": called,
            **here,
        }

    edges = np.empty(0), np.empty(0)
    if curve.low is not None and curve.high is not None:
        sure = ~(np.isnan(curve.low) | np.isnan(curve.high))
        edges = (
            np.concatenate([curve.x[sure], curve.x[sure][::-1]]),
            np.concatenate([curve.high[sure], curve.low[sure][::-1]]),
        )
    drawn = [curve, *baselines]
    # Names of baselines avoid each other, the curve and the chance line.
    lines = [(one.x * size[0], one.y * size[1]) for one in drawn]
    lines.append((chance_x * size[0], chance_y * size[1]))
    word = "chance" if name == "roc" else "prevalence"
    if name == "pr" and chance_y.size:
        word += f" {three_digits(float(chance_y[0]))}"
    words = ["", *(_short(one.name) for one in baselines), word]
    places = line_label_positions(lines, words, size, [(0.0, size[0], -20.0, 4.0)])
    texts = words[1:]
    across, up = ("false alarms", "recall") if name == "roc" else ("recall", "precision")
    return [
        line(*edges, f"{name} band", width=0) | {"fill": "toself", "fillcolor": BAND},
        line(chance_x, chance_y, f"{name} chance", width=1, color=NEUTRAL_INK, dash="4px,3px"),
        *(
            line(one.x, one.y, f"{name} baseline {place}", width=1, color=_QUIET)
            for place, one in enumerate(baselines)
        ),
        line(curve.x, curve.y, name, width=2.5, color=_COLOUR)
        | {
            "customdata": [
                f"{across} {x:.3f}, {up} {y:.3f}" for x, y in zip(curve.x, curve.y, strict=True)
            ],
            "hoverinfo": "text",
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        {
            "type": "scatter",
            "x": np.array([x / size[0] for x, _ in places[1:]]),
            "y": np.array([y / size[1] for _, y in places[1:]]),
            "mode": "text",
            "text": texts,
            "textposition": "middle center",
            "textfont": {"size": LABEL_SIZE, "color": NEUTRAL_INK},
            "hoverinfo": "skip",
            "name": f"{name} names",
            **here,
        },
    ]


def _short(name: str) -> str:
    return escape_label(shortened(visible_text(name), 20))


def point_traces(at: OperatingPoint | None, *, known: bool) -> list[dict[str, Any]]:
    shown = at is not None and known
    places = {
        "roc": (at.false_alarms, at.recall) if at is not None and shown else (np.nan, np.nan),
        "pr": (at.recall, at.precision) if at is not None and shown else (np.nan, np.nan),
    }
    return [
        {
            "type": "scatter",
            "x": np.array([x]),
            "y": np.array([y]),
            "mode": "markers",
            "marker": {"size": 11, "color": ACCENT, "line": {"width": 0}},
            "cliponaxis": False,
            "hoverinfo": "skip",
            "name": f"{name} point",
            "xaxis": axes[0],
            "yaxis": axes[1],
        }
        for (name, (x, y)), axes in zip(places.items(), (("x", "y"), ("x2", "y2")), strict=True)
    ]


def readout_trace(
    at: OperatingPoint | None, y: float, room: float, truth: str, *, known: bool
) -> dict[str, Any]:
    """A text trace with the rates at the threshold; a trace can change without a new layout.

    The caption `truth` ends the same line of `room` pixels. Where both do not fit, the threshold,
    which the page shows elsewhere too, is left out.
    """
    text = " "
    if at is not None and known:
        rates = (
            f"recall {at.recall:.0%}, false alarms {at.false_alarms:.0%}, "
            f"precision {at.precision:.0%}"
        )
        at_threshold = f"at {three_digits(at.threshold)}"
        full = f"{at_threshold}: {rates}"
        text = (
            f"{at_threshold} nothing is called used"
            if np.isnan(at.precision)
            else full
            if (len(full) + 2 + len(truth)) * _LETTER_PIXELS <= room
            else rates
        )
    return {
        "type": "scatter",
        "x": np.array([0.0]),
        "y": np.array([y]),
        "xaxis": "x3",
        "yaxis": "y3",
        "mode": "text",
        "text": [text],
        "textposition": "middle right",
        "textfont": {"size": LABEL_SIZE, "color": ACCENT},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "here",
    }
