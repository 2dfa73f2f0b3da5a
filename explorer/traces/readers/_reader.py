"""The interface of a reader of trace formats, and its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from explorer.errors import TraceError
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces.readers._read_context import ReadContext


class Record(NamedTuple):
    """One JSON object of a file, or one row of a table.

    `line` is its first line of text, or its row of a table, from 1.
    """

    line: int
    value: Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """A reader of one format, which makes traces of records.

    Attributes
    ----------
    name
        Name of the format in code: ``"ragas"``.
    label
        Name of the format in sentences: ``"RAGAS"``.
    recognises
        Returns True for a record of this format. It must never raise, and two formats must not
        recognise the same record.
    read
        Yields the traces of records, given the wishes of the caller. A record that cannot be read
        becomes a `TraceProblem`, and the others are still read. Formats whose traces are spread
        over many records (spans) collect them first.
    """

    name: str
    label: str
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Iterable[Record], ReadContext], Iterator[Trace | TraceProblem]]


def one_by_one(
    read_record: Callable[[Mapping[str, Any], int], Trace],
) -> Callable[[Iterable[Record], ReadContext], Iterator[Trace | TraceProblem]]:
    """Return the `read` of a format in which every record is one trace.

    `read_record` takes the record and its line, and raises `TraceError`, with a message in lower
    case that can follow "line 7: ", where the record is not a trace.
    """

    def read(records: Iterable[Record], _: ReadContext) -> Iterator[Trace | TraceProblem]:
        for line, value in records:
            try:
                yield read_record(value, line)
            except TraceError as error:
                yield TraceProblem(line, str(error))

    return read
