"""Records within JSON objects: in a list, as columns, or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BufferedIOBase
from typing import Any

from explorer.errors import TraceError
from explorer.traces._files.json_decoding import decode_json
from explorer.traces._io._containers.json_pieces import BrokenJSON, Piece, Scanner
from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._reader import Record

Recognises = Callable[[Mapping[str, Any]], bool]
"""Returns True for a record that some reader knows."""

_SAMPLE = 3
_SPREAD = ("resourceSpans", "resource_spans")
"""Lists whose items may be split over several objects without a change of meaning."""


def records_within(
    value: Mapping[str, Any], recognises: Recognises, line: int
) -> list[Record | TraceProblem]:
    """Return the records of one decoded object.

    The object is read as the first of these that fits: columns, one record, an object with a list
    of records (which may be one level down), or records by name. An object that no reader knows is
    returned as one record, so that it can be reported.
    """
    rows = rows_of_columns(value)
    if rows is not None:
        return [Record(number, row) for number, row in enumerate(rows, start=1)]
    if recognises(value):
        return [Record(line, value)]
    lists = [
        item
        for holder in (value, *(inner for inner in value.values() if isinstance(inner, dict)))
        for item in holder.values()
        if _is_records(item)
    ]
    known = [item for item in lists if _any_known(recognises, item)]
    named = list(value.values())
    if not known and _is_records(named) and _any_known(recognises, named):
        return [_named_record(line, name, item) for name, item in value.items()]
    found = known or lists
    return [checked_record(line, item) for item in (found[0] if found else [value])]


def rows_of_columns(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of an object of columns, or None for any other object.

    Columns are lists of one length, at least two of them (``Dataset.to_dict()``), or mappings from
    one and the same index (``DataFrame.to_json()``); or the object has ``columns`` and ``data``
    (``orient="split"``).
    """
    names, cells = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(cells, list) and cells:
        fits = all(isinstance(row, list) and len(row) == len(names) for row in cells)
        return [dict(zip(map(str, names), row, strict=True)) for row in cells] if fits else None
    columns = list(value.values())
    if len(columns) < 2:
        return None
    if all(isinstance(column, list) for column in columns):
        # Lists of objects only are something else, such as runs and their feedback.
        if len({len(column) for column in columns}) != 1 or all(map(_is_records, columns)):
            return None
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    if all(isinstance(column, dict) for column in columns) and columns[0]:
        index = columns[0].keys()
        if "0" not in index or any(column.keys() != index for column in columns):
            return None
        return [{name: column[key] for name, column in value.items()} for key in index]
    return None


def records_of_large(
    reopen: Callable[[], BufferedIOBase], recognises: Recognises, limit: int
) -> Iterator[Record | TraceProblem] | None:
    """Yield the records of an object that is too large, or too damaged, to be decoded as a whole.

    It is scanned once for its fields and the first items of its lists; then the list that holds the
    records is streamed.

    Parameters
    ----------
    reopen
        Opens the text again.
    recognises
        Returns True for a record that some reader knows.
    limit
        Longest value that is read, in bytes.

    Returns
    -------
    iterator or None
        None for text that is not a single object, or breaks off before any record.
    """
    with reopen() as stream:
        scanner = Scanner(stream, limit)
        begins, seen, fault = _survey(scanner)
        follows = fault is None and scanner.peek()
    lists = {key: seen[key] for key in begins if isinstance(seen[key], list)}
    known = [key for key, items in lists.items() if any(map(recognises, items))]
    if follows or (fault is not None and not known):
        return None
    if recognises(seen) and fault is None:
        spread = [key for key in lists if key in _SPREAD]
        if spread:
            return _streamed(reopen, limit, begins[spread[0]], spread[0], fault)
        return values(reopen, limit)
    chosen = known or [key for key, items in lists.items() if items]
    if chosen:
        return _streamed(reopen, limit, begins[chosen[0]], None, fault)
    return values(reopen, limit)


def values(reopen: Callable[[], BufferedIOBase], limit: int) -> Iterator[Record | TraceProblem]:
    """Yield consecutive objects, over any number of lines."""
    with reopen() as stream:
        scanner = Scanner(stream, limit)
        try:
            while scanner.peek():
                yield record_of(scanner.value())
        except BrokenJSON as fault:
            yield fault.problem()


def _survey(
    scanner: Scanner,
) -> tuple[dict[str, tuple[int, int]], dict[str, Any], BrokenJSON | None]:
    """Return the offset and line of each list of an object, and a summary of its fields.

    The summary has only the first objects of each list.
    """
    begins: dict[str, tuple[int, int]] = {}
    seen: dict[str, Any] = {}
    try:
        for raw in scanner.names():
            key = str(decode_json(raw.raw))
            if scanner.peek() != b"[":
                seen[key] = decode_json(scanner.value().raw)
                continue
            begins[key] = (scanner.offset, scanner.line)
            seen[key] = []
            for place, piece in enumerate(scanner.items()):
                if place < _SAMPLE and piece.raw.startswith(b"{"):
                    seen[key].append(decode_json(piece.raw))
    except BrokenJSON as fault:
        return begins, seen, fault
    except TraceError as error:
        return begins, seen, BrokenJSON(scanner.line, str(error))
    return begins, seen, None


def _streamed(
    reopen: Callable[[], BufferedIOBase],
    limit: int,
    begin: tuple[int, int],
    around: str | None,
    fault: BrokenJSON | None,
) -> Iterator[Record | TraceProblem]:
    """Yield the records of one list of an object; `around` wraps each item in an object."""
    with reopen() as stream:
        stream.seek(begin[0])
        scanner = Scanner(stream, limit)
        scanner.line = begin[1]
        try:
            for piece in scanner.items():
                found = record_of(piece)
                if around is not None and isinstance(found, Record):
                    found = Record(found.line, {around: [found.value]})
                yield found
        except BrokenJSON as error:
            fault = error
    if fault is not None:
        yield fault.problem()


def record_of(piece: Piece) -> Record | TraceProblem:
    """Return the record of one piece of text, or the problem that it is not an object."""
    try:
        value = decode_json(piece.raw.strip(b" \t\r\n"))
    except TraceError as error:
        return TraceProblem(piece.line, str(error))
    return checked_record(piece.line, value)


def checked_record(line: int, value: object) -> Record | TraceProblem:
    """Return a record, or the problem that the value is not an object."""
    if isinstance(value, Mapping):
        return Record(line, value)
    return TraceProblem(line, f"a trace is a JSON object, and this is {kind_of(value)}.")


def _named_record(line: int, name: str, value: object) -> Record | TraceProblem:
    """Return a record that stands under a name, which is its id unless it has one."""
    if isinstance(value, Mapping) and not any(value.get(key) for key in ("id", "_id", "trace_id")):
        value = {**value, "id": name}
    return checked_record(line, value)


def _any_known(recognises: Recognises, items: Sequence[Any]) -> bool:
    """Return True when some reader knows one of the first items."""
    return any(isinstance(item, Mapping) and recognises(item) for item in items[:_SAMPLE])


def _is_records(value: object) -> bool:
    """Return True for a list of objects."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str | bytes)
        and len(value) > 0
        and isinstance(value[0], Mapping)
    )
