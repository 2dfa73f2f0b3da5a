"""What waits to be sent to a page: of every trait of a part, the newest value."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from ipywidgets.widgets.widget import _put_buffers, _remove_buffers

_ALIGNMENT = 8
MOST_MESSAGES = 10_000
"""Messages that may wait: more come from a page that sends and does not read."""


class PageOutbox:
    """Collects messages of the parts, from any thread; `next_frames` takes them.

    Parameters
    ----------
    loop
        The event loop that sends.
    places
        The name of each part by its model id.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.places: dict[str, str] = {}
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: list[tuple[dict[str, Any], list[Any]]] = []
        self._states: dict[str, dict[str, Any]] = {}
        self._filled = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether more waits than a page that reads leaves."""
        return len(self._waiting) > MOST_MESSAGES

    def put(self, model_id: str, data: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Take a message of a widget, as Jupyter has it."""
        part = self.places[model_id]
        with self._lock:
            if data.get("method") == "update":
                state = dict(data["state"])
                _put_buffers(state, data.get("buffer_paths", []), list(buffers))
                known = self._states.get(part)
                if known is None:
                    self._states[part] = state
                    self._waiting.append(({"kind": "state", "part": part, "state": state}, []))
                else:
                    known.update(state)
            elif data.get("method") == "custom":
                # What is said about a state follows it, and a later state follows what is said.
                self._states.pop(part, None)
                message = {"kind": "message", "part": part, "content": data["content"]}
                self._waiting.append((message, list(buffers)))
        with contextlib.suppress(RuntimeError):  # the loop has ended with the server
            self._loop.call_soon_threadsafe(self._filled.set)

    async def next_frames(self) -> list[bytes]:
        """Return what waits as binary frames, as soon as there is something."""
        await self._filled.wait()
        self._filled.clear()
        with self._lock:
            waiting, self._waiting, self._states = self._waiting, [], {}
        return [_frame(message, buffers) for message, buffers in waiting]


def _frame(message: dict[str, Any], buffers: list[Any]) -> bytes:
    """Return a message and its buffers as one frame.

    The frame is the length of a JSON text (uint32, little-endian), the text, and the buffers, each
    beginning at a multiple of 8 bytes. ``sizes`` in the text has their lengths; of a state
    ``paths`` has their places.
    """
    if message["kind"] == "state":
        state, paths, buffers = _remove_buffers(message["state"])
        message = {**message, "state": state, "paths": paths}
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    head = msgspec.json.encode({**message, "sizes": [len(view) for view in views]})
    pieces: list[Any] = [struct.pack("<I", len(head)), head]
    length = 4 + len(head)
    for view in views:
        gap = -length % _ALIGNMENT
        pieces += [bytes(gap), view]
        length += gap + len(view)
    return b"".join(pieces)
