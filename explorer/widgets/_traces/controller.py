"""Traces are loaded, and one of them is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as t

from explorer.errors import ExplorerError, InputError, TraceError
from explorer.feedback import Unit
from explorer.traces import (
    Evidence,
    Trace,
    TraceProblem,
    TraceSet,
    evidence,
    load_traces,
    parse_traces,
)
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces.scene import TraceScene


class TracesController(Controller):
    """Loads trace files and keeps `state.trace_scene` in step with the chosen trace.

    Attributes
    ----------
    recorded
        Scenes of traces that a model has read in this session, by the index of the trace.
    """

    JOB = "traces"

    loaded = t.Instance(TraceSet, allow_none=True, help="The loaded traces.")
    files_shown = t.Int(0, help="Counts the trace sets that were shown.")
    traces_opened = t.Int(0, help="Counts the traces that were opened.")

    def __init__(self, state: ExplorerState, jobs: JobManager, models: ModelController) -> None:
        super().__init__(state, jobs)
        self.models = models
        self.recorded: dict[int, TraceScene] = {}

    # loading

    def load_path(self, path: str | Path) -> None:
        """Load a trace file by its path; after an error everything stays as it was."""
        self._load(lambda: load_traces(Path(path).expanduser()), str(path))

    def load_bytes(self, contents: bytes, name: str) -> None:
        """Load an uploaded trace file."""
        self._load(lambda: parse_traces(contents, name), name)

    def load_examples(self) -> None:
        """Load the packaged traces."""
        from explorer.examples import example_traces

        self.show(example_traces())

    def _load(self, load: Callable[[], TraceSet], name: str) -> None:
        self.jobs.clear()
        self.run(lambda _: load(), self.show, message=texts.loading_file(Path(name).name))

    def show(self, traces: TraceSet) -> None:
        """Show a set of traces, the first of them open."""
        self.jobs.clear()
        self.recorded.clear()
        self.files_shown += 1
        self.loaded = traces
        with self.models.silently():
            self.state.trace = 0 if len(traces) else None
        self.open()

    def replace(self, changed: Mapping[int, Trace], problems: Sequence[TraceProblem] = ()) -> None:
        """Put changed traces in their places, and add problems."""
        if self.loaded is not None:
            self.loaded = self.loaded.replaced(changed, problems)

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
        if index in self.recorded:
            self.state.trace_scene = self.recorded[index]
            return
        self.state.trace_scene = TraceScene(traces[index], index, self._evidence(traces[index]))

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
