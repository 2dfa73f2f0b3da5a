"""The web socket `/live`, and the connections that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket

from explorer.service._http.problems import busy
from explorer.service._http.token_check import TokenCheck
from explorer.service._live.live_session import TOO_MANY, LiveSession
from explorer.service._work.service_state import ServiceState


class LiveSessions:
    """The open connections of one application.

    Parameters
    ----------
    service
        Shared state of the application.
    """

    def __init__(self, service: ServiceState) -> None:
        self.service = service
        self._open: set[LiveSession] = set()
        self._token = TokenCheck(service.settings.token)
        service.store.on_release = self._release
        service.metrics.gauge(
            "explorer_live_sessions", "Open connections to /live.", lambda: len(self._open)
        )

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection until it ends."""
        await socket.accept()
        session = LiveSession(socket, self.service, self._token)
        most = self.service.settings.max_sessions
        if self.service.stopping or len(self._open) >= most:
            problem = busy(
                f"{most} pages and editors are connected already. Close one, or try again later."
            )
            await session.refuse(problem, TOO_MANY)
            return
        self._open.add(session)
        try:
            await session.run()
        finally:
            self._open.discard(session)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(session.stop() for session in list(self._open)))

    def _release(self, model: Any) -> None:
        """Forget the texts that a model recorded which leaves the memory."""
        for session in list(self._open):
            session.release(model)


def live_endpoint(sessions: LiveSessions) -> Callable[[WebSocket], Any]:
    """Return what serves the web socket."""

    async def live(socket: WebSocket) -> None:
        await sessions.serve(socket)

    return live
