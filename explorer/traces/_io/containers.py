"""What is on disk, was uploaded, or is in memory -> a stream of records, in bounded memory.

The container is told by its contents (magic bytes, the first character) and never by its name
alone: files are renamed, and uploads have no suffix that can be trusted.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from explorer.errors import TraceError
from explorer.traces._files.file_streams import (
    BrokenStream,
    checked_path,
    first_bytes,
    opened,
    unpacked,
)
from explorer.traces._files.json_decoding import decode_json
from explorer.traces._io.json_pieces import BOM, BrokenJSON, Piece, Scanner, lines
from explorer.traces._io.json_wrappers import (
    Recognises,
    record_of,
    records_of_large,
    records_within,
    values,
)
from explorer.traces._io.table_records import (
    csv_records,
    delimiter_of,
    object_records,
    parquet_records,
)
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._reader import Record

WHOLE_BYTES = 32 * 2**20
"""A JSON object up to this size is decoded at once; a larger one is streamed."""

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive; unpack it",
    b"BZh": "compressed with bzip2; unpack it",
    b"\xfd7zXZ": "compressed with xz; unpack it",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it",
    b"SQLite format 3": "an SQLite database; export its rows",
    b"ARROW1": "an Arrow file; give the table itself, or save it as Parquet",
    b"\x80\x04": "a Python pickle, which is never opened; save the traces as JSON",
    b"\x80\x05": "a Python pickle, which is never opened; save the traces as JSON",
}


@dataclass
class Container:
    """A source of records, and what is known about it.

    Attributes
    ----------
    name
        What it is called in messages.
    kind
        What it is: ``"json-lines"``, ``"json-array"``, ``"json"``, ``"csv"``, ``"parquet"``,
        ``"table"``.
    records
        The records; can be gone through once.
    pieces
        The same records as text with offsets, each time anew; None where they have none (tables,
        compressed files, sources that are not on disk).
    """

    name: str
    kind: str
    records: Iterator[Record | TraceProblem]
    pieces: Callable[[], Iterator[Piece | TraceProblem]] | None = field(default=None, repr=False)


def open_container(
    source: object, recognises: Recognises, *, limit: int, name: str | None = None
) -> Container:
    """Say what a source is, and open it.

    Parameters
    ----------
    source
        A path; bytes; a data frame, data set, Arrow table, iterable of mappings, or one mapping.
    recognises
        Whether some reader knows a record; says whether an object is a record or holds records.
    limit
        Longest line, item or object that is read as a whole, in bytes.
    name
        What bytes are called in messages.

    Raises
    ------
    TraceError
        There is no such file, it is empty, or its contents are nothing that explorer reads.
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
            f"Give the path of a trace file, a table or a list of records; {source!r:.80} is none."
        )
    return Container(named, "table", records)


def _of_text(
    reopen: Callable[[], io.BufferedIOBase],
    name: str,
    recognises: Recognises,
    limit: int,
    path: Path | None,
) -> Container:
    """Tell by its first bytes what a file, or an upload without a path, is."""
    with reopen() as stream:
        head = stream.read(4096)
    if not head:
        raise _empty(name)
    if head.startswith(_PARQUET):
        return Container(name, "parquet", parquet_records(path or reopen(), name, limit))
    if head.startswith(_GZIP):
        packed = reopen

        def reopen() -> io.BufferedIOBase:
            return unpacked(packed())

        path = None
        try:
            with reopen() as stream:
                head = first_bytes(stream)
        except TraceError as error:
            raise TraceError(f"{name} cannot be unpacked: {error}") from None
        if head.startswith((_GZIP, _PARQUET)):
            raise TraceError(f"{name} is compressed twice; unpack it once and load it again.")
    _check_head(head, name)
    found = _of_json(reopen, name, recognises, limit) or _of_lines(reopen, name, limit)
    if path is None:
        found.pieces = None
    found.records = _guarded(found.records)
    return found


def _of_json(
    reopen: Callable[[], io.BufferedIOBase], name: str, recognises: Recognises, limit: int
) -> Container | None:
    """Open an array, one object or several objects; None for anything that goes line by line."""
    shape, text = _shape(reopen, limit, name)
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
            pass  # Rescued below, as far as it goes.
        else:
            found = records_within(value, recognises, 1) if isinstance(value, dict) else []
            return Container(name, "json", iter(found))
    if _are_several(reopen, limit):
        return Container(name, "json", values(reopen, limit))
    streamed = records_of_large(reopen, recognises, limit)
    return None if streamed is None else Container(name, "json", streamed)


