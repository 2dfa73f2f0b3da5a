"""Plots that no threshold changes, and the weights: map of heads, biases, baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from explorer.figures import method_dots_spec, quality_map_spec, score_bias_spec
from explorer.figures._thresholds.quality_map import map_height
from explorer.reporting._analysis.final_weights import FinalWeights, final_weights, hyperedges_of
from explorer.widgets._base.panel import Panel
from explorer.widgets._plot.incremental_plot import WidePlot
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds.texts import PLOTS
from explorer.widgets._traces._feedback.weights_view import weights_spec

if TYPE_CHECKING:
    from explorer.reporting._analysis.threshold_analysis import BaselineComparison

_LEFT, _RIGHT, _WHOLE = 620, 460, 1080
"""Widths before the page has reported them."""
_MAP_HEIGHT = 300


class ComparisonPlots(Panel):
    """Draws what the scores in view are compared with, and the weights that follow from them."""

    TAB = "thresholds"
    session: Session

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self.heads = self._plot("heads", self._draw_heads)
        self.weights = self._plot("weights", self._draw_weights)
        self.bias = self._plot("bias", self._draw_comparison)
        self.dots = self._plot("dots", self._draw_comparison)
        self.heads.plot.observe(self._head_clicked, "clicked")
        self._places: tuple[Any, Any, Any] | None = None
        self.draw_on(self._draw_heads, "layer", "head", "method", "heads")
        self.draw_on(self._draw_heads, "map", of=session.head_map)
        self.draw_on(self._draw_weights, "trajectory", "selection")
        self.draw_on(self._draw_weights, "analysis", of=session.thresholds)
        self.draw_on(self._draw_comparison, "comparison", of=session.baselines)
        self.begin()

    def _plot(self, name: str, draw: Callable[[], None]) -> WidePlot:
        drawn = WidePlot(PLOTS[name], draw)
        self.keep(drawn.plot, f"ex-thresholds-{name}")
        return drawn

    @property
    def final_weights(self) -> FinalWeights | None:
        """Where the weights end, by the truth in view."""
        moves, analysis = self.state.trajectory, self.session.thresholds.analysis
        if moves is None or analysis is None:
            return None
        known = self._places
        if known is None or known[0] is not moves.order or known[1] is not analysis.judged:
            places = hyperedges_of(moves.order, analysis.judged)
            known = self._places = (moves.order, analysis.judged, places)
        return final_weights(moves, analysis.judged, known[2])

    def _draw_heads(self) -> None:
        found = self.session.head_map.map
        # One cell says no more than the ROC-AUC in words.
        shown = found is not None and found.values.size > 1
        self.heads.show(shown)
        if found is None or not shown:
            return
        config, by_attention = self.session.methods.config(), self.state.method == "attention"
        one = by_attention and self.state.heads is None
        self.heads.draw(
            quality_map_spec(
                found.values,
                found.measure,
                chance=found.chance,
                truth=found.truth,
                chosen=(config["layer"], config["head"]) if one else None,
                width=self.heads.plot.width or _RIGHT,
                height=map_height(found.values.shape[0], _MAP_HEIGHT),
            )
        )

    def _draw_weights(self) -> None:
        figure = None
        if self.session.thresholds.analysis is not None:
            figure = weights_spec(self.state, self.weights.plot.width or _LEFT)
        self.weights.show(figure is not None)
        if figure is not None:
            self.weights.draw(figure)

    def _draw_comparison(self) -> None:
        comparison: BaselineComparison | None = self.session.baselines.comparison
        for drawn in (self.bias, self.dots):
            drawn.show(comparison is not None)
        if comparison is None:
            return
        self.bias.draw(
            score_bias_spec(
                comparison.position,
                comparison.length,
                truth=comparison.of.truth,
                width=self.bias.plot.width or _LEFT,
            )
        )
        width = self.dots.plot.width or _WHOLE
        self.dots.draw(method_dots_spec(comparison.baselines, width=width))

    def _head_clicked(self, change: Mapping[str, Any]) -> None:
        """Choose the layer and head of a cell of the map."""
        clicked, found = change["new"] or {}, self.session.head_map.map
        layer, head = clicked.get("y"), clicked.get("x")
        if found is None or not isinstance(layer, int) or not isinstance(head, int):
            return
        if 0 <= layer < found.values.shape[0] and 0 <= head < found.values.shape[1]:
            with self.state.batch():
                self.state.method = "attention"
                self.state.layer, self.state.head = layer, head
