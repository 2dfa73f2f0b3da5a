"""The records of a batch that have no result, in a file of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from explorer.errors import TraceError
from explorer.traces import TraceProblem
from explorer.traces._files.file_streams import appearing_whole

SUFFIX = ".problems.jsonl"


class ProblemFile:
    """``OUT.problems.jsonl``: one line for each problem, with file, line and reason.

    It is written anew by every run, since every run reads the whole input. A file without problems
    is removed.

    Parameters
    ----------
    out
        The output of the batch.
    """

    def __init__(self, out: Path) -> None:
        self.path = out.with_name(out.name + SUFFIX)
        self.bad_records = 0
        self.renamed = 0
        self.failed = 0
        self._lines: list[bytes] = []

    def record(self, path: Path, problem: TraceProblem) -> None:
        """Add a problem found while a file was read."""
        self.bad_records += not problem.loaded
        self.renamed += problem.loaded
        self._add(problem, path.name, kept=problem.loaded)

    def results(self, problems: Iterable[TraceProblem], failed: int) -> None:
        """Add the problems found while traces were worked on, so many of them failures."""
        listed = list(problems)
        self.failed += failed
        self.renamed += len(listed) - failed
        for problem in listed:
            self._add(problem, None, kept=True)

    def write(self) -> Path | None:
        """Write the file, whole or not at all; return its path, None without a problem.

        Raises
        ------
        TraceError
            It cannot be written.
        """
        try:
            if self._lines:
                with appearing_whole(self.path) as stream:
                    stream.writelines(self._lines)
                return self.path
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
        except OSError as error:
            raise TraceError(
                f"{self.path} cannot be written ({error.strerror or error})."
            ) from error
        return None

    def _add(self, problem: TraceProblem, file: str | None, *, kept: bool) -> None:
        entry = {
            "file": file,
            "line": problem.line or None,
            "reason": problem.message,
            "kept": kept,
        }
        self._lines.append(msgspec.json.encode(entry) + b"\n")
