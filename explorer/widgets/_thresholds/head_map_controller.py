"""How well every layer and head tells the used hyperedges, over all loaded traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import traitlets as t

from explorer.errors import ExplorerError
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import pass_on
from explorer.widgets._thresholds.scores_controller import Key, Recent, same_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from explorer.traces import TraceSet
    from explorer.validation import HeadScores
    from explorer.validation._data.labelled_scores import Truth
    from explorer.validation._metrics.head_quality import Quality

LANE = "heads"


@dataclass(frozen=True, eq=False)
class HeadMap:
    """How every head is judged.

    Attributes
    ----------
    key
        What it is of.
    truth
        What the heads are judged by.
    measure
        As `explorer.validation.quality_map` has it.
    values
        float64, shape (layers, heads).
    chance
        What scores that say nothing would reach.
    """

    key: Key
    truth: Truth
    measure: Quality
    values: NDArray[np.float64]
    chance: float

    @classmethod
    def of(cls, heads: HeadScores, measure: Quality, key: Key) -> HeadMap:
        """Judge the heads.

        Raises
        ------
        ValidationError
            As `explorer.validation.quality_map`.
        """
        from explorer.validation import quality_map
        from explorer.validation._metrics.head_quality import chance_of

        chance = chance_of(measure, heads.prevalence)
        return cls(key, heads.truth, measure, quality_map(heads, measure), chance)


class HeadMapController(t.HasTraits):
    """Judges every head when it is asked to, off the UI thread, and remembers the latest maps.

    Another measure of the same heads needs no new scores of them.
    """

    map = t.Any(None, allow_none=True, help="The `HeadMap` in view.")
    refused = t.Unicode("", help="Why there is no map.")

    def __init__(self, jobs: JobManager) -> None:
        super().__init__()
        self.jobs = jobs
        self._wanted: Key | None = None  # what is in view, or asked for
        self._scores: Recent[HeadScores] = Recent(most=1)
        self._maps: Recent[HeadMap] = Recent(most=12)

    def refresh(
        self,
        traces: TraceSet,
        config: Mapping[str, Any],
        truth: Truth,
        least_drop: float,
        measure: Quality,
    ) -> None:
        """Judge the heads, unless their map is in view already or under way."""
        key = (traces, config["reduction"], config["normalisation"], truth, least_drop, measure)
        if not same_key(key, self._wanted):
            self._wanted = key
            self._work_out(key)

    def clear(self) -> None:
        """Remember nothing: traces or labels have changed."""
        self._scores.clear()
        self._maps.clear()
        self._wanted = None

    def rest(self) -> None:
        """Leave what is under way; it is taken up again when somebody asks."""
        self.jobs.runner.cancel(LANE)
        if self.map is None or not same_key(self.map.key, self._wanted):
            self._wanted = None

    def stopped(self) -> None:
        """Forget what the user stopped, so that the next change asks for it again."""
        if not self.jobs.runner.running(LANE) and self.map is None:
            self._wanted = None

    def _work_out(self, key: Key) -> None:
        known = self._maps.get(key)
        if known is not None:
            self.jobs.runner.cancel(LANE)
            self._show(known)
            return
        traces, reduction, normalisation, truth, least_drop, measure = key
        of_heads = key[:-1]
        scored = self._scores.get(of_heads)

        def work(job: Job) -> tuple[HeadScores, HeadMap]:
            from explorer.validation import head_scores

            heads = scored
            if heads is None:
                heads = head_scores(
                    traces,
                    reduction,
                    normalisation,
                    truth=truth,
                    least_drop=least_drop,
                    progress=lambda p: pass_on(job, p),
                    cancel=job.cancel,
                )
            return heads, HeadMap.of(heads, measure, key)

        def done(found: tuple[HeadScores, HeadMap]) -> None:
            self._scores.put(of_heads, found[0])
            self._maps.put(key, found[1])
            self._show(found[1])

        def failed(error: BaseException) -> None:
            self.map = None
            if isinstance(error, ExplorerError):
                self.refused = str(error)
            else:
                self.jobs.tell(error)

        self.jobs.runner.start(LANE, work, done=done, failed=failed, message="judging every head")

    def _show(self, found: HeadMap) -> None:
        self.refused = ""
        self.map = found
