"""A batch on a Ray cluster: one model for each actor, and checkpoints by part."""

from __future__ import annotations

import time
from pathlib import Path

from explorer._extras import require_extra
from explorer.batch._batch_summary import BatchSummary
from explorer.batch._batch_work import BatchWork
from explorer.batch._local_engine import finished, is_table
from explorer.batch._part_files import PartFolder
from explorer.batch._problem_file import ProblemFile
from explorer.batch._ray.ray_driver import run_driver
from explorer.batch._ray.ray_job import LostWorkerError
from explorer.batch._trace_files import TraceFiles
from explorer.batch._work_kinds import ScoreWork
from explorer.errors import InputError, ModelError, TraceError
from explorer.run_control import RunControl
from explorer.traces._files.writer_lock import only_writer

PART_TRACES = 256
"""The default number of traces of a part."""

_MOST_LOSSES = 5
"""Losses of workers in a row, without a part finished between them, after which the run ends."""


def run_on_ray(
    work: BatchWork,
    source: TraceFiles,
    out: Path,
    *,
    workers: int | None,
    part_traces: int | None,
    control: RunControl | None,
) -> BatchSummary:
    """Work on all traces with the actors of a cluster, and write ``out``.

    The cluster is the one that this process is connected to, that of ``RAY_ADDRESS``, or a local
    one. Parts are finished in ``OUT.parts``; a worker that is lost costs at most one pass, because
    its part is continued by another.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    TraceError, InputError, ModelError, Cancelled
        As `score_files`.
    """
    require_extra("ray", "The engine ray")
    if isinstance(work, ScoreWork) and not isinstance(work.model, str | None):
        raise InputError("The engine ray needs the name of a model, which each worker loads.")
    began = time.monotonic()
    control = control or RunControl()
    with only_writer(out):
        parts = PartFolder(out)
        if out.exists() and not parts.path.exists():
            raise TraceError(
                f"{out} already exists, and the engine ray begins a new file. Give another path, "
                "remove the file, or continue it with the engine local."
            )
        problems = ProblemFile(out)
        parts.stage(source, work.key(), part_traces or PART_TRACES, problems.record)
        problems.write()
        if parts.pending():
            _finish(work, parts, workers, control)
        done = parts.join(work, out, table=is_table(out))
        summary = finished(out, done, problems, began)
        parts.remove()
        return summary


def _finish(work: BatchWork, parts: PartFolder, workers: int | None, control: RunControl) -> None:
    """Finish all parts; after the loss of a worker, go on with those that are left.

    Each attempt is a job of Ray with a process of its own. When that process ends, Ray frees what
    the job held, also what it had reserved on a machine that is gone.
    """
    losses = 0
    while pending := parts.pending():
        try:
            run_driver(work, parts, pending, workers, control)
        except LostWorkerError as error:
            losses = losses + 1 if len(parts.pending()) == len(pending) else 1
            if losses >= _MOST_LOSSES:
                raise ModelError(
                    f"{losses} workers were lost in a row ({error}). Finished parts are kept; "
                    "the same command continues. Is the memory of a worker large enough?"
                ) from error
            control.report("recording", None, "A worker was lost; its part is continued ...")
