"""Results of long work, remembered for the latest few questions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from cachetools import LRUCache

Result = TypeVar("Result")


class ResultCache(LRUCache[Hashable, Result]):
    """The results used last, bounded in their number and in the sum of their sizes.

    Parameters
    ----------
    most
        Largest number of results.
    most_size
        Largest sum of sizes. The newest result is kept even if it is larger on its own.
    size
        Function that gives the size of a result; 0 when left out.

    Examples
    --------
    >>> cache = ResultCache(most=2)
    >>> cache["a"], cache["b"] = 1, 2
    >>> cache.get("a")
    1
    >>> cache["c"] = 3  # "b" was used longest ago
    >>> sorted(cache)
    ['a', 'c']
    """

    def __init__(
        self, most: int, most_size: int = 0, size: Callable[[Result], int] = lambda _: 0
    ) -> None:
        # A result larger than the whole cache would be refused: it counts as just filling it.
        super().__init__(maxsize=most_size, getsizeof=lambda result: min(size(result), most_size))
        self._most = most

    def __setitem__(self, key: Hashable, result: Result) -> None:
        """Keep a result; those used longest ago make room."""
        super().__setitem__(key, result)
        while len(self) > self._most:
            self.popitem()