def _shape(
    reopen: Callable[[], io.BufferedIOBase], limit: int, name: str
) -> tuple[Literal["array", "lines", "object"], bytes]:
    """Say what JSON text this is: an array, lines, or something that is one object or several.

    The text of an object comes with it where it is small enough to be decoded at once.
    """
    size = min(WHOLE_BYTES, limit)
    try:
        with reopen() as stream:
            text = _line_with_text(stream, size)
            if not text:
                raise _empty(name)
            if text.startswith(b"["):
                return "array", b""
            if not text.startswith(b"{"):
                return "lines", b""
            if len(text) <= size and text.endswith(b"}"):
                if not _is_json(text) or _line_with_text(stream, size):
                    return "lines", b""
                return "object", text
            text += b"\n" + stream.read(size + 1 - min(size, len(text)))
            return "object", text if len(text) <= size else b""
    except BrokenStream:
        return "object", b""


def _line_with_text(stream: io.BufferedIOBase, size: int) -> bytes:
    """Return the next line that is not blank, or so much of it as fits; empty at the end."""
    while line := stream.readline(size + 1):
        text = line.removeprefix(BOM).strip()
        if text:
            return text if line.endswith(b"\n") or len(line) <= size else line.lstrip()
    return b""


def _is_json(raw: bytes) -> bool:
    """Say whether a text is JSON."""
    try:
        decode_json(raw)
    except TraceError:
        return False
    return True


def _decoded(piece: Piece | TraceProblem) -> Record | TraceProblem:
    """Decode a piece; a problem stays one."""
    return piece if isinstance(piece, TraceProblem) else record_of(piece)


def _array(reopen: Callable[[], io.BufferedIOBase], limit: int) -> Iterator[Piece | TraceProblem]:
    """Go through the items of an array, up to the place where it breaks."""
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


def _are_several(reopen: Callable[[], io.BufferedIOBase], limit: int) -> bool:
    """Say whether indented objects follow each other, as command line tools print them."""
    with reopen() as stream:
        scanner = Scanner(stream, min(limit, WHOLE_BYTES))
        try:
            first, second = scanner.value(), scanner.value()
        except TraceError:
            return False
    return _is_json(first.raw) and second.raw.startswith(b"{")


def _of_lines(reopen: Callable[[], io.BufferedIOBase], name: str, limit: int) -> Container:
    """Open separated text or JSON Lines."""
    mark = _delimiter(reopen, name)
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


def _delimiter(reopen: Callable[[], io.BufferedIOBase], name: str) -> str | None:
    """Return what separates the columns of a table, or None when the text is no table."""
    with reopen() as stream:
        try:
            text = itertools.islice(lines(stream, 2**20), 100)
            rows = [item.raw.strip() for item in text if isinstance(item, Piece)]
        except TraceError:
            return None
    rows = [row for row in rows if row][:2]
    if not rows or rows[0][:1] in (b"{", b"[") or (len(rows) > 1 and rows[1][:1] in (b"{", b"[")):
        return None
    try:
        header = rows[0].decode()
    except UnicodeDecodeError:
        return None
    mark = delimiter_of(header)
    named = name.lower().removesuffix(".gz").endswith((".csv", ".tsv", ".tab"))
    if mark is None:
        return "," if named else None
    cells = [cell.strip().strip('"') for cell in header.split(mark)]
    # pandas writes an index without a name in front.
    likely = len(rows) > 1 and all(cells[1:]) and max(map(len, cells)) <= 100
    return mark if named or (likely and len(set(cells)) == len(cells)) else None


def _check_head(head: bytes, name: str) -> None:
    """Refuse what is no UTF-8 text by its first bytes."""
    if not head:
        raise _empty(name)
    if head.startswith(_UTF16):
        raise TraceError(f"{name} is UTF-16; save it as UTF-8 and load it again.")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise TraceError(f"{name} is {what}.")
    if b"\x00" in head[:4]:
        raise TraceError(
            f"{name} begins with NUL bytes, so it is damaged or not UTF-8 text. Traces come as "
            "JSON, CSV or Parquet."
        )


def _empty(name: str) -> TraceError:
    return TraceError(f"{name} is empty. A trace file holds one JSON object a line.")


def _guarded(records: Iterator[Record | TraceProblem]) -> Iterator[Record | TraceProblem]:
    """Turn what breaks a stream into its last problem."""
    line = 0
    try:
        for item in records:
            line = item.line
            yield item
    except TraceError as error:
        yield TraceProblem(line + 1, str(error))
    except OSError as error:
        yield TraceProblem(line + 1, f"the file cannot be read ({error.strerror or error}).")
