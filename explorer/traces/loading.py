"""Trace files: what is on disk or was uploaded -> traces, and a list of what could not be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from explorer.errors import TraceError
from explorer.traces import native
from explorer.traces.record import Trace, TraceProblem, TraceSet

MAX_BYTES = 512 * 2**20
"""Largest file that `load_traces` reads as a whole."""

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def load_traces(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> TraceSet:
    """Load a file of traces.

    Parameters
    ----------
    path
        A native trace file: JSON Lines, or one JSON array. See ``docs/traces.md``.
    max_bytes
        Largest file to read; the size is looked at before anything is read.

    Returns
    -------
    TraceSet
        The traces in file order. Lines that are no traces are in its ``problems``, with line
        numbers and reasons. A trace whose id was seen before is kept under ``id#2``.

    Raises
    ------
    TraceError
        The file is missing, a folder, empty, too large, not UTF-8, or holds no trace at all.
    """
    path = _path(path)
    with _opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > max_bytes:
            raise TraceError(
                f"{path.name} is {_size(size)} and load_traces reads at most {_size(max_bytes)}. "
                "Go through it with explorer.traces.iter_traces(path), or raise max_bytes."
            )
        contents = stream.read()
    return _parsed(contents, path, path.absolute().parent)


def parse_traces(contents: bytes, name: str) -> TraceSet:
    """Read traces from bytes, such as an upload.

    Evidence files named by such traces are out of reach, because an upload has no folder;
    `explorer.traces.evidence` says so when it is asked for them.

    Parameters
    ----------
    contents
        The contents of the file.
    name
        Its name, for messages.

    Raises
    ------
    TraceError
        As `load_traces`.
    """
    return _parsed(bytes(contents), Path(name), None)


def iter_traces(
    path: str | os.PathLike[str],
    on_problem: Callable[[TraceProblem], None] | None = None,
    *,
    max_line_bytes: int = MAX_BYTES,
) -> Iterator[Trace]:
    """Go through a JSON Lines file of any size, one trace at a time.

    Parameters
    ----------
    path
        The file.
    on_problem
        Called with each line that is no trace, and each duplicate id. Without it the first line
        that is no trace raises, and duplicate ids are renamed silently.
    max_line_bytes
        Longest line to read.

    Yields
    ------
    Trace
        In file order; memory does not grow with the file (except by the ids seen).

    Raises
    ------
    TraceError
        The file is missing, a folder, empty or not UTF-8; a line is no trace and `on_problem` is
        not given; the file is one JSON array, which cannot be read piece by piece.
    """
    path = _path(path)
    with _opened(path) as stream:
        head = stream.read(4096)
        _check_encoding(head, path.name)
        if head.removeprefix(_BOM).lstrip()[:1] == b"[":
            raise TraceError(
                f"{path.name} is one JSON array, which cannot be read piece by piece. "
                "Load it with load_traces, or write one trace a line."
            )
        stream.seek(0)
        found: Iterable[Trace | TraceProblem] = _read_lines(_lines(stream, max_line_bytes))
        for item in _with_unique_ids(found):
            if isinstance(item, Trace):
                item.folder = path.absolute().parent
                yield item
            elif on_problem is not None:
                on_problem(item)
            elif not item.loaded:
                raise TraceError(f"{path.name}, {item}")


def _parsed(contents: bytes, path: Path, folder: Path | None) -> TraceSet:
    """Parse a whole file; `folder` is where its evidence files may lie."""
    name = path.name
    _check_encoding(contents[:4], name)
    contents = contents.removeprefix(_BOM)
    if not contents.strip():
        raise TraceError(f"{name} is empty. A trace file holds one JSON object a line.")
    traces: list[Trace] = []
    problems: list[TraceProblem] = []
    for item in _with_unique_ids(_items(contents, name)):
        if isinstance(item, TraceProblem):
            problems.append(item)
        else:
            item.folder = folder
            traces.append(item)
    if not traces:
        rest = f" ({len(problems) - 1} more problems like this.)" if len(problems) > 1 else ""
        first = str(problems[0]) if problems else "the array is empty."
        raise TraceError(f"No trace could be read from {name}: {first}{rest}")
    return TraceSet(traces, path, problems)


def _items(contents: bytes, name: str) -> Iterator[Trace | TraceProblem]:
    """Tell the three shapes apart: an array, one object over several lines, or a trace a line."""
    first = contents.lstrip()[:1]
    if first == b"[":
        try:
            text = contents.decode()
        except UnicodeDecodeError as error:
            raise TraceError(
                f"{name} is not UTF-8 (byte {error.start + 1}); save it as UTF-8."
            ) from None
        yield from native.read_array(text)
        return
    lines = contents.split(b"\n")
    # A file of one indented object is no JSON Lines, but what it means is plain.
    if first == b"{" and not lines[0].strip().endswith(b"}"):
        try:
            yield native.read_line(contents, 1)
        except TraceError:
            pass  # Reported line by line below.
        else:
            return
    yield from _read_lines(enumerate(lines, start=1))


def _read_lines(
    lines: Iterable[tuple[int, bytes | TraceProblem]],
) -> Iterator[Trace | TraceProblem]:
    """Read one trace a line; blank lines are skipped."""
    for number, raw in lines:
        if isinstance(raw, TraceProblem):
            yield raw
            continue
        line = raw.strip(b" \t\r\n")
        if not line:
            continue
        try:
            yield native.read_line(line, number)
        except TraceError as error:
            yield TraceProblem(number, str(error))


def _lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | TraceProblem]]:
    """Number the lines of a stream; one longer than `limit` is skipped and reported."""
    number = 0
    while raw := stream.readline(limit + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_BOM)
        if len(raw) > limit and not raw.endswith(b"\n"):
            while (rest := stream.readline(2**20)) and not rest.endswith(b"\n"):
                pass
            yield number, TraceProblem(number, f"it is longer than {_size(limit)}.")
        else:
            yield number, raw


def _with_unique_ids(items: Iterable[Trace | TraceProblem]) -> Iterator[Trace | TraceProblem]:
    """Keep every trace, and give the second of a name a name of its own."""
    seen: dict[str, int] = {}
    for item in items:
        if isinstance(item, Trace):
            name, count = item.id, seen.get(item.id, 0)
            if count:
                while item.id in seen:
                    count += 1
                    item.id = f"{name}#{count}"
                seen[name] = count
                message = f"the id {name!r} was used before; this trace is kept as {item.id!r}."
                yield TraceProblem(item.line or 0, message, loaded=True)
            seen[item.id] = seen.get(item.id, 0) or 1
        yield item


def _path(path: object) -> Path:
    """Return a path, with ~ for the home folder."""
    if not isinstance(path, str | os.PathLike) or str(path) == "":
        raise TraceError(f"Give the path of a trace file; {path!r} is none.")
    try:
        return Path(path).expanduser()
    except RuntimeError:  # the home folder of nobody
        return Path(path)


def _opened(path: Path) -> BinaryIO:
    """Open a regular file, or say in plain words why that cannot be done."""
    try:
        mode = path.stat().st_mode
        stream = path.open("rb") if stat.S_ISREG(mode) else None
    except FileNotFoundError:
        raise TraceError(f"There is no file {path}. Check the path and its spelling.") from None
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the name.
        reason = getattr(error, "strerror", None) or str(error)
        raise TraceError(f"{path} cannot be read ({reason}).") from None
    if stream is None:
        if stat.S_ISDIR(mode):
            raise TraceError(f"{path} is a folder; give the path of a trace file in it.")
        raise TraceError(f"{path} is not an ordinary file.")
    return stream


def _check_encoding(head: bytes, name: str) -> None:
    """Refuse files that are empty or UTF-16 before their lines are made sense of."""
    if not head:
        raise TraceError(f"{name} is empty. A trace file holds one JSON object a line.")
    if head.startswith(_UTF16):
        raise TraceError(f"{name} is UTF-16; save it as UTF-8 and load it again.")


def _size(count: int) -> str:
    """Write a number of bytes for people."""
    for unit, scale in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"
