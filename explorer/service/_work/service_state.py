"""What the endpoints of one application share."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from starlette.requests import Request

from explorer.errors import Cancelled
from explorer.service._http.problems import ClientGoneError, ProblemError, busy
from explorer.service._http.service_metrics import ServiceMetrics
from explorer.service._service_settings import ServiceSettings
from explorer.service._work.forward_worker import (
    ForwardWorker,
    QueueFullError,
    TextJob,
    WorkerClosedError,
    WorkerJob,
)
from explorer.service._work.model_store import ModelStore

if TYPE_CHECKING:
    from explorer.models import Model, TokenizedText

Result = TypeVar("Result")


class ServiceState:
    """Settings, models, worker, threads and metrics of one application.

    Attributes
    ----------
    settings, store, worker, metrics
        The parts of the service.
    problem
        Why the default model could not be loaded; None before and after.
    stopping
        Whether the service stops.
    """

    def __init__(self, settings: ServiceSettings, load: Callable[[str], Model]) -> None:
        self.settings = settings
        self.metrics = ServiceMetrics()
        self.store = ModelStore(settings, load)
        self.worker = ForwardWorker(settings.max_queue, self._passed)
        self.problem: str | None = None
        self.stopping = False
        # For numbers as text, pictures and tokens: neither in the event loop nor in the worker.
        self._threads = ThreadPoolExecutor(
            max(2, min(8, os.cpu_count() or 1)), thread_name_prefix="explorer-answers"
        )
        self._tokenizing: WeakKeyDictionary[Model, threading.Lock] = WeakKeyDictionary()
        self._tokenizing_lock = threading.Lock()
        self.metrics.gauge(
            "explorer_queue_length", "Jobs that wait for the model.", lambda: self.worker.waiting
        )
        self.metrics.gauge(
            "explorer_models_loaded", "Models in memory.", lambda: len(self.store.loaded)
        )

    async def preload(self) -> None:
        """Load the default model."""
        try:
            await self.store.get(self.store.default)
            self.problem = None
        except ProblemError as error:
            self.problem = error.detail

    @property
    def ready(self) -> bool:
        """Whether a request for the default model can be answered at once."""
        return not self.stopping and self.store.default in self.store.loaded

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Run work outside of the event loop and outside of the model's worker."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, *arguments)

    def tokenize(self, model: Model, text: str, start: int = 0) -> TokenizedText:
        """Return a text as tokens from `start` on.

        One thread at a time: tokenizers are not thread-safe.
        """
        with self._tokenizing_lock:
            lock = self._tokenizing.setdefault(model, threading.Lock())
        with lock:
            return model.tokenize(text, start)

    def queue_text(self, model: Model, tokenized: TokenizedText) -> TextJob:
        """Queue a text to record.

        Raises
        ------
        ProblemError
            The queue is full, or the service stops.
        """
        return self._queued(lambda: self.worker.record(model, tokenized))

    def queue_work(self, work: Callable[[threading.Event], Result]) -> WorkerJob[Result]:
        """Queue other work of a model; errors as `queue_text`."""
        return self._queued(lambda: self.worker.submit(work))

    async def result_of(self, request: Request, job: WorkerJob[Result], began: float) -> Result:
        """Return the result of a job, unless the client leaves or time is up: then cancel it.

        Parameters
        ----------
        request
            Its body was read.
        began
            When the request came, by `time.perf_counter`.

        Raises
        ------
        ClientGoneError, ProblemError
            The client left; time is up.
        """
        result = asyncio.wrap_future(job.future)
        gone = asyncio.ensure_future(_gone(request))
        left = self.settings.request_seconds - (time.perf_counter() - began)
        try:
            either: set[asyncio.Future[Any]] = {result, gone}
            await asyncio.wait(either, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
            if gone.done():
                raise ClientGoneError
            raise ProblemError(
                "time-limit",
                f"The answer took longer than {self.settings.request_seconds:g} s, so it was "
                "stopped. Send a shorter text, or try again when the service is less busy.",
            )
        except Cancelled:
            raise ClientGoneError from None
        finally:
            gone.cancel()
            if not result.done():
                job.cancel()
                result.add_done_callback(_forget)

    async def close(self) -> None:
        """Finish the work that was queued, and release threads and models."""
        self.stopping = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.worker.close()
        self._threads.shutdown()
        self.store.close()

    def _queued(self, put: Callable[[], Result]) -> Result:
        try:
            return put()
        except QueueFullError:
            raise busy(
                f"{self.settings.max_queue} requests wait for the model already. Try again later."
            ) from None
        except WorkerClosedError:
            raise busy("The service stops.", "not-ready", seconds=5) from None

    def _passed(self, jobs: Sequence[TextJob]) -> None:
        self.metrics.passed([len(job) for job in jobs])


def service_of(request: Request) -> ServiceState:
    """Return the shared state of the application that handles a request."""
    state: ServiceState = request.app.state.service
    return state


async def _gone(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _forget(future: Future[Result] | asyncio.Future[Result]) -> None:
    """Take the error of a result that no request waits for."""
    if not future.cancelled():
        future.exception()
