"""Figures: data in, plotly Figure (or PNG bytes) out. No widget, no state."""

from __future__ import annotations

from explorer.figures import colours
from explorer.figures.bars import feedback_bars, feedback_bars_spec
from explorer.figures.entities import entities_figure, entities_figure_spec
from explorer.figures.flips import flips, flips_spec
from explorer.figures.grid import head_grid
from explorer.figures.heatmap import heatmap
from explorer.figures.importance import importance
from explorer.figures.labelled_scores import LabelledScores
from explorer.figures.labels import escape_label, three_digits
from explorer.figures.method_dots import method_dots, method_dots_spec
from explorer.figures.methods import method_bars, methods_spec
from explorer.figures.operating_points import (
    OperatingPoint,
    RankCurve,
    rank_curves,
    rank_curves_spec,
)
from explorer.figures.pooling import block_of, pool_max
from explorer.figures.quality_map import quality_map_figure, quality_map_spec
from explorer.figures.score_bias import BiasBins, score_bias, score_bias_spec
from explorer.figures.score_histogram import score_histogram, score_histogram_spec
from explorer.figures.threshold_curves import threshold_curves, threshold_curves_spec
from explorer.figures.trajectory import weight_lines, weight_lines_spec

__all__ = [
    "BiasBins",
    "LabelledScores",
    "OperatingPoint",
    "RankCurve",
    "block_of",
    "colours",
    "entities_figure",
    "entities_figure_spec",
    "escape_label",
    "feedback_bars",
    "feedback_bars_spec",
    "flips",
    "flips_spec",
    "head_grid",
    "heatmap",
    "importance",
    "method_bars",
    "method_dots",
    "method_dots_spec",
    "methods_spec",
    "pool_max",
    "quality_map_figure",
    "quality_map_spec",
    "rank_curves",
    "rank_curves_spec",
    "score_bias",
    "score_bias_spec",
    "score_histogram",
    "score_histogram_spec",
    "three_digits",
    "threshold_curves",
    "threshold_curves_spec",
    "weight_lines",
    "weight_lines_spec",
]
