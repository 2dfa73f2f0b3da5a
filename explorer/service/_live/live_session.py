"""One connection to `/live`: its view, and the messages to and from it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import msgspec
import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from explorer.errors import InputError
from explorer.service._http.problems import ProblemError
from explorer.service._http.token_check import TokenCheck
from explorer.service._live.attention_view import AttentionView, Frames
from explorer.service._live.live_messages import (
    ClientMessage,
    CodeMessage,
    OpenedMessage,
    OpenMessage,
    PartMessage,
    failure_of,
)
from explorer.service._live.message_decoding import decoded_message, serial_of
from explorer.service._live.page_outbox import PageOutbox
from explorer.service._live.panels_view import PanelsView
from explorer.service._work.service_state import ServiceState

logger = logging.getLogger(__name__)

WRONG_DATA: Final = 1003
"""Close code: a binary message."""
GOING_AWAY: Final = 1001
"""Close code: the service stops."""
TOO_SLOW: Final = 1008
"""Close code: the client does not read."""
FAILED: Final = 1011
"""Close code: the service failed."""
NO_TOKEN: Final = 4401
"""Close code: the token is missing or wrong."""
IDLE: Final = 4408
"""Close code: no message for long."""
TOO_MANY: Final = 4429
"""Close code: as many connections as the service takes."""


class LiveSession:
    """One connection: its view, and the messages to and from it."""

    def __init__(self, socket: WebSocket, service: ServiceState, token: TokenCheck) -> None:
        self._socket = socket
        self._service = service
        self._settings = service.settings
        self._token = token
        self._view: AttentionView | PanelsView | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._main: asyncio.Task[Any] | None = None
        self._outbox: PageOutbox | None = None
        self._sending = asyncio.Lock()
        self._stopping = False

    async def run(self) -> None:
        """Read messages until the connection ends."""
        self._main = asyncio.current_task()
        try:
            if await self._admitted():
                await self._read_all()
        except WebSocketDisconnect:
            pass
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            await self._end(GOING_AWAY, "The service stops.")
        except TimeoutError:
            await self._end(IDLE, "No message for long. Connect again when there is one.")
        except Exception:
            logger.exception("/live failed")
            failed = ProblemError("internal-error", "The service failed. Its log has the reason.")
            await self.refuse(failed, FAILED)
        finally:
            await self._release_all()

    async def stop(self) -> None:
        """End the connection, since the service stops."""
        self._stopping = True
        if self._main is not None:
            self._main.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([self._main])

    async def refuse(self, problem: ProblemError, code: int) -> None:
        """Say what is wrong, and end the connection."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await self._send_text(failure_of(problem))
        await self._end(code, problem.title)

    def release(self, model: Any) -> None:
        """Forget the text that this model recorded."""
        if self._view is not None:
            self._view.code.release(model)

    # reading

    async def _admitted(self) -> bool:
        """Take the first message, and return whether the client may go on."""
        header = self._socket.headers.get("authorization", "")
        by_header = self._token.accepts_header(header)
        async with asyncio.timeout(
            self._settings.idle_seconds if by_header else self._settings.body_seconds
        ):
            message = await self._next_message()
        opened = message if isinstance(message, OpenMessage) else None
        by_message = opened is not None and self._token.accepts(opened.token or "")
        if not (by_header or by_message):
            problem = ProblemError(
                "token-needed",
                'Send the service\'s token: {"kind": "open", "token": "..."} as the first message, '
                "or the header 'Authorization: Bearer TOKEN'.",
            )
            await self.refuse(problem, NO_TOKEN)
            return False
        if message is not None:
            await self._handle(message)
        return True

    async def _read_all(self) -> None:
        while True:
            async with asyncio.timeout(self._settings.idle_seconds):
                message = await self._next_message()
            if message is not None:
                await self._handle(message)

    async def _next_message(self) -> ClientMessage | None:
        """Return the next message; None for one that is not valid, which is answered."""
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1000))
        text = received.get("text")
        if text is None:
            problem = ProblemError("unsupported-media-type", "Messages are JSON texts, not binary.")
            await self.refuse(problem, WRONG_DATA)
            raise WebSocketDisconnect(WRONG_DATA)
        try:
            return decoded_message(text, self._settings)
        except ProblemError as error:
            await self._send_text(failure_of(error, serial_of(text)))
            return None

    async def _handle(self, message: ClientMessage) -> None:
        try:
            if isinstance(message, OpenMessage):
                await self._open(message)
            elif isinstance(message, CodeMessage):
                if self._view is None:
                    self._view = self._attention_view()
                if not isinstance(self._view, AttentionView):
                    raise _wrong_view("code", "attention")
                self._view.receive(message)
            else:
                await self._report(message)
        except ProblemError as error:
            serial = message.serial if isinstance(message, CodeMessage) else None
            await self._send_text(failure_of(error, serial))

    async def _open(self, message: OpenMessage) -> None:
        if self._view is not None:
            raise ProblemError("invalid-input", "The connection is open. Connect again instead.")
        opened = OpenedMessage(
            message.view, version("attention-explorer"), self._service.store.default
        )
        if message.view == "attention":
            self._view = self._attention_view()
            await self._send_text(msgspec.json.encode(opened))
            return
        outbox = self._outbox = PageOutbox(asyncio.get_running_loop())
        self._view = view = PanelsView(self._service, outbox)
        await self._send_text(msgspec.json.encode(opened))
        self._start(self._send_outbox(outbox))
        await view.open(message.state)

    async def _report(self, message: PartMessage) -> None:
        if not isinstance(self._view, PanelsView):
            raise _wrong_view("part", "panels")
        if self._outbox is not None and self._outbox.full:
            raise WebSocketDisconnect(TOO_SLOW, "The client does not read.")
        try:
            await self._view.receive(message.part, message.content)
        except InputError as error:
            raise ProblemError("invalid-input", str(error)) from None

    def _attention_view(self) -> AttentionView:
        view = AttentionView(self._service, self._send_frames)
        self._start(view.run())
        return view

    # sending

    async def _send_text(self, text: bytes) -> None:
        async with self._in_time():
            await self._socket.send_text(text.decode())

    async def _send_frames(self, frames: Frames) -> None:
        for frame in frames:
            if isinstance(frame, bytes):
                await self._send_text(frame)
            else:
                async with self._in_time():
                    await self._socket.send_bytes(np.ascontiguousarray(frame, "<f4").tobytes())

    async def _send_outbox(self, outbox: PageOutbox) -> None:
        while True:
            for frame in await outbox.next_frames():
                async with self._in_time():
                    await self._socket.send_bytes(frame)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Send one message at a time; a client that does not read is given up."""
        try:
            async with self._sending, asyncio.timeout(self._settings.body_seconds):
                yield
        except TimeoutError:
            raise WebSocketDisconnect(TOO_SLOW, "The client does not read.") from None

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the session when one of its tasks failed."""
        if task.cancelled() or task.exception() is None or self._main is None:
            return
        if not isinstance(task.exception(), WebSocketDisconnect | RuntimeError):
            logger.error("/live failed", exc_info=task.exception())
        self._stopping = True
        self._main.cancel()

    # the end

    async def _end(self, code: int, reason: str) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            # A client that does not read does not get this message either.
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(self._settings.body_seconds):
                    await self._socket.close(code, reason)

    async def _release_all(self) -> None:
        # At once, since the server may not wait for more.
        view, self._view = self._view, None
        if view is not None:
            view.close()
        tasks, self._tasks, self._main = self._tasks, [], None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _wrong_view(kind: str, view: str) -> ProblemError:
    return ProblemError(
        "invalid-input", f'Messages of kind "{kind}" belong to the view "{view}". Open that one.'
    )
