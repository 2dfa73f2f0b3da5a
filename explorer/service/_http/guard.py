"""The checks before every request, and what every answer gets: an ASGI middleware."""

from __future__ import annotations

import asyncio
import logging
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.service._http.problems import MEDIA_TYPE, ClientGoneError, ProblemError, busy
from explorer.service._http.service_metrics import ServiceMetrics
from explorer.service._http.token_check import TokenCheck
from explorer.service._service_settings import ServiceSettings

logger = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not set them itself."""

# Answered under load too, so that a monitor sees the load.
_ALWAYS = frozenset({"/health", "/metrics", "/v1/health", "/v1/metrics"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def problem_response(error: ProblemError) -> Response:
    """Return the answer of a problem."""
    return Response(error.body(), error.status, headers=error.headers, media_type=MEDIA_TYPE)


class Guard:
    """Checks host, origin, token and load; adds security headers; turns failures into problems.

    Parameters
    ----------
    app
        The application behind it.
    settings, metrics
        Those of the service.
    open_paths
        Paths that need no token in a header: the files of the page, and `/live`, which checks it.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ServiceSettings,
        metrics: ServiceMetrics,
        open_paths: frozenset[str] = frozenset(),
    ) -> None:
        self.app = app
        self._settings = settings
        self._metrics = metrics
        self._open_paths = open_paths
        self._active = 0
        self._token = TokenCheck(settings.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            try:
                self._check(scope)
            except ProblemError as error:
                logger.info("A web socket was refused: %s", error.kind)
                await send({"type": "websocket.close", "code": 1008, "reason": error.title})
                return
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        scope.setdefault("state", {})["began"] = began
        answer = _Answer(send, self._settings.body_seconds)
        self._active += 1
        try:
            try:
                self._check(scope)
                self._check_load(scope)
                await self.app(scope, receive, answer)
            except ProblemError as error:
                await problem_response(error)(scope, receive, answer)
        except ClientGoneError:
            self._metrics.cancelled.inc()
        except Exception:
            # The log has the error; the answer has no details of it.
            logger.exception("%s %s failed", scope["method"], _endpoint(scope))
            if answer.status is None:
                failed = ProblemError(
                    "internal-error", "The service failed. Its log has the reason."
                )
                await problem_response(failed)(scope, receive, answer)
        finally:
            self._active -= 1
            endpoint = _endpoint(scope)
            self._metrics.latency.labels(endpoint).observe(time.perf_counter() - began)
            self._metrics.requests.labels(endpoint, str(answer.status or "cancelled")).inc()

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if self._settings.is_loopback:
            host = _host_name(headers.get("host", ""))
            if host not in _LOOPBACK_NAMES and host != self._settings.host.lower().strip("[]"):
                raise ProblemError(
                    "host-refused",
                    "This service answers requests to localhost and 127.0.0.1 only; the Host "
                    "header names another host.",
                )
        origin = headers.get("origin")
        if origin is not None and _origin_host(origin) != headers.get("host", "").lower():
            raise ProblemError(
                "origin-refused",
                "Pages of other sites may not use this service, and the Origin header names one.",
            )
        if scope["path"] in self._open_paths:
            return
        if not self._token.accepts_header(headers.get("authorization", "")):
            raise ProblemError(
                "token-needed",
                "Send the service's token: 'Authorization: Bearer TOKEN'.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _check_load(self, scope: Scope) -> None:
        most = self._settings.max_concurrency
        if self._active > most and scope["path"] not in _ALWAYS:
            raise busy(f"The service handles {most} requests at once already. Try again later.")


class _Answer:
    """Sends an answer with the security headers; a client that does not read it is given up."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        try:
            async with asyncio.timeout(self._seconds):
                await self._send(message)
        except TimeoutError:
            raise ClientGoneError from None


def _origin_host(origin: str) -> str:
    """Return host and port of an origin, in lower case; empty for one that is not valid."""
    try:
        return urlsplit(origin.strip()).netloc.lower()
    except ValueError:
        return ""


def _host_name(header: str) -> str:
    """Return the name in a Host header, without port and brackets."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def _endpoint(scope: Scope) -> str:
    """Return the path of the route; requests to other paths are counted together."""
    route = scope.get("route")
    path: str = getattr(route, "path", "other")
    return path
