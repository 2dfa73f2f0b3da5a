"""A controller follows the state once it has begun, and runs its job under one name."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import traitlets as t

from explorer.errors import InputError
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import ExplorerState


class Doubled(Controller):
    """Keeps twice the threshold."""

    JOB = "doubling"
    FOLLOWS = ("threshold", "layer")

    result = t.Float(None, allow_none=True)

    def __init__(self, state: ExplorerState, jobs: JobManager) -> None:
        super().__init__(state, jobs)
        self.runs = 0

    def refresh(self) -> None:
        threshold = self.state.threshold

        def work(job: Job) -> float:
            assert job.name == "doubling"
            assert self.running
            if threshold > 0.9:
                raise InputError("Too large to be doubled.")
            return 2.0 * threshold

        def done(result: float) -> None:
            self.result = result

        self.runs += 1
        self.run(work, done, message="doubling")


@pytest.fixture
def state() -> ExplorerState:
    return ExplorerState(tab="traces", threshold=0.1)


def test_it_follows_the_state_from_its_beginning(state: ExplorerState) -> None:
    doubled = Doubled(state, JobManager())
    state.threshold = 0.2
    assert (doubled.runs, doubled.result) == (0, None)
    doubled.begin()
    doubled.begin()
    assert (doubled.runs, doubled.result) == (1, 0.4)
    state.threshold = 0.3
    assert (doubled.runs, doubled.result) == (2, 0.6)
    state.head = 1
    assert doubled.runs == 2


def test_a_batch_refreshes_once(state: ExplorerState) -> None:
    doubled = Doubled(state, JobManager())
    doubled.begin()
    with state.batch():
        state.threshold, state.layer = 0.25, 3
    assert (doubled.runs, doubled.result) == (2, 0.5)


def test_an_error_is_shown_in_the_app_unless_it_is_handled(state: ExplorerState) -> None:
    jobs = JobManager()
    doubled = Doubled(state, jobs)
    doubled.begin()
    state.threshold = 0.95
    assert jobs.error == "Too large to be doubled."
    assert doubled.result == 0.2
    jobs.clear()
    seen: list[BaseException] = []

    def fail(_: Any) -> None:
        raise InputError("No.")

    doubled.run(fail, lambda _: None, message="failing", failed=seen.append)
    assert [str(error) for error in seen] == ["No."]
    assert jobs.error is None


def test_a_closed_one_follows_nothing_and_its_job_is_cancelled(state: ExplorerState) -> None:
    jobs, other = JobManager(), t.HasTraits()
    other.add_traits(value=t.Int())
    doubled, heard = Doubled(state, jobs), []
    doubled.begin()
    doubled.follow(other, lambda change: heard.append(change["new"]), "value")
    other.value = 3
    assert heard == [3]
    stopped = threading.Event()

    def work(job: Job) -> None:
        doubled.close()
        assert job.cancel.is_set()
        stopped.set()

    doubled.run(work, lambda _: heard.append(-1), message="closing")
    assert stopped.is_set()
    assert not doubled.running
    assert doubled.report is None
    state.threshold, other.value = 0.4, 4
    assert (doubled.runs, heard) == (1, [3])
