"""The problems and the labels of a trace file that is loaded."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces._model.label_store import LabelStore, UnmatchedLabels
from explorer.traces._model.trace import TraceProblem

MAX_PROBLEMS = 10_000
"""Largest number of problems that a set keeps; the number of further ones is reported."""


class LoadProblems:
    """The problems of a file, up to `MAX_PROBLEMS`."""

    def __init__(self) -> None:
        self._listed: list[TraceProblem] = []
        self._more = 0

    def add(self, problem: TraceProblem) -> None:
        """Add a problem."""
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


def file_labels(path: Path | None, problems: LoadProblems) -> tuple[LabelStore, UnmatchedLabels]:
    """Return the labels of a trace file."""
    labels = LabelStore() if path is None else LabelStore.of_file(path)
    fault = labels.read()
    if fault is not None:
        problems.add(TraceProblem(0, fault, loaded=True))
    return labels, UnmatchedLabels(labels)
