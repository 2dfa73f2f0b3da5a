"""Trace files as one stream that can be read again from the beginning."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces import Trace, TraceProblem, iter_traces
from explorer.traces._files.file_streams import checked_path
from explorer.traces._model.label_store import LabelStore

FileProblem = Callable[[Path, TraceProblem], None]

_MAGIC = frozenset("*?[")


class TraceFiles:
    """The traces of some files, one at a time and with the labels given to them.

    Parameters
    ----------
    sources
        Paths, or patterns such as ``"traces/*.jsonl"``.
    format
        Name of their format, where the detection fails.

    Raises
    ------
    TraceError
        A file is missing, or a pattern matches no file.
    """

    def __init__(
        self,
        sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        format: str | None = None,  # noqa: A002 - as in `load_traces`
    ) -> None:
        listed = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
        self.paths = list(dict.fromkeys(path for source in listed for path in _matching(source)))
        if not self.paths:
            raise TraceError("Give at least one trace file.")
        self._format = format
        self._count: int | None = None

    def __iter__(self) -> Iterator[Trace]:
        """Yield the traces in order; records that are not traces are left out."""
        return self.read(lambda path, problem: None)

    def __len__(self) -> int:
        """Return the number of traces; the first call reads the files."""
        if self._count is None:
            self.check(lambda path, problem: None)
        return self._count or 0

    def check(self, on_problem: FileProblem) -> None:
        """Read all files, count the traces, and report each problem with its file.

        Raises
        ------
        TraceError
            A file cannot be read, or there is no trace in any of them.
        """
        problems = 0
        first = ""

        def report(path: Path, problem: TraceProblem) -> None:
            nonlocal problems, first
            first = first or f"{path.name}, {problem}"
            problems += not problem.loaded
            on_problem(path, problem)

        self._count = sum(1 for _ in self.read(report))
        if not self._count:
            more = f" ({problems - 1:,} more problems like this.)" if problems > 1 else ""
            raise TraceError(f"There is no trace to read: {first or 'the files are empty.'}{more}")

    def read(self, on_problem: FileProblem) -> Iterator[Trace]:
        """Yield the traces in order, and report each problem with its file."""
        for path in self.paths:
            labels = LabelStore.of_file(path)
            fault = labels.read()
            if fault is not None:
                on_problem(path, TraceProblem(0, fault, loaded=True))
            found = iter_traces(
                path,
                lambda one, path=path: on_problem(path, one),  # type: ignore[misc]
                format=self._format,
            )
            for trace in found:
                yield labels.applied(trace, keep=False)


def _matching(source: object) -> list[Path]:
    """Return the files of a path or a pattern, patterns in alphabetical order."""
    path = checked_path(source)
    if path.exists() or not _MAGIC & set(str(path)):
        return [path]
    # Not Path.glob: it takes no absolute pattern.
    listed = glob.iglob(str(path), recursive=True)  # noqa: PTH207
    found = sorted(one for one in listed if Path(one).is_file())
    if not found:
        raise TraceError(f"No file matches {path}. Check the pattern and its spelling.")
    return [Path(one) for one in found]
