"""Several traits set together: what follows from them runs once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Batch:
    """Collects what has to run when all traits of a batch are set."""

    def __init__(self) -> None:
        self._depth = 0
        self._waiting: list[Callable[[], None]] = []

    @property
    def is_open(self) -> bool:
        """Whether traits are being set together."""
        return self._depth > 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Collect inside the `with`; run what was collected when the outermost batch ends."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                waiting, self._waiting = self._waiting, []
                for run in waiting:
                    run()

    def add(self, run: Callable[[], None]) -> None:
        """Run this when the batch ends, once however often it is added."""
        if run not in self._waiting:
            self._waiting.append(run)
