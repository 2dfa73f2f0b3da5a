"""Causal use of all loaded traces, measured by the chosen model when the user asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from explorer.models import DEFAULT_MODEL
from explorer.traces import Trace, TraceProblem, TraceSet
from explorer.validation._ablation.ablation_record import MARK, texts_digest
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.ablation_cost import is_measured, prompts_of
from explorer.widgets._traces.controller import TracesController


class AblationController(Controller):
    """Lets the chosen model ablate the loaded traces; finished traces are kept after a stop."""

    JOB = "ablating"

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
        self._known: dict[int, tuple[str, Any]] = {}  # index -> digest of the texts, and the mark
        self.follow(traces, lambda _: self.cancel(), "files_shown")
        self.follow(traces, self._put_back, "loaded")

    @property
    def model_name(self) -> str:
        """Name of the model that would measure."""
        return str(self.state.model or DEFAULT_MODEL)

    def measure(self) -> None:
        """Ablate the traces whose causal use is not known."""
        traces = self.traces.loaded
        if traces is None or self.running:
            return
        name = self.model_name
        self.jobs.clear()
        finished = self._finished = {}

        def work(job: Job) -> tuple[TraceProblem, ...]:
            from explorer.validation import ablate

            places = [
                place
                for place, trace in enumerate(traces)
                if prompts_of(trace) and not is_measured(trace)
            ]
            some = TraceSet([traces[place] for place in places])
            by_id = {trace.id: place for place, trace in zip(places, some, strict=True)}

            def keep(trace: Trace) -> None:
                finished[by_id[trace.id]] = trace

            found = ablate(
                some,
                self.models.of(name, job),
                control=job.control,
                on_trace=keep,
            )
            # Traces that could not be ablated carry the reason.
            finished.update(zip(places, found, strict=True))
            return tuple(found.problems)

        def done(problems: tuple[TraceProblem, ...]) -> None:
            self.models.ready(name)
            self._take(problems)

        def failed(error: BaseException) -> None:
            self._take()
            self.models.failed(error, name)

        self.models.starting(name)
        self.run(work, done, failed=failed, message=texts.MEASURING)

    def stopped(self) -> None:
        """Keep the traces that were finished before the user stopped the job."""
        if not self.running:
            self._take()

    def _take(self, problems: Sequence[TraceProblem] = ()) -> None:
        """Add what was measured to the traces, which may have got attention or labels meanwhile."""
        finished, self._finished = self._finished, {}
        traces = self.traces.loaded
        if traces is None or not (finished or problems):
            return
        fits = {
            place: trace
            for place, trace in dict(finished).items()  # a stopped worker may add one more
            if place < len(traces) and texts_digest(traces[place]) == texts_digest(trace)
        }
        self._known |= {
            place: (texts_digest(trace), trace.metadata[MARK]) for place, trace in fits.items()
        }
        new = [problem for problem in problems if problem not in traces.problems]
        marked = {place: _marked(traces[place], fits[place].metadata[MARK]) for place in fits}
        self.traces.replace(marked, new)

    def _put_back(self, change: Mapping[str, Any]) -> None:
        """Keep what is known of traces that were recorded again while they were ablated."""
        traces: TraceSet | None = change["new"]
        if traces is None:
            return
        lost = {
            place: _marked(traces[place], mark)
            for place, (digest, mark) in self._known.items()
            if place < len(traces)
            and MARK not in traces[place].metadata
            and texts_digest(traces[place]) == digest
        }
        if lost:
            self.traces.replace(lost)


def _marked(trace: Trace, mark: Any) -> Trace:
    return msgspec.structs.replace(trace, metadata={**trace.metadata, MARK: mark})
