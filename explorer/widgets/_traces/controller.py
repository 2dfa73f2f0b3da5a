"""Traces are loaded, and one of them is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as t

from explorer.errors import Cancelled, ExplorerError, InputError, TraceError
from explorer.feedback import Unit
from explorer.traces import Evidence, Trace, TraceProblem, TraceSet, evidence
from explorer.traces._io.format_detection import UnknownFormatError
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces._file import texts
from explorer.widgets._traces._file.file_counts import FileCounts
from explorer.widgets._traces._file.trace_source import TraceSource
from explorer.widgets._traces.scene import TraceScene


@dataclass(frozen=True)
class LoadFailure:
    """A file that was asked for and could not be loaded.

    Attributes
    ----------
    name
        Name of the file.
    message
        Why, and what to do.
    error
        The error as the status line of another tab shows it.
    source
        Where it was to be read from; None where nothing can be read again.
    """

    name: str
    message: str
    error: str
    source: TraceSource | None = None


COUNTING = "trace counts"
"""Name of the job that counts what the traces of a large file bring."""


class TracesController(Controller):
    """Loads trace files and keeps `state.trace_scene` in step with the chosen trace.

    Attributes
    ----------
    recorded
        Scenes of traces that a model has read in this session, by the index of the trace.
    on_file
        Called with the source of newly loaded traces and the first of them, before it is shown.
    on_copy
        Called with the source of a file to which the open traces were written.
    on_trace
        Called with a trace before it is shown.
    """

    JOB = "traces"

    loaded = t.Instance(TraceSet, allow_none=True, help="The loaded traces.")
    files_shown = t.Int(0, help="Counts the trace sets that were shown.")
    traces_opened = t.Int(0, help="Counts the traces that were opened.")
    source = t.Instance(TraceSource, allow_none=True, help="Where the loaded traces come from.")
    counts = t.Instance(FileCounts, allow_none=True, help="What they bring; None: not counted.")
    opening = t.Unicode("", help="Name of the file that is being loaded.")
    refused = t.Instance(LoadFailure, allow_none=True, help="The file that could not be loaded.")

    def __init__(self, state: ExplorerState, jobs: JobManager, models: ModelController) -> None:
        super().__init__(state, jobs)
        self.models = models
        self.recorded: dict[int, TraceScene] = {}
        self.on_file: Callable[[TraceSource, Trace | None], None] = lambda _source, _first: None
        self.on_copy: Callable[[TraceSource], None] = lambda _source: None
        self.on_trace: Callable[[Trace], None] = lambda _trace: None

    # loading

    def load_path(self, path: str | Path) -> None:
        """Load a trace file by its path; after an error everything stays as it was."""
        self.load(TraceSource.of_path(path))

    def load_bytes(self, contents: bytes, name: str) -> None:
        """Load an uploaded trace file."""
        self.load(TraceSource.of_upload(contents, name))

    def load_examples(self) -> None:
        """Load the packaged traces."""
        source = TraceSource.examples()
        self.show(source.read(), source)

    def load(self, source: TraceSource, format: str | None = None) -> None:  # noqa: A002
        """Load traces, in this format or in the one that is detected."""
        self.jobs.clear()
        self.refused, self.opening = None, source.name
        self.run(
            lambda _: source.read(format),
            lambda traces: self.show(traces, source),
            failed=lambda error: self.refuse(source.name, error, source),
            message=texts.loading_file(source.name),
        )

    def load_as(self, format: str) -> None:  # noqa: A002
        """Load the file that could not be loaded, or the one in view, in a format of this name."""
        source = self.source if self.refused is None else self.refused.source
        if source is not None and source.has_formats:
            self.load(source, format)

    def refuse(self, name: str, error: BaseException, source: TraceSource | None = None) -> None:
        """Say that a file could not be loaded; the traces in view stay."""
        self.jobs.tell(error)
        if not isinstance(error, Cancelled):
            said = self.jobs.error or str(error)
            message = said
            if isinstance(error, UnknownFormatError) and source is not None:
                message = texts.unknown_format(error.found)
            self.refused = LoadFailure(name, message, said, source)
        self.opening = ""

    def dismiss(self) -> None:
        """Say no more that a file could not be loaded."""
        self.refused = None
        self.jobs.clear()

    def show(self, traces: TraceSet, source: TraceSource | None = None) -> None:
        """Show a set of traces, the first of them open."""
        self.jobs.clear()
        self.recorded.clear()
        self.refused, self.opening = None, ""
        self.source = source or TraceSource.of_traces(traces)
        self.counts = None
        self.files_shown += 1
        with self.state.batch():
            self.on_file(self.source, traces[0] if len(traces) else None)
            self.loaded = traces
            self.count()
            with self.models.silently():
                self.state.trace = 0 if len(traces) else None
            self.open()

    def count(self) -> None:
        """Count what the traces bring."""
        traces = self.loaded
        if traces is None:
            self.counts = None
        elif not traces.is_on_disk:
            self.counts = FileCounts.of(traces)
        else:
            self.jobs.runner.start(
                COUNTING,
                lambda _: FileCounts.of(traces),
                done=lambda found: self._counted(traces, found),
                failed=self.jobs.tell,
                message=texts.COUNTING,
            )

    def _counted(self, traces: TraceSet, counts: FileCounts) -> None:
        if traces is self.loaded:
            self.counts = counts

    def replace(self, changed: Mapping[int, Trace], problems: Sequence[TraceProblem] = ()) -> None:
        """Put changed traces in their places, and add problems."""
        if self.loaded is not None:
            self.loaded = self.loaded.replaced(changed, problems)
            self.count()

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
        self.traces_opened += 1
        traces, index = self.loaded, self.state.trace
        if traces is None or index is None:
            self.state.trace_scene = None
            return
        if self.state.tab != "code":
            self.state.selection = None
        with self.state.batch():
            if index in self.recorded:
                self.on_trace(self.recorded[index].trace)
                self.state.trace_scene = self.recorded[index]
                return
            trace = traces[index]
            self.on_trace(trace)
            self.state.trace_scene = TraceScene(trace, index, self._evidence(trace))

    def _evidence(self, trace: Trace) -> Evidence:
        """Return the evidence of a trace; if it cannot be read the app says why."""
        try:
            found = evidence(trace)
            self.jobs.clear()
        except ExplorerError as error:
            self.jobs.tell(error)
            units = [Unit(e.id, e.hyperedge, (), 0, unknown=True) for e in trace.hyperedges]
            return Evidence("none", None, units)
        return found
