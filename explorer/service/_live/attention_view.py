"""The view of editors: a text comes in, its attention goes out; only the newest text counts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from explorer.attention._indexing import one_index
from explorer.errors import Cancelled, InputError
from explorer.feedback import FeedbackPolicy, feedback_table
from explorer.service._http.array_encoding import FloatArray, matrix_json, vector_json
from explorer.service._http.problems import ProblemError, busy
from explorer.service._live.live_code import LiveCode
from explorer.service._live.live_messages import ArrayFrame, CodeMessage, failure_of
from explorer.service._work.service_state import ServiceState
from explorer.source import detect_language
from explorer.widgets._attention.unit_scores import seen_from
from explorer.widgets._code.scene import CodeScene

if TYPE_CHECKING:
    from explorer.attention import AttentionMap
    from explorer.models import Model, TokenizedText

Frames = Sequence[bytes | FloatArray]
"""A JSON message, followed by the arrays that it announces."""


class AttentionView:
    """Answers the texts of one editor.

    Parameters
    ----------
    service
        Shared state of the application.
    send
        Sends the frames of one answer.
    """

    def __init__(self, service: ServiceState, send: Callable[[Frames], Awaitable[None]]) -> None:
        self.code = LiveCode(service)
        self._service = service
        self._send = send
        self._waiting: tuple[CodeMessage, float] | None = None
        self._cancel = threading.Event()
        self._woken = asyncio.Event()

    def receive(self, message: CodeMessage) -> None:
        """Take a text: it replaces one that waits, and stops the one that is worked on."""
        self._waiting = (message, time.perf_counter())
        self._cancel.set()
        self._woken.set()

    async def run(self) -> None:
        """Answer texts until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            if self._waiting is None:
                continue
            (message, began), self._waiting = self._waiting, None
            self._cancel = cancel = threading.Event()
            try:
                frames = await self._answer(message, began, cancel)
            except Cancelled:
                continue
            except ProblemError as error:
                frames = [failure_of(error, message.serial)]
            except InputError as error:
                frames = [failure_of(ProblemError("invalid-input", str(error)), message.serial)]
            await self._send(frames)

    def close(self) -> None:
        """Stop what runs."""
        self._cancel.set()
        self.code.close()

    async def _answer(self, message: CodeMessage, began: float, cancel: threading.Event) -> Frames:
        service = self._service
        name = service.store.resolved(message.model)
        model = await service.store.get(name)
        layer = one_index(message.layer, model.n_layers, "layer")
        head = one_index(message.head, model.n_heads, "head")
        tokenized = await service.in_thread(self.code.tokenize, model, message.code, message.start)
        if cancel.is_set():
            raise Cancelled("A newer text came.")
        attention = await self._recorded(model, tokenized, cancel)
        answer = LiveAnswer(message, tokenized, attention, layer, head)
        facts = {"model": name, "reused": self.code.reused}
        return await service.in_thread(answer.frames, facts, began, service.settings.max_cells)

    async def _recorded(
        self, model: Model, tokenized: TokenizedText, cancel: threading.Event
    ) -> AttentionMap:
        seconds = self._service.settings.request_seconds
        job = self.code.queue(model, tokenized, cancel)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(job.future)
        except TimeoutError:
            raise ProblemError(
                "time-limit",
                f"The pass took longer than {seconds:g} s, so it was stopped. Send a shorter text.",
            ) from None
        except asyncio.CancelledError:
            if not cancel.is_set():
                raise
            raise Cancelled("A newer text came.") from None
        except MemoryError:
            raise busy("There is not enough memory for this text.", seconds=5) from None
        finally:
            cancel.set()
            job.cancel()


