"""A callback that runs a moment after it is asked for, once for many requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DELAY_S = 0.02
"""Long enough for the page to draw what was sent before, short enough to seem immediate."""


class Debouncer:
    """Debounces a callback: many requests within `delay` run it once.

    Without a running event loop (a script, a test) it runs at once.

    Parameters
    ----------
    run
        The callback, called on the UI thread.
    delay
        Seconds from the first request to the call.
    """

    def __init__(self, run: Callable[[], None], delay: float = DELAY_S) -> None:
        self._run = run
        self._delay = delay
        self._timer: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        """Request a call."""
        if self._timer is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._run()
            return
        self._timer = loop.call_later(self._delay, self._go)

    def close(self) -> None:
        """Drop the request."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go(self) -> None:
        self._timer = None
        self._run()
