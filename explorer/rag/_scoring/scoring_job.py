"""The job of one call of `score_traces` or `ablate`: its traces, passes, file and progress."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from explorer.errors import Cancelled, ExplorerError, InputError, TraceError
from explorer.rag._scoring.job_progress import TraceProgress
from explorer.rag._scoring.scored_file import Expected, ScoredFile, line_digest, scored_line
from explorer.rag._scoring.trace_preparation import PreparedWork, prepared_windows
from explorer.rag._scoring.trace_task import TraceReader, TraceTask
from explorer.run_control import RunControl
from explorer.traces import Trace, TraceProblem, TraceSet, load_traces
from explorer.traces._files.writer_lock import only_writer
from explorer.traces._model.trace import checked_trace

if TYPE_CHECKING:
    from explorer.models import Model

# Failed traces that are kept in memory until the end: more are written at once.
_MOST_FAILED = 128


class ScoringCancelled(Cancelled):
    """Scoring or ablation was stopped; finished traces are kept.

    Attributes
    ----------
    traces : TraceSet
        The traces that were finished.
    """

    def __init__(self, traces: TraceSet, noun: str = "Scoring") -> None:
        super().__init__(f"{noun} was stopped. {len(traces)} traces were finished and are kept.")
        self.traces = traces


class TraceStream(Protocol):
    """Traces that can be read again from the beginning, such as a `TraceSet`, or files."""

    def __iter__(self) -> Iterator[Trace]:
        """Yield the traces."""

    def __len__(self) -> int:
        """Return the number of traces."""


class ScoringJob:
    """One call of `score_traces` or `ablate`, or one batch of `explorer.batch`."""

    def __init__(
        self,
        traces: TraceStream,
        model: str | Model | tuple[Any, Any] | Callable[[], Model] | None,
        work: TraceTask,
        *,
        path: str | os.PathLike[str] | None,
        progress: TraceProgress,
        on_trace: Callable[[Trace], None] | None,
    ) -> None:
        self._traces = traces
        self._model = model
        self._work = work
        self._file = None if path is None else ScoredFile(path, work)
        self._progress = progress
        self._control = progress.control
        self._on_trace = on_trace
        self._reading: TraceReader[Any] | None = None
        self._done: dict[str, Trace] = {}
        self._problems: list[TraceProblem] = []
        self._noted: set[TraceProblem] = set()
        self.kept = 0  # traces that an earlier job had finished
        self.failures = 0
        if self._file is not None and isinstance(traces, TraceSet) and traces.path is not None:
            check_other_file(traces.path, self._file.path)

    @property
    def problems(self) -> list[TraceProblem]:
        """Traces that were not scored, or under another id, with the reason."""
        return self._problems

    def run(self) -> TraceSet:
        """Score the traces and return the result."""
        names: list[str] = []
        alone = contextlib.nullcontext() if self._file is None else only_writer(self._file.path)
        with alone:
            try:
                self.work_through(names)
            except Cancelled:
                raise ScoringCancelled(self._result(names), self._work.noun) from None
        return self._result(names)

    def work_through(self, names: list[str]) -> None:
        """Score the traces; memory grows by about 1 kB for each trace of a file.

        The caller holds the lock of the file.

        Parameters
        ----------
        names
            Receives the id of each trace that was reached.

        Raises
        ------
        Cancelled
            The job was stopped; finished traces are in the file.
        """
        failed: dict[str, Trace] = {}
        try:
            self._control.check()
            if self._file is not None and self._file.has_lines:
                self._resume(self._file)
                self.kept = len(self._file)
            traces = self._named()
            for window in prepared_windows(
                traces, names, self._settled, self._reader, self._control
            ):
                failed |= self._score_window(window)
                if len(failed) > _MOST_FAILED:
                    self._keep_failed(failed)
            self._keep_failed(failed)
        finally:
            self._progress.close()
            if self._file is not None:
                self._file.close()
        if self._file is not None:
            self._file.finish([name for name in names if name in self._file])
        self._progress.finished()

    def _keep_failed(self, failed: dict[str, Trace]) -> None:
        for trace in failed.values():
            self._keep(trace)
        failed.clear()

    def _result(self, names: list[str]) -> TraceSet:
        if self._file is not None:
            if not self._file.has_lines:
                return TraceSet([], self._file.path, self._problems)
            loaded = load_traces(self._file.path)
            loaded.problems = (*loaded.problems, *self._problems)
            return loaded
        done = {place: self._done[name] for place, name in enumerate(names) if name in self._done}
        if len(done) == len(self._traces) and isinstance(self._traces, TraceSet):
            return self._traces.replaced(done, self._problems)
        return TraceSet(done.values(), None, self._problems)

    def _named(self) -> Iterator[tuple[Trace, int]]:
        return named_traces(self._traces, self._note)

    def _note(self, line: int, message: str) -> None:
        problem = TraceProblem(line, message, loaded=True)
        if problem not in self._noted:
            self._noted.add(problem)
            self._problems.append(problem)

    def _passes(self, trace: Trace) -> bool:
        return self._work.passes(trace, self._reader)

    def _reader(self) -> TraceReader[Any]:
        """Return the reader of traces; the model is loaded when it is first needed."""
        if self._reading is None:
            given = self._model
            model = given() if callable(given) else loaded_model(given, self._control)
            self._reading = self._work.reader(model)
        return self._reading

    def _resume(self, file: ScoredFile) -> None:
        expected = {}
        for trace, _ in self._named():
            if self._passes(trace):
                expected[trace.id] = Expected(line_digest(scored_line(trace)), None)
            else:
                reader = self._reader()
                wanted = None if self._work.wanted is None else self._work.wanted(trace)
                expected[trace.id] = Expected(reader.fingerprint(trace), reader.key, wanted)
        file.resume(expected)

    def _settled(self, trace: Trace, line: int) -> bool:
        """Return whether there is nothing to read of a trace, and keep it."""
        if self._file is not None and trace.id in self._file:
            self._progress.skip()
        elif self._passes(trace):
            self._keep(trace)
            self._progress.skip()
        else:
            return False
        return True

    def _score_window(self, window: list[PreparedWork]) -> dict[str, Trace]:
        """Score some traces; return those that failed, marked with the reason."""
        failed = {
            one.trace.id: self._failed(one.trace, one.line, one.error)
            for one in window
            if one.error is not None
        }
        ready = [(one.trace, one.ready, one.line) for one in window if one.error is None]
        if not ready:
            return failed
        for places in self._reader().plan([one for _, one, _ in ready]):
            failed |= self._score_batch([ready[place] for place in places])
        return failed

    def _score_batch(self, batch: list[tuple[Trace, Any, int]]) -> dict[str, Trace]:
        self._partly(0.0)
        traces, ready, lines = zip(*batch, strict=True)
        try:
            found = self._reader().read(
                traces, ready, self._control, lambda part: self._partly(part * len(batch))
            )
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - any model may raise
            if len(batch) == 1:
                return {traces[0].id: self._failed(traces[0], lines[0], error)}
            failed: dict[str, Trace] = {}
            for one in batch:  # a trace has failed only if it fails by itself
                failed |= self._score_batch([one])
            return failed
        for trace in found:
            self._keep(trace)
            self._progress.done()
            if self._on_trace is not None:
                self._on_trace(trace)
        if self._file is not None:
            self._file.sync()
        return {}

    def _partly(self, part: float) -> None:
        self._progress.report(self._reader().model.label, part)

    def _keep(self, trace: Trace) -> None:
        if self._file is None:
            self._done[trace.id] = trace
            return
        try:
            line = scored_line(trace)
        except TraceError as error:  # metadata made in memory that JSON cannot hold
            self.failures += 1
            self._note(trace.line or 0, f"{error} It is not in {self._file.path.name}.")
            return
        self._file.append(trace, line)

    def _failed(self, trace: Trace, line: int, error: Exception) -> Trace:
        """Record why a trace was not scored, in the problems and on the trace."""
        reason = (
            str(error) if isinstance(error, ExplorerError) else f"{type(error).__name__}: {error}"
        )
        self.failures += 1
        self._note(line, f"the trace {trace.id!r} was not {self._work.past}: {reason}")
        self._progress.done()
        mark = self._reader().mark(trace, problem=reason)
        return msgspec.structs.replace(trace, metadata={**trace.metadata, self._work.mark: mark})


def named_traces(
    traces: TraceStream, note: Callable[[int, str], None]
) -> Iterator[tuple[Trace, int]]:
    """Yield the traces with their lines; a repeated id gets a number, which is noted."""
    seen: set[str] = set()
    for number, trace in enumerate(traces, start=1):
        line, name, count = trace.line or number, checked_trace(trace).id, 1
        while name in seen:
            count += 1
            name = f"{trace.id}#{count}"
        seen.add(name)
        if name != trace.id:
            note(line, f"the id {trace.id!r} was used before; this trace is kept as {name!r}.")
            trace = msgspec.structs.replace(trace, id=name)
        yield trace, line


def check_other_file(one: Path, other: Path) -> None:
    """Raise TraceError if the file to write is the one that the traces come from."""
    if one.exists() and other.exists() and one.samefile(other):
        raise TraceError(
            f"{other} is the file that the traces come from, and may still be read. Give another "
            "path for the new ones."
        )


def loaded_model(model: str | Model | tuple[Any, Any] | None, control: RunControl) -> Model:
    """Return the model of a name, of a pair, or itself; the packaged SmolLM2 for None.

    Raises
    ------
    InputError
        The value is of another kind.
    ModelError, Cancelled
        As `load_model`.
    """
    from explorer.models import DEFAULT_MODEL, Model, load_model

    if isinstance(model, Model):
        return model
    if model is None or isinstance(model, str):
        name = DEFAULT_MODEL if model is None else model
        return load_model(name, progress=control.progress, cancel=control.cancel)
    if isinstance(model, tuple | list) and len(model) == 2:
        return Model.wrap(*model)
    raise InputError(
        "model is the name of a model, a Model, or a pair of a transformers model and its "
        f"tokenizer; got {type(model).__name__}."
    )
