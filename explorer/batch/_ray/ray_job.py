"""The process of one attempt: it connects to a cluster and finishes the parts that are left.

`ray_driver` starts `main` with the path of the result as argument. What it has to do comes through
its standard input, which stays open as long as the process that waits for it lives.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explorer.batch._batch_work import BatchWork
from explorer.batch._part_files import finish_part
from explorer.batch._work_kinds import ScoreWork

STALL_SECONDS = 120.0
"""Seconds without any progress after the loss of a machine, after which the attempt ends."""

_LOOK_SECONDS = 2.0
"""Seconds between two looks at the progress of the parts."""

_LEAST_BLOCKS = 200
_BLOCKS_PER_ACTOR = 16
"""Tasks for each actor: enough that all end together, and few enough for the scheduler."""


@dataclass(frozen=True)
class RayJob:
    """What one attempt has to do.

    Attributes
    ----------
    work
        The work on every part.
    folder
        The folder of the parts, which all machines see.
    parts
        Number and traces of each part that is left.
    workers
        Number of actors; None for one for each GPU, or half of the processors.
    address
        The cluster; None for one on this machine.
    runtime_env
        The runtime environment of the job; None for that of the cluster.
    """

    work: BatchWork
    folder: Path
    parts: tuple[tuple[int, int], ...]
    workers: int | None
    address: str | None
    runtime_env: dict[str, Any] | None


class LostWorkerError(Exception):
    """A worker, its machine or the process of the job was lost."""


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


def finish_parts(job: RayJob) -> None:
    """Finish the parts of a job on its cluster.

    Raises
    ------
    LostWorkerError
        A worker was lost, or a machine, and nothing moved any more.
    ExplorerError
        What a worker raised.
    """
    import ray
    from ray.exceptions import RayError

    _connect(ray, job)
    try:
        _run(job)
    except RayError as error:
        cause = _own_error(error)
        if cause is None:
            raise LostWorkerError(str(error).strip().splitlines()[0]) from None
        raise cause from None


def _connect(ray: Any, job: RayJob) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if job.address is not None:
        ray.init(address=job.address, runtime_env=job.runtime_env, **quiet)
    else:
        ray.init(address="local", include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)


def _run(job: RayJob) -> None:
    import ray
    import ray.data

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = int(resources.get("GPU", 0))
    size = job.workers or gpus or max(1, int(resources.get("CPU", 1)) // 2)
    size = min(size, len(job.parts))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    numbers = [{"part": number, "count": count} for number, count in job.parts]
    # A lost worker ends this attempt, and the next one continues its part: waiting for the actor
    # to come back would hang where its machine is gone.
    no_revival: dict[str, Any] = {"max_restarts": 0, "max_task_retries": 0}
    with warnings.catch_warnings():
        # Deprecated without a named parameter for these two.
        warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated", DeprecationWarning)
        blocks = min(len(numbers), max(_LEAST_BLOCKS, _BLOCKS_PER_ACTOR * size))
        dataset = ray.data.from_items(numbers, override_num_blocks=blocks).map_batches(
            PartWorker,
            fn_constructor_args=(job.work, str(job.folder)),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=size, initial_size=size),
            num_cpus=1,
            num_gpus=1 if gpus else 0,
            **no_revival,
        )
    machines = _machines(ray)
    for _ in watched_batches(
        dataset.iter_batches(batch_size=1, prefetch_batches=0), job.folder, machines
    ):
        pass


def watched_batches(batches: Iterable[Any], folder: Path, machines: set[str]) -> Iterator[Any]:
    """Yield the batches; raise `LostWorkerError` where a machine is gone and nothing moves.

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

    seen, since = progress_of(folder), time.monotonic()
    threading.Thread(target=consume, name="ray-batches", daemon=True).start()
    while True:
        try:
            kind, value = arrived.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            now = progress_of(folder)
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS and machines - _machines(ray):
                raise LostWorkerError("a machine was lost and nothing moved any more") from None
            continue
        if kind == "error":
            raise value
        if kind == "end":
            return
        yield value


def progress_of(folder: Path) -> tuple[int, int]:
    """Return the number of files of the parts and their bytes: they move while a part does."""
    files = size = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            size += path.stat().st_size
            files += 1
    return files, size


def _machines(ray: Any) -> set[str]:
    """Return the ids of the machines of the cluster that are alive."""
    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


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


def main() -> None:
    """Read the job, do it, and write how it ended: nothing, or the error."""
    given = sys.stdin.buffer
    size = int.from_bytes(given.read(8), "big")
    payload = given.read(size)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Set before ray is imported: it reports nothing to anybody, and shows no page.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    from ray import cloudpickle

    error: BaseException | None = None
    try:
        finish_parts(cloudpickle.loads(payload))
    except Exception as caught:  # noqa: BLE001 - raised again by the other process
        error = caught
    try:
        found = cloudpickle.dumps(error)  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 - an error that cannot be sent
        lost = LostWorkerError(f"{type(error).__name__}: {error}")
        found = cloudpickle.dumps(lost)  # type: ignore[no-untyped-call]
    result = Path(sys.argv[1])
    unfinished = result.with_suffix(".part")
    unfinished.write_bytes(found)
    unfinished.replace(result)
    if error is None:
        import ray

        ray.shutdown()
    # Ray's own threads may wait for a machine that is gone; the job ends with its process.
    sys.stderr.flush()
    os._exit(0)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
