"""Detection of the kind of content of a file from its first bytes and lines."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Literal

from explorer.errors import TraceError
from explorer.traces._files.file_streams import BrokenStream
from explorer.traces._files.json_decoding import decode_json
from explorer.traces._io._containers.json_pieces import BOM, Piece, Scanner, lines
from explorer.traces._io._containers.table_records import delimiter_of

WHOLE_BYTES = 32 * 2**20
"""A JSON object up to this size is decoded as a whole; a larger one is streamed."""

PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
_UTF16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_FOREIGN = {
    ZIP: "a ZIP archive; unpack it",
    b"\xd0\xcf\x11\xe0": "a workbook of an old Excel; save it as .xlsx or as CSV",
    b"SQLite format 3": "an SQLite database; export its rows",
    b"ARROW1": "an Arrow file; give the table itself, or save it as Parquet",
    b"\x80\x04": "a Python pickle, which is never opened; save the traces as JSON",
    b"\x80\x05": "a Python pickle, which is never opened; save the traces as JSON",
}


def json_shape(
    reopen: Callable[[], io.BufferedIOBase], limit: int, name: str
) -> tuple[Literal["array", "lines", "object"], bytes]:
    """Return the form of JSON text: an array, lines, or one or several objects.

    The text of an object is returned too if it is small enough to be decoded as a whole.
    """
    size = min(WHOLE_BYTES, limit)
    try:
        with reopen() as stream:
            text = _line_with_text(stream, size)
            if not text:
                raise empty_file(name)
            if text.startswith(b"["):
                return "array", b""
            if not text.startswith(b"{"):
                return "lines", b""
            if len(text) <= size and text.endswith(b"}"):
                if not is_json(text) or _line_with_text(stream, size):
                    return "lines", b""
                return "object", text
            text += b"\n" + stream.read(size + 1 - min(size, len(text)))
            return "object", text if len(text) <= size else b""
    except BrokenStream:
        return "object", b""


def _line_with_text(stream: io.BufferedIOBase, size: int) -> bytes:
    """Return the next line that is not blank, cut to `size`; empty at the end."""
    while line := stream.readline(size + 1):
        text = line.removeprefix(BOM).strip()
        if text:
            return text if line.endswith(b"\n") or len(line) <= size else line.lstrip()
    return b""


def is_json(raw: bytes) -> bool:
    """Return True for valid JSON."""
    try:
        decode_json(raw)
    except TraceError:
        return False
    return True


def are_several(reopen: Callable[[], io.BufferedIOBase], limit: int) -> bool:
    """Return True for a sequence of indented objects, as command line tools print them."""
    with reopen() as stream:
        scanner = Scanner(stream, min(limit, WHOLE_BYTES))
        try:
            first, second = scanner.value(), scanner.value()
        except TraceError:
            return False
    return is_json(first.raw) and second.raw.startswith(b"{")


def table_delimiter(reopen: Callable[[], io.BufferedIOBase], name: str) -> str | None:
    """Return the delimiter of a table's columns, or None if the text is not a table."""
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


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding of text that begins with a mark of UTF-16, as Excel writes it."""
    return _UTF16.get(head[:2])


def check_head(head: bytes, name: str) -> None:
    """Raise TraceError if the first bytes show that a file is not UTF-8 text."""
    if not head:
        raise empty_file(name)
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise TraceError(f"{name} is {what}.")
    if b"\x00" in head[:4]:
        raise TraceError(
            f"{name} begins with NUL bytes, so it is damaged or not UTF-8 text. Traces come as "
            "JSON, CSV or Parquet."
        )


def empty_file(name: str) -> TraceError:
    return TraceError(f"{name} is empty. A trace file holds one JSON object per line.")
