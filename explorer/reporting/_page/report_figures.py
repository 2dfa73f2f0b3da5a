"""Figures of a report, each for a wide and for a narrow page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.feedback import FeedbackPolicy
from explorer.figures import (
    method_dots_spec,
    quality_map_spec,
    rank_curves_spec,
    score_bias_spec,
    score_histogram_spec,
    three_digits,
    threshold_curves_spec,
    weight_lines_spec,
)
from explorer.figures._style.score_axis import LOWEST, Scale
from explorer.figures._thresholds.quality_map import QUALITY_LOOKS, map_height
from explorer.reporting._analysis.best_point import best_point
from explorer.reporting._analysis.report_contents import MAPS, HeadMaps, ReportContents
from explorer.reporting._analysis.threshold_analysis import outcome_at
from explorer.validation._metrics.head_quality import chance_of

if TYPE_CHECKING:
    from explorer.validation._metrics.head_quality import Quality

WIDTHS = {"wide": 920, "narrow": 620}
"""Widths in pixels. Labels are placed for these widths, so the figures are not scaled."""

CURVES = ("precision", "recall", "f1")
MOST_LINES = 8
_SMALL = 0.05
"""Scores with a smaller median have a logarithmic axis."""


def drawings(found: ReportContents) -> dict[str, dict[str, dict[str, Any]]]:
    """Return every figure by name, as plotly dictionaries, for each of `WIDTHS`."""
    makers: dict[str, Callable[[int], dict[str, Any]]] = {
        "histogram": lambda width: _histogram(found, width),
        "curves": lambda width: _curves(found, width),
        "ranks": lambda width: _ranks(found, width),
        "dots": lambda width: method_dots_spec(found.comparison.baselines, width=width),
    }
    if found.comparison.position is not None or found.comparison.length is not None:
        makers["bias"] = lambda width: score_bias_spec(
            found.comparison.position,
            found.comparison.length,
            truth=found.analysis.judged.truth,
            width=width,
        )
    if isinstance(found.heads, HeadMaps):
        heads = found.heads
        for name in MAPS:
            makers[f"heads {name}"] = partial(_map, found, heads, name)
    if len(found.weights.order.keys):
        makers["weights"] = lambda width: _weights(found, width)
    if found.recommendation is not None:
        recommended = found.recommendation.table
        makers["recommended"] = lambda width: method_dots_spec(recommended, width=width)
    return {
        name: {size: make(width) for size, width in WIDTHS.items()} for name, make in makers.items()
    }


def scale_of(found: ReportContents) -> tuple[Scale, tuple[float, float] | None]:
    """Return scale and range of the score axis: logarithmic for small scores, else linear."""
    scores = found.analysis.judged.scores
    known = scores[np.isfinite(scores)]
    least, most = float(known.min()), float(known.max())
    if least < 0 or most > 1:
        return "linear", (least, most if most > least else least + 1)
    middle = min(float(np.median(known)), found.threshold)
    if middle >= _SMALL:
        return "linear", None
    # Attention over long contexts is smaller than the usual start of the axis.
    low = float(np.quantile(known[known > 0], 0.01)) if (known > 0).any() else LOWEST
    return "log", None if low >= LOWEST else (10 ** np.floor(np.log10(low)), 1.0)


def _shared(found: ReportContents, width: int) -> dict[str, Any]:
    scale, span = scale_of(found)
    return {
        "scale": scale,
        "span": span,
        "truth": found.analysis.judged.truth,
        "width": width,
        "threshold_line": True,
    }


def _histogram(found: ReportContents, width: int) -> dict[str, Any]:
    return score_histogram_spec(found.analysis.scores, found.threshold, **_shared(found, width))


def _curves(found: ReportContents, width: int) -> dict[str, Any]:
    swept, row = found.analysis.sweep, found.row(found.threshold)
    marked = best_point(found.analysis, found.objective)
    return threshold_curves_spec(
        swept.table,
        found.threshold,
        metrics=CURVES,
        chosen=marked.curve,
        best=marked.point,
        plateau=marked.plateau,
        tolerance=marked.tolerance,
        caption=marked.caption,
        reading={name: row[name] for name in CURVES},
        **_shared(found, width),
    )


def _ranks(found: ReportContents, width: int) -> dict[str, Any]:
    analysis = found.analysis
    return rank_curves_spec(
        analysis.roc,
        analysis.pr,
        analysis.ranking.prevalence,
        outcome_at(analysis, found.threshold).point,
        truth=analysis.judged.truth,
        width=width,
    )


def _map(found: ReportContents, heads: HeadMaps, name: Quality, width: int) -> dict[str, Any]:
    quality = heads.maps[name]
    layers, per_layer = quality.shape
    config = found.scores.config
    chosen = None
    if config is not None and config.method == "attention" and config.heads is None:
        chosen = (config.layer, config.head)
    figure = quality_map_spec(
        quality,
        name,
        chosen=chosen,
        chance=chance_of(name, heads.prevalence),
        truth=found.analysis.judged.truth,
        width=width,
        height=map_height(layers, 480),
    )
    figure["data"][0]["customdata"] = [
        [_hover(heads.maps, layer, head) for head in range(per_layer)] for layer in range(layers)
    ]
    return figure


def _hover(maps: Mapping[Any, Any], layer: int, head: int) -> str:
    return "<br>".join(
        f"{QUALITY_LOOKS[name].word} {three_digits(float(maps[name][layer, head]))}"
        for name in MAPS
    )


def _weights(found: ReportContents, width: int) -> dict[str, Any]:
    moves = found.weights
    lines = moves.lines(moves.most_moved(MOST_LINES))
    policy = FeedbackPolicy(min(1.0, max(0.0, found.threshold)))
    return weight_lines_spec(lines, moves.band(), policy, width=width)
