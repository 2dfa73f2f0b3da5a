"""A native trace file to which finished traces are appended, and which a later run continues."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from explorer.errors import TraceError
from explorer.rag._scoring.stand_in import MARK
from explorer.rag._scoring.trace_task import TraceTask
from explorer.traces import Trace
from explorer.traces._files.resumable_file import ResumableFile
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


def line_digest(line: bytes) -> str:
    """Return the digest of a line."""
    return hashlib.sha256(line).hexdigest()


class ScoredFile(ResumableFile):
    """The file that `score_traces` and `ablate` write to.

    Parameters
    ----------
    path
        The file; created when the first trace is written.
    work
        The task that writes the file.

    Raises
    ------
    TraceError
        As `ResumableFile`.
    """

    def __init__(self, path: str | os.PathLike[str], work: TraceTask) -> None:
        super().__init__(path)
        self._work = work

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
        self.read_back(lambda line, number: self._judged(line, number, expected))

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
        self.append_line(trace.id, line)


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
