"""Feedback of the open trace by every method, worked out off the UI thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag import FeedbackExtractor

LANE = "methods"
COMPARED = ("attention", "embedding", "citation", "ensemble")
"""The methods that are shown side by side; log-probabilities join them where a trace has some."""

_DEPENDS_ON = (
    "trace_scene", "tab", "method", "compare", "threshold", "similarity_threshold",
    "citation_threshold", "layer", "head", "reduction", "normalisation", "heads",
)  # fmt: skip


class MethodsController:
    """Keeps `state.method_table` and `state.comparison` in step with what they depend on.

    The embedding model is loaded when a method first needs it; texts are embedded once.
    """

    def __init__(self, state: ExplorerState, jobs: JobManager) -> None:
        self.state = state
        self.jobs = jobs
        state.observe(self._changed, names=list(_DEPENDS_ON))

    def extractor(self, method: str, *, alone: bool = False) -> FeedbackExtractor:
        """Return an extractor that works as the state says.

        With `alone` as `extractor_alone`: where a trace brings nothing for
        the method, no other one is asked.
        """
        from explorer.rag._extraction.extractor import FeedbackExtractor, extractor_alone

        config = self.config(method)
        return extractor_alone(config) if alone else FeedbackExtractor(config=config)

    def config(self, method: str | None = None) -> dict[str, Any]:
        """Return the settings of the state as the config of a `FeedbackExtractor`."""
        state, scene = self.state, self.state.trace_scene
        attention = None if scene is None else scene.attention
        single = attention is not None and attention.n_layers * attention.n_heads == 1
        single = single or state.heads is not None
        return {
            "method": method or state.method,
            "attention_threshold": state.threshold,
            "similarity_threshold": state.similarity_threshold,
            "citation_threshold": state.citation_threshold,
            # Given scores have one layer and one head, whatever is chosen for other traces; and a
            # set of heads is in the place of any.
            "layer": None if single else state.layer,
            "head": None if single else state.head,
            "reduction": state.reduction,
            "normalisation": state.normalisation,
            "heads": state.heads,
        }

    def compared(self, scene: TraceScene) -> tuple[str, ...]:
        """Return the methods to show side by side for this trace."""
        more = ("logprobs",) if scene.trace.metadata.get("logprobs") is not None else ()
        return (*COMPARED[:-1], *more, COMPARED[-1])

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.refresh)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Work out what is in view; nothing where attention alone is."""
        state, scene = self.state, self.state.trace_scene
        wanted = state.tab != "code" and scene is not None and len(scene.trace.hyperedges) > 0
        compare = state.compare and state.tab == "traces"
        if not wanted or (state.method == "attention" and not compare):
            self.jobs.runner.cancel(LANE)
            state.method_table = state.comparison = None
            return
        extractor = self.extractor(state.method)
        methods = self.compared(scene) if compare else ()
        single = state.method != "attention"

        def work(_: Job) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
            trace = scene.trace
            table = None
            if single:
                table = asyncio.run(extractor.explain(trace))
            compared = asyncio.run(extractor.compare(trace, methods)) if methods else None
            return table, compared

        def done(found: tuple[pd.DataFrame | None, pd.DataFrame | None]) -> None:
            state.method_table, state.comparison = found

        self.jobs.runner.start(
            LANE, work, done=done, failed=self.jobs.tell, message="comparing texts"
        )
