"""Records of tables: CSV, Parquet, data frames, data sets and lists of mappings."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import TraceError
from explorer.traces._io._containers.json_pieces import lines, size_of
from explorer.traces._io._containers.json_wrappers import checked_record
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.literals import parsed, seems_printed
from explorer.traces.readers._reader import Record

DELIMITERS = (",", "\t", ";", "|")
_BATCH = 256


def delimiter_of(header: str) -> str | None:
    """Return the most frequent delimiter of a table's first line, or None."""
    counts = {mark: header.count(mark) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: counts[mark])
    return best if counts[best] else None


def csv_records(
    stream: BufferedIOBase, delimiter: str, limit: int
) -> Iterator[Record | TraceProblem]:
    """Yield the rows of delimited text.

    A cell with a list or an object, as JSON or as Python prints it, is parsed; an empty cell
    becomes None. Every other cell stays text.

    Parameters
    ----------
    stream
        UTF-8 text with a header.
    delimiter
        The delimiter of the columns.
    limit
        Longest line and longest cell, in bytes.
    """
    # The limit of the csv module is global to the process: it is raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), min(limit, 2**31 - 1)))
    skipped: list[TraceProblem] = []
    begin, width = 1, 0
    names: list[str] = []
    rows = csv.reader(_text_lines(stream, limit, skipped), delimiter=delimiter)
    try:
        for cells in rows:
            line, begin = begin, rows.line_num + 1
            yield from skipped
            skipped.clear()
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names, width = distinct_names(cells), len(cells)
                continue
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                yield TraceProblem(
                    line,
                    f"it has {len(cells)} cells, and the header has {width}; texts with a "
                    f"{delimiter!r} in them need quotation marks.",
                )
                continue
            values = [parsed_cell(cell) for cell in cells[:width]]
            values += [None] * (width - len(values))
            yield Record(line, dict(zip(names, values, strict=True)))
    except csv.Error as error:
        yield TraceProblem(begin, f"the table breaks off here ({error}).")
    yield from skipped


def parquet_records(
    source: Path | BufferedIOBase, name: str, limit: int
) -> Iterator[Record | TraceProblem]:
    """Yield the rows of a Parquet file, read a few hundred at a time.

    Raises
    ------
    TraceError
        The file is damaged, or a group of its rows takes more than `limit` bytes.
    """
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    number = 0
    try:
        with pq.ParquetFile(source) as table:
            _check_groups(table.metadata, name, limit)
            for batch in table.iter_batches(_BATCH):
                for row in batch.to_pylist(maps_as_pydicts="lossy"):
                    number += 1
                    yield Record(number, plain(row))
    except (TraceError, GeneratorExit):
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file may raise any error
        reason = f"{name} is damaged or not a Parquet file ({type(error).__name__})"
        if not number:
            raise TraceError(f"{reason}.") from None
        yield TraceProblem(number + 1, f"{reason}. Nothing after this row could be read.")


def _check_groups(about: Any, name: str, limit: int) -> None:
    """Raise TraceError for a file whose row groups would fill the memory."""
    sizes = [about.row_group(group).total_byte_size for group in range(about.num_row_groups)]
    largest = max(sizes, default=0)
    if largest > limit:
        raise TraceError(
            f"{name} has a row group of {size_of(largest)}, and at most {size_of(limit)} are read "
            "at once. Write it with smaller row groups, or raise max_bytes."
        )


def object_records(source: object) -> Iterator[Record | TraceProblem] | None:
    """Yield the rows of a table in memory, or of several.

    Parameters
    ----------
    source
        A pandas or polars data frame, an Arrow table, a Hugging Face data set (of one or several
        splits, streamed or not), or an iterable of mappings. None of the libraries is imported.

    Returns
    -------
    iterator or None
        None for any other source.
    """
    rows = _rows(source)
    if rows is None:
        return None
    return _numbered(rows)


