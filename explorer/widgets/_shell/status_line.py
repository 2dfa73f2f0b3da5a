"""The status line: a sentence about what is in view, notes, errors and jobs."""

from __future__ import annotations

from explorer.widgets._attention.bars_view import MOST_BARS
from explorer.widgets._attention.view_sentences import sentence_of
from explorer.widgets._base.panel import Panel
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._session import Session
from explorer.widgets._shell import texts
from explorer.widgets._shell.head_selector import HEAD_MEASURES
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds.panel_contents import status_sentence

_DRAWN_BY = (
    "tab", "focus", "table", "selection", "direction", "unit_kind", "hide_sink", "heads",
    "code_scene", "trace_scene", *dict.fromkeys(METHOD_THRESHOLDS.values()),
)  # fmt: skip

_REPLACING = {"code": "code", "traces": "traces"}
"""Tab -> the job that brings something new in place of what the tab shows."""


class StatusLinePanel(Panel):
    """Draws the status line, a moment after the figures."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self._session = session
        gestures = {
            "cancel": lambda message: session.cancel(message["job"]),
            "dismiss": lambda _: session.jobs.clear(),
        }
        self.widget = self.status = self.part("status", texts.PAGE_TEXTS["status"], gestures)
        self.draw_on(self._show, *_DRAWN_BY, later=True)
        self.draw_on(self._show, *session.jobs.trait_names(), of=session.jobs, later=True)
        self.draw_on(self._show, "refused", of=session.traces, later=True)
        names = session.thresholds.trait_names()
        self.draw_on(self._show, *names, of=session.thresholds, later=True)
        self.begin()

    def _show(self) -> None:
        session = self._session
        if self.state.tab == "thresholds":
            sentence, notes = status_sentence(session), []
        else:
            sentence, notes = sentence_of(self.state), _notes(self.state)
        self.status.show(
            sentence=sentence,
            error=self._error(),
            notes=notes,
            jobs=[
                {
                    "job": name,
                    "message": report.message,
                    "fraction": report.fraction,
                    "replaces": name == _REPLACING.get(self.state.tab),
                }
                for name, report in session.jobs.reports.items()
                if name != HEAD_MEASURES
            ],
        )

    def _error(self) -> str | None:
        """Return the error to show; that of a file is shown where files are loaded."""
        traces, error = self._session.traces, self._session.jobs.error
        said = traces.refused is not None and traces.refused.error == error
        return None if said and self.state.tab == "traces" else error


def _notes(state: ExplorerState) -> list[list[str]]:
    """Return what a reader of the view must know: a word, and the sentence behind it."""
    table, scene = state.table, state.scene
    found = () if table is None else table.attrs["notes"]
    notes = [[note.code.replace("-", " "), note.message] for note in found]
    about_map = getattr(scene, "notes", ())
    if isinstance(scene, CodeScene):
        about_map = scene.attention.notes  # a memory map has notes about what was read so far
    notes += [[texts.ABOUT_ATTENTION, note] for note in about_map]
    if isinstance(scene, CodeScene):
        notes += [[texts.ABOUT_UNITS, note] for note in scene.unit_notes(state.unit_kind)]
        units = scene.units(state.unit_kind)
        first = next((unit.name for unit in units if unit.spans and unit.spans[0][0] == 0), None)
        if state.hide_sink and first is not None:
            notes.append(texts.sink_note(first))
    if table is not None and len(table) > MOST_BARS:
        notes.append(texts.bars_note(MOST_BARS, len(table)))
    return notes
