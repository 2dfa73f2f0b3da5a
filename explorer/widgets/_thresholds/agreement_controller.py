"""How far the chosen method calls what other methods call: agreement, which is no truth."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from explorer.run_control import RunControl
from explorer.validation._data.score_builder import own_scores
from explorer.validation._metrics.confusion import reaches
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import pass_on
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._thresholds.scores_controller import ScoresController
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.methods_controller import MethodsController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Agreement

LANE = "agreement"


class OwnScores(NamedTuple):
    """Scores of a method for every hyperedge of all traces, NaN where it has none of its own."""

    scores: NDArray[np.float32]
    groups: NDArray[np.intp]

    @classmethod
    def of(cls, table: pd.DataFrame) -> OwnScores:
        """Read the table of `FeedbackExtractor.explain_traces`."""
        import pandas as pd

        own = own_scores(table).astype(np.float32)
        return cls(own, pd.factorize(table["trace"])[0].astype(np.intp))

    def calls(self, threshold: float) -> NDArray[np.float64]:
        """1 for used, 0 for not used, NaN for what is not known."""
        return np.where(np.isnan(self.scores), np.nan, reaches(self.scores, threshold))


class AgreementController(t.HasTraits):
    """Scores all traces by citation, and by embedding when asked, beside the chosen method.

    Each is called by a threshold of its own, so that moving one starts nothing.
    """

    others = t.Dict(help="Method -> `OwnScores`, for the loaded traces.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        methods: MethodsController,
        scores: ScoresController,
        thresholds: ThresholdsController,
    ) -> None:
        super().__init__()
        self.state = state
        self.jobs = jobs
        self.traces = traces
        self.methods = methods
        self.scores = scores
        self.thresholds = thresholds
        self._own: tuple[pd.DataFrame, OwnScores] | None = None
        traces.observe(lambda _: self._again(), names="loaded")
        thresholds.observe(lambda _: self.refresh(), names=["analysis", "comparison"])

    @property
    def wanted(self) -> tuple[str, ...]:
        """The methods to compare with; the embedding needs a model, and somebody who asks."""
        names = ("citation", "embedding") if self.thresholds.embedded else ("citation",)
        return tuple(name for name in names if name != self.state.method)

    def _again(self) -> None:
        """Forget what is known of other traces, and what would be; these may be judged already."""
        self.jobs.runner.cancel(LANE)
        self.others = {}
        self.refresh()

    def refresh(self) -> None:
        """Score by the other methods, unless that is known or under way."""
        traces = self.traces.loaded
        missing = [name for name in self.wanted if name not in self.others]
        if self.thresholds.analysis is None or traces is None or not missing:
            return
        if self.jobs.runner.running(LANE):
            return
        extractors = {name: self.methods.extractor(name, alone=True) for name in missing}

        def work(job: Job) -> dict[str, OwnScores]:
            return {
                name: OwnScores.of(
                    asyncio.run(
                        extractor.explain_traces(
                            traces, control=RunControl(lambda p: pass_on(job, p), job.cancel)
                        )
                    )
                )
                for name, extractor in extractors.items()
            }

        def done(found: dict[str, OwnScores]) -> None:
            self.others = self.others | found
            self.refresh()

        self.jobs.runner.start(
            LANE, work, done=done, failed=self.jobs.tell, message="calling by other methods"
        )

    def found(self) -> dict[str, Agreement]:
        """Return how far each of the others agrees with the scores in view, at their thresholds."""
        from explorer.validation import call_agreement

        own = self._of_those_in_view()
        if own is None:
            return {}
        calls = own.calls(float(getattr(self.state, self.thresholds.threshold_name)))
        found = {}
        for name in self.wanted:
            other: Any = self.others.get(name)
            if other is not None and len(other.scores) == len(calls):
                theirs = other.calls(float(getattr(self.state, METHOD_THRESHOLDS[name])))
                found[name] = call_agreement(calls, theirs, own.groups)
        return found

    def _of_those_in_view(self) -> OwnScores | None:
        """The scores that are judged in view, also while those of another choice are under way."""
        key = self.thresholds.key_of_scores
        table = None if key is None else self.scores.known(key)
        if table is None:
            return None
        if self._own is None or self._own[0] is not table:
            self._own = table, OwnScores.of(table)
        return self._own[1]
