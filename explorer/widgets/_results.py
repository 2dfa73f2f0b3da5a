"""What an app gives to the notebook: its data, and its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.attention import AttentionMap
from explorer.errors import ExplorerError
from explorer.traces import Trace, TraceSet, load_traces
from explorer.widgets._session import Session
from explorer.widgets._shell import export
from explorer.widgets._shell.head_selector import HEAD_MEASURES
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces._file.texts import GIVEN_TRACES

if TYPE_CHECKING:
    import pandas as pd


class ExplorerResults(ExplorerState):
    """The state of an app together with the data that it leads to."""

    _session: Session

    @property
    def feedback(self) -> pd.DataFrame | None:
        """The feedback table in view, one row per unit; waits for jobs under way."""
        self.wait()
        table = self.table
        return None if table is None else table.copy()

    @property
    def attention(self) -> AttentionMap | None:
        """The attention map in view; waits for jobs under way."""
        self.wait()
        return getattr(self.scene, "attention", None)

    @property
    def sweep(self) -> pd.DataFrame | None:
        """The sweep of the thresholds tab, one row per threshold; waits for jobs under way.

        None before the tab was in front, and where the labels cannot evaluate the chosen scores.
        """
        self.wait()
        analysis = self._session.thresholds.analysis
        return None if analysis is None else analysis.sweep.table.copy()

    @property
    def traces(self) -> TraceSet | None:
        """The loaded traces; set to show others: a `TraceSet`, traces, or a path."""
        self.wait()
        return self._session.traces.loaded

    @traces.setter
    def traces(self, traces: str | Path | TraceSet | Sequence[Trace]) -> None:
        try:
            found = as_trace_set(traces)
        except ExplorerError as error:
            path = Path(traces) if isinstance(traces, str | Path) else None
            name = GIVEN_TRACES if path is None else path.name
            self._session.traces.refuse(name, error)
            raise
        self._session.traces.show(found)

    @property
    def error(self) -> str | None:
        """The error that the app shows; None when there is none."""
        return self._session.jobs.error

    def settings(self) -> dict[str, Any]:
        """The traits that say how things are shown, ready for JSON and for ``Explorer(**...)``."""
        return export.settings_of(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until no job is under way; False when `timeout` seconds were not enough."""
        return self._session.jobs.runner.wait(timeout, but=frozenset({HEAD_MEASURES}))

    def cancel(self) -> None:
        """Stop every job; the view before it stays."""
        self._session.cancel()


def as_trace_set(traces: str | Path | TraceSet | Sequence[Trace]) -> TraceSet:
    """Return traces from a path, a sequence or a `TraceSet`."""
    if isinstance(traces, str | Path):
        return load_traces(Path(traces).expanduser())
    return traces if isinstance(traces, TraceSet) else TraceSet(traces)
