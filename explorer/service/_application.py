"""`create_app`: the application with its endpoints, checks and documentation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from explorer._extras import require_extra
from explorer.service._service_settings import ServiceSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from explorer.models import Model

PREFIX = "/v1"
"""Where the endpoints of this version are; the same paths without it are the older service's."""


def create_app(
    settings: ServiceSettings | None = None, *, load: Callable[[str], Model] | None = None
) -> FastAPI:
    """Return the service as an ASGI application.

    Parameters
    ----------
    settings
        Address, token, models and limits; None for the defaults.
    load
        Loads a model by its name; None for `explorer.models.load_model`, with which the models are
        kept by the service alone.

    Returns
    -------
    FastAPI
        With the endpoints under ``/v1``, and under their older paths without it.

    Raises
    ------
    MissingExtraError
        The extra ``service`` is not installed.
    """
    require_extra("service", "The service")
    from fastapi import FastAPI, Request
    from starlette.exceptions import HTTPException
    from starlette.responses import Response

    from explorer.errors import ExplorerError, InputError, ModelError, TraceError
    from explorer.models._catalogue.model_loader import load_uncached
    from explorer.service._endpoints import ROUTERS, TYPES
    from explorer.service._http.guard import Guard, problem_response
    from explorer.service._http.openapi import document_app
    from explorer.service._http.problems import ProblemError, busy
    from explorer.service._live.live_socket import LiveSessions, live_endpoint
    from explorer.service._live.page_files import PAGE_PATHS
    from explorer.service._live.page_files import router as page_router
    from explorer.service._work.service_state import ServiceState

    settings = settings or ServiceSettings()
    service = ServiceState(settings, load or load_uncached)
    live = LiveSessions(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(service.preload()) if settings.preload else None
        yield
        if loading is not None:
            await loading
        await live.close()
        await service.close()

    app = FastAPI(
        title="explorer",
        version=version("attention-explorer"),
        description="Attention within code, and feedback for retrieved facts. See docs/service.md.",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        redirect_slashes=False,  # its answer is no problem, and names the host that a client names
    )
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
        app.include_router(router, include_in_schema=False)
    app.include_router(page_router)
    live_paths = ("/live", f"{PREFIX}/live")
    for path in live_paths:
        app.add_api_websocket_route(path, live_endpoint(live))
    document_app(app, TYPES, token=settings.token is not None)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            problem = ProblemError(
                "method-not-allowed",
                f"{request.method} does not work here; {allowed or 'another method'} does.",
                headers=error.headers,
            )
        else:
            problem = ProblemError(
                "not-found", f"There is nothing at this path. {PREFIX}/openapi.json lists all."
            )
        return problem_response(problem)

    @app.exception_handler(ExplorerError)
    async def failed(_: Request, error: ExplorerError) -> Response:
        if isinstance(error, InputError | TraceError):
            return problem_response(ProblemError("invalid-input", str(error)))
        if isinstance(error, ModelError):
            return problem_response(
                busy("The model failed. The log has the reason.", "model-unavailable")
            )
        raise error

    app.add_middleware(
        Guard,
        settings=settings,
        metrics=service.metrics,
        open_paths=PAGE_PATHS | frozenset(live_paths),
    )
    return app
