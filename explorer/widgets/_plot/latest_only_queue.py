"""One change on the way at a time, and always the newest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["PATIENCE", "LatestOnlyQueue", "together"]

PATIENCE: Final = 0.25
"""Seconds after which a change is sent although the page has not drawn the one before."""


class _HeldBack(threading.local):
    """The queues that were given changes inside `together`, in this thread."""

    depth = 0

    def __init__(self) -> None:
        self.queues: list[LatestOnlyQueue] = []


_HELD_BACK: Final = _HeldBack()


@contextmanager
def together() -> Iterator[None]:
    """Send what all queues are given inside the `with` at its end, in the order of the first puts.

    What arrives together is drawn in one frame. Where work lies between two messages, the page
    draws a frame for the first, and the second waits for the next frame.
    """
    _HELD_BACK.depth += 1
    try:
        yield
    finally:
        _HELD_BACK.depth -= 1
        if not _HELD_BACK.depth:
            queues, _HELD_BACK.queues = _HELD_BACK.queues, []
            for queue in queues:
                queue.put()


class LatestOnlyQueue:
    """Holds changes back while the page is busy drawing, and sends the newest when it is done.

    A slider that is dragged, or a loop over layers, makes changes faster than a page can draw
    them. Sent one by one they would queue up in the browser and be drawn long after the fact. So
    only one change is under way; what comes meanwhile replaces what waits. A page that never
    answers (closed, hidden, a lost message) holds nothing up for longer than `patience`.

    Parameters
    ----------
    send
        Called with the serial and the changes, from the thread that makes a change or, for a change
        that had to wait, from a timer: a cell that computes for a minute after its last change
        would otherwise keep the old picture for that minute.
    patience
        Seconds to wait for the page.
    """

    def __init__(
        self, send: Callable[[int, dict[str, Any]], None], patience: float = PATIENCE
    ) -> None:
        self.serial = 0
        self._send = send
        self._patience = patience
        self._waiting: dict[str, Any] = {}
        self._sent_at: float | None = None
        self._timer: threading.Timer | None = None
        self._held = 0
        self._lock = threading.RLock()

    def put(self, **changes: Any) -> None:
        """Send `changes`, now or as soon as the page has drawn what is under way."""
        with self._lock:
            self._waiting |= changes
            if self._held or not self._waiting:
                return
            if _HELD_BACK.depth:
                if self not in _HELD_BACK.queues:
                    _HELD_BACK.queues.append(self)
                return
            if self._sent_at is None or self._age() >= self._patience:
                self._flush()
            elif self._timer is None:
                self._timer = threading.Timer(self._patience - self._age(), self._flush)
                self._timer.daemon = True
                self._timer.start()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Send what is put inside the `with` as one message at its end."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
            self.put()

    def drawn(self, serial: int) -> None:
        """Take note that the page has drawn everything up to `serial`."""
        with self._lock:
            if serial >= self.serial:
                self._sent_at = None
                if self._waiting:
                    self._flush()

    def waiting(self, name: str) -> Any:
        """Return the change called `name` that has not been sent yet, or None."""
        with self._lock:
            return self._waiting.get(name)

    def close(self) -> None:
        """Drop what waits."""
        with self._lock:
            self._waiting = {}
            self._stop_timer()

    def _age(self) -> float:
        return time.monotonic() - (self._sent_at or 0.0)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        with self._lock:
            self._stop_timer()
            if not self._waiting or self._held:
                return
            changes, self._waiting = self._waiting, {}
            self.serial += 1
            self._sent_at = time.monotonic()
            self._send(self.serial, changes)
