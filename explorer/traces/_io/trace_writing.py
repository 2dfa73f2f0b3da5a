"""Writing traces in the native format."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from explorer.errors import TraceError
from explorer.traces._evidence.evidence_arrays import evidence_file, is_reference
from explorer.traces._files.file_streams import appearing_whole
from explorer.traces._model.label_store import remove_label_file
from explorer.traces._model.native_format import write_object, write_row
from explorer.traces._model.trace import Trace, checked_trace

_ROWS = 1024
_ROW_BYTES = 32 * 2**20


def save_traces(traces: Iterable[Trace], path: str | os.PathLike[str]) -> None:
    """Write traces as JSON Lines, one a line, or as Parquet where the name ends in ``.parquet``.

    The file is written whole or not at all: an older file stays until the new one is complete.
    Array files that the traces name are copied into the folder of the new file. Labels are written
    with the traces, and an older label file of this name is removed.

    Parameters
    ----------
    traces
        The traces. Arrays in their metadata are written as lists; NaN and infinite numbers become
        null, which reads back as NaN.
    path
        The file to write; its folder must exist. The columns of Parquet are ``id``, ``query``,
        ``answer`` (text), ``hyperedges`` (list of ``id``, ``hyperedge``, ``entities``, ``label``,
        ``extra``), ``metadata`` and ``extra`` (JSON text).

    Raises
    ------
    TraceError
        An item is not a trace, or its metadata hold something that JSON cannot; the folder is
        missing or cannot be written; an array file of the same name and other contents exists in
        the folder.
    EvidenceError
        An array file is missing or lies outside the folder of its trace.
    """
    path = Path(path)
    write = _write_parquet if path.suffix.lower() == ".parquet" else _write_lines
    try:
        with appearing_whole(path) as stream:
            write(_prepared(traces, path.absolute().parent), stream)
        remove_label_file(path)
    except OSError as error:
        raise TraceError(f"{path} cannot be written ({error.strerror or error}).") from error


def _prepared(traces: Iterable[Trace], folder: Path) -> Iterator[Trace]:
    """Yield the traces, after their array files are copied."""
    for trace in map(checked_trace, traces):
        copy_arrays(trace, folder)
        yield trace


def _write_lines(traces: Iterable[Trace], stream: BinaryIO) -> None:
    """Write one trace per line."""
    stream.writelines(map(encoded_line, traces))


def _write_parquet(traces: Iterable[Trace], stream: BinaryIO) -> None:
    """Write traces in groups of rows that are small enough to be read at once."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    text = pa.string()
    edge = {"id": text, "hyperedge": text, "entities": pa.list_(text), "label": pa.bool_()}
    edges = pa.list_(pa.struct({**edge, "extra": text}))
    columns = {"id": text, "query": text, "answer": text, "hyperedges": edges}
    schema = pa.schema({**columns, "metadata": text, "extra": text})
    rows: list[dict[str, Any]] = []
    size = 0
    with pq.ParquetWriter(stream, schema) as writer:
        for trace in traces:
            # Encoded first as a whole, so that an error names the trace.
            size += len(encoded_line(trace))
            rows.append(write_row(trace, _encoder.encode))
            if len(rows) >= _ROWS or size >= _ROW_BYTES:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))
                rows, size = [], 0
        if rows:
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))


def encoded_line(trace: Trace) -> bytes:
    """Return the line of a trace in a native file, with its end.

    Raises
    ------
    TraceError
        The trace holds what JSON cannot.
    """
    try:
        return _encoder.encode(write_object(trace)) + b"\n"
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise TraceError(f"Trace {trace.id} cannot be written as JSON: {error}.") from error


def _listed(value: Any) -> Any:
    """Return arrays, tensors and NumPy numbers as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, range):
        return list(value)
    raise TypeError(f"a {type(value).__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_listed)


def copy_arrays(trace: Trace, folder: Path) -> None:
    """Copy the array files of a trace to another folder.

    Raises
    ------
    TraceError
        A file of the same name and other contents exists there.
    EvidenceError
        An array file is missing or lies outside the folder of its trace.
    """
    for reference in filter(is_reference, trace.metadata.values()):
        # A trace made in memory names a file that its author puts into the folder.
        if trace.folder is None or trace.folder.resolve() == folder.resolve():
            continue
        source = evidence_file(trace, reference)
        target = folder / reference["file"]
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        elif not filecmp.cmp(source, target, shallow=False):
            raise TraceError(
                f"{target} exists and is not the array file of trace {trace.id}; "
                "save the traces in another folder."
            )
