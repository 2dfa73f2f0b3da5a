"""What follows a change a moment later, once for many changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DELAY_S = 0.02
"""Long enough for what was sent before to be on the page, short enough to seem at once."""


class Debouncer:
    """Runs something after what is quicker, and not again before it has run.

    While a line is dragged, changes come faster than everything can follow. What is asked for while
    it already waits is asked for once; when it runs it looks at the newest state. Without a running
    event loop (a script, a test) it runs at once.

    Parameters
    ----------
    run
        What to do; on the UI thread.
    delay
        Seconds to wait.
    """

    def __init__(self, run: Callable[[], None], delay: float = DELAY_S) -> None:
        self._run = run
        self._delay = delay
        self._timer: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        """Run it soon, unless that is to happen anyway."""
        if self._timer is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._run()
            return
        self._timer = loop.call_later(self._delay, self._go)

    def close(self) -> None:
        """Do not run any more what was asked for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go(self) -> None:
        self._timer = None
        self._run()
