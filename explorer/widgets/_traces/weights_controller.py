"""How the hyperedges' weights move over all loaded traces at the chosen threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._thresholds.scores_controller import MIXED, ScoresController
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag._methods.extractor_config import ExtractorConfig
    from explorer.rag._weights.update_order import UpdateOrder
    from explorer.rag._weights.weight_trajectory import Trajectory

LANE = "weights"
MOST_TRACES = 5_000
"""The app shows how weights move over this many traces; a whole file is for `weight_trajectory`."""
_DELAY_S = 0.06
"""The page takes a while to draw weights, and what is quicker is not to wait for it."""
_AT_ONCE = 20_000
"""So many updates are followed at once; more are followed off the UI thread."""

_MOVED_BY = frozenset({*METHOD_THRESHOLDS.values(), "update_strategy"})
_DEPENDS_ON = _MOVED_BY | {
    "tab", "weight_view", "method", "layer", "head", "reduction", "normalisation", "heads",
    "trace_scene",
}  # fmt: skip


class _Ordered(NamedTuple):
    """A table of scores, and in which order their feedback arrives."""

    table: pd.DataFrame
    order: UpdateOrder


class WeightsController:
    """Keeps `state.trajectory` in step with what it depends on, while somebody looks at it.

    The scores of all traces come from the one who keeps them; moving the threshold only converts
    them anew, after what is quicker to follow it.
    """

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        scores: ScoresController,
        thresholds: ThresholdsController,
    ) -> None:
        self.state = state
        self.jobs = jobs
        self.traces = traces
        self.scores = scores
        self.thresholds = thresholds
        self._ordered: _Ordered | None = None
        self._followed: tuple[Any, ...] = ()
        self._again = False
        self._soon = Debouncer(self.refresh, _DELAY_S)
        state.observe(self._changed, names=list(_DEPENDS_ON))
        traces.observe(lambda _: self._soon.ask(), names="loaded")
        thresholds.observe(lambda _: self.refresh(), names="analysis")

    @property
    def looked_at(self) -> bool:
        """Whether the weights are in view: under the bars, or beside what the labels say."""
        if self.state.tab == "thresholds":
            return self.thresholds.analysis is not None
        return self.state.tab == "traces" and self.state.weight_view == "weights"

    def close(self) -> None:
        """Do nothing more."""
        self._soon.close()

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.refresh)
        elif change["name"] in _MOVED_BY or change["name"] == "trace_scene":
            # A trace that opens may settle layer and head; a line that is dragged goes on.
            self._soon.ask()
        else:
            self.refresh()

    def refresh(self) -> None:
        """Work out what is in view."""
        traces = self.traces.loaded
        if not self.looked_at or traces is None or not len(traces):
            self.scores.leave(LANE)
            self.jobs.runner.cancel(LANE)
            return
        if self.state.trace_scene is None:
            return  # the first trace is about to open
        self.scores.ask(LANE, self._follow, first=MOST_TRACES, insist=self.state.trajectory is None)

    def _follow(self, table: pd.DataFrame) -> None:
        if self.jobs.runner.running(LANE):
            self._again = True  # what is under way is of an older threshold, and soon there
            return
        config = self.scores.methods.extractor(self.state.method, alone=True).config
        updates = {"strategy": self.state.update_strategy}
        before = self._ordered
        asked = (config, self.state.update_strategy)
        if before is not None and before.table is table and self._followed == asked:
            return

        def work(_: Job | None = None) -> tuple[_Ordered, Trajectory]:
            from explorer.rag._weights.weight_trajectory import follow_weights

            known = _ordered(table, before)
            return known, follow_weights(known.order, _converted(table, config), updates)

        def done(found: tuple[_Ordered, Trajectory]) -> None:
            self._ordered, self._followed = found[0], asked
            self.state.trajectory = found[1]
            if self._again:
                self._again = False
                self.refresh()

        if len(table) <= _AT_ONCE:
            done(work())
        else:
            self._again = False
            self.jobs.runner.start(
                LANE, work, done=done, failed=self.jobs.tell, message="following the weights"
            )


def _ordered(table: pd.DataFrame, before: _Ordered | None) -> _Ordered:
    """Say in which order feedback arrives: as before where the hyperedges are the same."""
    from explorer.rag._weights.update_order import update_order

    if before is not None:
        same = len(before.table) == len(table) and all(
            before.table[name].equals(table[name]) for name in ("trace", "unit", "text")
        )
        if before.table is table or same:
            return _Ordered(table, before.order)
    return _Ordered(table, update_order(table)[0])


def _converted(table: pd.DataFrame, config: ExtractorConfig) -> NDArray[np.float64]:
    """Return the feedback that the table's scores have at the config's thresholds."""
    from explorer.rag._extraction.rethresholding import rethreshold

    feedback: NDArray[np.float64] = table["feedback"].to_numpy(copy=True)
    if config.method in MIXED:
        return feedback  # its thresholds are part of the scores
    methods, scores = table["method"].to_numpy(), table["score"].to_numpy()
    if config.method in ("attention", "logprobs"):
        # As in the tab: where a trace has neither, nothing is known, and nothing moves.
        feedback[methods != config.method] = np.nan
    for method in ("attention", "logprobs", "embedding", "citation"):
        rows = (methods == method) & ~np.isnan(scores)
        if rows.any():
            feedback[rows] = rethreshold(scores[rows], method, config)
    return feedback