class LiveAnswer:
    """The answer to one text.

    Parameters
    ----------
    message
        What was asked for.
    tokenized, attention
        The text, and its attention.
    layer, head
        Counted from 0; None for the mean.
    """

    def __init__(
        self,
        message: CodeMessage,
        tokenized: TokenizedText,
        attention: AttentionMap,
        layer: int | None,
        head: int | None,
    ) -> None:
        self._message = message
        self._tokenized = tokenized
        self._attention = attention
        self._layer, self._head = layer, head

    def frames(self, facts: dict[str, Any], began: float, most_cells: int) -> Frames:
        """Return the answer: a JSON message, and the arrays that it announces.

        Raises
        ------
        ProblemError
            The matrix has more cells than the service returns.
        InputError
            The pin lies outside of the text.
        """
        message, text, attention = self._message, self._tokenized, self._attention
        positions = _Positions(text.text, message.offsets)
        pinned = None if message.pin is None else self._token_at(positions.code_point(message.pin))
        answer: dict[str, Any] = {
            "kind": "attention",
            "serial": message.serial,
            **facts,
            "layer": self._layer,
            "head": self._head,
            "tokens": text.tokens,
            "offsets": positions.of(text.offsets),
            "start": text.start,
            "stop": text.stop,
            "n_total": text.n_total,
            "truncated": text.truncated,
            "pinned": pinned,
        }
        arrays: list[FloatArray] = []

        def put(name: str, values: FloatArray) -> None:
            if message.format == "json":
                answer[name] = matrix_json(values) if values.ndim == 2 else vector_json(values)
                return
            answer[name] = ArrayFrame("float32", list(values.shape))
            arrays.append(values)

        for name in dict.fromkeys(message.want):
            if name == "weights":
                if len(text) ** 2 > most_cells:
                    raise ProblemError(
                        "too-many-cells",
                        f"The matrix has {len(text)} x {len(text)} cells; this service returns "
                        f'{most_cells}. Ask for "received", "row" or "feedback".',
                    )
                put(name, attention.weights(self._layer, self._head))
            elif name == "received":
                put(name, attention.received(self._layer, self._head))
            elif name == "row":
                if pinned is None:
                    raise InputError('"row" needs a pin: the offset of a character of the text.')
                row = np.array([pinned])
                put(name, attention.weights(self._layer, self._head, row)[0])
            else:
                answer[name] = self._feedback(pinned)
        answer["latency_ms"] = round((time.perf_counter() - began) * 1e3, 3)
        return [msgspec.json.encode(answer), *arrays]

    def _token_at(self, offset: int) -> int:
        starts, stops = self._tokenized.offsets.T
        found = np.flatnonzero((starts <= offset) & (offset < stops) & ~self._tokenized.special)
        if not found.size:
            raise InputError(
                f"The pin is {self._message.pin}, where no token of the text is. Give the offset "
                "of a character that belongs to a token."
            )
        return int(found[0])

    def _feedback(self, pinned: int | None) -> list[dict[str, Any]]:
        message, text = self._message, self._tokenized
        scene = CodeScene(
            text=text.text,
            tokens=text.tokens,
            offsets=text.offsets,
            special=text.special,
            attention=self._attention,
            language=detect_language(text.text),
            start=text.start,
            stop=text.stop,
            n_total=text.n_total,
        )
        units = scene.units(message.unit_kind)
        seen = units if pinned is None else seen_from(scene, pinned, units)
        table = feedback_table(
            self._attention,
            seen,
            FeedbackPolicy(threshold=message.threshold),
            rows=scene.rows if pinned is None else np.array([pinned]),
            layer=self._layer,
            head=self._head,
            reduction=message.reduction,
            normalisation=message.normalisation,
        )
        numbers = table[["score", "feedback"]].to_numpy()
        return [
            {
                "unit": unit.name,
                "text": unit.text,
                "spans": unit.spans,
                "score": None if np.isnan(score) else float(score),
                "feedback": None if np.isnan(feedback) else float(feedback),
                "verdict": verdict,
            }
            for unit, (score, feedback), verdict in zip(
                units, numbers, table["verdict"].tolist(), strict=True
            )
        ]


class _Positions:
    """Positions in a text, counted in code points as in Python, or as JavaScript counts."""

    def __init__(self, text: str, counted: str) -> None:
        self._starts: Any = None
        if counted == "utf-16" and not text.isascii():
            wide = np.array([1 + (ord(character) > 0xFFFF) for character in text], dtype=np.int64)
            self._starts = np.concatenate([[0], np.cumsum(wide)])

    def of(self, offsets: Any) -> list[list[int]]:
        """Return offsets in code points as the client counts them."""
        found = offsets if self._starts is None else self._starts[offsets]
        return found.tolist()  # type: ignore[no-any-return]

    def code_point(self, position: int) -> int:
        """Return a position of the client in code points."""
        if self._starts is None:
            return position
        return int(np.searchsorted(self._starts, position, side="right")) - 1
