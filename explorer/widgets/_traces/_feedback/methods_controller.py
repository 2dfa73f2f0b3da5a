"""Feedback of the open trace by every method, computed off the UI thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._traces import texts
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag import FeedbackExtractor

COMPARED = ("attention", "embedding", "citation", "lexical", "ensemble")
"""Methods that are shown side by side; log-probabilities join them where a trace has some."""


class MethodsController(Controller):
    """Keeps `state.method_table` and `state.comparison` in step with the settings of a method.

    The embedding model is loaded when a method first needs it; texts are embedded once.
    """

    JOB = "methods"
    FOLLOWS = (
        "trace_scene", "tab", "method", "compare", "threshold", "threshold_mode",
        "similarity_threshold", "citation_threshold", "lexical_threshold", "layer", "head",
        "reduction", "normalisation", "heads",
    )  # fmt: skip

    def _changed(self, change: Mapping[str, Any]) -> None:
        if not self.state.finding_threshold:  # the config says "auto", before and after
            super()._changed(change)

    def extractor(self, method: str, *, alone: bool = False) -> FeedbackExtractor:
        """Return an extractor with the settings of the state.

        With `alone` no other method takes over where a trace lacks what the method needs, as in
        `extractor_alone`.
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
        # The thresholds tab judges one number for all traces.
        auto = state.threshold_mode == "auto" and state.tab != "thresholds"
        return {
            "method": method or state.method,
            "attention_threshold": "auto" if auto else state.threshold,
            "similarity_threshold": state.similarity_threshold,
            "citation_threshold": state.citation_threshold,
            "lexical_threshold": state.lexical_threshold,
            # Given scores have one layer and one head, whatever is chosen for other traces; a head
            # set overrides both.
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

    def refresh(self) -> None:
        """Compute the tables in view; none where attention alone is in view."""
        state, scene = self.state, self.state.trace_scene
        wanted = state.tab != "code" and scene is not None and len(scene.trace.hyperedges) > 0
        compare = state.compare and state.tab == "traces"
        single = state.method != "attention"
        if not wanted or not (single or compare):
            self.cancel()
            state.method_table = state.comparison = None
            return
        extractor = self.extractor(state.method)
        methods = self.compared(scene) if compare else ()

        def work(_: Job) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
            table = asyncio.run(extractor.explain(scene.trace)) if single else None
            compared = asyncio.run(extractor.compare(scene.trace, methods)) if methods else None
            return table, compared

        def done(found: tuple[pd.DataFrame | None, pd.DataFrame | None]) -> None:
            state.method_table, state.comparison = found

        self.run(work, done, message=texts.COMPARING)
