"""Figures: data in, plotly Figure (or PNG bytes) out. No widget, no state."""

from __future__ import annotations

from explorer.figures import colours
from explorer.figures.bars import feedback_bars, feedback_bars_spec
from explorer.figures.entities import entities_figure, entities_figure_spec
from explorer.figures.grid import head_grid
from explorer.figures.heatmap import heatmap
from explorer.figures.importance import importance
from explorer.figures.labels import escape_label, three_digits
from explorer.figures.methods import method_bars, methods_spec
from explorer.figures.pooling import block_of, pool_max
from explorer.figures.trajectory import weight_lines, weight_lines_spec

__all__ = [
    "block_of",
    "colours",
    "entities_figure",
    "entities_figure_spec",
    "escape_label",
    "feedback_bars",
    "feedback_bars_spec",
    "head_grid",
    "heatmap",
    "importance",
    "method_bars",
    "methods_spec",
    "pool_max",
    "three_digits",
    "weight_lines",
    "weight_lines_spec",
]
