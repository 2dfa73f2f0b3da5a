"""Conversion of traces of any format to the native one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

from explorer.batch._batch_summary import BatchSummary
from explorer.batch._batch_work import WorkDone, checked_out
from explorer.batch._local_engine import finished
from explorer.batch._problem_file import ProblemFile
from explorer.batch._trace_files import TraceFiles
from explorer.errors import TraceError
from explorer.rag._scoring.scoring_job import named_traces
from explorer.run_control import RunControl
from explorer.traces import Trace, TraceProblem, save_traces
from explorer.traces._files.writer_lock import only_writer


def convert_files(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - as in `load_traces`
    control: RunControl | None = None,
) -> BatchSummary:
    """Write the traces of files, one at a time, as `save_traces` does.

    Parameters
    ----------
    sources, out, format, control
        As for `score_files`. ``out`` is written whole or not at all.

    Raises
    ------
    TraceError, Cancelled
        As `score_files`.
    """
    began = time.monotonic()
    source = TraceFiles(sources, format)
    path = checked_out(out, source.paths)
    control = control or RunControl()
    problems = ProblemFile(path)
    renamed: list[TraceProblem] = []
    count = 0

    def found() -> Iterator[Trace]:
        nonlocal count
        for trace, _ in named_traces(
            _Reported(source, problems),
            lambda line, message: renamed.append(TraceProblem(line, message, loaded=True)),
        ):
            control.check()
            count += 1
            yield trace
        if not count:
            source.check(lambda path, problem: None)  # raises with the reason

    with only_writer(path):
        save_traces(found(), path)
        if not count:
            raise TraceError("There is no trace to convert.")
        return finished(path, WorkDone(count, 0, 0, renamed), problems, began)


class _Reported:
    """The traces of files; their problems go to the file of problems."""

    def __init__(self, source: TraceFiles, problems: ProblemFile) -> None:
        self._source = source
        self._problems = problems

    def __iter__(self) -> Iterator[Trace]:
        return self._source.read(self._problems.record)

    def __len__(self) -> int:
        return len(self._source)
