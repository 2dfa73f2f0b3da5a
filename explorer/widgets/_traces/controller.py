"""Traces become scenes: loaded, stepped through, and read by a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import traitlets as t

from explorer.errors import ExplorerError, InputError, ModelCapabilityError, TraceError
from explorer.feedback import Unit
from explorer.models import DEFAULT_MODEL
from explorer.run_control import RunControl
from explorer.traces import (
    Evidence,
    Trace,
    TraceProblem,
    TraceSet,
    evidence,
    load_traces,
    parse_traces,
)
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController, pass_on
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.rescoring import (
    more_can_be_had,
    rows_are_kept,
    same_reader,
    to_be_read,
)
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    from explorer.feedback._head_combination import RowGroup
    from explorer.models._running.recorded_answer import RecordedAnswer


SCORING = "scoring"
"""The lane in which all traces are read; stepping through them goes on meanwhile."""
ABLATING = "ablating"
"""The lane in which their causal use is measured."""


class TracesController(t.HasTraits):
    """Keeps `state.trace_scene` in step with the loaded traces and the chosen one."""

    loaded = t.Instance(TraceSet, allow_none=True, help="The loaded traces.")
    draft = t.Unicode(None, allow_none=True, help="The answer generated so far.")
    labelled = t.Int(0, help="How many labels were set or taken back here.")

    def __init__(self, state: ExplorerState, jobs: JobManager, models: ModelController) -> None:
        super().__init__()
        self.state = state
        self.jobs = jobs
        self.models = models
        self._readings: dict[int, TraceScene] = {}
        self._finished: dict[int, Trace] = {}
        self._more: tuple[TraceSet, list[str]] | None = None
        jobs.observe(self._reported, names="reports")

    # loading

    def load_path(self, path: str | Path) -> None:
        """Load a trace file by path; a bad one leaves everything as it was."""
        self._load(lambda: load_traces(Path(path).expanduser()), str(path))

    def load_bytes(self, contents: bytes, name: str) -> None:
        """Load an uploaded trace file."""
        self._load(lambda: parse_traces(contents, name), name)

    def load_examples(self) -> None:
        """Load the packaged traces."""
        from explorer.examples import example_traces

        self.show(example_traces())

    def _load(self, read: Callable[[], TraceSet], name: str) -> None:
        self.jobs.clear()
        self.jobs.runner.start(
            "traces",
            lambda _: read(),
            done=self.show,
            failed=self.jobs.tell,
            message=f"reading {Path(name).name}",
        )

    def show(self, traces: TraceSet) -> None:
        """Show the first of these traces."""
        self.jobs.clear()
        self._readings.clear()
        self.jobs.runner.cancel("trace")
        self.jobs.runner.cancel(SCORING)
        self.jobs.runner.cancel(ABLATING)
        self._finished = {}
        self.loaded = traces
        with self.models.silently():
            self.state.trace = 0 if len(traces) else None
        self.open()

    # stepping

    def index(self, value: Any) -> int | None:
        """Return the index of a trace given by index or id.

        Raises
        ------
        InputError
            There is no such trace.
        """
        if value is None:
            return None
        traces = self.loaded
        count = 0 if traces is None else len(traces)
        if traces is not None and isinstance(value, str):
            try:
                return traces.index_of(value)
            except TraceError as error:
                raise InputError(str(error)) from None
        if isinstance(value, int | np.integer) and -count <= value < count:
            return int(value % count)
        if count == 0:
            raise InputError("No traces are loaded. Use Explorer.from_traces(path) first.")
        raise InputError(f"trace must lie in 0 to {count - 1}, or be an id; got {value!r}.")

    def open(self) -> None:
        """Open the chosen trace."""
        self.jobs.runner.cancel("trace")
        self.draft = None
        traces, index = self.loaded, self.state.trace
        if traces is None or index is None:
            self.state.trace_scene = None
            return
        if self.state.tab != "code":
            self.state.selection = None
        if index in self._readings:
            self.state.trace_scene = self._readings[index]
            return
        trace = traces[index]
        try:
            found = evidence(trace)
            self.jobs.clear()
        except ExplorerError as error:
            self.jobs.tell(error)
            found = Evidence(
                "none",
                None,
                [Unit(e.id, e.hyperedge, (), 0, unknown=True) for e in trace.hyperedges],
            )
        self.state.trace_scene = TraceScene(trace, index, found)

    # reading

    def read(self) -> None:
        """Let the model answer the trace (or read its given answer), and record the attention."""
        scene: TraceScene | None = self.state.trace_scene
        if scene is None:
            return
        name = self.state.model or DEFAULT_MODEL
        trace = scene.trace
        self.jobs.clear()
        self.draft = "" if not trace.answer.strip() else None

        def work(job: Job) -> TraceScene:
            model = self.models.of(name, job)
            answer = trace.answer.strip() or None
            if answer is None and model.kind == "encoder":
                raise ModelCapabilityError(
                    f"{model.label} is an encoder and cannot write an answer. Choose a causal "
                    f"model such as {DEFAULT_MODEL}, or give the trace an answer."
                )
            pieces: list[str] = []

            def draft(piece: str) -> None:
                pieces.append(piece)
                job.report("answering", None, "".join(pieces))

            reading = model.read(
                trace.query,
                [edge.hyperedge for edge in trace.hyperedges],
                answer,
                control=RunControl(lambda p: pass_on(job, p), job.cancel),
                on_text=draft,
            )
            return _read_scene(scene, reading, name)

        def done(read: TraceScene) -> None:
            self.models.ready(name)
            self.jobs.clear()
            self.draft = None
            # Only the newest reading keeps its token map: each may hold some hundred MB.
            for other, older in self._readings.items():
                self._readings[other] = replace(older, token_attention=None, token_units=())
            self._readings[scene.index] = read
            if self.loaded is not None:
                self.loaded = self.loaded.replaced({scene.index: read.trace})
            self.state.trace_scene = read

        def failed(error: BaseException) -> None:
            self.draft = None
            self.models.failed(error, name)

        self.models.starting(name)
        self.jobs.runner.start("trace", work, done=done, failed=failed, message="reading the trace")

    def score_all(
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
            As for `score_traces`. An encoder-decoder reads no question: where only its rows are
            asked for, it leaves them out.
        overwrite
            Read those too that a stand-in has read, with fewer readings or another model. What a
            trace itself brought is never given away.
        only
            Places of the traces to look at; None for all.
        """
        traces = self.loaded
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
            asks = content_free or model.kind == "causal"
            some: TraceSet = traces
            if overwrite or only is not None:
                some = to_be_read(traces, model.name, wanted, only, content_free=content_free)
            scored = score_traces(
                some,
                model,
                settings=StandInSettings(
                    rows=wanted if asks else ("answer",),
                    content_free=content_free,
                    keep_rows=overwrite and rows_are_kept(some),
                ),
                overwrite=overwrite,
                on_trace=keep,
                control=RunControl(lambda p: pass_on(job, p), job.cancel),
            )
            return scored.problems

        def done(problems: tuple[TraceProblem, ...]) -> None:
            self.models.ready(name)
            new = [problem for problem in problems if problem not in traces.problems]
            self._take_finished(new)

        def failed(error: BaseException) -> None:
            self._take_finished()
            self.models.failed(error, name)

        self.models.starting(name)
        self.jobs.runner.start(
            SCORING,
            work,
            done=done,
            failed=failed,
            message=f"reading {len(traces):,} traces" if only is None else "reading the trace",
        )

    def more_readings(self) -> list[str]:
        """Return the readings that a stand-in left out of the loaded traces, and could still add.

        Some of ``"question"`` and ``"content_free"``.
        """
        if self.loaded is None:
            return []
        if self._more is None or self._more[0] is not self.loaded:
            self._more = self.loaded, more_can_be_had(self.loaded)
        return self._more[1]

    def stopped(self) -> None:
        """Keep what is there of work that the user stopped."""
        self.draft = None
        self._take_finished()

    def _take_finished(self, problems: Sequence[TraceProblem] = ()) -> None:
        """Put the traces that were scored in the place of those that had less attention."""
        finished: dict[int, Trace] = {}
        while self._finished:  # the job that fills it may go on
            place, trace = self._finished.popitem()
            finished[place] = trace
        if self.loaded is None or not (finished or problems):
            return
        kept = self.state.trace_scene
        for index, trace in finished.items():
            reading = self._readings.pop(index, None)
            if reading is not None and same_reader(reading.trace, trace):
                # What single tokens received stays: the model is the same.
                self._readings[index] = replace(reading, trace=trace, evidence=evidence(trace))
        self.loaded = self.loaded.replaced(finished, problems)
        if kept is not None and (kept.index in finished or kept.attention is None):
            self.open()

    # labels

    def label(self, unit: str, value: bool | None) -> None:
        """Label a hyperedge of the open trace as used or not, or take its label back."""
        scene: TraceScene | None = self.state.trace_scene
        if scene is None or self.loaded is None:
            return
        self.jobs.clear()
        try:
            self.loaded.label(scene.index, unit, value)
        except ExplorerError as error:  # the label may hold, and not be written
            self.jobs.tell(error)

    def close(self) -> None:
        """Follow labels no more."""
        if self.loaded is not None:
            self.loaded.leave_labels(self._somebody_labelled)

    @t.observe("loaded")
    def _follow_labels(self, change: Mapping[str, Any]) -> None:
        for traces, follow in ((change["old"], False), (change["new"], True)):
            if isinstance(traces, TraceSet):
                ask = traces.follow_labels if follow else traces.leave_labels
                ask(self._somebody_labelled)

    def _somebody_labelled(self) -> None:
        """Show labels wherever they were given: here, in a cell, or in another app."""
        self.jobs.runner.on_ui(self._show_labels)

    def _show_labels(self) -> None:
        traces, scene = self.loaded, self.state.trace_scene
        if traces is None:
            return
        try:
            self._readings = {
                place: _labelled(known, traces) for place, known in self._readings.items()
            }
            if scene is not None:
                self.state.trace_scene = _labelled(scene, traces)
        except ExplorerError as error:  # their file has gone
            self.jobs.tell(error)
        self.labelled += 1

    def _reported(self, change: Mapping[str, Any]) -> None:
        report = change["new"].get("trace")
        if report is not None and isinstance(report.partial, str):
            self.draft = report.partial


