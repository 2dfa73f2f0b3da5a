"""uvicorn's HTTP protocol with a time limit for headers and a limit of connections."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from explorer.service._http.problems import MEDIA_TYPE, ProblemError
from explorer.service._service_settings import ServiceSettings


class BoundedProtocol(H11Protocol):
    """A connection that is closed if its headers do not arrive in time."""

    limits: ServiceSettings

    _header_timer: asyncio.TimerHandle | None = None
    _upgraded = False  # to a web socket, which has time limits of its own

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            transport.abort()
            return
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        waiting = self._is_between_requests()
        super().data_received(data)
        if self._upgraded or not self._is_between_requests():
            self._stop_timer()
        elif waiting and self._header_timer is None:
            self._start_timer()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        super().handle_websocket_upgrade(event)
        self._stop_timer()
        self._upgraded = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the shape of every error."""
        reason = str(sys.exc_info()[1] or msg)[:200]
        error = ProblemError(
            "malformed-request",
            f"The request is not valid HTTP/1.1, or has too long headers: {reason}.",
        )
        body = error.body()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        events: list[Any] = [
            h11.Response(status_code=error.status, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _is_between_requests(self) -> bool:
        """Whether headers are awaited: before the first request, or after an answer."""
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.limits.header_seconds, self._late)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _late(self) -> None:
        self._header_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def connection_protocol(settings: ServiceSettings) -> type[BoundedProtocol]:
    """Return the protocol class with the limits of these settings."""
    return type("LimitedProtocol", (BoundedProtocol,), {"limits": settings})
