"""The chosen model reads the open trace, and its attention is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import traitlets as t

from explorer.errors import ModelCapabilityError
from explorer.models import DEFAULT_MODEL
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.scene import TraceScene, recorded_scene


class RecordingController(Controller):
    """Records the attention of the chosen model over the open trace."""

    JOB = "trace"

    draft = t.Unicode(None, allow_none=True, help="The answer generated so far.")

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
        self.follow(jobs, self._reported, "reports")
        self.follow(traces, lambda _: self._leave(), "files_shown", "traces_opened")

    def record(self) -> None:
        """Let the model read the answer of the trace, or write one if there is none."""
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
                raise ModelCapabilityError(texts.encoder_cannot_answer(model.label, DEFAULT_MODEL))
            pieces: list[str] = []

            def draft(piece: str) -> None:
                pieces.append(piece)
                job.report("answering", None, "".join(pieces))

            recording = model.read(
                trace.query,
                [edge.hyperedge for edge in trace.hyperedges],
                answer,
                control=job.control,
                on_text=draft,
            )
            return recorded_scene(scene, recording, name)

        def failed(error: BaseException) -> None:
            self.draft = None
            self.models.failed(error, name)

        self.models.starting(name)
        self.run(
            work,
            lambda recorded: self._show(recorded, name),
            failed=failed,
            message=texts.RECORDING_TRACE,
        )

    def stopped(self) -> None:
        """Drop the draft of an answer that the user stopped."""
        self.draft = None

    def _show(self, recorded: TraceScene, name: str) -> None:
        self.models.ready(name)
        self.jobs.clear()
        self.draft = None
        # Only the newest scene keeps its token map: each may hold some hundred MB.
        scenes = self.traces.recorded
        for index, older in scenes.items():
            scenes[index] = replace(older, token_attention=None, token_units=())
        scenes[recorded.index] = recorded
        self.traces.replace({recorded.index: recorded.trace})
        self.state.trace_scene = recorded

    def _leave(self) -> None:
        self.cancel()
        self.draft = None

    def _reported(self, change: Mapping[str, Any]) -> None:
        report = change["new"].get(self.JOB)
        if report is not None and isinstance(report.partial, str):
            self.draft = report.partial
