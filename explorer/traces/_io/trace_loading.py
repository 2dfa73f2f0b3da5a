"""Traces of a file, an upload or a table, with the problems found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces._files.file_streams import checked_path
from explorer.traces._io import format_detection
from explorer.traces._io._containers.containers import Container, open_container
from explorer.traces._io.column_mapping import with_columns
from explorer.traces._io.file_sets import trace_files
from explorer.traces._io.lazy_traces import LazyTraces, LineOffsets, state_of
from explorer.traces._io.load_options import LoadOptions
from explorer.traces._io.load_problems import MAX_PROBLEMS, LoadProblems, file_labels
from explorer.traces._io.unique_ids import UniqueNames, renamed_problem, with_unique_ids
from explorer.traces._model.native_format import check_line
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces._model.trace_set import TraceSet
from explorer.traces.readers._reader import Reader, Record
from explorer.traces.readers._samples.native_reader import NATIVE

MAX_BYTES = 512 * 2**20
"""Longest line, item of an array, or JSON object that is read as a whole."""

LAZY_BYTES = 32 * 2**20
"""A native file of at least this size stays on disk, and its traces are read on access."""


def load_traces(
    source: object,
    *,
    format: str | None = None,  # noqa: A002 - what users call it
    columns: Mapping[str, str] | None = None,
    label_cut: float = 0.0,
    retriever: str | None = None,
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
        The file is missing, empty, not text of a known encoding, or holds no trace of a known
        format; no format has this name; a column or an option is not valid.
    """
    options = LoadOptions.of(format, columns, label_cut, retriever)
    files = trace_files(source)
    if files is not None:
        return _together(files, source, options, max_bytes)
    container = _container(source, options, max_bytes)
    reader = options.reader
    if not isinstance(source, str | os.PathLike):
        return _collected(container, options, None, None)
    path = checked_path(source)
    if container.pieces is not None and state_of(path)[0] >= LAZY_BYTES:
        if reader is None:
            reader, container.records = _chosen(container)
        if reader is NATIVE:
            return _indexed(container, path)
    return _collected(container, replace(options, reader=reader), path, path.absolute().parent)


def parse_traces(
    contents: bytes,
    name: str,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
    label_cut: float = 0.0,
    retriever: str | None = None,
) -> TraceSet:
    """Return the traces of bytes, such as an upload.

    Evidence files named by such traces cannot be read, because an upload has no folder;
    `explorer.traces.evidence` raises an error for them.

    Parameters
    ----------
    contents
        The contents of a file of any kind that `load_traces` reads.
    name
        Its name, for messages.
    format, columns, label_cut, retriever
        As for `load_traces`.

    Raises
    ------
    TraceError
        As `load_traces`.
    """
    options = LoadOptions.of(format, columns, label_cut, retriever)
    path = Path(name)
    container = open_container(
        bytes(contents), options.recognises, limit=MAX_BYTES, name=path.name or "the upload"
    )
    return _collected(container, options, path, None)


def iter_traces(
    source: object,
    on_problem: Callable[[TraceProblem], None] | None = None,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
    label_cut: float = 0.0,
    retriever: str | None = None,
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
    format, columns, label_cut, retriever
        As for `load_traces`.
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
    options = LoadOptions.of(format, columns, label_cut, retriever)
    for one in trace_files(source) or (source,):
        container = _container(one, options, max_line_bytes)
        folder = None
        if isinstance(one, str | os.PathLike):
            folder = checked_path(one).absolute().parent
        _, found = _traces(container, options)
        for item in found:
            if isinstance(item, Trace):
                item.folder = folder
                yield item
            elif on_problem is not None:
                on_problem(item)
            elif not item.loaded:
                raise TraceError(f"{container.name}, {item}")


def _together(files: Sequence[Path], source: object, options: LoadOptions, limit: int) -> TraceSet:
    """Return the traces of several files; their problems begin with the names of their files."""
    traces: list[Trace] = []
    problems: list[TraceProblem] = []
    names = UniqueNames()
    formats: dict[str, None] = {}
    for file in files:
        try:
            found = _collected(
                _container(file, options, limit), options, file, file.absolute().parent
            )
        except TraceError as error:
            problems.append(TraceProblem(0, f"{file.name}: {error}"))
            continue
        formats[found.format or ""] = None
        problems += [_of_file(one, file) for one in found.problems]
        for trace in found:
            name = names.name_for(trace.id)
            if name != trace.id:
                problems.append(_of_file(renamed_problem(trace.line or 0, trace.id, name), file))
                trace.id = name
            traces.append(trace)
    if not traces:
        reason = problems[0].message if problems else "it has no file with traces."
        raise TraceError(f"No trace could be read from {source}: {reason}")
    return TraceSet(traces, None, problems[:MAX_PROBLEMS], format=", ".join(formats))


def _of_file(problem: TraceProblem, file: Path) -> TraceProblem:
    return TraceProblem(problem.line, f"{file.name}: {problem.message}", problem.loaded)


def _container(source: object, options: LoadOptions, limit: int) -> Container:
    """Return the container of a source that is not an upload."""
    if isinstance(source, bytes | bytearray | memoryview):
        raise TraceError(
            "Give the path of a trace file; these are the contents of one, which "
            "explorer.traces.parse_traces(contents, name) reads."
        )
    return open_container(source, options.recognises, limit=limit)


def _chosen(container: Container) -> tuple[Reader, Iterator[Record | TraceProblem]]:
    """Return the reader for a container, and its records."""
    columns = container.kind in ("csv", "parquet", "table")
    return format_detection.choose(container.records, container.name, columns=columns)


def _traces(
    container: Container, options: LoadOptions
) -> tuple[Reader, Iterator[Trace | TraceProblem]]:
    """Return the reader for a container, and its traces."""
    records, reader = container.records, options.reader
    if options.columns is not None:
        records = with_columns(records, options.columns, container.name)
    if reader is None:
        reader, records = _chosen(container)
    found = format_detection.read_records(
        reader, records, forced=options.reader is not None, context=options.context()
    )
    return reader, with_unique_ids(found)


def _collected(
    container: Container, options: LoadOptions, path: Path | None, folder: Path | None
) -> TraceSet:
    """Return all traces in memory; `folder` may hold their evidence files."""
    reader, found = _traces(container, options)
    traces: list[Trace] = []
    problems = LoadProblems()
    labels, unmatched = file_labels(None if folder is None else path, problems)
    for item in found:
        if isinstance(item, TraceProblem):
            problems.add(item)
            continue
        item.folder = folder
        traces.append(item)
        unmatched.saw(item.id, (edge.id for edge in item.hyperedges))
    listed = problems.of(traces, container.name, unmatched)
    if reader is not NATIVE and not any(trace.hyperedges for trace in traces):
        raise TraceError(
            f"No trace of {container.name} has a fact: its {len(traces):,} records were read as "
            f"{reader.label}, and none says what was retrieved. If the facts are in a column of "
            'another name, say which: load_traces(..., columns={"ask": "question", "docs": '
            '"facts"}).'
        )
    return TraceSet(traces, path, listed, format=reader.name, labels=labels)


def _indexed(container: Container, path: Path) -> TraceSet:
    """Return the traces of a large native file; each is checked, and only its position kept."""
    places = LineOffsets(path.absolute())
    names = UniqueNames()
    problems = LoadProblems()
    labels, unmatched = file_labels(path, problems)
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
