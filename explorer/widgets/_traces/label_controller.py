"""Labels of hyperedges: set in the app, and followed wherever else they are set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from explorer.errors import ExplorerError
from explorer.traces import TraceSet
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.scene import TraceScene, labelled_scene


class LabelController(Controller):
    """Labels hyperedges of the open trace, and shows labels given in a cell or in another app."""

    labelled = t.Int(0, help="Counts the labels that were set or removed.")

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

    def close(self) -> None:
        """Follow labels no more."""
        super().close()
        if self.traces.loaded is not None:
            self.traces.loaded.leave_labels(self._label_changed)

    def _subscribe(self, change: Mapping[str, Any]) -> None:
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
        try:
            recorded = self.traces.recorded
            recorded |= {index: labelled_scene(each, traces) for index, each in recorded.items()}
            if scene is not None:
                self.state.trace_scene = labelled_scene(scene, traces)
        except ExplorerError as error:  # the file of the traces has gone
            self.jobs.tell(error)
        self.traces.count()
        self.labelled += 1
