"""The view of the page at `/`: the app's Code tab, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from explorer.errors import Cancelled, InputError, ModelError
from explorer.models import available_models
from explorer.service._http.problems import ProblemError
from explorer.service._live.live_code import LiveCode
from explorer.service._live.page_outbox import PageOutbox
from explorer.service._work.model_store import ModelStore
from explorer.service._work.service_state import ServiceState
from explorer.widgets._code import texts
from explorer.widgets._code.controller import Recorded
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._page.code_page import CodePage
from explorer.widgets._state import ExplorerState

if TYPE_CHECKING:
    from explorer.models import Model


class StoreModels(ModelController):
    """Takes models from the service, by the names that clients may give; keeps none."""

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        store: ModelStore,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(state, jobs)
        self._store = store
        self._server_loop = loop

    def __contains__(self, name: object) -> bool:
        """Whether a model of this name is loaded."""
        return name in self._store.loaded

    def choices(self) -> list[tuple[str, str, str, bool]]:
        """Return the models that clients may name."""
        own = [(name, name, "A model of this service.", True) for name in self._store.own]
        menu = [
            (one.name, one.label, one.note, True)
            for one in available_models()
            if one.installed and one.name not in self._store.own
        ]
        return [*own, *menu]

    def register(self, model: Any) -> str:
        """Refuse objects: a page names models."""
        raise InputError(f"model must be a name of the list; got {type(model).__name__}.")

    def warm_up(self) -> None:
        """Do nothing: the service loads its model when it starts."""

    def of(self, name: str, job: Job) -> Model:
        """Return the model, loading it first when needed (on the worker's thread)."""
        job.check()
        try:
            resolved = self._store.resolved(name)
        except ProblemError as error:
            raise InputError(error.detail) from None
        with told_as_errors():
            loading = asyncio.run_coroutine_threadsafe(self._store.get(resolved), self._server_loop)
            return loading.result()


class PanelsView:
    """One open page: its panels live in a thread, and send what changes to an outbox.

    Parameters
    ----------
    service
        Shared state of the application.
    outbox
        Gets the messages of the panels.
    """

    def __init__(self, service: ServiceState, outbox: PageOutbox) -> None:
        self.code = LiveCode(service)
        self._service = service
        self._outbox = outbox
        self._server_loop = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._page: CodePage | None = None
        self._thread = threading.Thread(target=self._run, name="explorer-page", daemon=True)
        self._thread.start()

    async def open(self, state: Mapping[str, Any]) -> None:
        """Make the panels, and show this view."""
        await self._in_page(self._open, dict(state))

    async def receive(self, part: str, content: Mapping[str, Any]) -> None:
        """Give a part what the page reports, and wait until it has dealt with it.

        Raises
        ------
        InputError
            There is no such part.
        """
        await self._in_page(self._receive, part, content)

    def close(self) -> None:
        """Stop what runs; the thread releases the panels and ends."""
        self.code.close()
        self._loop.call_soon_threadsafe(self._close)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _in_page(self, work: Any, *arguments: Any) -> None:
        async def called() -> None:
            work(*arguments)

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(called(), self._loop))

    def _open(self, state: dict[str, Any]) -> None:
        page = CodePage(self._outbox.put, self._make_models, self._read)
        self._page = page
        self._outbox.places = {model_id: name for name, model_id in page.places.items()}
        page.begin({"model": self._service.store.default, **state})

    def _receive(self, part: str, content: Mapping[str, Any]) -> None:
        if self._page is not None:
            self._page.receive(self._page.places.get(part, ""), content)

    def _close(self) -> None:
        page, self._page = self._page, None
        try:
            if page is not None:
                page.close()
        finally:
            self._loop.stop()

    def _make_models(self, state: ExplorerState, jobs: JobManager) -> ModelController:
        return StoreModels(state, jobs, self._service.store, self._server_loop)

    def _read(self, model: Model, text: str, start: int, job: Job) -> Recorded:
        with told_as_errors():
            tokenized = self.code.tokenize(model, text, start)
            job.report(texts.recording(len(tokenized.tokens)), None, None)
            job.check()
            return tokenized, self.code.queue(model, tokenized, job.cancel).future.result()


@contextmanager
def told_as_errors() -> Iterator[None]:
    """Raise problems of the service as errors that the app shows."""
    try:
        yield
    except CancelledError:
        raise Cancelled("Stopped.") from None
    except ProblemError as error:
        raise ModelError(error.detail) from None
