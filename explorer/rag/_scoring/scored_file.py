"""A native trace file to which finished traces are appended, and which a later run continues."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from explorer.errors import TraceError
from explorer.rag._scoring.stand_in import MARK
from explorer.rag._scoring.trace_task import TraceTask
from explorer.traces import Trace
from explorer.traces._files.file_streams import appearing_whole
from explorer.traces._io.trace_writing import copy_arrays, encoded_line


class _ScoredMark(msgspec.Struct):
    reader: str
    trace: str
    model: str = "another model"
    problem: str | None = None
    settings: str | None = None


class _ScoredLine(msgspec.Struct):
    """The parts of a written line that are read again."""

    id: str
    metadata: dict[str, msgspec.Raw] | None = None


@dataclass(frozen=True)
class Expected:
    """What the line of a trace must have been made from to be kept.

    Attributes
    ----------
    digest
        Fingerprint of a trace that a model reads; digest of the line of one that is passed through.
    reader
        Digest of the model; None for a trace that is passed through.
    settings
        Digest of the settings; None where lines do not contain it.
    """

    digest: str
    reader: str | None
    settings: str | None = None


@dataclass(frozen=True)
class _LinePosition:
    start: int
    length: int


def line_digest(line: bytes) -> str:
    """Return the digest of a line."""
    return hashlib.sha256(line).hexdigest()


class ScoredFile:
    """The file that `score_traces` and `ablate` write to.

    A crash while a line is written may leave a part of it at the end. `resume` removes that part;
    all other lines are complete.

    Parameters
    ----------
    path
        The file; created when the first trace is written.
    work
        The task that writes the file.

    Raises
    ------
    TraceError
        The path is not valid, is a folder, or its folder does not exist.
    """

    def __init__(self, path: str | os.PathLike[str], work: TraceTask) -> None:
        self.path = Path(path).expanduser()
        self._work = work
        no_name = "\0" in str(self.path)
        if no_name or self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise TraceError(
                f"The traces cannot be written to {str(self.path)!r}: give the path of a file in a "
                "folder that exists."
            )
        self._places: dict[str, _LinePosition] = {}
        self._stream: BinaryIO | None = None

    def __contains__(self, name: str) -> bool:
        """Return True when this trace is finished."""
        return name in self._places

    @property
    def has_lines(self) -> bool:
        """True when the file is not empty."""
        return self.path.exists() and self.path.stat().st_size > 0

    def resume(self, expected: Mapping[str, Expected]) -> None:
        """Continue a file that was written before.

        Lines of these traces are kept; lines of traces that have changed since or that failed are
        removed, and so is an incomplete line at the end.

        Parameters
        ----------
        expected
            What the line of each trace must have been made from, by its id.

        Raises
        ------
        TraceError
            The file holds something else: other traces, the reading of another model, or no traces.
        """
        stale = False
        place = 0
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                start, place = place, place + len(line)
                whole = line.endswith(b"\n")
                if not whole and _is_torn(line):
                    stale = True
                    break
                name, good = self._judged(line, number, expected)
                if good and whole and name not in self._places:
                    self._places[name] = _LinePosition(start, len(line))
                else:
                    stale = True
        if stale:
            self._rewrite(sorted(self._places, key=lambda name: self._places[name].start))

    def _judged(
        self, line: bytes, number: int, expected: Mapping[str, Expected]
    ) -> tuple[str, bool]:
        """Return the trace id of a line and whether it is kept; raise for a foreign file."""
        try:
            found = msgspec.json.decode(line, type=_ScoredLine)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._foreign(f"line {number} was not written by it") from None
        wanted = expected.get(found.id)
        if wanted is None:
            raise self._foreign(f"line {number} holds the trace {found.id!r}, which is not given")
        if wanted.reader is None:  # a trace that brings its own attention
            return found.id, line_digest(line) == wanted.digest
        mark = self._mark_of(found, number)
        if mark is None:
            raise self._foreign(
                f"line {number} holds the trace {found.id!r} before it was {self._work.past}"
            )
        if mark.reader != wanted.reader:
            raise self._foreign(
                f"line {number} was read by {mark.model}, which is another model or has other "
                "weights"
            )
        if None not in (mark.settings, wanted.settings) and mark.settings != wanted.settings:
            # A forgotten argument must not overwrite the work of hours.
            raise self._foreign(
                f"line {number} was {self._work.past} with other settings than those given now"
            )
        return found.id, mark.problem is None and mark.trace == wanted.digest

    def _mark_of(self, line: _ScoredLine, number: int) -> _ScoredMark | None:
        raw = None if line.metadata is None else line.metadata.get(self._work.mark)
        try:
            return None if raw is None else msgspec.json.decode(raw, type=_ScoredMark | None)
        except msgspec.MsgspecError:
            raise self._foreign(f"line {number} was not written by it") from None

    def _foreign(self, reason: str) -> TraceError:
        return TraceError(
            f"{self.path} already exists, and {self._work.function} cannot continue it: "
            f"{reason}. Give another path, or remove the file."
        )

    def append(self, trace: Trace, line: bytes) -> None:
        """Append the line of one trace, and copy its array files.

        Raises
        ------
        TraceError
            The file cannot be written.
        EvidenceError
            An array file is missing or lies outside the folder of its trace.
        """
        copy_arrays(trace, self.path.absolute().parent)
        try:
            if self._stream is None:
                # Unbuffered: the line is written when this returns.
                self._stream = self.path.open("ab", buffering=0)
            start = self._stream.seek(0, os.SEEK_END)
            self._stream.write(line)
        except OSError as error:
            raise TraceError(
                f"{self.path} cannot be written ({error.strerror or error})."
            ) from error
        self._places[trace.id] = _LinePosition(start, len(line))

    def finish(self, order: Sequence[str]) -> None:
        """Sort the lines into this order."""
        self.close()
        end = max((place.start + place.length for place in self._places.values()), default=0)
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < end:
            raise TraceError(
                f"{self.path} was removed or cut while the traces were being scored, and its "
                "contents are lost. Score them again; on_trace= receives each finished trace."
            )
        starts = [self._places[name].start for name in order]
        if starts != sorted(starts):
            self._rewrite(order)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _rewrite(self, order: Iterable[str]) -> None:
        """Rewrite the file with some of its lines, whole or not at all."""
        places: dict[str, _LinePosition] = {}
        try:
            with appearing_whole(self.path) as target, self.path.open("rb") as source:
                for name in order:
                    place = self._places[name]
                    source.seek(place.start)
                    places[name] = _LinePosition(target.tell(), place.length)
                    target.write(source.read(place.length))
        except OSError as error:
            raise TraceError(
                f"{self.path} cannot be written ({error.strerror or error})."
            ) from error
        self._places = places


def _is_torn(line: bytes) -> bool:
    """Return True for an incomplete line that begins as the lines written here do."""
    begin = b'{"id":'
    if line[: len(begin)] != begin[: len(line)]:
        return False
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    return False


def scored_line(trace: Trace) -> bytes:
    """Return the line of a trace; arrays of a stand-in are rounded to six digits."""
    if MARK not in trace.metadata:
        return encoded_line(trace)
    metadata = {
        name: _short(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in trace.metadata.items()
    }
    return encoded_line(msgspec.structs.replace(trace, metadata=metadata))


def _short(array: np.ndarray[Any, np.dtype[Any]]) -> Any:
    """Return an array as lists of numbers of six digits; NaN becomes null."""
    few = [float(f"{value:.6g}") for value in array.ravel().tolist()]
    return np.array(few).reshape(array.shape).tolist()
