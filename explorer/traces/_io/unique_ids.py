"""Unique ids of the traces of one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from explorer.traces._model.trace import Trace, TraceProblem


def renamed_problem(line: int, given: str, name: str) -> TraceProblem:
    """Return the problem of an id that was used before."""
    message = f"the id {given!r} was used before; this trace is kept as {name!r}."
    return TraceProblem(line, message, loaded=True)


def with_unique_ids(items: Iterable[Trace | TraceProblem]) -> Iterator[Trace | TraceProblem]:
    """Yield every trace; a repeated id gets a number."""
    names = UniqueNames()
    for item in items:
        if isinstance(item, Trace):
            given = item.id
            item.id = names.name_for(given)
            if item.id != given:
                yield renamed_problem(item.line or 0, given, item.id)
        yield item


class UniqueNames:
    """Unique names; only their 64-bit hashes are stored, not the names."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._counts: dict[int, int] = {}

    def name_for(self, name: str) -> str:
        """Return a name, with a number appended if it was used before."""
        key = hash(name)
        free = name
        if key in self._seen:
            count = self._counts.get(key, 1)
            while hash(free) in self._seen:
                count += 1
                free = f"{name}#{count}"
            self._counts[key] = count
        self._seen.add(hash(free))
        return free
