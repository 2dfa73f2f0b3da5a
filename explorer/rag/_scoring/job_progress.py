"""Progress of a job over many traces, and the time that is left."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

from explorer.run_control import Progress, RunControl, Stage


class TraceProgress:
    """Counts traces and reports them to a callback, or to a progress bar.

    Parameters
    ----------
    control
        Progress callback and cancel event of the caller. Without a callback a bar is shown in a
        terminal or a notebook.
    total
        Number of traces.
    stage, verb
        What is done with the traces: for programs, and in messages ("reading").

    Attributes
    ----------
    control : RunControl
        The caller's, with the bar as callback where there is one.
    """

    def __init__(
        self,
        control: RunControl | None,
        total: int,
        *,
        stage: Stage = "recording",
        verb: str = "reading",
    ) -> None:
        self._total = total
        self._stage: Stage = stage
        self._verb = verb
        self._finished = 0
        self._skipped = 0
        self._began: float | None = None
        self._bar: Any = None
        self.control = RunControl() if control is None else control
        if self.control.progress is None and total and _watched():
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, unit="trace")
            self.control = replace(self.control, progress=self._show)

    def skip(self) -> None:
        """Count a trace that takes no time."""
        self._skipped += 1
        self._move()

    def done(self) -> None:
        """Count a trace that was read."""
        self._finished += 1
        self._move()

    def report(self, label: str, part: float = 0.0) -> None:
        """Report that a model reads the next traces; raise `Cancelled` if the job was stopped.

        Parameters
        ----------
        label
            Name of the model.
        part
            Number of the next traces that are done already; a fraction while one is being read.
        """
        if self._began is None:
            self._began = time.monotonic()
        behind = self._finished + self._skipped
        message = f"{label} is {self._verb} trace {min(behind + 1, self._total)} of {self._total}"
        fraction = (behind + part) / max(1, self._total)
        self.control.report(self._stage, fraction, message + self._left(part))

    def finished(self) -> None:
        """Report that all traces are done."""
        if self.control.progress is not None and self._total:
            message = f"All {self._total} traces are done."
            self.control.progress(Progress(self._stage, 1.0, message))

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def _left(self, part: float) -> str:
        """Return the end of a message: the time that is left, once a trace is finished."""
        behind = self._finished + part
        if not behind or self._began is None:
            return " ..."
        each = (time.monotonic() - self._began) / behind
        return f"; {_duration(each * (self._total - behind - self._skipped))} left ..."

    def _move(self) -> None:
        if self._bar is not None:
            self._bar.update(1)

    def _show(self, progress: Progress) -> None:
        # The bar counts the traces itself; before the first, it shows what the job waits for.
        self._bar.set_description_str("" if progress.stage == self._stage else progress.message)


def _watched() -> bool:
    """Return whether output goes to a terminal or a notebook."""
    stream = sys.stderr
    return "ipykernel" in sys.modules or (stream is not None and stream.isatty())


def _duration(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
