"""Records of files, uploads and tables in memory, streamed in bounded memory.

The kind of container is detected by its contents (magic bytes, the first character), not only by
its name: files are renamed, and the suffix of an upload cannot be trusted.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces._files.file_streams import (
    checked_path,
    compression_of,
    first_bytes,
    opened,
    recoded,
    unpacked,
)
from explorer.traces._files.json_decoding import decode_json
from explorer.traces._io._containers.content_detection import (
    PARQUET,
    are_several,
    check_head,
    empty_file,
    json_shape,
    table_delimiter,
    wide_encoding,
)
from explorer.traces._io._containers.json_pieces import BrokenJSON, Piece, Scanner, lines
from explorer.traces._io._containers.json_wrappers import (
    Recognises,
    record_of,
    records_of_large,
    records_within,
    values,
)
from explorer.traces._io._containers.table_records import (
    csv_records,
    object_records,
    parquet_records,
)
from explorer.traces._io._containers.workbooks import is_workbook, workbook_records
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._reader import Record


@dataclass
class Container:
    """A source of records with its kind.

    Attributes
    ----------
    name
        Name for messages.
    kind
        ``"json-lines"``, ``"json-array"``, ``"json"``, ``"csv"``, ``"parquet"`` or ``"table"``.
    records
        The records; can be iterated once.
    pieces
        Returns a new iterator of the same records as text with offsets; None where there are none
        (tables, compressed files, sources that are not on disk).
    """

    name: str
    kind: str
    records: Iterator[Record | TraceProblem]
    pieces: Callable[[], Iterator[Piece | TraceProblem]] | None = field(default=None, repr=False)


def open_container(
    source: object, recognises: Recognises, *, limit: int, name: str | None = None
) -> Container:
    """Return the container of a source.

    Parameters
    ----------
    source
        A path; bytes; a data frame, data set, Arrow table, iterable of mappings, or one mapping.
    recognises
        Returns True for a record that a reader knows; tells a record from an object with records.
    limit
        Longest line, item or object that is read as a whole, in bytes.
    name
        Name of bytes for messages.

    Raises
    ------
    TraceError
        There is no such file, it is empty, or explorer cannot read its contents.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        contents = bytes(source)
        named = name or "upload"
        return _of_text(lambda: io.BytesIO(contents), named, recognises, limit, None)
    if isinstance(source, str | os.PathLike):
        path = checked_path(source)
        return _of_text(lambda: opened(path), path.name, recognises, limit, path)
    records = object_records(source)
    named = name or type(source).__name__
    if records is None and isinstance(source, Mapping):
        records = iter(records_within(source, recognises, 1))
    if records is None:
        raise TraceError(
            f"Give the path of a trace file, a table or a list of records, not {source!r:.80}."
        )
    return Container(named, "table", records)


def _of_text(
    reopen: Callable[[], io.BufferedIOBase],
    name: str,
    recognises: Recognises,
    limit: int,
    path: Path | None,
) -> Container:
    """Return the container of a file or an upload, detected by its first bytes."""
    with reopen() as stream:
        head = stream.read(4096)
    if not head:
        raise empty_file(name)
    if head.startswith(PARQUET):
        return Container(name, "parquet", parquet_records(path or reopen(), name, limit))
    compression = compression_of(head)
    if compression is not None:
        packed = reopen

        def reopen() -> io.BufferedIOBase:
            return unpacked(packed(), compression)

        path = None
        try:
            with reopen() as stream:
                head = first_bytes(stream)
        except TraceError as error:
            raise TraceError(f"{name} cannot be unpacked: {error}") from None
        if head.startswith(PARQUET) or compression_of(head) is not None:
            raise TraceError(f"{name} is compressed twice; unpack it once and load it again.")
    if is_workbook(head, reopen):
        return Container(name, "csv", _guarded(workbook_records(reopen, name, limit)))
    encoding = wide_encoding(head)
    if encoding is not None:
        narrow = reopen

        def reopen() -> io.BufferedIOBase:
            return recoded(narrow(), encoding)

        path = None
        try:
            with reopen() as stream:
                head = first_bytes(stream)
        except TraceError as error:
            raise TraceError(
                f"{name} begins like UTF-16, and {error} Save it as UTF-8 and load it again."
            ) from None
    check_head(head, name)
    found = _of_json(reopen, name, recognises, limit) or _of_lines(reopen, name, limit)
    if path is None:
        found.pieces = None
    found.records = _guarded(found.records)
    return found


def _of_json(
    reopen: Callable[[], io.BufferedIOBase], name: str, recognises: Recognises, limit: int
) -> Container | None:
    """Return the container of an array, an object or several objects; None for lines."""
    shape, text = json_shape(reopen, limit, name)
    if shape == "array":

        def pieces() -> Iterator[Piece | TraceProblem]:
            return _array(reopen, limit)

        return Container(name, "json-array", map(_decoded, pieces()), pieces)
    if shape == "lines":
        return None
    if text:
        try:
            value = decode_json(text)
        except TraceError:
            pass  # the valid part is read below
        else:
            found = records_within(value, recognises, 1) if isinstance(value, dict) else []
            return Container(name, "json", iter(found))
    if are_several(reopen, limit):
        return Container(name, "json", values(reopen, limit))
    streamed = records_of_large(reopen, recognises, limit)
    return None if streamed is None else Container(name, "json", streamed)


def _decoded(piece: Piece | TraceProblem) -> Record | TraceProblem:
    """Return the record of a piece; a problem is returned unchanged."""
    return piece if isinstance(piece, TraceProblem) else record_of(piece)


def _array(reopen: Callable[[], io.BufferedIOBase], limit: int) -> Iterator[Piece | TraceProblem]:
    """Yield the items of an array, up to the place where it breaks off."""
    with reopen() as stream:
        scanner = Scanner(stream, limit)
        try:
            yield from scanner.items()
        except BrokenJSON as fault:
            yield fault.problem()
            return
        if scanner.peek():
            message = "the array ends here, and what follows it was left out."
            yield TraceProblem(scanner.line, message)


def _of_lines(reopen: Callable[[], io.BufferedIOBase], name: str, limit: int) -> Container:
    """Return the container of delimited text or JSON Lines."""
    mark = table_delimiter(reopen, name)
    if mark is not None:

        def rows() -> Iterator[Record | TraceProblem]:
            with reopen() as stream:
                yield from csv_records(stream, mark, limit)

        return Container(name, "csv", rows())

    def pieces() -> Iterator[Piece | TraceProblem]:
        with reopen() as stream:
            for item in lines(stream, limit):
                if isinstance(item, TraceProblem) or not item.raw.isspace():
                    yield item

    return Container(name, "json-lines", map(_decoded, pieces()), pieces)


def _guarded(records: Iterator[Record | TraceProblem]) -> Iterator[Record | TraceProblem]:
    """Yield records; an error of the stream becomes its last problem."""
    line = 0
    try:
        for item in records:
            line = item.line
            yield item
    except TraceError as error:
        yield TraceProblem(line + 1, str(error))
    except OSError as error:
        yield TraceProblem(line + 1, f"the file cannot be read ({error.strerror or error}).")
