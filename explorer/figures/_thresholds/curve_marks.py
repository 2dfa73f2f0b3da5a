"""Marks of the curves over the threshold: lines, intervals, best point, plateau, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures._style.label_text import three_digits
from explorer.figures._style.line_labels import line_label_positions
from explorer.figures._style.score_axis import Scale
from explorer.figures._style.theme import LABEL_SIZE
from explorer.figures.colours import MONO, NEUTRAL_INK, tinted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CurveLook:
    """Name, colour and dash of a measure; each measure has its own dash."""

    word: str
    colour: str
    dash: str


CURVE_LOOKS: Mapping[str, CurveLook] = {
    "f1": CurveLook("F1", "#7a66f0", "solid"),
    "mcc": CurveLook("MCC", "#3b86cf", "7px,3px"),
    "youden": CurveLook("Youden J", "#c4519a", "2px,3px"),
    "precision": CurveLook("precision", "#3b86cf", "10px,3px,2px,3px"),
    "recall": CurveLook("recall", "#c4519a", "4px,2px"),
    "coverage": CurveLook("coverage", "#868d96", "1px,4px"),
}
"""Measures of a sweep by the name of their column."""


def interval_band(x: NDArray[np.float64], sweep: pd.DataFrame, name: str, *, strong: bool) -> Any:
    """A filled band between the bounds of a measure; empty if the sweep has no intervals."""
    edges = np.empty(0), np.empty(0)
    if f"{name}_low" in sweep and f"{name}_high" in sweep:
        low, high = (sweep[f"{name}_{end}"].to_numpy(dtype=np.float64) for end in ("low", "high"))
        known = ~(np.isnan(low) | np.isnan(high))
        edges = (
            np.concatenate([x[known], x[known][::-1]]),
            np.concatenate([high[known], low[known][::-1]]),
        )
    return {
        "type": "scatter",
        "x": edges[0],
        "y": edges[1],
        "mode": "lines",
        "fill": "toself",
        "fillcolor": tinted(CURVE_LOOKS[name].colour, 0.2 if strong else 0.08),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": f"{name} band",
    }


def curve_line(
    x: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    sweep: pd.DataFrame,
    name: str,
    *,
    strong: bool,
) -> dict[str, Any]:
    """The curve of a measure over the thresholds, with value and interval on hover."""
    look = CURVE_LOOKS[name]
    values = sweep[name].to_numpy(dtype=np.float64).tolist()
    hovers = [f"<b>{three_digits(value)}</b>" for value in values]
    if f"{name}_low" in sweep and f"{name}_high" in sweep:
        ends = zip(sweep[f"{name}_low"].tolist(), sweep[f"{name}_high"].tolist(), strict=True)
        hovers = [
            f"{one} ({three_digits(low)} to {three_digits(high)})"
            for one, (low, high) in zip(hovers, ends, strict=True)
        ]
    return {
        "type": "scatter",
        "x": x,
        "y": np.array(values),
        "mode": "lines",
        "line": {"color": look.colour, "dash": look.dash, "width": 2.5 if strong else 1.5},
        "name": name,
        "customdata": [
            f"{look.word} {one}<br>threshold {three_digits(at)}"
            for one, at in zip(hovers, thresholds.tolist(), strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def plateau_bar(
    plateau: tuple[float, float] | None,
    low: float,
    high: float,
    extent: tuple[float, float],
    chosen: str,
) -> list[dict[str, Any]]:
    """A thick bar on the axis over the thresholds that are almost as good as the best."""
    ends = np.empty(0) if plateau is None else np.clip(plateau, low, high)
    return [
        {
            "type": "scatter",
            "x": ends,
            "y": np.full(len(ends), extent[0] + 0.012 * (extent[1] - extent[0])),
            "mode": "lines",
            "line": {"color": CURVE_LOOKS[chosen].colour, "width": 6},
            "hoverinfo": "skip",
            "name": "plateau",
        }
    ]


def peak_ring(
    peak: tuple[float, float] | None, span: tuple[float, float], scale: Scale
) -> dict[str, Any]:
    """A ring around the best point with its value above; `span` is the range of the axis."""
    x, y, side = [], [], "center"
    if peak is not None:
        x, y = [max(peak[0], span[0])], [peak[1]]
        share = float(np.diff(_along([span[0], x[0]], scale))[0] / np.diff(_along(span, scale))[0])
        side = "right" if share < 0.06 else "left" if share > 0.94 else "center"
    return {
        "type": "scatter",
        "x": np.array(x),
        "y": np.array(y),
        "mode": "markers+text",
        "marker": {
            "symbol": "circle-open",
            "size": 10,
            "color": NEUTRAL_INK,
            "line": {"width": 2},
        },
        "text": [three_digits(value) for value in y],
        "textposition": f"top {side}",
        "textfont": {"family": MONO, "size": LABEL_SIZE},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "best",
    }


def _along(scores: Any, scale: Scale) -> NDArray[np.float64]:
    """Convert scores to places along the axis."""
    places = np.asarray(scores, dtype=np.float64)
    return np.log(np.maximum(places, 1e-300)) if scale == "log" else places


def curve_names(
    x: NDArray[np.float64],
    values: Mapping[str, NDArray[np.float64]],
    size: tuple[float, float],
    span: tuple[float, float],
    extent: tuple[float, float],
    scale: Scale,
    peak: tuple[float, float] | None,
) -> dict[str, Any]:
    """A text trace with the name of each curve, placed far from the other curves."""
    ends = _along(span, scale)

    def across(at: Any) -> Any:
        return (_along(at, scale) - ends[0]) / (ends[1] - ends[0]) * size[0]

    pixel = size[1] / (extent[1] - extent[0])
    lines = [(across(x), (values[name] - extent[0]) * pixel) for name in values]
    taken = [(0.0, size[0], -20.0, 10.0)]  # the plateau lies on the axis
    if peak is not None:
        middle, above = float(across(max(peak[0], span[0]))), (peak[1] - extent[0]) * pixel
        taken.append((middle - 36, middle + 36, above - 6, above + 24))
    words = [CURVE_LOOKS[name].word for name in values]
    places = np.array(line_label_positions(lines, words, size, taken)).reshape(-1, 2)
    along = places[:, 0] / size[0] * (ends[1] - ends[0]) + ends[0]
    return {
        "type": "scatter",
        "x": np.exp(along) if scale == "log" else along,
        "y": places[:, 1] / pixel + extent[0],
        "mode": "text",
        "text": words,
        "textposition": "middle center",
        "textfont": {"size": LABEL_SIZE, "color": [CURVE_LOOKS[name].colour for name in values]},
        "hoverinfo": "skip",
        "name": "names",
    }


def curve_extent(values: Mapping[str, NDArray[np.float64]]) -> tuple[float, float]:
    """Range of the value axis in steps, so that curves of many heads share a few ranges."""
    finite = np.concatenate([part[np.isfinite(part)] for part in values.values()])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.5)
    bottom = min(0.0, np.floor(low / 0.1 + 0.4) * 0.1)
    top = next((step for step in (0.25, 0.5, 0.75) if high <= step - 0.03), 1.0)
    return float(bottom) - 0.04 * (top - bottom), float(top) + 0.04 * (top - bottom)


def curve_ticks(extent: tuple[float, float]) -> dict[str, Any]:
    """Ticks of the value axis."""
    step = 0.25 if extent[1] - extent[0] > 0.6 else 0.1
    ticks = [round(step * at, 2) for at in range(-10, 11) if extent[0] <= step * at <= extent[1]]
    words = [f"{tick:g}".replace("-", "\u2212").replace("0.", ".") for tick in ticks]
    return {"tickvals": ticks, "ticktext": words}
