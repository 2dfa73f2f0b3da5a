"""Records the messages that an app sends to its page, with their sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from comm.base_comm import BaseComm


class SentMessage(NamedTuple):
    """A message from the kernel: the traits that it sets, or none for a custom message."""

    traits: tuple[str, ...]
    size: int
    """Bytes of its JSON and of its buffers."""


class SentMessages:
    """The messages sent since it was made; install it before the app is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sent: list[SentMessage] = []
        sent = self._sent

        class RecordingComm(BaseComm):
            def publish_msg(
                self, msg_type: str, data: Any = None, buffers: Any = None, **_: Any
            ) -> None:
                size = len(json.dumps(data or {}, default=str, separators=(",", ":")))
                size += sum(memoryview(buffer).nbytes for buffer in buffers or ())
                sent.append(SentMessage(tuple(sorted((data or {}).get("state") or ())), size))

        monkeypatch.setattr("comm.create_comm", RecordingComm)

    @contextmanager
    def during(self) -> Iterator[list[SentMessage]]:
        """Return a list that holds, after the `with`, the messages sent inside it."""
        found: list[SentMessage] = []
        start = len(self._sent)
        yield found
        found += self._sent[start:]
