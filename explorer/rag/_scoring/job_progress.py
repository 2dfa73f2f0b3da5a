"""How far a job over many traces is, and how long it may still take."""

from __future__ import annotations

import sys
import time
from typing import Any, Literal

from explorer.run_control import Progress, ProgressCallback, RunControl, Stage


class JobProgress:
    """Counts traces, and tells a callback, or a bar where somebody watches.

    Parameters
    ----------
    progress
        The callback; None for a bar, in a terminal or a notebook; False for nothing.
    total
        How many traces there are.
    stage, doing
        What is done with them, for programs and for people.
    """

    def __init__(
        self,
        progress: ProgressCallback | Literal[False] | None,
        total: int,
        *,
        stage: Stage = "recording",
        doing: str = "reading",
    ) -> None:
        self._total = total
        self._stage: Stage = stage
        self._doing = doing
        self._finished = 0
        self._skipped = 0
        self._began: float | None = None
        self._bar: Any = None
        if progress is None and total and _watched():
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, unit="trace")
        self.callback: ProgressCallback | None = progress or None
        if self._bar is not None:
            self.callback = self._show

    def skip(self) -> None:
        """Count a trace that takes no time."""
        self._skipped += 1
        self._move()

    def done(self) -> None:
        """Count a trace that was read."""
        self._finished += 1
        self._move()

    def tell(self, control: RunControl, label: str, part: float = 0.0) -> None:
        """Report that the next traces are being read, and check for a stop.

        Parameters
        ----------
        part
            How much of the next trace is done already, in [0, 1].
        """
        if self._began is None:
            self._began = time.monotonic()
        behind = self._finished + self._skipped
        message = f"{label} is {self._doing} trace {min(behind + 1, self._total)} of {self._total}"
        fraction = (behind + part) / max(1, self._total)
        control.report(self._stage, fraction, message + self._left(part))

    def finished(self) -> None:
        """Report that all traces are done."""
        if self.callback is not None and self._total:
            message = f"All {self._total} traces are done."
            self.callback(Progress(self._stage, 1.0, message))

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _left(self, part: float) -> str:
        """Return what to say about the time that is left; nothing until something is finished."""
        behind = self._finished + part
        if not behind or self._began is None:
            return " ..."
        each = (time.monotonic() - self._began) / behind
        return f"; {_duration(each * (self._total - behind - self._skipped))} left ..."

    def _move(self) -> None:
        if self._bar is not None:
            self._bar.update(1)

    def _show(self, progress: Progress) -> None:
        # While traces are read the bar itself tells how far; before that, what it waits for.
        self._bar.set_description_str("" if progress.stage == self._stage else progress.message)


def _watched() -> bool:
    stream = sys.stderr
    return "ipykernel" in sys.modules or (stream is not None and stream.isatty())


def _duration(seconds: float) -> str:
    """Write a time that is left for people."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
