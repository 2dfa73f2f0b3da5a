"""Figure of F1 and other measures over the threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.figures._style.label_text import three_digits
from explorer.figures._style.score_axis import (
    BELOW,
    LEFT,
    RIGHT,
    TOP,
    Scale,
    Truth,
    gutter_pixels,
    plot_share,
    score_layout,
    score_span,
    threshold_at,
    truth_terms,
)
from explorer.figures._style.theme import (
    LABEL_SIZE,
    TEXT_SIZE,
    note,
)
from explorer.figures._thresholds.curve_marks import (
    CURVE_LOOKS,
    curve_extent,
    curve_line,
    curve_names,
    curve_ticks,
    interval_band,
    peak_ring,
    plateau_bar,
)
from explorer.figures.colours import ACCENT, MONO, Theme

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_ROW = 19
_MOST_POINTS = 320


def threshold_curves(sweep: pd.DataFrame, threshold: float | None = None, **settings: Any) -> Any:
    """`threshold_curves_spec` as a Figure with a threshold line; takes the same parameters."""
    import plotly.graph_objects as go

    settings.setdefault("threshold_line", threshold is not None)
    figure: go.Figure = go.Figure(threshold_curves_spec(sweep, threshold, **settings))
    return figure


def threshold_curves_spec(
    sweep: pd.DataFrame,
    threshold: float | None = None,
    theme: Theme = "light",
    *,
    metrics: Sequence[str] = ("f1", "mcc", "youden"),
    chosen: str = "f1",
    best: tuple[float, float] | None = None,
    plateau: tuple[float, float] | None = None,
    tolerance: float | None = None,
    caption: str | None = None,
    reading: Mapping[str, float] | None = None,
    scale: Scale = "log",
    span: tuple[float, float] | None = None,
    truth: Truth = "labels",
    width: int = 700,
    height: int = 250,
    threshold_line: bool = False,
) -> dict[str, Any]:
    """Curves of quality measures over the threshold, with intervals.

    The chosen measure is drawn strong; a ring marks its best point, and a thick bar on the axis
    marks the plateau around it. The column at the right lists dash, name and value at the
    threshold of each measure.

    Parameters
    ----------
    sweep : pandas.DataFrame
        A row per threshold, rising: ``threshold``, a column for each metric, and ``<metric>_low``
        and ``<metric>_high`` where there are intervals. NaN leaves a gap.
    threshold : float, optional
        Threshold of the values at the right; only texts depend on it.
    theme : {"light", "dark"}
    metrics : sequence of str
        Columns to draw; each is a key of `CURVE_LOOKS`.
    chosen : str
        The metric whose best point and plateau are marked.
    best : (threshold, value), optional
        The best point. Default: the largest value of the chosen metric.
    plateau : (low, high), optional
        Range of thresholds that are almost as good as the best.
    tolerance : float, optional
        Largest loss on the plateau, named in the caption.
    caption : str, optional
        What is said of the best point, instead of its metric, value and threshold. With a caption
        and no `best`, no point is marked.
    reading : mapping of metric to float, optional
        Exact values at the threshold. Default: the nearest row of the sweep.
    scale, span, truth, width, height, threshold_line
        As in `score_histogram_spec`, whose axis this has at the
        same width.

    Returns
    -------
    dict
        ``layout.meta`` has ``metrics`` in drawing order and ``thresholds``; the clickable traces,
        named after metrics, have one point per threshold. The layout does not depend on the
        threshold.

    Raises
    ------
    InputError
        If a metric is unknown or missing in the sweep.
    """
    drawn = _checked(sweep, metrics, chosen)
    low, high = score_span(scale, span)
    truth_text = truth_terms(truth)[2]
    thinned = sweep.iloc[_kept(len(sweep))]
    thresholds = thinned["threshold"].to_numpy(dtype=np.float64)
    values = {name: thinned[name].to_numpy(dtype=np.float64) for name in drawn}
    extent = curve_extent(values)
    # A threshold of 0 is drawn at the edge of the log axis, like the dragged line.
    x = np.maximum(thresholds, low) if scale == "log" else thresholds
    size = plot_share(width) * (width - LEFT - RIGHT), float(height - TOP - BELOW)
    peak = best
    if best is None and caption is None:
        peak = _best_point(thresholds, values[chosen])
    # The chosen measure is drawn last, on top.
    over = [*(name for name in drawn if name != chosen), chosen]
    traces = [
        *(interval_band(x, thinned, name, strong=name == chosen) for name in over),
        *(curve_line(x, thresholds, thinned, name, strong=name == chosen) for name in over),
        *plateau_bar(plateau, low, high, extent, chosen),
        peak_ring(peak, (low, high), scale),
        curve_names(x, values, size, (low, high), extent, scale, peak),
        *_readout(
            drawn,
            chosen,
            sweep,
            threshold,
            reading,
            scale,
            (gutter_pixels(width), size[1]),
        ),
    ]
    return {
        "data": traces,
        "layout": score_layout(
            theme,
            title="threshold",
            yaxis={"range": list(extent), "showgrid": True, **curve_ticks(extent)},
            scale=scale,
            span=span,
            width=width,
            height=height,
            meta={"metrics": list(drawn), "thresholds": thresholds},
            shapes=(
                [threshold_at(threshold, low)] if threshold_line and threshold is not None else []
            ),
            annotations=_captions(chosen, peak, plateau, tolerance, truth_text, width, caption),
        ),
    }


def _checked(sweep: pd.DataFrame, metrics: Sequence[str], chosen: str) -> list[str]:
    drawn = list(dict.fromkeys([*metrics, chosen]))
    missing = [
        name for name in ["threshold", *drawn] if name not in sweep
    ] + [name for name in drawn if name not in CURVE_LOOKS]  # fmt: skip
    if missing:
        raise InputError(
            f"Curves are drawn from a sweep with the columns threshold and any of "
            f"{', '.join(CURVE_LOOKS)}; there is no {missing[0]!r}."
        )
    return drawn


def _kept(count: int) -> NDArray[np.intp]:
    """Indices of evenly spaced rows, at most `_MOST_POINTS`, including both ends."""
    if count <= _MOST_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, _MOST_POINTS).round().astype(np.intp))


def _best_point(
    thresholds: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[float, float] | None:
    if not np.isfinite(values).any():
        return None
    at = int(np.nanargmax(values))
    return float(thresholds[at]), float(values[at])


def _readout(
    drawn: Sequence[str],
    chosen: str,
    sweep: pd.DataFrame,
    threshold: float | None,
    reading: Mapping[str, float] | None,
    scale: Scale,
    size: tuple[float, float],
) -> list[dict[str, Any]]:
    """Traces of the column at the right: dash, name and value of each measure."""
    room, tall = size
    tops = np.minimum(28.0 + _ROW * np.arange(len(drawn)), tall - 6)
    numbers = [" "] * len(drawn)
    if threshold is not None and len(sweep):
        at = _nearest(sweep["threshold"].to_numpy(dtype=np.float64), threshold, scale)
        found = {name: float(sweep[name].iloc[at]) for name in drawn} | dict(reading or {})
        numbers = [_reading(found[name]) for name in drawn]
    words = {
        "type": "scatter",
        "xaxis": "x2",
        "yaxis": "y2",
        "mode": "text",
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    here = "at " + three_digits(threshold) if threshold is not None else " "
    samples = [
        {
            "type": "scatter",
            "x": np.array([10.0, 28.0]),
            "y": np.full(2, top),
            "xaxis": "x2",
            "yaxis": "y2",
            "mode": "lines",
            "line": {
                "color": CURVE_LOOKS[name].colour,
                "dash": CURVE_LOOKS[name].dash,
                "width": 2.5 if name == chosen else 1.5,
            },
            "hoverinfo": "skip",
            "name": f"{name} sample",
        }
        for name, top in zip(drawn, tops.tolist(), strict=True)
    ]
    return [
        *samples,
        {
            **words,
            "x": np.array([10.0]),
            "y": np.array([8.0]),
            "text": [here],
            "textposition": "middle right",
            "textfont": {"size": LABEL_SIZE, "color": ACCENT},
            "name": "here",
        },
        {
            **words,
            "x": np.full(len(drawn), 33.0),
            "y": tops,
            "text": [CURVE_LOOKS[name].word for name in drawn],
            "textposition": "middle right",
            "textfont": {"size": TEXT_SIZE},
            "name": "measures",
        },
        {
            **words,
            "x": np.full(len(drawn), float(room)),
            "y": tops,
            "text": numbers,
            "textposition": "middle left",
            "textfont": {"family": MONO, "size": LABEL_SIZE},
            "name": "readings",
        },
    ]


def _reading(value: float) -> str:
    """Format with three decimals; a dash for NaN."""
    return "\u2013" if np.isnan(value) else f"{value:.3f}".replace("-", "\u2212")


def _nearest(thresholds: NDArray[np.float64], threshold: float, scale: Scale) -> int:
    if scale == "log":
        logs = np.log(np.maximum(thresholds, 1e-12))
        return int(np.abs(logs - np.log(max(threshold, 1e-12))).argmin())
    return int(np.abs(thresholds - threshold).argmin())


def _captions(
    chosen: str,
    peak: tuple[float, float] | None,
    plateau: tuple[float, float] | None,
    tolerance: float | None,
    truth: str,
    width: int,
    caption: str | None,
) -> list[dict[str, Any]]:
    if peak is None and caption is None:
        why = "Nothing to measure: label some units as used and some as not used."
        return [note(why, x=0, y=0.6, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "bottom", "yshift": 8}
    if caption is None and peak is not None:
        word = CURVE_LOOKS[chosen].word
        caption = f"Best {word} {three_digits(peak[1])} at {three_digits(peak[0])}"
    if plateau is not None and width >= 480:
        ends = f"{three_digits(plateau[0])} to {three_digits(plateau[1])}"
        within = "" if tolerance is None else f" (within {tolerance:g})"
        more = f"; almost as good from {ends}{within}" if width >= 640 else f", plateau {ends}"
        caption = f"{caption}{more}"
    captions = [note(caption or "", x=0, xanchor="left", **above)]
    captions.append(note(truth, x=1, xanchor="right", **above))
    return captions
