"""Labels of hyperedges: set in the app, and followed wherever else they are set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from explorer.errors import ExplorerError
from explorer.traces import TraceSet, save_traces
from explorer.traces._model.label_store import SUFFIX
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces._file.trace_source import TraceSource
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.scene import TraceScene, labelled_scene

_MOST_SEARCHED = 20_000
"""Number of traces that are looked through for one with an unlabelled hyperedge."""


class LabelController(Controller):
    """Labels hyperedges of the open trace, and shows labels given in a cell or in another app."""

    labelled = t.Int(0, help="Counts the labels that were set or removed.")
    unsaved = t.Int(0, help="Counts those that are in memory only.")

    def __init__(self, state: ExplorerState, jobs: JobManager, traces: TracesController) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.follow(traces, self._subscribe, "loaded")

    def label(self, unit: str, value: bool | None) -> None:
        """Label a hyperedge of the open trace as used or not; None removes its label."""
        scene: TraceScene | None = self.state.trace_scene
        traces = self.traces.loaded
        if scene is None or traces is None:
            return
        self.jobs.clear()
        try:
            traces.label(scene.index, unit, value)
        except ExplorerError as error:  # the label may be set, and its file not written
            self.jobs.tell(error)

    def take(self, contents: bytes, name: str) -> None:
        """Take over the labels of a label file for the open traces."""
        traces = self.traces.loaded
        if traces is None:
            return
        try:
            traces.given_labels.take(contents)
        except ExplorerError as error:
            self.traces.refuse(name, error)

    def download(self) -> dict[str, str] | None:
        """Return a file of the labels for the page, and count them as saved."""
        traces, source = self.traces.loaded, self.traces.source
        if traces is None or source is None:
            return None
        self.unsaved = 0
        name = source.name if source.kind in ("path", "upload") else "traces"
        text = traces.given_labels.as_json()
        return {"name": name + SUFFIX, "mime": "application/json", "text": text}

    def write_with_labels(self, path: str) -> None:
        """Write the traces with their labels to a path, and go on with that file.

        Raises
        ------
        TraceError
            They cannot be written there.
        """
        traces, place = self.traces.loaded, self.state.trace
        if traces is None:
            return
        source = TraceSource.of_path(path)
        save_traces(traces, source.path or path)
        self.unsaved = 0
        self.traces.on_copy(source)
        self.traces.show(source.read(), source)
        self.state.trace = place

    def next_unlabelled(self) -> None:
        """Open the next trace with a hyperedge that has no label."""
        traces, place = self.traces.loaded, self.state.trace
        if traces is None or place is None:
            return
        count = len(traces)
        for step in range(1, min(count, _MOST_SEARCHED) + 1):
            index = (place + step) % count
            if any(edge.label is None for edge in traces[index].hyperedges):
                self.state.trace = index
                return

    def close(self) -> None:
        """Follow labels no more."""
        super().close()
        if self.traces.loaded is not None:
            self.traces.loaded.leave_labels(self._label_changed)

    def _subscribe(self, change: Mapping[str, Any]) -> None:
        old, new = change["old"], change["new"]
        if old is None or new is None or old.given_labels is not new.given_labels:
            self.unsaved = 0
        if isinstance(change["old"], TraceSet):
            change["old"].leave_labels(self._label_changed)
        if isinstance(change["new"], TraceSet):
            change["new"].follow_labels(self._label_changed)

    def _label_changed(self) -> None:
        self.jobs.runner.on_ui(self._show_labels)

    def _show_labels(self) -> None:
        traces, scene = self.traces.loaded, self.state.trace_scene
        if traces is None:
            return
        if traces.given_labels.path is None:
            self.unsaved += 1
        try:
            recorded = self.traces.recorded
            recorded |= {index: labelled_scene(each, traces) for index, each in recorded.items()}
            if scene is not None:
                self.state.trace_scene = labelled_scene(scene, traces)
        except ExplorerError as error:  # the file of the traces has gone
            self.jobs.tell(error)
        self.traces.count()
        self.labelled += 1
