"""How the hyperedges' weights move over all loaded traces at the chosen threshold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.widgets.desk import Desk
from explorer.widgets.jobs import Job
from explorer.widgets.methods_keeper import MethodsKeeper
from explorer.widgets.model_keeper import pass_on
from explorer.widgets.state import ExplorerState
from explorer.widgets.trace_keeper import TraceKeeper

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag.config import ExtractorConfig
    from explorer.rag.order import UpdateOrder
    from explorer.rag.trajectory import Trajectory

LANE = "weights"
MOST_TRACES = 5_000
"""The app shows how weights move over this many traces; a whole file is for `weight_trajectory`."""

_DEPENDS_ON = (
    "tab", "weight_view", "method", "threshold", "similarity_threshold", "citation_threshold",
    "layer", "head", "reduction", "normalisation", "heads",
    "update_strategy",
)  # fmt: skip


class _Scored(NamedTuple):
    """The explanation of all traces, and in which order their feedback arrives."""

    table: pd.DataFrame
    order: UpdateOrder


class WeightsKeeper:
    """Keeps `state.trajectory` in step with what it depends on, while somebody looks at it.

    The scores of all traces are worked out once for a layer, head and method; moving the threshold
    only converts them anew.
    """

    def __init__(
        self, state: ExplorerState, desk: Desk, rag: TraceKeeper, methods: MethodsKeeper
    ) -> None:
        self.state = state
        self.desk = desk
        self.rag = rag
        self.methods = methods
        self._scored: tuple[tuple[Any, ...], _Scored] | None = None
        state.observe(self._changed, names=list(_DEPENDS_ON))
        rag.observe(lambda _: self.refresh(), names="traces")

    @property
    def looked_at(self) -> bool:
        """Whether the weights are in view."""
        return self.state.tab == "traces" and self.state.weight_view == "weights"

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.refresh)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Work out what is in view."""
        traces = self.rag.traces
        if not self.looked_at or traces is None or not len(traces):
            self.desk.runner.cancel(LANE)
            return
        config = self.methods.config()
        key = (id(traces), *what_scores_depend_on(config))
        scored = self._scored[1] if self._scored is not None and self._scored[0] == key else None
        extractor = self.methods.extractor(self.state.method, alone=True)
        updates = {"strategy": self.state.update_strategy}
        shown = traces[:MOST_TRACES]

        def work(job: Job) -> tuple[_Scored, Trajectory]:
            from explorer.rag.order import update_order
            from explorer.rag.trajectory import follow

            known = scored
            if known is None:
                table = asyncio.run(
                    extractor.explain_traces(
                        shown, progress=lambda p: pass_on(job, p), cancel=job.cancel
                    )
                )
                known = _Scored(table, update_order(table)[0])
            feedback = _converted(known.table, extractor.config)
            return known, follow(known.order, feedback, updates)

        def done(found: tuple[_Scored, Trajectory]) -> None:
            self._scored = (key, found[0])
            self.state.trajectory = found[1]

        self.desk.runner.start(
            LANE, work, done=done, failed=self.desk.tell, message="scoring all traces"
        )


def what_scores_depend_on(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the settings that scores depend on: a threshold only where it is part of a mixture."""
    thresholds = {"attention_threshold", "similarity_threshold", "citation_threshold"}
    mixed = config["method"] in ("citation", "hybrid", "ensemble")
    return tuple((name, value) for name, value in config.items() if mixed or name not in thresholds)


def _converted(table: pd.DataFrame, config: ExtractorConfig) -> NDArray[np.float64]:
    """Return the feedback that the table's scores have at the config's thresholds."""
    feedback = table["feedback"].to_numpy(copy=True)
    if config.method in ("attention", "logprobs"):
        # As in the tab: where a trace has neither, nothing is known, and nothing moves.
        feedback[(table["method"] != config.method).to_numpy()] = np.nan
    for method, policy in (
        ("attention", config.attention_policy),
        ("logprobs", config.attention_policy),
        ("embedding", config.similarity_policy),
    ):
        rows = (table["method"] == method).to_numpy()
        scores = table["score"].to_numpy()[rows]
        feedback[rows] = np.where(np.isnan(scores), feedback[rows], policy.convert(scores))
    signals: NDArray[np.float64] = feedback
    return signals
