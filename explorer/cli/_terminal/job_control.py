"""Progress on stderr, and signals that stop a job between two steps."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from explorer.cli._terminal.documented_command import say
from explorer.cli._terminal.exit_codes import ExitCode
from explorer.errors import Cancelled
from explorer.run_control import Progress, RunControl, silent

_LOG_EVERY_S = 30.0


class ProgressLine:
    """Shows progress: a bar in a terminal, and elsewhere a line every half a minute."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._watched = sys.stderr.isatty()
        self._next = time.monotonic() + _LOG_EVERY_S

    def __call__(self, progress: Progress) -> None:
        """Show one step."""
        if not self._watched:
            now = time.monotonic()
            if now >= self._next:
                self._next = now + _LOG_EVERY_S
                share = "" if progress.fraction is None else f" ({progress.fraction:.0%})"
                say(f"{progress.message}{share}")
            return
        if self._bar is None:
            from tqdm import tqdm

            form = "{percentage:3.0f}% |{bar:20}| {desc}"
            self._bar = tqdm(total=1.0, file=sys.stderr, leave=False, bar_format=form)
        if progress.fraction is not None:
            self._bar.n = progress.fraction
        self._bar.set_description_str(progress.message)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


@contextlib.contextmanager
def running(*, quiet: bool) -> Iterator[RunControl]:
    """Yield the control of a job; Ctrl-C and SIGTERM stop it between two steps.

    What is finished is kept. A second Ctrl-C stops it at once.

    Raises
    ------
    SystemExit
        With 130 or 143, when a signal stopped the job.
    """
    import typer

    stop = threading.Event()
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        stop.set()
        say("Stopping after this step ...")

    line = ProgressLine()
    old = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            old[number] = signal.signal(number, on_signal)
    try:
        yield RunControl(silent if quiet else line, stop)
    except Cancelled as error:
        line.close()
        say(f"attention-explorer: {error}")
        ended = received and received[0] == signal.SIGTERM
        raise typer.Exit(ExitCode.TERMINATED if ended else ExitCode.INTERRUPTED) from None
    finally:
        line.close()
        for number, handler in old.items():
            signal.signal(number, handler)
