"""Batches on a real Ray cluster of two machines on this one, which lose a worker on the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from explorer.batch import feedback_files, score_files
from explorer.errors import Cancelled, InputError, TraceError
from explorer.run_control import Progress, RunControl, silent
from explorer.traces import evidence, load_traces, save_traces

from ..support.tiny_folder import labelled_trace

pytestmark = [
    pytest.mark.slow,
    # Ray uses settings of its own that it has deprecated.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore:.use_push_based_shuffle:DeprecationWarning"),
    # Sockets of a cluster that is shut down, and threads that Ray leaves to the interpreter.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

QUIET = RunControl(silent)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head without processors and two machines with one each; nothing is reported to anybody."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False}
    running = Cluster(initialize_head=True, head_node_args=head)
    running.machines = [running.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=running.address, log_to_driver=False, logging_level="error")
    yield running
    ray.shutdown()
    running.shutdown()


def workers(parts: Path) -> list[int]:
    """The processes that work on a part just now: their numbers are in the locks."""
    found = []
    for lock in parts.glob(".*.work.jsonl.lock"):
        try:
            found.append(int(lock.read_text() or 0))
        except FileNotFoundError:
            continue
    return [pid for pid in found if pid]


def test_a_worker_is_killed_in_the_middle(cluster: Any, tiny: str, tmp_path: Path) -> None:
    given, out, whole = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "whole.jsonl"))
    save_traces([labelled_trace(number) for number in range(120)], given)
    with given.open("ab") as stream:
        stream.write(b"no trace\n")
    killed: list[int] = []
    parts = tmp_path / "out.jsonl.parts"

    over = threading.Event()

    def kill_one() -> None:
        while not killed and not over.is_set():
            for pid in workers(parts):
                lines = [one.stat().st_size for one in parts.glob("*.work.jsonl")]
                if any(lines):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    return
            time.sleep(0.005)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    summary = score_files(
        given,
        out,
        model=tiny,
        batch_tokens=1,
        engine="ray",
        workers=2,
        part_traces=30,
        control=QUIET,
    )
    over.set()
    killer.join()
    assert killed
    assert (summary.traces, summary.bad_records, summary.failed) == (120, 1, 0)
    assert not parts.exists()
    score_files(given, whole, model=tiny, control=QUIET)
    for one, other in zip(load_traces(out), load_traces(whole), strict=True):
        assert one.id == other.id
        weights = [evidence(trace).attention.layer_weights(1) for trace in (one, other)]
        np.testing.assert_allclose(*weights, rtol=1e-3, atol=1e-6)
    with pytest.raises(TraceError, match="begins a new file"):
        score_files(given, out, model=tiny, engine="ray", control=QUIET)


def test_a_machine_is_lost_and_parts_are_checkpoints(cluster: Any, tmp_path: Path) -> None:
    """Feedback needs no model; a part that is finished is not made again."""
    given, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    save_traces([labelled_trace(number) for number in range(300)], given)
    lost: list[Any] = []

    def lose_one(progress: Progress) -> None:
        """Called between two parts."""
        if progress.fraction and not lost:
            lost.append(cluster.machines[0])
            cluster.remove_node(cluster.machines[0], allow_graceful=False)

    options = {"config": {"method": "citation"}, "part_traces": 10, "engine": "ray"}
    summary = feedback_files(given, out, **options, workers=2, control=RunControl(lose_one))
    assert lost
    assert summary.traces == 300
    names = pq.read_table(out).column("trace").to_pylist()
    assert list(dict.fromkeys(names)) == [f"t{number}" for number in range(300)]
    assert len(names) == 900


class _FakeRay:
    """A cluster of which one machine is left."""

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": "a", "Alive": True}, {"NodeID": "b", "Alive": False}]


@pytest.mark.parametrize("moves", [False, True])
def test_a_run_that_waits_for_a_lost_machine_is_begun_anew(
    moves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray may wait for ever; a part that still grows is waited for."""
    from explorer.batch._ray import ray_job

    monkeypatch.setitem(sys.modules, "ray", _FakeRay())
    monkeypatch.setattr(ray_job, "STALL_SECONDS", 0.05)
    monkeypatch.setattr(ray_job, "_LOOK_SECONDS", 0.01)
    looks = iter(range(10**9))
    go_on = threading.Event()

    def progress(_folder: Path) -> tuple[int, int]:
        look = next(looks)
        if moves and look == 50:
            go_on.set()
        return (1, look if moves else 0)

    monkeypatch.setattr(ray_job, "progress_of", progress)

    def batches() -> Iterator[int]:
        yield 1
        go_on.wait(60)
        yield 2

    found = ray_job.watched_batches(batches(), tmp_path, {"a", "b"})
    assert next(found) == 1
    if moves:
        assert list(found) == [2]
    else:
        with pytest.raises(ray_job.LostWorkerError):
            next(found)
    go_on.set()


def test_a_cancelled_batch_ends_its_process_and_goes_on_later(tmp_path: Path) -> None:
    """Without a cluster: each run has one of its own on this machine."""
    given, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    save_traces([labelled_trace(number) for number in range(60)], given)
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.fraction:
            cancel.set()

    options = {"config": {"method": "citation"}, "part_traces": 2, "engine": "ray"}
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(Cancelled):
        feedback_files(given, out, **options, control=RunControl(stop, cancel))
    assert {child.pid for child in psutil.Process().children()} <= before
    done = len(list((tmp_path / "out.parquet.parts").glob("*.parquet")))
    assert done >= 1
    assert feedback_files(given, out, **options, control=QUIET).traces == 60


def test_what_cannot_run_on_a_cluster(tiny: str, traces: Path) -> None:
    from explorer.models import load_model

    with pytest.raises(InputError, match="name of a model"):
        score_files(traces, traces.with_name("o"), model=load_model(tiny), engine="ray")
