"""The analysis in view compared with baselines and with cross-validated thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets as t

from explorer.reporting._analysis.threshold_analysis import (
    EMBEDDING_BASELINES,
    TEXT_BASELINES,
    BaselineComparison,
    compare_with_baselines,
)
from explorer.widgets._base.controller import Controller
from explorer.widgets._base.result_cache import ResultCache
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._traces._feedback.scores_controller import MOST_TABLES
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    from explorer.validation._comparison.baselines import Baseline


class BaselinesController(Controller):
    """Compares the analysis in view with baselines, while the thresholds tab is in front."""

    JOB = "baselines"
    FOLLOWS = ("tab",)

    comparison = t.Any(None, allow_none=True, help="The `BaselineComparison` of an analysis.")
    embedded = t.Bool(False, help="Whether baselines that need the embedding model take part.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        thresholds: ThresholdsController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.thresholds = thresholds
        self._wanted: tuple[object, bool] | None = None  # in view or under way
        self._comparisons: ResultCache[BaselineComparison] = ResultCache(MOST_TABLES)
        self.follow(traces, lambda _: self._comparisons.clear(), "loaded")
        self.follow(thresholds, lambda _: self.refresh(), "analysis")

    @property
    def names(self) -> tuple[Baseline, ...]:
        """Names of the baselines that take part."""
        names = (*TEXT_BASELINES, *EMBEDDING_BASELINES) if self.embedded else TEXT_BASELINES
        if self.state.method != "lexical":
            return names
        return tuple(name for name in names if name != "lexical-overlap")  # the same scores

    def embed(self) -> None:
        """Add the baselines that need the embedding model."""
        self.embedded = True
        self.refresh()

    def refresh(self) -> None:
        """Compare the analysis in view, unless that is in view or under way."""
        analysis, traces = self.thresholds.analysis, self.traces.loaded
        if analysis is None or traces is None:
            self.cancel()
            self._wanted = self.comparison = None
            return
        if self.state.tab != "thresholds":
            self.cancel()
            if self.comparison is None or self.comparison.of is not analysis.judged:
                self._wanted = None
            return
        key = (analysis.judged, self.embedded)
        if key == self._wanted:
            return
        self._wanted = key
        known = self._comparisons.get(key)
        if known is not None:
            self.cancel()
            self.comparison = known
            return
        name, names = self.thresholds.name_in_view, self.names

        def work(job: Job) -> BaselineComparison:
            return compare_with_baselines(
                traces,
                analysis.judged,
                name,
                names,
                control=job.control,
            )

        def done(comparison: BaselineComparison) -> None:
            self._comparisons[key] = comparison
            self.comparison = comparison

        self.run(work, done, message=texts.COMPARING_BASELINES)
