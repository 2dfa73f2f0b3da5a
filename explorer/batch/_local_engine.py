"""A batch in this process."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from explorer.batch._batch_summary import BatchSummary
from explorer.batch._batch_work import BatchWork, WorkDone
from explorer.batch._problem_file import ProblemFile
from explorer.batch._trace_files import TraceFiles
from explorer.errors import TraceError
from explorer.run_control import RunControl
from explorer.traces._files.file_streams import appearing_whole
from explorer.traces._files.writer_lock import only_writer


def run_locally(
    work: BatchWork, source: TraceFiles, out: Path, control: RunControl | None
) -> BatchSummary:
    """Work on all traces, and write ``out`` and its file of problems.

    JSON Lines are appended to ``out`` itself. For Parquet, lines are appended to
    ``OUT.partial.jsonl`` and converted when all are there, so that a Parquet file is always whole.

    Raises
    ------
    TraceError, Cancelled
        As `BatchWork.run`; or another process writes ``out``.
    """
    began = time.monotonic()
    with only_writer(out):
        problems = ProblemFile(out)
        source.check(problems.record)
        problems.write()  # before hours of work
        if is_table(out):
            done = _write_table(work, source, out, control)
        else:
            done = work.run(source, out, control)
        return finished(out, done, problems, began)


def is_table(out: Path) -> bool:
    """Return whether a file is to be written as Parquet."""
    return out.suffix.lower() == ".parquet"


def finished(out: Path, done: WorkDone, problems: ProblemFile, began: float) -> BatchSummary:
    """Write the file of problems, and return the summary."""
    problems.results(done.problems, done.failed)
    listed = problems.write()
    return BatchSummary(
        out=str(out),
        traces=done.traces,
        kept=done.kept,
        failed=problems.failed,
        bad_records=problems.bad_records,
        renamed=problems.renamed,
        problems=None if listed is None else str(listed),
        seconds=round(time.monotonic() - began, 3),
    )


def _write_table(
    work: BatchWork, source: TraceFiles, out: Path, control: RunControl | None
) -> WorkDone:
    lines = out.with_name(f"{out.name}.partial.jsonl")
    restored = False
    if out.exists() and not lines.exists():
        found = work.lines_of(out)
        if found is not None:
            try:
                with appearing_whole(lines) as stream:
                    stream.writelines(found)
            except OSError as error:
                raise TraceError(
                    f"{lines} cannot be written ({error.strerror or error})."
                ) from error
            restored = True
    try:
        done = work.run(source, lines, control)
    except TraceError:
        if restored:  # a table of something else: leave nothing behind
            with contextlib.suppress(OSError):
                lines.unlink()
        raise
    if done.kept < done.traces or done.failed or not out.exists():
        work.write_table(lines, out)
    lines.unlink()
    return done
