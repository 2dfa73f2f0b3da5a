"""Base of the controllers: they follow the state and run long work as jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import traitlets as t

from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job, JobReport
from explorer.widgets._state import ExplorerState

Result = TypeVar("Result")


class Controller(t.HasTraits):
    """Keeps results in step with the state; panels observe its traits.

    A subclass names its job in `JOB`, lists in `FOLLOWS` the traits of the state that its results
    depend on, and brings them up to date in `refresh`.

    Parameters
    ----------
    state
        The state to follow.
    jobs
        Runs the work off the UI thread and shows its errors.
    """

    JOB: ClassVar[str] = ""
    """Name of the job that this controller runs."""
    FOLLOWS: ClassVar[tuple[str, ...]] = ()
    """Traits of the state whose change calls `refresh`."""

    def __init__(self, state: ExplorerState, jobs: JobManager) -> None:
        super().__init__()
        self.state = state
        self.jobs = jobs
        self._begun = False
        self._followed: list[tuple[t.HasTraits, Callable[[Any], None], Any]] = []
        if self.FOLLOWS:
            self.follow(state, self._changed, *self.FOLLOWS)

    def begin(self) -> None:
        """Start to work: the app is complete and its traits have their first values."""
        if not self._begun:
            self._begun = True
            self.refresh()

    def refresh(self) -> None:
        """Bring the results up to date with the state."""

    def follow(self, owner: t.HasTraits, handler: Callable[[Any], None], *names: str) -> None:
        """Call `handler(change)` when a trait of another object changes, until `close`."""
        owner.observe(handler, names=list(names))
        self._followed.append((owner, handler, list(names)))

    def close(self) -> None:
        """Stop following and cancel the job."""
        followed, self._followed = self._followed, []
        for owner, handler, names in followed:
            owner.unobserve(handler, names=names)
        if self.JOB:
            self.cancel()

    def _changed(self, _: Mapping[str, Any]) -> None:
        if not self._begun:
            return
        if self.state.batching:
            self.state.after_batch(self.refresh)
        else:
            self.refresh()

    # the job

    @property
    def running(self) -> bool:
        """Whether the job of this controller is under way."""
        return self.jobs.runner.running(self.JOB)

    @property
    def report(self) -> JobReport | None:
        """The latest report of the job; None when it is not under way."""
        return self.jobs.reports.get(self.JOB)

    def run(
        self,
        work: Callable[[Job], Result],
        done: Callable[[Result], None],
        *,
        message: str,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Run `work(job)` off the UI thread, in place of a job of this controller under way.

        Parameters
        ----------
        work
            Called on a worker thread.
        done
            Called on the UI thread with the result.
        message
            A sentence for the user, in the present tense.
        failed
            Called on the UI thread with the error; when left out the app shows it.
        """
        self.jobs.runner.start(
            self.JOB, work, done=done, failed=failed or self.jobs.tell, message=message
        )

    def cancel(self) -> None:
        """Cancel the job of this controller; its result is dropped."""
        self.jobs.runner.cancel(self.JOB)
