"""`/live` for the page at `/`: the panels' messages, and what is left when it is closed."""

from __future__ import annotations

import asyncio
import gc
import json
import struct
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from explorer.service._live.page_outbox import PageOutbox
from explorer.widgets._page import code_page

LIVE = "ws://127.0.0.1:8001/live"
CODE = "def add(first, second):\n    return first + second\n"


def read_frame(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return a frame and its buffers, as the page reads them."""
    (length,) = struct.unpack_from("<I", data)
    frame = json.loads(data[4 : 4 + length])
    at, buffers = 4 + length, []
    for size in frame["sizes"]:
        at += -at % 8
        buffers.append(data[at : at + size])
        at += size
    return frame, buffers


class Page:
    """What the page at `/` knows, by its messages."""

    def __init__(self, socket: Any, **state: Any) -> None:
        self.socket = socket
        self.states: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        socket.send_json({"kind": "open", "view": "panels", "state": {"source": CODE, **state}})
        assert socket.receive_json()["kind"] == "opened"

    def report(self, part: str, **content: Any) -> None:
        self.socket.send_json({"kind": "part", "part": part, "content": content})

    def until(self, condition: Any) -> None:
        while not condition(self):
            received = self.socket.receive()
            assert received["type"] == "websocket.send"
            if received.get("text"):
                self.messages.append(json.loads(received["text"]))
                continue
            frame, buffers = read_frame(received["bytes"])
            if frame["kind"] == "message":
                self.messages.append(frame)
                continue
            for path, buffer in zip(frame["paths"], buffers, strict=True):
                node = frame["state"]
                for step in path[:-1]:
                    node = node[step]
                node[path[-1]] = buffer
            self.states.setdefault(frame["part"], {}).update(frame["state"])

    def content(self, part: str, name: str) -> Any:
        return (self.states.get(part, {}).get("content") or {}).get(name)

    def codes(self) -> np.ndarray[Any, Any]:
        """Cells of the heatmap in view."""
        state = self.states["heatmap"]
        cells = state.get("heatmap") or state["figure"]["data"][0]["cells"]
        return np.frombuffer(cells["codes"], np.uint8).reshape(cells["rows"], cells["columns"])


def has_picture(page: Page) -> bool:
    return bool(page.states.get("heatmap", {}).get("figure")) and page.content("toolbar", "counts")


def test_typed_code_becomes_a_heatmap(client, causal) -> None:
    longer = CODE + "add(1, 2)"
    with client.websocket_connect(LIVE) as socket:
        page = Page(socket, layer=1, head=0)
        page.until(has_picture)
        page.report("code_text", kind="run", source=longer)
        count = len(causal.tokenize(longer))
        page.until(lambda page: len(page.codes()) == count)
        page.until(lambda page: f"{count} tokens" in page.content("code_text", "title"))
        # The colours say what get-attention says: the sink, the first column, is hidden.
        body = {"code": longer, "layer": 1, "head": 0}
        weights = client.post("/v1/get-attention", json=body).json()["attention"]
        expected = np.sqrt(np.array(weights)[:, 1:])
    found = page.codes() / 254
    zmax = page.states["heatmap"]["figure"]["data"][0]["cells"]["zmax"]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99, zmax


def test_models_that_clients_may_not_name_are_refused(client) -> None:
    with client.websocket_connect(LIVE) as socket:
        page = Page(socket)
        page.until(has_picture)
        page.report("header", kind="set", name="model", value="/etc/passwd")
        page.until(lambda page: page.content("status", "error"))
        assert "no model of this name" in page.content("status", "error")
        names = [one[0] for group in page.content("header", "models") for one in group["options"]]
        assert {"tiny", "encoder"} <= set(names)
        page.report("header", kind="set", name="model", value="encoder")
        page.until(lambda page: page.content("header", "model") == "encoder")


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("nothing", {"kind": "set"}),
        ("header", {"kind": "set", "name": "tab", "value": "traces"}),
    ],
)
def test_parts_that_are_not_there(client, part, content) -> None:
    with client.websocket_connect(LIVE) as socket:
        page = Page(socket)
        page.report(part, **content)
        page.until(lambda page: any(one["kind"] == "error" for one in page.messages))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": 5},
        {"kind": "set", "name": "source", "value": "x"},
        {"kind": "set", "name": "layer", "value": 1e99},
        {"kind": "set", "name": "threshold", "value": "x"},
        {"kind": "set", "name": "heads", "value": {"a": 1}},
        {"kind": "set", "name": "trace", "value": 3},
        {"kind": "run", "source": ""},
        {"kind": "run"},
    ],
)
@pytest.mark.parametrize("part", ["toolbar", "code_text"])
def test_gestures_that_are_not_valid_are_told_on_the_page(client, part, content) -> None:
    with client.websocket_connect(LIVE) as socket:
        page = Page(socket)
        page.until(has_picture)
        page.report(part, **content)
        page.report("header", kind="copy")  # the page goes on
        page.until(
            lambda page: any((m.get("content") or {}).get("kind") == "copy" for m in page.messages)
        )


def test_a_closed_page_leaves_nothing(client, monkeypatch) -> None:
    made: list[weakref.ref[Any]] = []
    real = code_page.CodePage.__init__

    def noted(self: Any, *args: Any) -> None:
        real(self, *args)
        made.append(weakref.ref(self))

    monkeypatch.setattr(code_page.CodePage, "__init__", noted)
    for _ in range(2):
        with client.websocket_connect(LIVE) as socket:
            Page(socket).until(has_picture)
    assert client.get("/v1/health").status_code == 200
    for thread in threading.enumerate():
        if thread.name == "explorer-page":
            thread.join(30)
            assert not thread.is_alive()
    gc.collect()
    assert [one() for one in made] == [None, None]


def test_only_the_newest_state_waits() -> None:
    async def use() -> list[tuple[dict[str, Any], list[bytes]]]:
        outbox = PageOutbox(asyncio.get_running_loop())
        outbox.places = {"id": "bars"}

        def update(**state: Any) -> None:
            outbox.put("id", {"method": "update", "state": state, "buffer_paths": []}, [])

        update(figure=1, marks=1)
        update(figure=2)
        outbox.put("id", {"method": "custom", "content": {"kind": "exact"}}, [b"abc"])
        update(figure=3)
        update(figure=4)
        return [read_frame(frame) for frame in await outbox.next_frames()]

    (first, _), (message, buffers), (last, _) = asyncio.run(use())
    assert first["state"] == {"figure": 2, "marks": 1}
    assert (message["content"], buffers) == ({"kind": "exact"}, [b"abc"])
    assert last["state"] == {"figure": 4}
