"""Traces of records that are one sample each, or one object with many samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from explorer.errors import TraceError
from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces.readers._fields.record_fields import Fields, renamed_fields, shown
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._reader import Record


class Spread(NamedTuple):
    """The samples of an object that holds many, and its other fields."""

    samples: Sequence[object]
    about: dict[str, Any]


def sample_by_sample(
    read_fields: Callable[[Fields], Trace],
    spread: Callable[[Mapping[str, Any]], Spread | None] = lambda value: None,
) -> Callable[[Iterable[Record], ReadContext], Iterator[Trace | TraceProblem]]:
    """Return the `read` of a format in which every sample is one trace.

    Parameters
    ----------
    read_fields
        Makes a trace of the fields of one sample, or raises `TraceError`.
    spread
        Returns the samples of a record that holds many, and None for a record that is one.
        Other fields of such a record are kept with its first trace, as ``metadata["file"]``.
    """

    def read(records: Iterable[Record], context: ReadContext) -> Iterator[Trace | TraceProblem]:
        place = 0
        for line, whole in records:
            samples, about = spread(whole) or Spread((whole,), {})
            if not samples:
                yield TraceProblem(line, "its list of samples is empty.")
            for number, value in enumerate(samples, start=1):
                place += 1
                read_one = _read(value, place, line, read_fields, context)
                if value is not whole:
                    read_one = _told_apart(read_one, number)
                for item in read_one:
                    if about and isinstance(item, Trace):
                        item.metadata.update(renamed_fields(item.metadata, {"file": about}))
                        about = {}
                    yield item

    return read


def within(*ways: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Spread | None]:
    """Return a `spread` that finds the samples under the first of these ways into an object."""

    def spread(whole: Mapping[str, Any]) -> Spread | None:
        for way in ways:
            found = _at(whole, way)
            if found is not None:
                return found
        return None

    return spread


def _at(whole: Mapping[str, Any], way: tuple[str, ...]) -> Spread | None:
    """Return the list at the end of a way, and the object without it."""
    value = whole.get(way[0])
    if len(way) == 1:
        if not isinstance(value, list):
            return None
        return Spread(value, {name: item for name, item in whole.items() if name != way[0]})
    inner = _at(value, way[1:]) if isinstance(value, Mapping) else None
    return None if inner is None else Spread(inner.samples, {**whole, way[0]: inner.about})


def _read(
    value: object,
    place: int,
    line: int,
    read_fields: Callable[[Fields], Trace],
    context: ReadContext,
) -> Iterator[Trace | TraceProblem]:
    """Yield the trace of one sample, and its problems."""
    if not isinstance(value, Mapping):
        message = f"it must be an object, and here it is {kind_of(value)}."
        yield TraceProblem(line, message)
        return
    fields = Fields(value, place, context, line)
    try:
        trace = read_fields(fields)
    except TraceError as error:
        yield TraceProblem(line, str(error))
        return
    trace.line = line
    yield trace
    for note in fields.notes:
        yield TraceProblem(line, f"trace {shown(trace.id)}: {note}", loaded=True)


def _told_apart(
    items: Iterable[Trace | TraceProblem], number: int
) -> Iterator[Trace | TraceProblem]:
    """Say of a sample that could not be read which one of its list it is."""
    for item in items:
        if isinstance(item, TraceProblem) and not item.loaded:
            yield TraceProblem(item.line, f"number {number} of its list: {item.message}")
        else:
            yield item
