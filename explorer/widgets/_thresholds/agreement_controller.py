"""Agreement of the scores in view with other methods, each at a threshold of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from explorer.validation._data.score_builder import own_scores
from explorer.validation._metrics.confusion import reaches
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.baselines_controller import BaselinesController
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._traces._feedback.methods_controller import MethodsController
from explorer.widgets._traces._feedback.scores_controller import ScoresController
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Agreement


class MethodScores(NamedTuple):
    """Scores of a method for every hyperedge of all traces, NaN where it has none of its own."""

    scores: NDArray[np.float32]
    groups: NDArray[np.intp]

    @classmethod
    def of(cls, table: pd.DataFrame) -> MethodScores:
        """Return the scores of a table of `FeedbackExtractor.explain_traces`."""
        import pandas as pd

        own = own_scores(table).astype(np.float32)
        return cls(own, pd.factorize(table["trace"])[0].astype(np.intp))

    def calls(self, threshold: float) -> NDArray[np.float64]:
        """Return 1 for used, 0 for not used, NaN for unknown."""
        return np.where(np.isnan(self.scores), np.nan, reaches(self.scores, threshold))


class AgreementController(Controller):
    """Scores all traces by citation, and on request by embedding, to compare their calls.

    A change of a threshold starts no job.
    """

    JOB = "agreement"

    others = t.Dict(help="Method -> `MethodScores` of the loaded traces.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        methods: MethodsController,
        scores: ScoresController,
        thresholds: ThresholdsController,
        baselines: BaselinesController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.methods = methods
        self.scores = scores
        self.thresholds = thresholds
        self.baselines = baselines
        self._in_view: tuple[pd.DataFrame, MethodScores] | None = None
        self.follow(traces, lambda _: self._start_over(), "loaded")
        self.follow(thresholds, lambda _: self.refresh(), "analysis")
        self.follow(baselines, lambda _: self.refresh(), "comparison")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Methods to compare with; the embedding needs a model, and is added on request."""
        names = ("citation", "embedding") if self.baselines.embedded else ("citation",)
        return tuple(name for name in names if name != self.state.method)

    def refresh(self) -> None:
        """Score by the other methods, unless that is known or under way."""
        traces = self.traces.loaded
        missing = [name for name in self.wanted if name not in self.others]
        if self.thresholds.analysis is None or traces is None or not missing or self.running:
            return
        extractors = {name: self.methods.extractor(name, alone=True) for name in missing}

        def work(job: Job) -> dict[str, MethodScores]:
            return {
                name: MethodScores.of(
                    asyncio.run(extractor.explain_traces(traces, control=job.control))
                )
                for name, extractor in extractors.items()
            }

        def done(found: dict[str, MethodScores]) -> None:
            self.others = self.others | found
            self.refresh()

        self.run(work, done, message=texts.COMPARING_METHODS)

    def agreements(self) -> dict[str, Agreement]:
        """Return the agreement of each other method with the scores in view, by method."""
        from explorer.validation import call_agreement

        own = self._scores_in_view()
        if own is None:
            return {}
        calls = own.calls(self.thresholds.threshold)
        found = {}
        for name in self.wanted:
            other: Any = self.others.get(name)
            if other is not None and len(other.scores) == len(calls):
                theirs = other.calls(float(getattr(self.state, METHOD_THRESHOLDS[name])))
                found[name] = call_agreement(calls, theirs, own.groups)
        return found

    def _start_over(self) -> None:
        """Forget scores of other traces, and those under way."""
        self.cancel()
        self.others = {}
        self.refresh()

    def _scores_in_view(self) -> MethodScores | None:
        """Return the scores in view, also while those of another choice are under way."""
        key = self.thresholds.key_of_scores
        table = None if key is None else self.scores.known(key)
        if table is None:
            return None
        if self._in_view is None or self._in_view[0] is not table:
            self._in_view = table, MethodScores.of(table)
        return self._in_view[1]
