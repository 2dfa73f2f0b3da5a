"""Traces of a file, an upload or a table, with the problems found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sized
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces._files.file_streams import checked_path
from explorer.traces._io import format_detection
from explorer.traces._io.containers import Container, open_container
from explorer.traces._io.lazy_traces import LazyTraces, LineOffsets, state_of
from explorer.traces._io.unique_ids import UniqueNames, renamed_problem, with_unique_ids
from explorer.traces._model.label_store import LabelStore, UnmatchedLabels
from explorer.traces._model.native_format import check_line
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces._model.trace_set import TraceSet
from explorer.traces.readers._reader import Reader, Record
from explorer.traces.readers._samples.native_reader import NATIVE

MAX_BYTES = 512 * 2**20
"""Longest line, item of an array, or JSON object that is read as a whole."""

LAZY_BYTES = 32 * 2**20
"""A native file of at least this size stays on disk, and its traces are read on access."""

MAX_PROBLEMS = 10_000
"""Largest number of problems that a set keeps; the number of further ones is reported."""


def load_traces(
    source: object,
    *,
    format: str | None = None,  # noqa: A002 - what users call it
    max_bytes: int = MAX_BYTES,
) -> TraceSet:
    """Return the traces of a file or a table, of any format that explorer knows.

    Parameters
    ----------
    source
        The path of a file: JSON Lines, a JSON array, an object that holds the records in a list
        or in columns, CSV, TSV (any of these compressed with gzip), or Parquet. Or, in memory: a
        pandas or polars data frame, an Arrow table, a Hugging Face data set, a list of mappings.
        The kind of source and the format of its records are detected by the contents. See
        ``docs/traces.md``.
    format
        Name of the format, such as ``"ragas"``, where the detection fails.
    max_bytes
        Longest line, item of an array, or object that is read as a whole. Files may be larger.

    Returns
    -------
    TraceSet
        The traces in file order. Its ``problems`` list records that are not traces, with line
        numbers and reasons. A trace with an id that was used before is kept as ``id#2``.

    Raises
    ------
    TraceError
        The file is missing, a folder, empty, not UTF-8, or holds no trace of a known format; no
        format has this name.
    """
    reader = None if format is None else format_detection.reader_named(format)
    container = _container(source, reader, max_bytes)
    if not isinstance(source, str | os.PathLike):
        return _collected(container, reader, None, None)
    path = checked_path(source)
    if container.pieces is not None and state_of(path)[0] >= LAZY_BYTES:
        if reader is None:
            reader, container.records = _chosen(container)
        if reader is NATIVE:
            return _indexed(container, path)
    return _collected(container, reader, path, path.absolute().parent)


def parse_traces(contents: bytes, name: str, *, format: str | None = None) -> TraceSet:  # noqa: A002
    """Return the traces of bytes, such as an upload.

    Evidence files named by such traces cannot be read, because an upload has no folder;
    `explorer.traces.evidence` raises an error for them.

    Parameters
    ----------
    contents
        The contents of a file of any kind that `load_traces` reads.
    name
        Its name, for messages.
    format
        Name of the format, as for `load_traces`.

    Raises
    ------
    TraceError
        As `load_traces`.
    """
    reader = None if format is None else format_detection.reader_named(format)
    path = Path(name)
    container = open_container(
        bytes(contents), _recognises(reader), limit=MAX_BYTES, name=path.name or "the upload"
    )
    return _collected(container, reader, path, None)


def iter_traces(
    source: object,
    on_problem: Callable[[TraceProblem], None] | None = None,
    *,
    format: str | None = None,  # noqa: A002
    max_line_bytes: int = MAX_BYTES,
) -> Iterator[Trace]:
    """Yield traces one at a time, however many there are.

    Parameters
    ----------
    source
        As for `load_traces`.
    on_problem
        Called with a problem for each record that is not a trace and each duplicate id. Without it,
        the first record that is not a trace raises, and duplicate ids are renamed silently.
    format
        Name of the format, as for `load_traces`.
    max_line_bytes
        Longest line, item of an array, or object to read.

    Yields
    ------
    Trace
        In file order; memory does not grow with the file, except by about eight bytes for each id.
        Formats whose traces are spread over many records collect them first.

    Raises
    ------
    TraceError
        The file is missing, a folder, empty, not UTF-8 or of no known format; a record is not a
        trace and `on_problem` is not given.
    """
    reader = None if format is None else format_detection.reader_named(format)
    container = _container(source, reader, max_line_bytes)
    folder = None
    if isinstance(source, str | os.PathLike):
        folder = checked_path(source).absolute().parent
    _, found = _traces(container, reader)
    for item in found:
        if isinstance(item, Trace):
            item.folder = folder
            yield item
        elif on_problem is not None:
            on_problem(item)
        elif not item.loaded:
            raise TraceError(f"{container.name}, {item}")


def _container(source: object, reader: Reader | None, limit: int) -> Container:
    """Return the container of a source that is not an upload."""
    if isinstance(source, bytes | bytearray | memoryview):
        raise TraceError(
            "Give the path of a trace file; these are the contents of one, which "
            "explorer.traces.parse_traces(contents, name) reads."
        )
    return open_container(source, _recognises(reader), limit=limit)


def _recognises(reader: Reader | None) -> Callable[..., bool]:
    """Return a function that tells a record from an object that holds records."""
    return format_detection.is_known if reader is None else reader.recognises


def _chosen(container: Container) -> tuple[Reader, Iterator[Record | TraceProblem]]:
    """Return the reader for a container, and its records."""
    columns = container.kind in ("csv", "parquet", "table")
    return format_detection.choose(container.records, container.name, columns=columns)


def _traces(
    container: Container, reader: Reader | None
) -> tuple[Reader, Iterator[Trace | TraceProblem]]:
    """Return the reader for a container, and its traces."""
    records = container.records
    forced = reader is not None
    if reader is None:
        reader, records = _chosen(container)
    return reader, with_unique_ids(format_detection.read_records(reader, records, forced=forced))


def _collected(
    container: Container, reader: Reader | None, path: Path | None, folder: Path | None
) -> TraceSet:
    """Return all traces in memory; `folder` may hold their evidence files."""
    reader, found = _traces(container, reader)
    traces: list[Trace] = []
    problems = _LoadProblems()
    labels, unmatched = _labels(None if folder is None else path, problems)
    for item in found:
        if isinstance(item, TraceProblem):
            problems.add(item)
            continue
        item.folder = folder
        traces.append(item)
        unmatched.saw(item.id, (edge.id for edge in item.hyperedges))
    listed = problems.of(traces, container.name, unmatched)
    return TraceSet(traces, path, listed, format=reader.name, labels=labels)


def _indexed(container: Container, path: Path) -> TraceSet:
    """Return the traces of a large native file; each is checked, and only its position kept."""
    places = LineOffsets(path.absolute())
    names = UniqueNames()
    problems = _LoadProblems()
    labels, unmatched = _labels(path, problems)
    for piece in container.pieces() if container.pieces else ():
        if isinstance(piece, TraceProblem):
            problems.add(piece)
            continue
        try:
            given, hyperedges = check_line(piece.raw.strip(b" \t\r\n"))
        except TraceError as error:
            problems.add(TraceProblem(piece.line, str(error)))
            continue
        name = names.name_for(given)
        if name != given:
            problems.add(renamed_problem(piece.line, given, name))
        places.add(piece, name, given)
        unmatched.saw(name, hyperedges)
    if state_of(path) != places.state:
        raise TraceError(f"{path} was changed while it was read; load it again.")
    listed = problems.of(places, container.name, unmatched)
    return TraceSet(LazyTraces(places), path, listed, format=NATIVE.name, labels=labels)


class _LoadProblems:
    """The problems of a file, up to `MAX_PROBLEMS`."""

    def __init__(self) -> None:
        self._listed: list[TraceProblem] = []
        self._more = 0

    def add(self, problem: TraceProblem) -> None:
        if len(self._listed) < MAX_PROBLEMS:
            self._listed.append(problem)
        else:
            self._more += 1

    def of(self, traces: Sized, name: str, unmatched: UnmatchedLabels) -> list[TraceProblem]:
        """Return the problems; raise TraceError if there are no traces."""
        listed = self._listed
        if not len(traces):
            more = len(listed) - 1 + self._more
            rest = f" ({more} more problems like this.)" if more > 0 else ""
            first = str(listed[0]) if listed else "it is empty."
            raise TraceError(f"No trace could be read from {name}: {first}{rest}")
        if self._more:
            message = f"{self._more} more problems are not listed."
            listed.append(TraceProblem(listed[-1].line, message))
        lost = unmatched.message()
        if lost is not None:
            listed.append(TraceProblem(0, lost, loaded=True))
        return listed


def _labels(path: Path | None, problems: _LoadProblems) -> tuple[LabelStore, UnmatchedLabels]:
    """Return the labels of a trace file."""
    labels = LabelStore() if path is None else LabelStore.of_file(path)
    fault = labels.read()
    if fault is not None:
        problems.add(TraceProblem(0, fault, loaded=True))
    return labels, UnmatchedLabels(labels)
