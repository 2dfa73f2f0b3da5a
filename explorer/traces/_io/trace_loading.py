"""Traces from anywhere: a file, an upload or a table -> traces, and a list of what was odd."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces._files.file_streams import checked_path
from explorer.traces._io import format_detection
from explorer.traces._io.containers import Container, open_container
from explorer.traces._io.lazy_traces import LazyTraces, LineOffsets, state_of
from explorer.traces._model.label_store import LabelStore, UnmatchedLabels
from explorer.traces._model.native_format import check_line
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces._model.trace_set import TraceSet
from explorer.traces.readers._reader import Reader, Record
from explorer.traces.readers._samples.native_reader import NATIVE

MAX_BYTES = 512 * 2**20
"""Longest line, item of an array, or JSON object that is read as a whole."""

LAZY_BYTES = 32 * 2**20
"""A native file of this size or more stays on disk, and its traces are read when asked for."""

MAX_PROBLEMS = 10_000
"""Most problems that a set keeps; how many more there were is told."""


def load_traces(
    source: object,
    *,
    format: str | None = None,  # noqa: A002 - what users call it
    max_bytes: int = MAX_BYTES,
) -> TraceSet:
    """Load traces of any format that explorer knows.

    Parameters
    ----------
    source
        The path of a file: JSON Lines, a JSON array, an object that holds the records in a list
        or in columns, CSV, TSV (any of these compressed with gzip), or Parquet. Or, in memory: a
        pandas or polars data frame, an Arrow table, a Hugging Face data set, a list of mappings.
        What it is, and which format its records have, is told by its contents. See
        ``docs/traces.md``.
    format
        Name of the format, such as ``"ragas"``, where it cannot be told, or is told wrongly.
    max_bytes
        Longest line, item of an array, or object that is read as a whole. Files may be larger.

    Returns
    -------
    TraceSet
        The traces in file order. What is no trace is in its ``problems``, with line numbers and
        reasons. A trace whose id was seen before is kept under ``id#2``.

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
    """Read traces from bytes, such as an upload.

    Evidence files named by such traces are out of reach, because an upload has no folder;
    `explorer.traces.evidence` says so when it is asked for them.

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
    """Go through traces of any number, one at a time.

    Parameters
    ----------
    source
        As for `load_traces`.
    on_problem
        Called with each record that is no trace, and each duplicate id. Without it the first
        record that is no trace raises, and duplicate ids are renamed silently.
    format
        Name of the format, as for `load_traces`.
    max_line_bytes
        Longest line, item of an array, or object to read.

    Yields
    ------
    Trace
        In file order; memory does not grow with the file (except by eight bytes or so for each id).
        Formats whose traces are spread over many records gather them first.

    Raises
    ------
    TraceError
        The file is missing, a folder, empty, not UTF-8 or of no known format; a record is no trace
        and `on_problem` is not given.
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
    """Open a source that is no upload."""
    if isinstance(source, bytes | bytearray | memoryview):
        raise TraceError(
            "Give the path of a trace file; these are the contents of one, which "
            "explorer.traces.parse_traces(contents, name) reads."
        )
    return open_container(source, _recognises(reader), limit=limit)


def _recognises(reader: Reader | None) -> Callable[..., bool]:
    """Return what tells a record from an object that holds records."""
    return format_detection.is_known if reader is None else reader.recognises


def _chosen(container: Container) -> tuple[Reader, Iterator[Record | TraceProblem]]:
    """Tell the format of a container."""
    columns = container.kind in ("csv", "parquet", "table")
    return format_detection.choose(container.records, container.name, columns=columns)


def _traces(
    container: Container, reader: Reader | None
) -> tuple[Reader, Iterator[Trace | TraceProblem]]:
    """Return the reader of a container, and what it makes of the records."""
    records = container.records
    forced = reader is not None
    if reader is None:
        reader, records = _chosen(container)
    return reader, with_unique_ids(format_detection.read_records(reader, records, forced=forced))


def _collected(
    container: Container, reader: Reader | None, path: Path | None, folder: Path | None
) -> TraceSet:
    """Read all traces; `folder` is where their evidence files may lie."""
    reader, found = _traces(container, reader)
    traces: list[Trace] = []
    problems = _Problems()
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
    """Check every trace of a large native file once, and keep only where it is."""
    places = LineOffsets(path.absolute())
    names = UniqueNames()
    problems = _Problems()
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
            problems.add(_renamed(piece.line, given, name))
        places.add(piece, name, given)
        unmatched.saw(name, hyperedges)
    if state_of(path) != places.state:
        raise TraceError(f"{path} was changed while it was read; load it again.")
    listed = problems.of(places, container.name, unmatched)
    return TraceSet(LazyTraces(places), path, listed, format=NATIVE.name, labels=labels)


class _Problems:
    """Problems as they come, up to a number that is still of use to somebody."""

    def __init__(self) -> None:
        self._listed: list[TraceProblem] = []
        self._more = 0

    def add(self, problem: TraceProblem) -> None:
        if len(self._listed) < MAX_PROBLEMS:
            self._listed.append(problem)
        else:
            self._more += 1

    def of(self, traces: Sized, name: str, unmatched: UnmatchedLabels) -> list[TraceProblem]:
        """Return them, or raise when there are no traces beside them."""
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


def _labels(path: Path | None, problems: _Problems) -> tuple[LabelStore, UnmatchedLabels]:
    """Read the labels that are kept beside a trace file."""
    labels = LabelStore() if path is None else LabelStore.beside(path)
    fault = labels.read()
    if fault is not None:
        problems.add(TraceProblem(0, fault, loaded=True))
    return labels, UnmatchedLabels(labels)


def _renamed(line: int, given: str, name: str) -> TraceProblem:
    """Tell of an id that was used before."""
    message = f"the id {given!r} was used before; this trace is kept as {name!r}."
    return TraceProblem(line, message, loaded=True)


def with_unique_ids(items: Iterable[Trace | TraceProblem]) -> Iterator[Trace | TraceProblem]:
    """Keep every trace, and give the second of a name a name of its own."""
    names = UniqueNames()
    for item in items:
        if isinstance(item, Trace):
            given = item.id
            item.id = names.name_for(given)
            if item.id != given:
                yield _renamed(item.line or 0, given, item.id)
        yield item


class UniqueNames:
    """Names that were given out, by their 64-bit hashes, so that the names need not be kept."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._counts: dict[int, int] = {}

    def name_for(self, name: str) -> str:
        """Return a name, with a number behind it when it was given out before."""
        key = hash(name)
        free = name
        if key in self._seen:
            count = self._counts.get(key, 1)
            while hash(free) in self._seen:
                count += 1
                free = f"{name}#{count}"
            self._counts[key] = count
        self._seen.add(hash(free))
        return free
