"""Feedback as Parquet: one row for each hyperedge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from explorer.batch._feedback_job import FeedbackLine
from explorer.errors import TraceError
from explorer.traces._files.file_streams import appearing_whole

_MARK = {b"explorer": b"feedback"}
_ROWS = 20_000


def write_feedback_table(lines: Path, table: Path) -> None:
    """Write the lines of a `FeedbackJob` as Parquet, whole or not at all.

    The columns are ``trace``, ``unit``, ``text``, ``method``, ``evidence`` (text), ``tokens``
    (int64), ``score``, ``threshold``, ``feedback`` (float64, null when unknown), ``verdict``,
    ``matched_to`` (text), ``diagnostics`` (list of text), and ``attention``, ``embedding`` and
    ``citation`` (float64, the parts of combined methods).

    Raises
    ------
    TraceError
        It cannot be written.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    text, number = pa.string(), pa.float64()
    names = ("trace", "unit", "text", "method", "evidence")
    columns: dict[str, Any] = dict.fromkeys(names, text)
    columns |= {"tokens": pa.int64()} | dict.fromkeys(("score", "threshold", "feedback"), number)
    columns |= {"verdict": text, "matched_to": text, "diagnostics": pa.list_(text)}
    columns |= dict.fromkeys(("attention", "embedding", "citation"), number)
    schema = pa.schema(columns, metadata=_MARK)
    try:
        with appearing_whole(table) as stream, pq.ParquetWriter(stream, schema) as writer:
            for rows in _row_groups(lines):
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))
    except OSError as error:
        raise TraceError(f"{table} cannot be written ({error.strerror or error}).") from error


def check_own_table(table: Path) -> None:
    """Raise TraceError if a file is not one that `write_feedback_table` wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        known = pq.read_schema(table).metadata or {}
    except (OSError, pa.ArrowException):
        known = {}
    if known.get(b"explorer") != b"feedback":
        raise TraceError(
            f"{table} already exists, and is not a table of feedback. Give another path, or remove "
            "the file."
        )


def _row_groups(lines: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield rows in groups that are small enough to be held at once."""
    decoder = msgspec.json.Decoder(FeedbackLine)
    rows: list[dict[str, Any]] = []
    with lines.open("rb") as stream:
        for line in stream:
            found = decoder.decode(line)
            rows += [{"trace": found.id} | row for row in found.hyperedges]
            if len(rows) >= _ROWS:
                yield rows
                rows = []
    if rows:
        yield rows