def _labelled(scene: TraceScene, traces: TraceSet) -> TraceScene:
    """Return a scene as its trace is labelled now; itself where it is so already."""
    edges = traces[scene.index].hyperedges
    if [edge.label for edge in edges] == [edge.label for edge in scene.trace.hyperedges]:
        return scene
    return replace(scene, trace=msgspec.structs.replace(scene.trace, hyperedges=edges))


def _read_scene(scene: TraceScene, reading: RecordedAnswer, model: str) -> TraceScene:
    trace = scene.trace
    found = {
        "unit_attention": reading.attention.array,
        "unit_topk": reading.attention.topk,
        "unit_topk_k": reading.attention.k,
        "unit_tokens": [len(tokens) for tokens in reading.unit_tokens],
        "answer_tokens": list(reading.answer_tokens),
        "model": model,
        "stand_in": {"model": model},
    }
    if reading.question is not None:
        found |= {
            "question_attention": reading.question.array,
            "question_topk": reading.question.topk,
            "question_rows": len(reading.question.rows or ()),
        }
    read = msgspec.structs.replace(
        trace, answer=reading.answer, metadata={**trace.metadata, **found}
    )
    token_units = tuple(
        Unit(edge.id, edge.hyperedge, spans, sum(stop - start for start, stop in spans))
        for edge, spans in zip(trace.hyperedges, reading.spans, strict=True)
    )
    return TraceScene(
        read, scene.index, evidence(read), reading.token_attention, token_units, reading.notes
    )
