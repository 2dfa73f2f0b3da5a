"""Plots of the scores at every threshold: histogram, curves, rankings, and calls that change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from explorer.errors import ExplorerError
from explorer.figures import (
    changed_calls_spec,
    rank_curves_spec,
    score_histogram_spec,
    threshold_curves_spec,
)
from explorer.reporting._analysis.best_point import best_point
from explorer.reporting._analysis.threshold_analysis import ThresholdAnalysis, call_changes
from explorer.widgets._base.panel import Panel
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._plot.incremental_plot import WidePlot
from explorer.widgets._session import Session
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds.texts import PLOTS

THRESHOLDS = tuple(sorted(set(METHOD_THRESHOLDS.values())))
"""Names of all traits that are a threshold."""
_LEFT, _RIGHT = 620, 460
"""Widths before the page has reported them."""
_LOWEST = 1e-4
_OBJECTIVE = ("objective", "least_recall", "least_precision", "cost_ratio")
_MOST_CHANGES = 8
_CURVES = ("precision", "recall", "f1")


class ScorePlots(Panel):
    """Draws the scores in view against the threshold, which can be dragged."""

    TAB = "thresholds"
    session: Session

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self.thresholds = session.thresholds
        self.histogram = self._plot("histogram", self._draw_scores)
        self.curves = self._plot("curves", self._draw_scores)
        self.ranks = self._plot("ranks", self._draw_ranks)
        self.changes = self._plot("changes", self._draw_changes)
        for drawn in (self.histogram, self.curves):
            drawn.plot.observe(self._dragged, "line")
        self.changes.plot.observe(self._change_clicked, "clicked")
        # The table of changed calls is slower to draw: it follows a drag, once for many moves.
        self._later = Debouncer(self._draw_changes)
        shared = (*THRESHOLDS, "threshold_scale")
        self.draw_on(self._draw_scores, *shared, "reference_threshold", *_OBJECTIVE)
        self.draw_on(self._draw_ranks, *shared)
        self.draw_on(self._later.ask, *shared, "reference_threshold")
        for drawing in (self._draw_scores, self._draw_ranks, self._later.ask):
            self.draw_on(drawing, "analysis", of=session.thresholds)
        self.begin()

    def close(self) -> None:
        """Take the plots off every page."""
        self._later.close()
        super().close()

    def use(self, threshold: Any) -> None:
        """Set the threshold of the scores in view, clipped to 0 and 1."""
        if isinstance(threshold, int | float) and math.isfinite(threshold):
            value = min(1.0, max(0.0, float(threshold)))
            setattr(self.state, self.thresholds.threshold_name, value)

    def _plot(self, name: str, draw: Callable[[], None]) -> WidePlot:
        drawn = WidePlot(PLOTS[name], draw)
        self.keep(drawn.plot, f"ex-thresholds-{name}")
        return drawn

    @property
    def _analysis(self) -> ThresholdAnalysis | None:
        analysis: ThresholdAnalysis | None = self.thresholds.analysis
        return analysis

    def _draw_scores(self) -> None:
        analysis, outcome = self._analysis, self.thresholds.outcome
        for drawn in (self.histogram, self.curves):
            drawn.show(analysis is not None)
        if analysis is None or outcome is None:
            return
        threshold, scale = self.thresholds.threshold, self.thresholds.scale
        truth = analysis.judged.truth
        width = self.histogram.plot.width or _LEFT
        marked = best_point(analysis, self.state.threshold_objective)
        self.histogram.draw(
            score_histogram_spec(
                analysis.scores,
                threshold,
                truth=truth,
                reference=self.state.reference_threshold,
                scale=scale,
                width=width,
            )
        )
        self.curves.draw(
            threshold_curves_spec(
                analysis.sweep.table,
                threshold,
                metrics=_CURVES,
                chosen=marked.curve,
                best=marked.point,
                plateau=marked.plateau,
                tolerance=marked.tolerance,
                caption=marked.caption,
                reading={name: outcome.figures[name][0] for name in _CURVES},
                truth=truth,
                scale=scale,
                width=width,
            )
        )
        low = _LOWEST if scale == "log" else 0.0
        for drawn in (self.histogram, self.curves):
            drawn.plot.set_line(
                "x", max(low, threshold), minimum=low, maximum=1.0, name="threshold"
            )

    def _draw_ranks(self) -> None:
        analysis, outcome = self._analysis, self.thresholds.outcome
        self.ranks.show(analysis is not None)
        if analysis is None or outcome is None:
            return
        self.ranks.draw(
            rank_curves_spec(
                analysis.roc,
                analysis.pr,
                analysis.ranking.prevalence,
                outcome.point,
                truth=analysis.judged.truth,
                width=self.ranks.plot.width or _RIGHT,
            )
        )

    def _draw_changes(self) -> None:
        if not self.in_front:
            return
        analysis = self._analysis
        reference, threshold = self.state.reference_threshold, self.thresholds.threshold
        # Between equal thresholds there is an empty table, which says nothing.
        self.changes.show(analysis is not None and reference != threshold)
        if analysis is None or reference == threshold:
            return
        table = call_changes(analysis, reference, threshold)
        width = self.changes.plot.width or _LEFT
        self.changes.draw(
            changed_calls_spec(table, reference, threshold, slots=_MOST_CHANGES, width=width)
        )

    # gestures

    def _dragged(self, change: Mapping[str, Any]) -> None:
        value, threshold = change["new"], self.thresholds.threshold
        if value is None or value == threshold:
            return
        if self.thresholds.scale == "log" and value <= _LOWEST >= threshold:
            return  # the end of the axis stands for everything below it
        self.use(value)

    def _change_clicked(self, change: Mapping[str, Any]) -> None:
        """Open the trace of a call that changes, with its hyperedge pinned."""
        index, figure = (change["new"] or {}).get("index"), self.changes.figure
        if figure is None or not isinstance(index, int):
            return
        meta = figure["layout"]["meta"]
        if not 0 <= index < len(meta["units"]):
            return
        try:
            self.state.trace = meta["traces"][index]
            self.state.tab = "traces"
            self.state.selection = {"kind": "unit", "name": meta["units"][index]}
        except ExplorerError as error:
            self.session.jobs.tell(error)
