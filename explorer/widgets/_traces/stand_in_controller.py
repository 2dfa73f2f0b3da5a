"""A stand-in model reads all traces that have an answer, and its attention is recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.models import DEFAULT_MODEL
from explorer.traces import Trace, TraceProblem, TraceSet, evidence
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.rescoring import (
    missing_signals,
    rows_are_kept,
    same_recording,
    traces_to_record,
)

if TYPE_CHECKING:
    from explorer.feedback._head_combination import RowGroup


class StandInController(Controller):
    """Lets the chosen model read all loaded traces; browsing them goes on meanwhile."""

    JOB = "scoring"

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        models: ModelController,
        traces: TracesController,
    ) -> None:
        super().__init__(state, jobs)
        self.models = models
        self.traces = traces
        self._finished: dict[int, Trace] = {}
        self._missing: tuple[TraceSet, list[str]] | None = None
        self.follow(traces, lambda _: self._leave(), "files_shown")

    def record_all(
        self,
        *,
        rows: Sequence[RowGroup] = ("answer", "question"),
        content_free: bool = False,
        overwrite: bool = False,
        only: Collection[int] | None = None,
    ) -> None:
        """Let the model read every trace that has an answer and no attention.

        Parameters
        ----------
        rows, content_free
            As for `score_traces`. An encoder-decoder reads no question and ignores its rows.
        overwrite
            Also read traces that a stand-in has read with fewer signals or with another model.
            Attention that a trace brought itself is kept.
        only
            Indices of the traces to consider; None for all.
        """
        traces = self.traces.loaded
        if traces is None:
            return
        name = self.state.model or DEFAULT_MODEL
        self.jobs.clear()
        self._finished = {}
        finished, place = self._finished, {trace.id: i for i, trace in enumerate(traces)}
        wanted = tuple(rows)

        def work(job: Job) -> tuple[TraceProblem, ...]:
            from explorer.rag import StandInSettings, score_traces

            def keep(trace: Trace) -> None:
                finished[place[trace.id]] = trace

            model = self.models.of(name, job)
            some: TraceSet = traces
            if overwrite or only is not None:
                some = traces_to_record(traces, model.name, wanted, only, content_free=content_free)
            scored = score_traces(
                some,
                model,
                settings=StandInSettings(
                    rows=wanted if content_free or model.kind == "causal" else ("answer",),
                    content_free=content_free,
                    keep_rows=overwrite and rows_are_kept(some),
                ),
                overwrite=overwrite,
                on_trace=keep,
                control=job.control,
            )
            return scored.problems

        def done(problems: tuple[TraceProblem, ...]) -> None:
            self.models.ready(name)
            self._take([problem for problem in problems if problem not in traces.problems])

        def failed(error: BaseException) -> None:
            self._take()
            self.models.failed(error, name)

        self.models.starting(name)
        one = only is not None
        message = texts.RECORDING_TRACE if one else texts.recording_traces(len(traces))
        self.run(work, done, failed=failed, message=message)

    def record_again(self, only: Collection[int] | None = None) -> None:
        """Read again with all signals: rows of answer and question, and a content-free question."""
        self.record_all(content_free=True, overwrite=True, only=only)

    def missing_signals(self) -> list[str]:
        """Return the signals that a stand-in left out of the loaded traces and could still record.

        Some of ``"question"`` and ``"content_free"``.
        """
        traces = self.traces.loaded
        if traces is None:
            return []
        if self._missing is None or self._missing[0] is not traces:
            self._missing = traces, missing_signals(traces)
        return self._missing[1]

    def stopped(self) -> None:
        """Keep the traces that were finished before the user stopped the job."""
        self._take()

    def _leave(self) -> None:
        self.cancel()
        self._finished = {}

    def _take(self, problems: Sequence[TraceProblem] = ()) -> None:
        """Put the finished traces in place of those with less attention."""
        finished: dict[int, Trace] = {}
        while self._finished:  # the job that fills it may go on
            place, trace = self._finished.popitem()
            finished[place] = trace
        if not (finished or problems):
            return
        kept, scenes = self.state.trace_scene, self.traces.recorded
        for index, trace in finished.items():
            scene = scenes.pop(index, None)
            if scene is not None and same_recording(scene.trace, trace):
                # The attention of single tokens is still valid: the model is the same.
                scenes[index] = replace(scene, trace=trace, evidence=evidence(trace))
        self.traces.replace(finished, problems)
        if kept is not None and (kept.index in finished or kept.attention is None):
            self.traces.open()
