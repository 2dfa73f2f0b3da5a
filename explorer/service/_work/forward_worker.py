"""The worker: one thread runs the forward passes of all requests, similar lengths together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from explorer.errors import Cancelled
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.models import Model, RecordedText, TokenizedText

Result = TypeVar("Result")

LEAST_FILL = 0.9
"""Smallest share of text in a batch; the rest is padding."""


class QueueFullError(Exception):
    """As many jobs wait as the queue takes."""


class WorkerClosedError(Exception):
    """The worker takes no more jobs: the service stops."""


class WorkerJob(Generic[Result]):
    """One piece of work that waits, runs or is done.

    Attributes
    ----------
    future
        The result. It is cancelled if `cancel` was called before the job began.
    cancelled
        Set by `cancel`.
    """

    def __init__(self, work: Callable[[threading.Event], Result] | None = None) -> None:
        self.future: Future[Result] = Future()
        self.cancelled = threading.Event()
        self.on_cancel: Callable[[WorkerJob[Result]], None] = lambda job: None
        self.work = work

    def cancel(self) -> None:
        """Remove a job that waits; stop one that runs before its next layer."""
        self.cancelled.set()
        self.on_cancel(self)


AnyJob: TypeAlias = WorkerJob[Any]


class TextJob(WorkerJob[Any]):
    """A text to record; texts of like length for one model share a pass."""

    future: Future[RecordedText]

    def __init__(self, model: Model, tokenized: TokenizedText) -> None:
        super().__init__()
        self.model = model
        self.tokenized = tokenized

    def __len__(self) -> int:
        return len(self.tokenized)


class ForwardWorker:
    """Runs forward passes and other work of models in one thread, in the order of arrival.

    Parameters
    ----------
    max_queue
        Most jobs that wait.
    on_pass
        Called in the worker's thread before each pass of texts, with them.
    """

    def __init__(
        self, max_queue: int, on_pass: Callable[[Sequence[TextJob]], None] | None = None
    ) -> None:
        self._max_queue = max_queue
        self._on_pass = on_pass or (lambda jobs: None)
        self._waiting: deque[AnyJob] = deque()
        self._running: list[AnyJob] = []
        self._stop_pass = threading.Event()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None  # from the first job on

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return len(self._waiting)

    def record(self, model: Model, tokenized: TokenizedText) -> TextJob:
        """Queue a text to record, and return its job.

        Raises
        ------
        QueueFullError
            Too many jobs wait.
        WorkerClosedError
            The service stops.
        """
        job = TextJob(model, tokenized)
        self._put(job)
        return job

    def submit(self, work: Callable[[threading.Event], Result]) -> WorkerJob[Result]:
        """Queue other work of a model, such as a live view's pass, and return its job.

        Parameters
        ----------
        work
            Called in the worker's thread with an event that is set when the job is cancelled.

        Raises
        ------
        QueueFullError, WorkerClosedError
            As `record`.
        """
        job = WorkerJob(work)
        self._put(job)
        return job

    def close(self) -> None:
        """Finish the jobs that were queued, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _put(self, job: AnyJob) -> None:
        job.on_cancel = self._cancel
        with self._changed:
            if self._closed:
                raise WorkerClosedError
            if len(self._waiting) >= self._max_queue:
                raise QueueFullError
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="explorer-forward", daemon=True
                )
                self._thread.start()
            self._waiting.append(job)
            self._changed.notify_all()

    def _cancel(self, job: AnyJob) -> None:
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
                job.future.cancel()
            elif job in self._running and all(one.cancelled.is_set() for one in self._running):
                self._stop_pass.set()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                self._running = self._take()
                self._stop_pass = threading.Event()
                for job in self._running:
                    job.future.set_running_or_notify_cancel()
            self._finish(self._running, self._stop_pass)
            with self._changed:
                self._running = []

    def _take(self) -> list[AnyJob]:
        """Remove the first job from the queue, with the texts that share its pass."""
        first = self._waiting.popleft()
        if not isinstance(first, TextJob):
            return [first]
        batch, tokens, longest = [first], len(first), len(first)
        room = _batch_tokens(first.model)
        for job in list(self._waiting):
            if not isinstance(job, TextJob) or job.model is not first.model:
                continue
            width = max(longest, len(job))
            filled = (len(batch) + 1) * width
            if filled <= room and tokens + len(job) >= LEAST_FILL * filled:
                batch.append(job)
                tokens, longest = tokens + len(job), width
                self._waiting.remove(job)
        return list(batch)

    def _finish(self, jobs: Sequence[AnyJob], stop: threading.Event) -> None:
        texts = [job for job in jobs if isinstance(job, TextJob)]
        if not texts:
            (job,) = jobs
            try:
                job.future.set_result(job.work(stop) if job.work else None)
            except BaseException as error:  # noqa: BLE001 - whoever waits for the job raises it
                job.future.set_exception(error)
            return
        try:
            self._on_pass(texts)
            control = RunControl(cancel=stop)
            model = texts[0].model
            found = model.record_batch([job.tokenized for job in texts], control=control)
        except Cancelled as error:
            for job in texts:
                job.future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - whoever waits for the job raises it
            if len(texts) == 1:
                texts[0].future.set_exception(error)
                return
            for job in texts:  # one text must not take the answers of the others away
                self._finish([job], stop)
        else:
            for job, recorded in zip(texts, found, strict=True):
                job.future.set_result(recorded)


def _batch_tokens(model: Model) -> int:
    from explorer.models._running.batches import default_batch_tokens

    return default_batch_tokens(model)
