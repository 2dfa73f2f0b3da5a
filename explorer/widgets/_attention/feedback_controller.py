"""The feedback table in view, kept in step with what its scores and its threshold depend on."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError
from explorer.feedback._auto_threshold import Auto
from explorer.widgets._attention.unit_scores import UnitScores
from explorer.widgets._base.controller import Controller
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd


class FeedbackController(Controller):
    """Keeps `state.table` in step with what it depends on.

    Units are scored when their attention, their rows or the score settings change. A change of the
    threshold converts the scores that are there.

    Parameters
    ----------
    state
        The state to follow, except its focus: `focus_changed` is called when the heatmaps have
        drawn that, so that the picture is on its way to the page first.
    jobs
        Shows errors.
    """

    FOLLOWS = (
        "threshold",
        "threshold_mode",
        "reduction",
        "normalisation",
        "hide_sink",
        "unit_kind",
        "direction",
        "method",
        "heads",
    )

    def __init__(self, state: ExplorerState, jobs: JobManager) -> None:
        super().__init__(state, jobs)
        self._begun = True  # there are tables before the app is complete
        self._scores = UnitScores()
        self._shown: tuple[object, ...] | None = None
        self.follow(state, self._tab_changed, "tab")
        self.follow(state, self._selection_changed, "selection")
        self.follow(state, self._method_table_changed, "method_table")
        self.follow(state, self._scene_changed, "trace_scene")

    def _changed(self, change: Mapping[str, Any]) -> None:
        if not self.state.finding_threshold:  # what was found here is in the table already
            super()._changed(change)

    def focus_changed(self) -> None:
        """Follow a change of the focus."""
        self._changed({})

    def _tab_changed(self, change: Mapping[str, Any]) -> None:
        self._shown = None  # the table of the other tab is in view
        self._changed(change)

    def _selection_changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching or isinstance(self.state.scene, CodeScene):
            self._changed(change)

    def _method_table_changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching or self.state.method != "attention":
            self._changed(change)

    def _scene_changed(self, _: Mapping[str, Any]) -> None:
        """Remove the last trace's table; with attention, the focus was announced before."""
        if self.state.batching:
            self.state.after_batch(self.refresh)
            self.state.after_batch(self._leave_table)
        else:
            self._leave_table()

    def _leave_table(self) -> None:
        if self.state.focus is None and self.state.method == "attention":
            if self.state.heads is not None:
                self.refresh()
            else:
                self._show(None)

    def refresh(self) -> None:
        """Work out the table of the tab in front."""
        state = self.state
        if state.tab != "code" and state.method != "attention":
            scene: TraceScene | None = state.trace_scene
            if scene is None or not scene.trace.hyperedges:
                self._show(None)
            elif state.method_table is not None:
                self._find_threshold(state.method_table)
                # Until it is there the old table stays.
                self._show(state.method_table)
            return
        try:
            found = self._scores.of(state)
            threshold: float | Auto = "auto" if self._finds else state.threshold
            shown = None if found is None else (found, threshold)
            if shown is not None and shown == self._shown:
                return  # a pin that moves neither rows nor threshold
            table = None if found is None else found.table(threshold)
        except ExplorerError as error:
            self.jobs.tell(error)
            shown = table = None
        if table is not None:
            self._find_threshold(table)
        self._show(table)
        self._shown = shown

    @property
    def _finds(self) -> bool:
        """Whether the threshold is to be found; the thresholds tab judges one for all traces."""
        return self.state.threshold_mode == "auto" and self.state.tab != "thresholds"

    def _find_threshold(self, table: pd.DataFrame) -> None:
        """Show the threshold that auto found for a table, if it did."""
        found = table.attrs.get("threshold", nan)
        if self._finds and table.attrs.get("threshold_mode") == "auto" and not isnan(found):
            self.state.show_found_threshold(found)

    def _show(self, table: pd.DataFrame | None) -> None:
        self._shown = None
        self.state.table = table
