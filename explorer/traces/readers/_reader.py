"""What a reader of a foreign trace format is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from explorer.errors import TraceError
from explorer.traces._model.trace import Trace, TraceProblem


class Record(NamedTuple):
    """One JSON object of a file, or one row of a table.

    `line` is where it begins, from 1: a line of text, or the row of a table.
    """

    line: int
    value: Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """How traces are made of the records of one format.

    Attributes
    ----------
    name
        What the format is called in programs: ``"ragas"``.
    label
        What it is called in sentences: ``"RAGAS"``.
    recognises
        Whether one record looks like this format. It must never raise, and two formats must not
        recognise the same record.
    read
        Records to traces. A record that cannot be read becomes a `TraceProblem`, and the others
        are read all the same. Formats whose traces are spread over many records (spans) gather
        them first.
    """

    name: str
    label: str
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Iterable[Record]], Iterator[Trace | TraceProblem]]


def one_by_one(
    read_record: Callable[[Mapping[str, Any], int], Trace],
) -> Callable[[Iterable[Record]], Iterator[Trace | TraceProblem]]:
    """Return the `read` of a format in which every record is one trace.

    `read_record` takes the record and its line, and raises `TraceError`, with a message in lower
    case that can follow "line 7: ", where the record is no trace.
    """

    def read(records: Iterable[Record]) -> Iterator[Trace | TraceProblem]:
        for line, value in records:
            try:
                yield read_record(value, line)
            except TraceError as error:
                yield TraceProblem(line, str(error))

    return read
