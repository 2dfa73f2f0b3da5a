"""Detection of the format of records, and their traces by its reader."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from explorer.errors import TraceError
from explorer.traces._io.column_mapping import guessed_columns
from explorer.traces._model.native_format import read_object
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces.readers import READERS
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._reader import Reader, Record
from explorer.traces.readers._samples.native_reader import NATIVE
from explorer.traces.readers._samples.table_columns import NEEDED
from explorer.traces.readers._samples.tables import OWN_TABLES, TABLES

_HEAD = 32
"""Number of records by which the format of a file is detected."""


def known_readers() -> tuple[Reader, ...]:
    """Return every reader, in the order in which they are tried."""
    return (NATIVE, OWN_TABLES, *READERS, TABLES)


class UnknownFormatError(TraceError):
    """The records of a file have no known format; `found` says what they have instead."""

    def __init__(self, message: str, found: str) -> None:
        super().__init__(message)
        self.found = found


def known_formats() -> dict[str, str]:
    """Return the name of every format that `reader_named` takes, and what people call it."""
    return {reader.name: reader.label for reader in (NATIVE, *READERS, TABLES)}


def reader_named(name: object) -> Reader:
    """Return the reader of a format.

    Raises
    ------
    TraceError
        There is no format of this name.
    """
    # Not OWN_TABLES: the rows of a table need not all have its columns.
    for reader in (NATIVE, *READERS, TABLES):
        if reader.name == name:
            return reader
    names = ", ".join(reader.name for reader in (NATIVE, *READERS, TABLES))
    raise TraceError(f"There is no trace format {name!r}. Choose one of {names}.")


def reader_of(record: Mapping[str, Any], readers: Iterable[Reader]) -> Reader | None:
    """Return the first reader that knows a record."""
    return next((reader for reader in readers if _knows(reader, record)), None)


def is_known(record: Mapping[str, Any]) -> bool:
    """Return True for a record that some reader knows."""
    return reader_of(record, known_readers()) is not None


def choose(
    records: Iterator[Record | TraceProblem], name: str, *, columns: bool = False
) -> tuple[Reader, Iterator[Record | TraceProblem]]:
    """Return the reader of most of the first records, and all records.

    Parameters
    ----------
    records
        The records of a file.
    name
        Its name, for messages.
    columns
        True for a table, whose fields are columns.

    Returns
    -------
    tuple of Reader and iterator
        The reader, and all the records.

    Raises
    ------
    TraceError
        No reader knows any of the first records.
    """
    head: list[Record | TraceProblem] = []
    found: Counter[str] = Counter()
    looked_at = 0
    for item in records:
        head.append(item)
        if isinstance(item, Record):
            looked_at += 1
            reader = reader_of(item.value, known_readers())
            if reader is not None:
                found[reader.name] += 1
        # A known record after unknown ones is enough: the unknown ones become problems.
        if looked_at >= _HEAD and (found or looked_at >= 40 * _HEAD):
            break
    if not found:
        raise _unknown(head, name, columns=columns)
    return reader_named(found.most_common(1)[0][0]), itertools.chain(head, records)


def read_records(
    reader: Reader,
    records: Iterable[Record | TraceProblem],
    *,
    forced: bool = False,
    context: ReadContext | None = None,
) -> Iterator[Trace | TraceProblem]:
    """Yield the traces that a reader makes of records.

    A trace without facts is yielded with a problem. What the reader could not understand follows
    at the end.

    A record that only another reader knows becomes a problem that names its format, unless the user
    has chosen this reader.
    """
    waiting: deque[TraceProblem] = deque()
    place = [0]
    others = () if forced else tuple(other for other in (NATIVE, *READERS) if other is not reader)
    mine = _own(reader, others, records, waiting, place)
    context = context or ReadContext()
    traces = iter(reader.read(mine, context))
    going = True
    while going:
        try:
            item = next(traces)
        except StopIteration:
            break
        except TraceError as error:
            item, going = TraceProblem(place[0], str(error)), False
        except Exception as error:  # noqa: BLE001 - a foreign file must not end in a traceback
            reason = f"the reader of {reader.label} traces failed ({type(error).__name__})"
            item = TraceProblem(place[0], f"{reason}; the rest of the file was left out.")
            going = False
        while waiting:
            yield waiting.popleft()
        yield item
        if isinstance(item, Trace) and not item.hyperedges and reader is not NATIVE:
            message = (
                f"trace {item.id!r:.80} has no facts: nothing was retrieved, or it is elsewhere."
            )
            yield TraceProblem(item.line or place[0], message, loaded=True)
    yield from waiting
    yield from context.problems()


def _own(
    reader: Reader,
    others: Sequence[Reader],
    records: Iterable[Record | TraceProblem],
    waiting: deque[TraceProblem],
    place: list[int],
) -> Iterator[Record]:
    """Yield the records of one format; others are added to `waiting` as problems."""
    for item in records:
        place[0] = item.line
        if isinstance(item, TraceProblem):
            waiting.append(item)
        elif not _knows(reader, item.value) and (other := reader_of(item.value, others)):
            message = (
                f"this looks like the format of {other.label}, and the others look like that "
                f"of {reader.label}; keep them in files of their own."
            )
            waiting.append(TraceProblem(item.line, message))
        else:
            yield item


def _knows(reader: Reader, record: Mapping[str, Any]) -> bool:
    """Return True when a reader recognises a record."""
    try:
        return bool(reader.recognises(record))
    except Exception:  # noqa: BLE001 - a record on which a reader fails is not of its format
        return False


def _unknown(head: Sequence[Record | TraceProblem], name: str, *, columns: bool) -> TraceError:
    """Return the error of a file of unknown format, with the fields of its first record."""
    problems = [item for item in head if isinstance(item, TraceProblem)]
    first = next((item for item in head if isinstance(item, Record)), None)
    if first is None:
        rest = f" ({len(problems) - 1} more problems like this.)" if len(problems) > 1 else ""
        reason = str(problems[0]) if problems else "it is empty."
        return TraceError(f"No trace could be read from {name}: {reason}{rest}")
    try:
        read_object(first.value)
        fault = "it is not a trace."
    except TraceError as error:
        fault = str(error)
    keys = [str(key)[:40] for key in first.value]
    shown = ", ".join(keys[:12]) + (" ..." if len(keys) > 12 else "") if keys else "none"
    labels = ", ".join(reader.label for reader in (NATIVE, *READERS, TABLES))
    nearest = _nearest(first.value)
    if columns:
        return TraceError(
            f"No trace could be read from {name}: {nearest}its columns are {shown}. {NEEDED} No "
            f"other known format ({labels}) has these columns either."
        )
    found = f"line {first.line}: {fault} Its fields are: {shown}."
    return UnknownFormatError(
        f"No trace could be read from {name}: {nearest}{found} "
        f"No known format ({labels}) has these fields. If it is one of them, name it with "
        "format=...; otherwise docs/traces.md lists the fields of a trace.",
        found,
    )


def _nearest(record: Mapping[str, Any]) -> str:
    """Return what the fields of a record look like, as the beginning of a sentence, or nothing."""
    guess = guessed_columns(record)
    if not guess:
        return ""
    looks = " and ".join(f"`{column[:40]}` looks like the {role}" for column, role in guess.items())
    missing = [role for role in ("question", "facts") if role not in guess.values()]
    lacking = f"; there is no {missing[0]}" if missing else ""
    given = ", ".join(f'"{column[:40]}": "{role}"' for column, role in guess.items())
    more = "".join(f', "...": "{role}"' for role in missing)
    return f"{looks}{lacking} (say so with columns={{{given}{more}}}). Otherwise: "
