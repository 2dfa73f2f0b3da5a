"""What the labels say of the chosen threshold, layer and head, over all loaded traces."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import traitlets as t

from explorer.errors import ExplorerError, ValidationError
from explorer.reporting.lab import (
    EMBEDDED,
    FREE,
    Beside,
    Lab,
    Reading,
    hold_beside,
    read_at,
    work_out,
)
from explorer.widgets.desk import Desk
from explorer.widgets.head_sets import name_of
from explorer.widgets.jobs import Job
from explorer.widgets.methods_keeper import MethodsKeeper
from explorer.widgets.model_keeper import pass_on
from explorer.widgets.state import ExplorerState
from explorer.widgets.trace_keeper import TraceKeeper
from explorer.widgets.weights_keeper import what_scores_depend_on

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from explorer.traces import TraceSet
    from explorer.validation.baselines import Baseline
    from explorer.validation.recommendation import Recommendation

LANE, HEADS_LANE, BESIDE_LANE, RECOMMEND_LANE = "lab", "heads", "beside", "recommend"
JUDGED_METHODS = ("attention", "embedding", "citation", "logprobs")
"""The methods whose scores are held against one threshold."""

_DEPENDS_ON = (
    "tab", "method", "layer", "head", "reduction", "normalisation", "heads", "trace_scene",
    "threshold", "similarity_threshold", "citation_threshold",
)  # fmt: skip


class LabKeeper(t.HasTraits):
    """Keeps what the labels say in step with the state while the thresholds tab is in front.

    Scores are worked out once for a way to score; a new label only judges them anew, and a new
    threshold starts nothing.
    """

    lab = t.Any(None, allow_none=True, help="The `Lab` in view.")
    beside = t.Any(None, allow_none=True, help="What stands `Beside` it.")
    quality = t.Any(None, allow_none=True, help="ROC-AUC of every head, float (layers, heads).")
    refused = t.Unicode("", help="Why nothing can be judged, and what to do.")
    recommendation = t.Any(None, allow_none=True, help="What calibration recommends, or why not.")
    no_heads = t.Unicode("", help="Why there is no map of the heads.")

    def __init__(
        self, state: ExplorerState, desk: Desk, rag: TraceKeeper, methods: MethodsKeeper
    ) -> None:
        super().__init__()
        self.state = state
        self.desk = desk
        self.rag = rag
        self.methods = methods
        self.embedded = False
        self._begun = False
        self._judged: tuple[Any, ...] | None = None
        self._mapped: tuple[Any, ...] | None = None
        self._scored: tuple[tuple[Any, ...], pd.DataFrame] | None = None
        state.observe(self._changed, names=list(_DEPENDS_ON))
        rag.observe(lambda _: self._again(), names=["traces", "labelled"])

    def begin(self) -> None:
        """Start to work: the app is put together, and every trait has its first value."""
        self._begun = True
        self.refresh()

    def embed(self) -> None:
        """Put the baselines that need the embedding model beside the others."""
        self.embedded = True
        self._hold_beside()

    @property
    def reading(self) -> Reading | None:
        """What the labels say of the threshold of the chosen method."""
        if self.lab is None:
            return None
        return read_at(self.lab, float(getattr(self.state, self.state.threshold_name)))

    @property
    def reachable(self) -> list[float] | None:
        """The smallest and the largest score that is judged."""
        known = [] if self.lab is None else [self.lab.scores.used, self.lab.scores.not_used]
        found = [float(part[end]) for part in known if part.size for end in (0, -1)]
        return [min(found), max(found)] if found else None

    @property
    def busy(self) -> bool:
        """Whether the scores of what is chosen are under way."""
        return LANE in self.desk.reports

    def _changed(self, _: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.refresh)
        else:
            self.refresh()

    def _again(self) -> None:
        self._judged = self._mapped = None
        self.recommendation = None
        self.refresh()

    def refresh(self) -> None:
        """Work out what is in view, unless it is there already or under way."""
        traces, state = self.rag.traces, self.state
        if not self._begun or state.tab != "thresholds" or traces is None:
            return
        if not len(traces):
            self.quality = None
            self._refuse(ValidationError("There are no traces here. Load some in the traces tab."))
            return
        if state.trace_scene is None:
            return
        config = self.methods.config()
        key = (traces, *what_scores_depend_on(config))
        if not _same(key, self._judged):
            self._judged = key
            self._judge(traces, key)
        key = (traces, config["reduction"], config["normalisation"])
        if not _same(key, self._mapped):
            self._mapped = key
            self._map_heads(traces)

    def stopped(self) -> None:
        """Forget what the user stopped, so that the next change asks for it again."""
        for lane in (LANE, HEADS_LANE):
            if not self.desk.runner.running(lane):
                if lane == LANE and self.lab is None:
                    self._judged = None
                if lane == HEADS_LANE and self.quality is None:
                    self._mapped = None

    def _judge(self, traces: TraceSet, key: tuple[Any, ...]) -> None:
        if self.state.method not in JUDGED_METHODS:
            self.desk.runner.cancel(LANE)
            self._refuse(
                ValidationError(
                    f"The {self.state.method} method mixes scores that have thresholds of their "
                    f"own, so there is no one threshold to judge. Choose one of its parts: "
                    f"{', '.join(JUDGED_METHODS[:-1])}."
                )
            )
            return
        extractor = self.methods.extractor(self.state.method, alone=True)
        scored = self._scored
        known = scored[1] if scored is not None and _same(scored[0], key) else None

        def work(job: Job) -> tuple[pd.DataFrame, Lab | ValidationError]:
            table = known
            if table is None:
                table = asyncio.run(
                    extractor.explain_traces(
                        traces, progress=lambda p: pass_on(job, p), cancel=job.cancel
                    )
                )
            try:
                return table, work_out(traces, table)
            except ValidationError as error:
                return table, error

        def done(found: tuple[pd.DataFrame, Lab | ValidationError]) -> None:
            self._scored = key, found[0]
            if isinstance(found[1], ValidationError):
                self._refuse(found[1])
                return
            self.refused = ""
            self.lab = found[1]
            self._hold_beside()

        self.desk.runner.start(
            LANE, work, done=done, failed=self._failed, message="judging the scores by the labels"
        )

    def _hold_beside(self) -> None:
        lab, traces = self.lab, self.rag.traces
        if lab is None or traces is None:
            return
        names: tuple[Baseline, ...]
        names = (*FREE, *EMBEDDED) if self.embedded else FREE
        called = self.named()

        def work(job: Job) -> Beside:
            return hold_beside(
                traces,
                lab.judged,
                called,
                names,
                progress=lambda p: pass_on(job, p),
                cancel=job.cancel,
            )

        self.desk.runner.start(
            BESIDE_LANE,
            work,
            done=lambda beside: setattr(self, "beside", beside),
            failed=self.desk.tell,
            message="comparing with baselines",
        )

    def _map_heads(self, traces: TraceSet) -> None:
        reduction, normalisation = self.state.reduction, self.state.normalisation

        def work(job: Job) -> NDArray[np.float64]:
            from explorer.validation import head_scores, quality_map

            heads = head_scores(
                traces,
                reduction,  # type: ignore[arg-type]
                normalisation,  # type: ignore[arg-type]
                progress=lambda p: pass_on(job, p),
                cancel=job.cancel,
            )
            return quality_map(heads)

        def done(quality: NDArray[np.float64]) -> None:
            self.no_heads = ""
            self.quality = quality

        def failed(error: BaseException) -> None:
            self.quality = None
            if isinstance(error, ExplorerError):
                self.no_heads = str(error)
            else:
                self.desk.tell(error)

        self.desk.runner.start(
            HEADS_LANE, work, done=done, failed=failed, message="judging every head"
        )

    def recommend(self) -> None:
        """Choose heads and a threshold by nested cross-validation; it takes a while."""
        traces = self.rag.traces
        if traces is None:
            return
        self.desk.clear()

        def work(job: Job) -> Recommendation | ValidationError:
            from explorer.validation import calibrate

            try:
                return calibrate(traces, progress=lambda p: pass_on(job, p), cancel=job.cancel)
            except ValidationError as error:
                return error

        self.desk.runner.start(
            RECOMMEND_LANE,
            work,
            done=lambda found: setattr(self, "recommendation", found),
            failed=self.desk.tell,
            message="choosing heads and a threshold",
        )

    def named(self) -> str:
        """Return what the scores in view are called."""
        state = self.state
        if state.method != "attention":
            return str(state.method)
        if state.heads is not None:
            return name_of(state.heads)
        config = self.methods.config()
        if config["layer"] is None and config["head"] is None:
            return "attention, mean"
        parts = [
            f"{name} {'mean' if config[name] is None else config[name]}"
            for name in ("layer", "head")
        ]
        return ", ".join(parts)

    def _refuse(self, error: ValidationError) -> None:
        self.lab = self.beside = None
        self.refused = str(error)

    def _failed(self, error: BaseException) -> None:
        self._judged = None
        self.desk.tell(error)


def _same(key: tuple[Any, ...], other: tuple[Any, ...] | None) -> bool:
    """Whether two keys are about the same traces and the same settings."""
    return other is not None and key[0] is other[0] and key[1:] == other[1:]
