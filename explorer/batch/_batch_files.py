"""Scores and feedback of whole files, in bounded memory and resumable."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from explorer.batch._batch_summary import BatchSummary
from explorer.batch._batch_work import BatchWork, checked_out
from explorer.batch._local_engine import run_locally
from explorer.batch._trace_files import TraceFiles
from explorer.batch._work_kinds import FeedbackWork, ScoreWork
from explorer.errors import InputError
from explorer.rag import ExtractorConfig, StandInSettings
from explorer.rag._scoring.trace_scoring import scoring_task
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.models import Model

Engine = Literal["local", "ray"]

Sources = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def score_files(
    sources: Sources,
    out: str | os.PathLike[str],
    *,
    model: str | Model | tuple[Any, Any] | None = None,
    settings: StandInSettings | None = None,
    overwrite: bool = False,
    batch_tokens: int | None = None,
    device: str | None = None,
    format: str | None = None,  # noqa: A002 - as in `load_traces`
    engine: Engine = "local",
    workers: int | None = None,
    part_traces: int | None = None,
    control: RunControl | None = None,
) -> BatchSummary:
    """Score the traces of files larger than memory, as `score_traces` does those of a set.

    Each finished trace is appended to ``out``. Calling again with the same arguments continues
    where the last call stopped, even if it was killed; `score_traces` with ``path=out`` continues
    the file too. Labels that were given to the traces are written with them.

    Parameters
    ----------
    sources
        Trace files of any format, or patterns such as ``"traces/*.jsonl"``.
    out
        The file to write: native JSON Lines, or Parquet if its name ends in ``.parquet``. Records
        without a result are listed in ``OUT.problems.jsonl`` with file, line and reason.
    model, settings, overwrite, batch_tokens
        As for `score_traces`.
    device
        Where the model runs, such as ``"cuda"``; None for the CPU, and for a GPU where Ray gives
        one to the actor.
    format
        Name of the format of the sources, where the detection fails.
    engine
        ``"local"`` for this process; ``"ray"`` for a cluster (extra ``ray``), where ``out`` must
        lie in a folder that all workers see.
    workers
        For Ray: number of actors, each with the model; None for one per GPU, or one per two CPUs.
    part_traces
        For Ray: number of traces of a part, the unit of its checkpoints; None for 256.
    control
        Progress callback and cancel event.

    Returns
    -------
    BatchSummary
        Numbers of traces, failures and bad records.

    Raises
    ------
    TraceError
        A source cannot be read or holds no trace; ``out`` cannot be written, was not written by
        this scoring, or is being written by another process.
    InputError
        A parameter is not valid.
    ModelError
        The model cannot be loaded, or is of a kind that cannot score.
    MissingExtraError
        Ray is not installed.
    Cancelled
        The cancel event was set; finished traces are kept.
    """
    scoring_task(settings, overwrite=overwrite, batch_tokens=batch_tokens)  # raises
    work = ScoreWork(model, settings, overwrite, batch_tokens, device)
    return _run(work, sources, out, format, engine, workers, part_traces, control)


def feedback_files(
    sources: Sources,
    out: str | os.PathLike[str],
    *,
    config: ExtractorConfig | Mapping[str, Any] | None = None,
    embedding_func: Any = None,
    format: str | None = None,  # noqa: A002 - as in `load_traces`
    engine: Engine = "local",
    workers: int | None = None,
    part_traces: int | None = None,
    control: RunControl | None = None,
) -> BatchSummary:
    """Write the feedback of every hyperedge of files larger than memory, resumable.

    Parameters
    ----------
    sources, format, engine, workers, part_traces, control
        As for `score_files`.
    out
        The file to write. JSON Lines: one line for each trace with ``id``, ``feedback`` (by
        hyperedge) and ``hyperedges`` (the rows of `FeedbackExtractor.explain`). Parquet: one row
        for each hyperedge.
    config, embedding_func
        As for `FeedbackExtractor`.

    Returns
    -------
    BatchSummary
        Numbers of traces, failures and bad records. A trace whose texts could not be embedded
        counts as failed; it is in the file with neutral feedback and tried again by a later call.

    Raises
    ------
    TraceError, InputError, MissingExtraError, Cancelled
        As `score_files`.
    """
    work = FeedbackWork(ExtractorConfig.of(config), embedding_func)
    return _run(work, sources, out, format, engine, workers, part_traces, control)


def _run(
    work: BatchWork,
    sources: Sources,
    out: str | os.PathLike[str],
    format: str | None,  # noqa: A002
    engine: str,
    workers: int | None,
    part_traces: int | None,
    control: RunControl | None,
) -> BatchSummary:
    if engine not in ("local", "ray"):
        raise InputError(f'engine must be "local" or "ray", but it is {engine!r}.')
    source = TraceFiles(sources, format)
    path = checked_out(out, source.paths)
    if engine == "local":
        return run_locally(work, source, path, control)
    from explorer.batch._ray_engine import run_on_ray

    return run_on_ray(work, source, path, workers=workers, part_traces=part_traces, control=control)
