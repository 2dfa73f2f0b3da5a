"""What a batch does with its traces, behind one interface for all engines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from explorer.errors import TraceError
from explorer.rag._scoring.scoring_job import TraceStream, check_other_file
from explorer.run_control import RunControl
from explorer.traces import TraceProblem
from explorer.traces._files.resumable_file import ResumableFile


class WorkDone(NamedTuple):
    """What came of the work on some traces.

    Attributes
    ----------
    traces, kept, failed
        Number of lines in the file, of those from an earlier run, and of those without a result.
    problems
        Traces without a result or under another id, with the reason.
    """

    traces: int
    kept: int
    failed: int
    problems: list[TraceProblem]


class BatchWork(Protocol):
    """Work on a stream of traces that writes one line for each of them."""

    @property
    def name(self) -> str:
        """Name for messages and for the plan of a batch."""

    def key(self) -> str:
        """Return a digest of the settings, which the parts of one output share."""

    def run(self, traces: TraceStream, path: Path, control: RunControl | None) -> WorkDone:
        """Write a line for each trace to a file, or continue that file.

        Raises
        ------
        Cancelled
            The job was stopped; finished lines are in the file.
        TraceError
            The file was not written by this work, or cannot be written.
        """

    def lines_of(self, table: Path) -> Iterator[bytes] | None:
        """Return the lines of a finished Parquet file; None if the work has to begin anew.

        Raises
        ------
        TraceError
            The file was not written by this work.
        """

    def write_table(self, lines: Path, table: Path) -> None:
        """Write the lines of a file as Parquet, whole or not at all.

        Raises
        ------
        TraceError
            It cannot be written.
        """


def checked_out(out: str | os.PathLike[str], paths: Iterable[Path]) -> Path:
    """Return the path of the output; raise TraceError if it is one of the inputs.

    Raises
    ------
    TraceError
        It is one of the inputs, a folder, or in no folder that exists.
    """
    path = ResumableFile(out).path
    for source in paths:
        check_other_file(source, path)
    if path.exists() and not path.is_file():
        raise TraceError(f"{path} is not an ordinary file; give the path of a file.")
    return path
