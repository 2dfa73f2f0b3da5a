"""A batch on a Ray cluster: one model for each actor, and checkpoints by part."""

from __future__ import annotations

import gc
import os
import queue
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer._extras import require_extra
from explorer.batch._batch_summary import BatchSummary
from explorer.batch._batch_work import BatchWork
from explorer.batch._local_engine import finished, is_table
from explorer.batch._part_files import PartFolder, finish_part
from explorer.batch._problem_file import ProblemFile
from explorer.batch._trace_files import TraceFiles
from explorer.batch._work_kinds import ScoreWork
from explorer.errors import InputError, ModelError, TraceError
from explorer.run_control import RunControl
from explorer.traces._files.writer_lock import only_writer

PART_TRACES = 256
"""The default number of traces of a part."""

_MOST_LOSSES = 5
"""Losses of workers in a row, without a part finished between them, after which the run ends."""


_STALL_SECONDS = 120.0
"""Seconds without any progress after the loss of a machine, after which the run is begun anew."""

_LOOK_SECONDS = 2.0
"""Seconds between two looks at the progress of the parts."""

_LEAST_BLOCKS = 200
_BLOCKS_PER_ACTOR = 16
"""Tasks for each actor: enough that all end together, and few enough for the scheduler."""


class StalledRunError(Exception):
    """A machine was lost, and Ray has waited for it since."""


class PartWorker:
    """An actor: it keeps its model, and finishes one part after the other.

    Parameters
    ----------
    work
        The work; without a device, it runs on a GPU if Ray gives one to the actor.
    folder
        The folder of the parts, which all workers see.
    """

    def __init__(self, work: BatchWork, folder: str) -> None:
        self._work = _on_own_gpu(work)
        self._folder = Path(folder)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Finish the parts of a batch."""
        for number, count in zip(batch["part"], batch["count"], strict=True):
            finish_part(self._work, self._folder, int(number), int(count))
        return batch


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
    """Finish all parts; after the loss of a worker, go on with those that are left."""
    # Set before ray is imported: it reports nothing to anybody, and shows no page.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    import ray
    from ray.exceptions import RayError

    own = not ray.is_initialized()
    if own:
        _connect(ray)
    try:
        losses = 0
        machines = _machines(ray)
        while pending := parts.pending():
            stalled = False
            try:
                _run_once(work, parts, pending, workers, machines, control)
                continue
            except (RayError, StalledRunError) as error:
                cause = _own_error(error)
                if cause is not None:
                    raise cause from None
                losses = losses + 1 if len(parts.pending()) == len(pending) else 1
                if losses >= _MOST_LOSSES:
                    reason = str(error).strip().splitlines()[0]
                    raise ModelError(
                        f"{losses} workers were lost in a row ({reason}). Finished parts are kept; "
                        "the same command continues. Is the memory of a worker large enough?"
                    ) from error
                stalled = isinstance(error, StalledRunError)
            control.report("recording", None, "A worker was lost; its part is continued ...")
            # The error, in cycles with its traceback, keeps the actors that are left, and these
            # the processors that the next run waits for.
            gc.collect()
            if stalled:
                _connect_anew(ray)
                machines = _machines(ray)
    finally:
        if own:
            ray.shutdown()


def _connect(ray: Any) -> None:
    address = os.environ.get("RAY_ADDRESS")
    if address:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    else:
        ray.init(
            address="local",
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            _node_ip_address="127.0.0.1",
        )


def _connect_anew(ray: Any) -> None:
    """End the job of this process on its cluster, with all its actors, and begin another one."""
    address = ray.get_runtime_context().gcs_address
    ray.shutdown()
    ray.init(address=address, log_to_driver=False, logging_level="error")


def _run_once(
    work: BatchWork,
    parts: PartFolder,
    pending: list[int],
    workers: int | None,
    machines: set[str],
    control: RunControl,
) -> None:
    import ray
    import ray.data

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = int(resources.get("GPU", 0))
    size = workers or gpus or max(1, int(resources.get("CPU", 1)) // 2)
    size = min(size, len(pending))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    numbers = [{"part": number, "count": parts.count(number)} for number in pending]
    # A lost worker ends this run, and the next one continues its part: waiting for the actor to
    # come back would hang where its machine is gone.
    no_revival: dict[str, Any] = {"max_restarts": 0, "max_task_retries": 0}
    with warnings.catch_warnings():
        # Deprecated without a named parameter for these two.
        warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated", DeprecationWarning)
        blocks = min(len(pending), max(_LEAST_BLOCKS, _BLOCKS_PER_ACTOR * size))
        dataset = ray.data.from_items(numbers, override_num_blocks=blocks).map_batches(
            PartWorker,
            fn_constructor_args=(work, str(parts.path.resolve())),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=size, initial_size=size),
            num_cpus=1,
            num_gpus=1 if gpus else 0,
            **no_revival,
        )
    _report(parts, pending, control)
    batches = dataset.iter_batches(batch_size=1, prefetch_batches=0)
    for _ in watched_batches(batches, parts, machines):
        _report(parts, parts.pending(), control)


def watched_batches(batches: Iterable[Any], parts: PartFolder, machines: set[str]) -> Iterator[Any]:
    """Yield the batches; raise `StalledRunError` where a machine is gone and nothing moves.

    Ray Data can wait for ever for an actor whose machine was lost while the actor started.
    """
    import ray

    arrived: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def consume() -> None:
        try:
            for batch in batches:
                arrived.put(("batch", batch))
        except BaseException as error:  # noqa: BLE001 - raised again by the other thread
            arrived.put(("error", error))
        else:
            arrived.put(("end", None))

    seen, since = parts.progress(), time.monotonic()
    threading.Thread(target=consume, name="ray-batches", daemon=True).start()
    while True:
        try:
            kind, value = arrived.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            now = parts.progress()
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > _STALL_SECONDS and machines - _machines(ray):
                raise StalledRunError("a machine was lost and nothing moved any more") from None
            continue
        if kind == "error":
            try:
                raise value
            finally:
                del value  # a cycle with its traceback
        if kind == "end":
            return
        yield value


def _machines(ray: Any) -> set[str]:
    """Return the ids of the machines of the cluster that are alive."""
    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def _report(parts: PartFolder, pending: list[int], control: RunControl) -> None:
    done = len(parts.numbers) - len(pending)
    message = f"{done} of {len(parts.numbers)} parts are finished ..."
    control.report("recording", done / len(parts.numbers), message)


def _own_error(error: BaseException | None) -> Exception | None:
    """Return the error of explorer that a worker raised; None if the worker was lost."""
    from explorer.errors import ExplorerError

    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ExplorerError):
            return error
        error = getattr(error, "cause", None) or error.__cause__
    return None


def _on_own_gpu(work: BatchWork) -> BatchWork:
    if isinstance(work, ScoreWork) and work.device is None:
        import torch

        if torch.cuda.is_available():
            return replace(work, device="cuda")
    return work
