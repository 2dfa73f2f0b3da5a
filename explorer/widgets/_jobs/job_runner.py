"""Jobs off the UI thread: progress, cancellation, and results delivered on the UI thread.

In a kernel the results of a job come back through the running event loop, so that traits only
ever change on the thread that runs cells and widget messages. Without a running loop (a script,
a unit test) a job runs at once, on the calling thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import Cancelled
from explorer.run_control import RunControl

_REPORT_INTERVAL_S = 0.1


@dataclass(frozen=True)
class JobReport:
    """Progress of a running job.

    Attributes
    ----------
    name
        Name of the job; a new job of a name cancels the one before it.
    message
        A sentence for the user, in the present tense.
    fraction
        Share that is done, in [0, 1]; None when it is not known.
    partial
        Part of the result that can be shown already, such as the text generated so far.
    """

    name: str
    message: str
    fraction: float | None = None
    partial: Any = None


@dataclass(eq=False)
class Job:
    """One piece of long work. `cancel` is set when the user, or a newer job, stops it."""

    name: str
    report: Callable[[str, float | None, Any], None]
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def control(self) -> RunControl:
        """Progress and cancel event for what the job calls."""
        return RunControl(lambda p: self.report(p.message, p.fraction, None), self.cancel)

    def check(self) -> None:
        """Raise `Cancelled` if the job was stopped."""
        if self.cancel.is_set():
            raise Cancelled("Stopped.")


class JobRunner:
    """Runs jobs by name: the newest job of a name wins, and results of older ones are dropped.

    Parameters
    ----------
    on_report
        Called on the UI thread as `on_report(name, report)` with the latest `JobReport` of a job,
        or with None when the job has ended.
    """

    def __init__(self, on_report: Callable[[str, JobReport | None], None]) -> None:
        self._on_report = on_report
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._current: dict[str, Job] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def busy(self) -> bool:
        """Whether any job is under way."""
        return bool(self._current)

    def running(self, name: str) -> bool:
        """Whether the job of this name is under way."""
        return name in self._current

    def start(
        self,
        name: str,
        work: Callable[[Job], Any],
        *,
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        message: str,
    ) -> None:
        """Run `work(job)`; then `done(result)` or `failed(error)` on the UI thread.

        Neither is called for a job that is replaced or cancelled.
        """
        self.cancel(name)
        with contextlib.suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        last_report = 0.0

        def report(text: str, fraction: float | None = None, partial: Any = None) -> None:
            nonlocal last_report
            now = time.monotonic()
            if now - last_report < _REPORT_INTERVAL_S and partial is None:
                return
            last_report = now
            latest = JobReport(name, text, fraction, partial)
            self._post(lambda: self._tell(job, latest))

        job = Job(name, report)
        self._current[name] = job
        self._on_report(name, JobReport(name, message))
        if self._loop is None:
            self._run(job, work, done, failed)
            self.drain()
            return
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="explorer")
        self._executor.submit(self._run, job, work, done, failed)

    def on_ui(self, deliver: Callable[[], None]) -> None:
        """Call `deliver` on the UI thread: at once if that is the calling thread."""
        loop = None
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
        if self._loop is None or self._loop is loop:
            deliver()
        else:
            self._post(deliver)

    def cancel(self, name: str | None = None) -> None:
        """Cancel the job of a name, or all jobs; nothing of it arrives afterwards."""
        for each in [name] if name is not None else list(self._current):
            job = self._current.pop(each, None)
            if job is not None:
                job.cancel.set()
                self._on_report(each, None)

    def wait(self, timeout: float | None = None, *, but: frozenset[str] = frozenset()) -> bool:
        """Block until every job but these has ended, delivering results; False on time-out."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self.drain()
        while self._current.keys() - but:
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return False
            # Wakes regularly, so that an interrupt of the kernel takes effect.
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=0.2 if remaining is None else min(0.2, remaining))()
        return True

    def drain(self) -> None:
        """Deliver the results that the workers have posted so far."""
        while True:
            try:
                deliver = self._inbox.get_nowait()
            except queue.Empty:
                return
            deliver()

    def close(self) -> None:
        """Cancel every job and release the worker threads."""
        self.cancel()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def _run(
        self,
        job: Job,
        work: Callable[[Job], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        try:
            result = work(job)
        except BaseException as error:
            if self._loop is None and not isinstance(error, Exception):
                self._current.pop(job.name, None)
                raise  # Ctrl-C in a script
            self._post(lambda error=error: self._finish(job, lambda: failed(error)))  # type: ignore[misc]
        else:
            self._post(lambda: self._finish(job, lambda: done(result)))

    def _post(self, deliver: Callable[[], None]) -> None:
        self._inbox.put(deliver)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has gone with its kernel
                self._loop.call_soon_threadsafe(self.drain)

    def _tell(self, job: Job, report: JobReport) -> None:
        if self._current.get(job.name) is job:
            self._on_report(job.name, report)

    def _finish(self, job: Job, deliver: Callable[[], None]) -> None:
        if self._current.get(job.name) is not job:
            return
        del self._current[job.name]
        self._on_report(job.name, None)
        deliver()
