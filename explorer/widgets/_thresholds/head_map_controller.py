"""How well every layer and head separates used from unused hyperedges, over all loaded traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import traitlets as t

from explorer.errors import ExplorerError
from explorer.widgets._base.controller import Controller
from explorer.widgets._base.result_cache import ResultCache
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._traces._feedback.scores_controller import Key
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.label_controller import LabelController

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from explorer.validation import HeadScores
    from explorer.validation._data.truth import TruthKind
    from explorer.validation._metrics.head_quality import Quality

_MOST_MAPS = 12


@dataclass(frozen=True, eq=False)
class HeadMap:
    """The quality of every head.

    Attributes
    ----------
    key
        The settings that it was computed from.
    truth
        What the heads are judged by.
    measure
        As `explorer.validation.quality_map` has it.
    values
        float64, shape (layers, heads).
    chance
        The value that uninformative scores reach.
    """

    key: Key
    truth: TruthKind
    measure: Quality
    values: NDArray[np.float64]
    chance: float

    @classmethod
    def of(cls, heads: HeadScores, measure: Quality, key: Key) -> HeadMap:
        """Compute the quality of every head.

        Raises
        ------
        ValidationError
            As `explorer.validation.quality_map`.
        """
        from explorer.validation import quality_map
        from explorer.validation._metrics.head_quality import chance_of

        chance = chance_of(measure, heads.prevalence)
        return cls(key, heads.truth, measure, quality_map(heads, measure), chance)


class HeadMapController(Controller):
    """Computes the map of heads while the thresholds tab is in front, and remembers the latest.

    Another measure of the same heads needs no new scores.
    """

    JOB = "heads"
    FOLLOWS = (
        "tab", "trace_scene", "reduction", "normalisation", "truth", "least_drop", "quality",
    )  # fmt: skip

    map = t.Any(None, allow_none=True, help="The `HeadMap` in view.")
    refused = t.Unicode("", help="Why there is no map.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        labels: LabelController,
        thresholds: ThresholdsController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.thresholds = thresholds
        self._wanted: Key | None = None  # in view or under way
        self._scores: ResultCache[HeadScores] = ResultCache(1)
        self._maps: ResultCache[HeadMap] = ResultCache(_MOST_MAPS)
        self.follow(traces, lambda _: self._start_over(), "loaded")
        self.follow(labels, lambda _: self._start_over(), "labelled")

    @property
    def scores_in_view(self) -> HeadScores | None:
        """The scores of every head that the map in view was made from; None if there are none."""
        return None if self.map is None else self._scores.get(self.map.key[:-1])

    def refresh(self) -> None:
        """Compute the map that is chosen, unless it is in view or under way."""
        traces, state = self.traces.loaded, self.state
        if not self._begun or traces is None:
            return
        if state.tab != "thresholds" or not len(traces):
            self._rest()
            if not len(traces):
                self.map = None
            return
        if state.trace_scene is None:
            return
        settings = (state.reduction, state.normalisation, *self.thresholds.truth)
        key = (traces, *settings, state.quality)
        if key != self._wanted:
            self._wanted = key
            self._compute(key)

    def stopped(self) -> None:
        """Forget a job that the user stopped, so that the next change starts it again."""
        if not self.running and self.map is None:
            self._wanted = None

    def _start_over(self) -> None:
        """Compute again: traces or labels have changed."""
        self._scores.clear()
        self._maps.clear()
        self._wanted = None
        self.refresh()

    def _rest(self) -> None:
        """Cancel what is not in view; `refresh` takes it up again."""
        self.cancel()
        if self.map is None or self.map.key != self._wanted:
            self._wanted = None

    def _compute(self, key: Key) -> None:
        known = self._maps.get(key)
        if known is not None:
            self.cancel()
            self._show(known)
            return
        traces, reduction, normalisation, truth, least_drop, measure = key
        key_of_scores = key[:-1]
        scored = self._scores.get(key_of_scores)

        def work(job: Job) -> tuple[HeadScores, HeadMap]:
            from explorer.validation import Truth, head_scores

            heads = scored
            if heads is None:
                heads = head_scores(
                    traces,
                    reduction,
                    normalisation,
                    truth=Truth(kind=truth, least_drop=least_drop),
                    control=job.control,
                )
            return heads, HeadMap.of(heads, measure, key)

        def done(found: tuple[HeadScores, HeadMap]) -> None:
            self._scores[key_of_scores] = found[0]
            self._maps[key] = found[1]
            self._show(found[1])

        def failed(error: BaseException) -> None:
            self.map = None
            if isinstance(error, ExplorerError):
                self.refused = str(error)
            else:
                self.jobs.tell(error)

        self.run(work, done, failed=failed, message=texts.EVALUATING_HEADS)

    def _show(self, found: HeadMap) -> None:
        self.refused = ""
        self.map = found
