"""Causal use of all loaded traces, measured by the chosen model when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import traitlets as t

from explorer.errors import EvidenceError
from explorer.models import DEFAULT_MODEL
from explorer.traces import Trace, TraceProblem, TraceSet
from explorer.validation._ablation.ablation_record import MARK, ablation_of, texts_digest
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController, pass_on
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.controller import ABLATING, TracesController

if TYPE_CHECKING:
    from collections.abc import Iterable


class Cost(NamedTuple):
    """What it takes to measure causal use where it is not known yet.

    Attributes
    ----------
    traces, prompts
        How many traces, and how many prompts a model reads for them: with all hyperedges, with
        none, and without each.
    failed
        How many of these were tried before, in vain.
    mute
        How many more traces have no answer, or no hyperedge with text: nothing can be measured.
    measured
        How many are known already.
    """

    traces: int
    prompts: int
    failed: int
    mute: int
    measured: int


def prompts_of(trace: Trace) -> int:
    """How many prompts `ablate` reads of a trace; 0 where nothing can be measured."""
    texts = sum(bool(edge.hyperedge.strip()) for edge in trace.hyperedges)
    if not texts or not trace.answer.strip():
        return 0
    return 2 if texts == 1 else texts + 2


def is_measured(trace: Trace) -> bool:
    """Whether causal use is known of a trace, for the texts that it has now."""
    try:
        return ablation_of(trace) is not None
    except EvidenceError:  # somebody else's, which is measured anew
        return False


def cost_of(traces: Iterable[Trace]) -> Cost:
    """Count what is still to be measured."""
    n_traces = prompts = failed = mute = measured = 0
    for trace in traces:
        needed = prompts_of(trace)
        if is_measured(trace):
            measured += 1
        elif not needed:
            mute += 1
        else:
            n_traces += 1
            prompts += needed
            mark = trace.metadata.get(MARK)
            failed += isinstance(mark, Mapping) and "problem" in mark
    return Cost(n_traces, prompts, failed, mute, measured)


class AblationController(t.HasTraits):
    """Lets the chosen model ablate the loaded traces, off the UI thread; what is done is kept."""

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        models: ModelController,
        traces: TracesController,
    ) -> None:
        super().__init__()
        self.state = state
        self.jobs = jobs
        self.models = models
        self.traces = traces
        self._finished: dict[int, Trace] = {}
        self._known: dict[int, tuple[str, Any]] = {}  # place -> digest of the texts, and the mark
        traces.observe(self._put_back, names="loaded")

    @property
    def model_name(self) -> str:
        """The model that would be asked."""
        return str(self.state.model or DEFAULT_MODEL)

    def measure(self) -> None:
        """Ablate the traces whose causal use is not known."""
        traces = self.traces.loaded
        if traces is None or self.jobs.runner.running(ABLATING):
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
                progress=lambda p: pass_on(job, p),
                cancel=job.cancel,
                on_trace=keep,
            )
            # Those that could not be ablated say why, too.
            finished.update(zip(places, found, strict=True))
            return tuple(found.problems)

        def done(problems: tuple[TraceProblem, ...]) -> None:
            self.models.ready(name)
            self._take(problems)

        def failed(error: BaseException) -> None:
            self._take()
            self.models.failed(error, name)

        self.models.starting(name)
        self.jobs.runner.start(
            ABLATING, work, done=done, failed=failed, message="measuring causal use"
        )

    def stopped(self) -> None:
        """Keep what is there of work that the user stopped."""
        if not self.jobs.runner.running(ABLATING):
            self._take()

    def _take(self, problems: Sequence[TraceProblem] = ()) -> None:
        """Put what was found to the traces, which may have got attention or labels meanwhile."""
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
        self.traces.loaded = traces.replaced(marked, new)

    def _put_back(self, change: Mapping[str, Any]) -> None:
        """Keep what is known of traces that were read anew while they were ablated."""
        traces: TraceSet | None = change["new"]
        if traces is None:
            return
        lost = {
            place: _marked(traces[place], mark)
            for place, (texts, mark) in self._known.items()
            if place < len(traces)
            and MARK not in traces[place].metadata
            and texts_digest(traces[place]) == texts
        }
        if lost:
            self.traces.loaded = traces.replaced(lost)


def _marked(trace: Trace, mark: Any) -> Trace:
    return msgspec.structs.replace(trace, metadata={**trace.metadata, MARK: mark})
