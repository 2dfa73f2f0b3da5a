"""Records of Excel workbooks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from explorer._extras import is_installed
from explorer.errors import TraceError
from explorer.traces._io._containers.json_pieces import size_of
from explorer.traces._io._containers.table_records import distinct_names, parsed_cell, plain
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._reader import Record


def is_workbook(head: bytes, reopen: Callable[[], io.BufferedIOBase]) -> bool:
    """Return whether a file is an Excel workbook (.xlsx)."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with reopen() as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
            return any(name.startswith("xl/workbook") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def workbook_records(
    reopen: Callable[[], io.BufferedIOBase], name: str, limit: int
) -> Iterator[Record | TraceProblem]:
    """Yield the rows of the first sheet with rows; its first row is the header.

    Raises
    ------
    TraceError
        The library that reads workbooks is not installed, the workbook is damaged, or unpacks to
        more than `limit` bytes.
    """
    if not is_installed("excel"):
        raise TraceError(
            f"{name} is an Excel workbook. Save it as CSV, or install the library that reads "
            'workbooks: pip install "attention-explorer[excel]"'
        )
    import python_calamine

    with reopen() as stream:
        contents = stream.read()
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > limit:
        raise TraceError(
            f"{name} unpacks to {size_of(size)}, and at most {size_of(limit)} are read at once. "
            "Save it as CSV."
        )
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(contents))
        sheets = [(sheet, _rows(workbook, sheet)) for sheet in workbook.sheet_names]
    except Exception as error:  # noqa: BLE001 - a damaged file may raise any error
        raise TraceError(f"{name} is a damaged workbook ({error}).") from None
    filled = [(sheet, rows) for sheet, rows in sheets if len(rows) > 1]
    if not filled:
        raise TraceError(f"{name} has no sheet with a header and rows.")
    sheet, rows = filled[0]
    names = distinct_names([str(cell) for _, cells in rows[:1] for cell in cells])
    for line, cells in rows[1:]:
        values = [parsed_cell(cell) if isinstance(cell, str) else plain(cell) for cell in cells]
        yield Record(line, dict(zip(names, values, strict=False)))
    if len(filled) > 1:
        others = ", ".join(other for other, _ in filled[1:])
        message = f"only the sheet {sheet!r:.60} was read; the workbook has others: {others:.200}."
        yield TraceProblem(0, message, loaded=True)


def _rows(workbook: Any, sheet: str) -> list[tuple[int, list[Any]]]:
    """Return the rows of a sheet that are not blank, with their numbers."""
    found = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    return [
        (line, [None if cell == "" else cell for cell in cells])
        for line, cells in enumerate(found, start=1)
        if any(cell != "" for cell in cells)
    ]
