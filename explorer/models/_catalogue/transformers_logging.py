"""Progress bars and log lines of transformers, silenced while a model loads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, Self

_LOCK = threading.RLock()


class SilentBar:
    """A tqdm bar that draws nothing and passes its counts to a callback."""

    def __init__(self, advance: Callable[[str, float | None], None], *args: Any, **kwargs: Any):
        self._items = args[0] if args else kwargs.get("iterable")
        self._advance = advance
        self._label = str(kwargs.get("desc") or "")
        total = kwargs.get("total")
        if total is None and isinstance(self._items, Sized):
            total = len(self._items)
        self._total = total
        self.n = 0.0

    def __iter__(self) -> Iterator[Any]:
        for item in self._items or ():
            yield item
            self.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, n: float | None = 1) -> None:
        """Add `n` items to the count."""
        self.n += n or 0
        self._advance(self._label, self.n / self._total if self._total else None)

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


class _NotOfQuietThreads(logging.Filter):
    """Drops what threads in `quiet_thread` log below an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown."""
        return record.levelno >= logging.ERROR or record.thread not in _QUIET


_QUIET: set[int] = set()
_FILTER = _NotOfQuietThreads()


@contextmanager
def quiet_thread() -> Iterator[None]:
    """Silence what this thread makes transformers log; other threads and all settings stay."""
    import transformers.utils.logging  # noqa: F401  # makes the handler

    handlers = logging.getLogger("transformers").handlers
    for handler in handlers:
        handler.addFilter(_FILTER)  # once, however often it is added
    thread = threading.get_ident()
    outer = thread in _QUIET
    _QUIET.add(thread)
    try:
        yield
    finally:
        if not outer:
            _QUIET.discard(thread)


@contextmanager
def silenced(
    advance: Callable[[str, float | None], None] = lambda label, fraction: None,
) -> Iterator[None]:
    """Silence transformers; its progress goes to ``advance(label, fraction)``.

    The settings of transformers are global, so one thread at a time can be in this context. Bars of
    other threads are drawn as before.
    """
    from transformers.utils import logging as of_transformers

    with _LOCK:
        owner = threading.get_ident()

        def make(factory: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if threading.get_ident() != owner:
                return factory(*args, **kwargs)
            return SilentBar(advance, *args, **kwargs)

        previous_hook = of_transformers.set_tqdm_hook(make)
        verbosity = of_transformers.get_verbosity()
        of_transformers.set_verbosity(logging.ERROR)
        try:
            yield
        finally:
            of_transformers.set_verbosity(verbosity)
            of_transformers.set_tqdm_hook(previous_hook)
