"""Weights of the hyperedges over all loaded traces, at the chosen threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces._feedback.scores_controller import MIXED, ScoresController
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag._methods.extractor_config import ExtractorConfig
    from explorer.rag._weights.trajectory import Trajectory
    from explorer.rag._weights.update_order import UpdateOrder

MOST_TRACES = 5_000
"""The app follows weights over this many traces; `weight_trajectory` takes a whole file."""
_DELAY_S = 0.06
"""Weights are slow to draw: they follow a drag after what is quicker."""
_AT_ONCE = 20_000
"""Up to this many updates are computed on the UI thread, more by a worker."""

_MOVED_BY = frozenset(
    {*METHOD_THRESHOLDS.values(), "update_strategy", "weights_can_rise", "trace_scene"}
)
"""Traits that change while a line is dragged, or just before another: the weights follow later."""


class _Ordered(NamedTuple):
    """A table of scores, and the order in which their feedback arrives."""

    table: pd.DataFrame
    order: UpdateOrder


class WeightsController(Controller):
    """Keeps `state.trajectory` in step with scores, threshold and update strategy, while in view.

    A threshold only converts the scores that `ScoresController` remembers.
    """

    JOB = "weights"
    FOLLOWS = (
        *sorted(_MOVED_BY), "tab", "weight_view", "method", "layer", "head", "reduction",
        "normalisation", "heads", "packaged",
    )  # fmt: skip

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        scores: ScoresController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.scores = scores
        self._analysed: Callable[[], bool] = lambda: False
        self._ordered: _Ordered | None = None
        self._computed: tuple[Any, ...] = ()
        self._again = False
        self._later = Debouncer(self.refresh, _DELAY_S)
        self.follow(traces, lambda _: self._later.ask(), "loaded")

    def follow_analysis(self, owner: t.HasTraits, name: str) -> None:
        """In the thresholds tab, compute weights once this trait of `owner` is not None.

        The analysis scores all traces, so weights that asked earlier would score some twice.
        """
        self._analysed = lambda: getattr(owner, name) is not None
        self.follow(owner, lambda _: self.refresh(), name)

    @property
    def in_view(self) -> bool:
        """Whether weights are in view: under the bars, or in the thresholds tab."""
        if self.state.tab == "thresholds":
            return self._analysed()
        return self.state.tab == "traces" and self.state.weight_view == "weights"

    def close(self) -> None:
        """Stop following."""
        super().close()
        self._later.close()

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self._begun and not self.state.batching and change["name"] in _MOVED_BY:
            self._later.ask()
        else:
            super()._changed(change)

    def refresh(self) -> None:
        """Compute the weights if they are in view."""
        traces = self.traces.loaded
        if not self.in_view or traces is None or not len(traces):
            self.scores.leave(self.JOB)
            self.cancel()
            return
        if self.state.trace_scene is None:
            return  # the first trace is about to open
        self.scores.ask(
            self.JOB, self._follow, first=MOST_TRACES, insist=self.state.trajectory is None
        )

    def _follow(self, table: pd.DataFrame) -> None:
        if self.running:
            self._again = True  # the job under way has an older threshold, and ends soon
            return
        config = self.scores.methods.extractor(self.state.method, alone=True).config
        updates = self.state.weight_settings
        before = self._ordered
        wanted = (config, tuple(updates.items()))
        if before is not None and before.table is table and self._computed == wanted:
            return

        def work(_: Job | None = None) -> tuple[_Ordered, Trajectory]:
            from explorer.rag._weights.weight_trajectory import follow_weights

            ordered = _ordered(table, before)
            return ordered, follow_weights(ordered.order, _converted(table, config), updates)

        def done(found: tuple[_Ordered, Trajectory]) -> None:
            self._ordered, self._computed = found[0], wanted
            self.state.trajectory = found[1]
            if self._again:
                self._again = False
                self.refresh()

        if len(table) <= _AT_ONCE:
            done(work())
        else:
            self._again = False
            self.run(work, done, message=texts.MOVING_WEIGHTS)


def _ordered(table: pd.DataFrame, before: _Ordered | None) -> _Ordered:
    """Return a table with its update order; the order is kept if the hyperedges are the same."""
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
    traces = table["trace"].to_numpy(dtype=object)
    if config.method in ("attention", "logprobs"):
        # As in the tab: without attention or log-probabilities feedback is unknown.
        feedback[methods != config.method] = np.nan
    for method in ("attention", "logprobs", "embedding", "citation", "lexical"):
        rows = (methods == method) & ~np.isnan(scores)
        if rows.any():
            feedback[rows] = rethreshold(scores[rows], method, config, traces[rows])
    return feedback
