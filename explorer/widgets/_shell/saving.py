"""Saving what is in view: to a file of a path, or through the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from explorer.errors import InputError
from explorer.traces import save_traces
from explorer.traces._files.file_streams import write_whole
from explorer.widgets._session import Session
from explorer.widgets._shell import export
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds.config_files import report_file

_KINDS = {".csv": "table", ".html": "html", ".png": "png", ".json": "settings"}


class ViewSaver:
    """Saves the view, the settings, the traces, and the report of the thresholds tab.

    Parameters
    ----------
    state, session
        The state to save, and its session.
    """

    def __init__(self, state: ExplorerState, session: Session) -> None:
        self._state = state
        self._session = session
        self._report = session.report

    def write(self, path: Path) -> None:
        """Write a file whose suffix says what it holds; see `Explorer.save`."""
        if path.suffix in (".jsonl", ".parquet"):
            traces = self._session.traces.loaded
            if traces is None:
                raise InputError("There are no traces to save: load some first.")
            save_traces(traces, path)
            return
        kind = _KINDS.get(path.suffix)
        if kind is None:
            raise InputError(
                "Save to .csv, .html, .png or .json, or the traces to .jsonl or .parquet; "
                f"{path.name!r} ends in none of them."
            )
        if self._is_report(kind):
            write_whole(path, self._report.page().encode(), "The report")
        else:
            write_whole(path, export.contents(self._state, kind), "The view")

    def hand_over(self, kind: str, to_page: Callable[[Mapping[str, Any]], None]) -> None:
        """Give the page a file of this kind; the app shows what goes wrong."""
        if self._is_report(kind):
            self._report.write(lambda page: to_page(report_file(page)))
            return
        try:
            to_page(export.download(self._state, kind))
        except Exception as error:  # noqa: BLE001 - the app shows whatever fails
            self._session.jobs.tell(error)

    def _is_report(self, kind: str) -> bool:
        return kind == "html" and self._state.tab == "thresholds"
