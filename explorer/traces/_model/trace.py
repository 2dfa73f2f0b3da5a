"""The record of one RAG trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from explorer.errors import TraceError


class Hyperedge(msgspec.Struct):
    """One n-ary fact that was retrieved for a question.

    Parameters
    ----------
    id
        Name of the hyperedge, unique within its trace.
    hyperedge
        The text that the model was given.
    entities
        The entities that the fact is about; may be empty.
    label
        Ground truth: True when the answer needs this fact, False when it does not, None when
        it is unknown.
    extra
        Fields of the file that explorer does not know; written back unchanged.
    """

    id: str
    hyperedge: str
    entities: list[str] = []
    label: bool | None = None
    extra: dict[str, Any] = {}


class Trace(msgspec.Struct):
    """One question, the hyperedges retrieved for it, the answer, and the evidence about them.

    Parameters
    ----------
    id
        Name of the trace, unique within its file.
    query
        The question.
    hyperedges
        The retrieved facts, in retrieval order.
    answer
        The answer of the system; empty without one.
    metadata
        Evidence (see `explorer.traces.evidence`) and other data of the system.
    extra
        Fields of the file that explorer does not know; written back unchanged.
    line
        Line of the file at which the trace begins, from 1; None for a trace made in memory.
    folder
        Folder of the file: evidence files are looked for there and nowhere else. None for
        uploads and for traces made in memory, which therefore cannot name evidence files.
    """

    id: str
    query: str
    hyperedges: list[Hyperedge] = []
    answer: str = ""
    metadata: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    line: int | None = None
    folder: Path | None = None


class TraceProblem(msgspec.Struct, frozen=True):
    """A problem found while a trace file was loaded.

    Parameters
    ----------
    line
        Line of the file, from 1; 0 for a problem of the whole file.
    message
        The problem and what to do about it, in plain words.
    loaded
        True when the trace was loaded nevertheless (a duplicate id that was renamed), False when
        the line was left out.
    """

    line: int
    message: str
    loaded: bool = False

    def __str__(self) -> str:
        """Return the message, preceded by the line if there is one."""
        return f"line {self.line}: {self.message}" if self.line else self.message


def checked_trace(value: object) -> Trace:
    """Return a trace; raise TraceError for any other value.

    Raises
    ------
    TraceError
        The value is not a `Trace`.
    """
    if not isinstance(value, Trace):
        raise TraceError(
            f"Traces are objects of the class Trace, not of {type(value).__name__}. "
            "load_traces(path) reads a file of them."
        )
    return value
