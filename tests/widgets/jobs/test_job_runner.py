"""Jobs: in place without a loop, off the UI thread with one; the newest of a name wins."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from explorer.errors import Cancelled
from explorer.widgets._jobs.job_runner import Job, JobReport, JobRunner


class Log:
    """What a runner said, in order."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, JobReport | None]] = []
        self.results: list[Any] = []
        self.errors: list[BaseException] = []

    def report(self, name: str, report: JobReport | None) -> None:
        self.reports.append((name, report))

    def start(self, runner: JobRunner, work: Any, name: str = "work") -> None:
        runner.start(
            name, work, done=self.results.append, failed=self.errors.append, message="working"
        )


def test_without_a_loop_a_job_runs_at_once() -> None:
    log = Log()
    runner = JobRunner(log.report)
    log.start(runner, lambda _: 42)
    assert log.results == [42]
    assert not runner.busy
    assert [report is None for _, report in log.reports] == [False, True]


def test_an_error_arrives_where_it_is_handled() -> None:
    log = Log()
    runner = JobRunner(log.report)

    def fail(_: Job) -> None:
        raise ValueError("broken")

    log.start(runner, fail)
    assert [str(error) for error in log.errors] == ["broken"]
    assert log.results == []


def test_with_a_loop_results_arrive_on_the_loops_thread() -> None:
    log = Log()
    seen: list[tuple[int, int]] = []

    async def main() -> None:
        runner = JobRunner(log.report)
        arrived = asyncio.Event()

        def done(worker: int) -> None:
            seen.append((worker, threading.get_ident()))
            arrived.set()

        runner.start(
            "work",
            lambda _: threading.get_ident(),
            done=done,
            failed=log.errors.append,
            message="working",
        )
        assert runner.busy
        await asyncio.wait_for(arrived.wait(), 10)
        runner.close()

    asyncio.run(main())
    (worker, ui) = seen[0]
    assert worker != ui
    assert ui == threading.get_ident()


def test_the_newest_job_of_a_lane_wins() -> None:
    log = Log()

    async def main() -> None:
        runner = JobRunner(log.report)
        started, release = threading.Event(), threading.Event()

        def slow(job: Job) -> str:
            started.set()
            release.wait(10)
            job.check()
            return "old"

        log.start(runner, slow)
        assert started.wait(10)
        log.start(runner, lambda _: "new")
        release.set()
        assert runner.wait(10)
        runner.close()

    asyncio.run(main())
    assert log.results == ["new"]
    assert log.errors == []


def test_wait_delivers_results_inside_a_running_cell() -> None:
    log = Log()

    async def main() -> None:
        runner = JobRunner(log.report)
        log.start(runner, lambda _: "done")
        assert runner.wait(10)  # blocks the loop, as a cell does
        assert log.results == ["done"]
        runner.close()

    asyncio.run(main())


def test_wait_gives_up_after_its_timeout() -> None:
    log = Log()

    async def main() -> None:
        runner = JobRunner(log.report)
        release = threading.Event()
        log.start(runner, lambda _: release.wait(10))
        assert not runner.wait(0.01)
        release.set()
        assert runner.wait(10)
        runner.close()

    asyncio.run(main())


def test_cancel_tells_the_worker_and_drops_the_result() -> None:
    log = Log()

    async def main() -> None:
        runner = JobRunner(log.report)
        started, stopped = threading.Event(), threading.Event()

        def work(job: Job) -> str:
            started.set()
            job.cancel.wait(10)
            stopped.set()
            return "too late"

        log.start(runner, work)
        assert started.wait(10)
        runner.cancel("work")
        assert not runner.busy
        assert stopped.wait(10)
        await asyncio.sleep(0)
        runner.drain()
        runner.close()

    asyncio.run(main())
    assert log.results == []
    assert log.reports[-1] == ("work", None)


def test_a_stopped_job_can_ask() -> None:
    job = Job("work", lambda *_: None)
    job.check()
    job.cancel.set()
    with pytest.raises(Cancelled):
        job.check()
