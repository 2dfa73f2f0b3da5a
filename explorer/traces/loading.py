"""Traces from anywhere: a file, an upload or a table -> traces, and a list of what was odd."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces import formats
from explorer.traces.containers import Container, checked_path, open_container
from explorer.traces.readers.reader import Reader
from explorer.traces.record import Trace, TraceProblem, TraceSet

MAX_BYTES = 512 * 2**20
"""Longest line, item of an array, or JSON object that is read as a whole."""

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
    reader = None if format is None else formats.reader_named(format)
    container = _container(source, reader, max_bytes)
    path = checked_path(source) if isinstance(source, str | os.PathLike) else None
    return _collected(container, reader, path, None if path is None else path.absolute().parent)


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
    reader = None if format is None else formats.reader_named(format)
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
    reader = None if format is None else formats.reader_named(format)
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
    return formats.is_known if reader is None else reader.recognises


def _traces(
    container: Container, reader: Reader | None
) -> tuple[Reader, Iterator[Trace | TraceProblem]]:
    """Return the reader of a container, and what it makes of the records."""
    records = container.records
    if reader is None:
        reader, records = formats.choose(records, container.name)
    return reader, with_unique_ids(formats.read_records(reader, records))


def _collected(
    container: Container, reader: Reader | None, path: Path | None, folder: Path | None
) -> TraceSet:
    """Read all traces; `folder` is where their evidence files may lie."""
    reader, found = _traces(container, reader)
    traces: list[Trace] = []
    problems: list[TraceProblem] = []
    more = 0
    for item in found:
        if isinstance(item, Trace):
            item.folder = folder
            traces.append(item)
        elif len(problems) < MAX_PROBLEMS:
            problems.append(item)
        else:
            more += 1
    if not traces:
        rest = f" ({len(problems) - 1 + more} more problems like this.)" if problems[1:] else ""
        first = str(problems[0]) if problems else "it is empty."
        raise TraceError(f"No trace could be read from {container.name}: {first}{rest}")
    if more:
        problems.append(TraceProblem(problems[-1].line, f"{more} more problems are not listed."))
    return TraceSet(traces, path, problems, format=reader.name)


def with_unique_ids(items: Iterable[Trace | TraceProblem]) -> Iterator[Trace | TraceProblem]:
    """Keep every trace, and give the second of a name a name of its own."""
    names = UniqueNames()
    for item in items:
        if isinstance(item, Trace):
            given = item.id
            item.id = names.name_for(given)
            if item.id != given:
                message = f"the id {given!r} was used before; this trace is kept as {item.id!r}."
                yield TraceProblem(item.line or 0, message, loaded=True)
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