def plain(value: Any) -> Any:
    """Return a value of a table as a JSON value: lists for arrays, None for missing values.

    Times become ISO text, bytes become text. Values of other types are returned unchanged.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, dt.datetime | dt.date | dt.time):
        # NaT, the missing time of pandas, is the only datetime that differs from itself.
        return value.isoformat() if value == value else None  # noqa: PLR0124
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Decimal):
        return plain(float(value))
    if hasattr(value, "tolist") and hasattr(value, "shape"):  # a tensor
        return plain((value.detach() if hasattr(value, "detach") else value).tolist())
    return None if type(value).__name__ == "NAType" else value


def _rows(source: Any) -> Iterator[Any] | None:
    """Return the rows of a table in memory as mappings."""
    if hasattr(source, "iloc") and hasattr(source, "columns"):  # pandas
        return _frame_rows(source)
    if hasattr(source, "iter_rows") and hasattr(source, "columns"):  # polars
        return (row for row in source.iter_rows(named=True))
    if hasattr(source, "to_batches") and hasattr(source, "schema"):  # Arrow
        return (row for batch in source.to_batches(_BATCH) for row in batch.to_pylist())
    if isinstance(source, Mapping):
        splits = list(source.values())
        if splits and all(hasattr(split, "features") for split in splits):  # DatasetDict
            return (row for split in splits for row in split)
        return None
    if isinstance(source, str | bytes | bytearray | memoryview | np.ndarray):
        return None
    return iter(source) if isinstance(source, Iterable) else None


def _frame_rows(frame: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a pandas frame; a named index is a column."""
    index = [name for name in frame.index.names if name is not None]
    if index and not set(index) & set(frame.columns):
        frame = frame.reset_index()
    names = distinct_names([str(name) for name in frame.columns])
    for start in range(0, len(frame), _BATCH):
        part = frame.iloc[start : start + _BATCH]
        columns = [part.iloc[:, place].tolist() for place in range(len(names))]
        for cells in zip(*columns, strict=True):
            yield dict(zip(names, cells, strict=True))


def _numbered(rows: Iterator[Any]) -> Iterator[Record | TraceProblem]:
    """Yield rows numbered from 1; an error of the iterator becomes the last problem."""
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - a streamed data set may raise any error
            reason = f"the rows break off here ({type(error).__name__}: {error})."
            yield TraceProblem(number, reason)
            return
        try:
            yield checked_record(number, plain(row))
        except RecursionError:
            yield TraceProblem(number, "it is nested too deeply to be a trace.")


def _text_lines(stream: BufferedIOBase, limit: int, skipped: list[TraceProblem]) -> Iterator[str]:
    """Yield the decoded lines of a table.

    A table that is not UTF-8 is read as Windows-1252, in which Excel saves in Europe and America;
    plain letters before the first other one are the same in both.
    """
    encoding, seen_utf8 = "utf-8", False
    for item in lines(stream, limit):
        if isinstance(item, TraceProblem):
            skipped.append(item)
            yield "\n"  # keeps the count of lines right
            continue
        try:
            text = item.raw.decode(encoding)
        except UnicodeDecodeError as error:
            try:
                if seen_utf8:
                    raise
                text = item.raw.decode("cp1252")
            except UnicodeDecodeError:
                raise TraceError(
                    f"byte {error.start + 1} of line {item.line} is not UTF-8; save the table as "
                    "UTF-8."
                ) from None
            encoding = "cp1252"
            message = "the table is not UTF-8, and was read as Windows-1252, as Excel saves it."
            skipped.append(TraceProblem(item.line, message, loaded=True))
        seen_utf8 = seen_utf8 or (encoding == "utf-8" and not text.isascii())
        yield text


def distinct_names(names: list[str]) -> list[str]:
    """Return the names of columns, made unique."""
    found: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        wanted = name.strip() or f"column {place}"
        count = 1
        free = wanted
        while free in found:
            count += 1
            free = f"{wanted}#{count}"
        found[free] = None
    return list(found)


def parsed_cell(text: str) -> Any:
    """Return the value of one cell of delimited text."""
    if not text:
        return None
    if text.lstrip()[:1] in ("[", "{") or seems_printed(text):
        with contextlib.suppress(RecursionError):
            found = parsed(text)
            return text if found is None else found
    return text
