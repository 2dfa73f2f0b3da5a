"""One attempt at the parts that are left, as a job of Ray with a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from explorer.batch._batch_work import BatchWork
from explorer.batch._part_files import PartFolder
from explorer.batch._ray.ray_job import LostWorkerError, RayJob
from explorer.run_control import RunControl

_START = "from explorer.batch._ray.ray_job import main; main()"
_LOOK_SECONDS = 0.1
_END_SECONDS = 10.0


def run_driver(
    work: BatchWork,
    parts: PartFolder,
    pending: list[int],
    workers: int | None,
    control: RunControl,
) -> None:
    """Finish the pending parts on a cluster, or as many as can be until a worker is lost.

    The cluster is the one that this process is connected to, that of ``RAY_ADDRESS``, or a local
    one. Ray runs in a process of its own: when that ends, the cluster frees all that it held.

    Raises
    ------
    LostWorkerError
        A worker, its machine or the process was lost.
    ExplorerError
        What a worker raised.
    Cancelled
        The cancel event of `control` was set; the process is ended.
    """
    import ray
    from ray import cloudpickle

    address, environment = _cluster(ray)
    counts = tuple((number, parts.count(number)) for number in pending)
    job = RayJob(work, parts.path.resolve(), counts, workers, address, environment)
    payload: bytes = cloudpickle.dumps(job)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        result, words = Path(folder) / "result", Path(folder) / "words"
        with words.open("wb") as said:
            process = subprocess.Popen(  # noqa: S603 - this Python, with our own code
                [sys.executable, "-c", _START, str(result)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        try:
            _send(process, payload)
            _wait(process, parts, pending, control)
        finally:
            _end(process)
        if not result.exists():
            last = words.read_text("utf-8", "replace").strip().splitlines()[-1:]
            reason = last[0][:200] if last else f"exit code {process.returncode}"
            raise LostWorkerError(f"the process of the job ended: {reason}")
        error: BaseException | None = cloudpickle.loads(result.read_bytes())
    if error is not None:
        raise error


def _cluster(ray: Any) -> tuple[str | None, dict[str, Any] | None]:
    """Return the address of the cluster to use, and the runtime environment of this process."""
    if not ray.is_initialized():
        return os.environ.get("RAY_ADDRESS") or None, None
    context = ray.get_runtime_context()
    return context.gcs_address, dict(context.runtime_env) or None


def _send(process: subprocess.Popen[bytes], payload: bytes) -> None:
    """Give a process its job; the pipe stays open until this process ends or is done."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(len(payload).to_bytes(8, "big") + payload)
        process.stdin.flush()
    except BrokenPipeError:
        return  # it has ended; there is no result


def _wait(
    process: subprocess.Popen[bytes], parts: PartFolder, pending: list[int], control: RunControl
) -> None:
    """Report each finished part until the process ends."""
    _report(parts, pending, control)
    while True:
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            left = parts.pending()
            if len(left) != len(pending):
                pending = left
                _report(parts, pending, control)
            control.check()
        else:
            break
    _report(parts, parts.pending(), control)


def _report(parts: PartFolder, pending: list[int], control: RunControl) -> None:
    done = len(parts.numbers) - len(pending)
    message = f"{done} of {len(parts.numbers)} parts are finished ..."
    control.report("recording", done / len(parts.numbers), message)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs: it ends when its input does, or is killed."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
