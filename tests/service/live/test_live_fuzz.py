"""Messages to `/live` that are right, wrong and broken: each is answered, and nothing fails.

``EXPLORER_FUZZ_REQUESTS`` sets the number of messages; 100,000 is the long mode.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from explorer.service import ServiceSettings, create_app
from explorer.service._live.live_messages import message_schema

from ..conftest import NAMES

MESSAGES = int(os.environ.get("EXPLORER_FUZZ_REQUESTS", "1000"))
EACH = 50
LIVE = "ws://127.0.0.1:8001/live"
VALUES: list[Any] = [
    None, True, 0, -1, 1, 2, 3.5, 1e30, -(2**63), 2**64, "", "x", "line", "\ud800", "\0", "😀" * 40,
    "def f(x):\n    return x\n" * 30, "../../etc/passwd", "http://example.org/", [], ["weights"],
    ["row", "feedback", "received"], {}, {"kind": "code"}, [[[[]]]],
]  # fmt: skip
FIELDS = [
    "kind", "serial", "code", "model", "layer", "head", "want", "format", "offsets", "unit_kind",
    "threshold", "reduction", "normalisation", "pin", "start", "view", "token", "state", "part",
    "content", "more",
]  # fmt: skip
STARTS: list[dict[str, Any]] = [
    {"kind": "code", "serial": 1, "code": "a = 1\nb = a\n", "want": ["feedback"]},
    {"kind": "code", "serial": 1, "code": "x", "want": ["weights"], "layer": 0, "head": 1},
    {"kind": "open"},
    {"kind": "part", "part": "toolbar", "content": {"kind": "set"}},
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(max(600, MESSAGES))]


def broken(random_: random.Random) -> str:
    """Return a message with a few things changed, or a text with a few letters changed."""
    message = dict(random_.choice(STARTS))
    for _ in range(random_.randrange(3)):
        message[random_.choice(FIELDS)] = random_.choice(VALUES)
    text = json.dumps(message)
    if random_.random() < 0.3:
        at = random_.randrange(len(text))
        text = text[:at] + random_.choice(["", "[", "\0", '"', "NaN", "}", "é"]) + text[at + 1 :]
    return text


def test_every_message_is_answered(causal, encoder) -> None:
    models = {"/models/llama": causal, "/models/bert": encoder}
    app = create_app(
        ServiceSettings(model="tiny", extra_models=NAMES, max_tokens=120),
        load=models.__getitem__,
    )
    random_ = random.Random(7)  # noqa: S311
    schema = jsonschema.Draft202012Validator(message_schema())
    answered: set[str] = set()
    with TestClient(app, base_url="http://127.0.0.1:8001") as client:
        for _ in range(max(1, MESSAGES // EACH)):
            with client.websocket_connect(LIVE) as socket:
                for _ in range(EACH):
                    socket.send_text(broken(random_))
                socket.send_json({"kind": "code", "serial": 2**50, "code": "the end"})
                found: dict[str, Any] = {}
                while found.get("serial") != 2**50:
                    received = socket.receive()
                    assert received["type"] == "websocket.send"
                    if not received.get("text"):
                        continue  # an array
                    found = json.loads(received["text"])
                    schema.validate(found)
                    kind = found["kind"]
                    answered.add(found["problem"]["type"] if kind == "error" else kind)
    assert not [one for one in answered if "internal" in one]
    kinds = {one.rpartition(":")[2] for one in answered}
    assert {"attention", "invalid-input", "malformed-request"} <= kinds


def test_every_gesture_of_a_page_is_answered(causal, encoder) -> None:
    models = {"/models/llama": causal, "/models/bert": encoder}
    app = create_app(
        ServiceSettings(model="tiny", extra_models=NAMES, max_tokens=120),
        load=models.__getitem__,
    )
    random_ = random.Random(8)  # noqa: S311
    parts = ["header", "toolbar", "head_selector", "heatmap", "code_text", "bars", "status", "x"]
    kinds = ["set", "run", "pin", "hover", "window", "example", "head", "exact", "zoom", "cancel"]
    names = ["layer", "head", "threshold", "unit_kind", "model", "heads", "trace", "tab", "source"]
    with TestClient(app, base_url="http://127.0.0.1:8001") as client:
        for _ in range(max(1, MESSAGES // 4 // EACH)):
            with client.websocket_connect(LIVE) as socket:
                socket.send_json({"kind": "open", "view": "panels"})
                assert socket.receive_json()["kind"] == "opened"
                for _ in range(EACH):
                    content = {
                        name: random_.choice(VALUES)
                        for name in ["value", "source", "index", "start", "rows", "layer", "head"]
                    }
                    content |= {"kind": random_.choice(kinds), "name": random_.choice(names)}
                    message = {"kind": "part", "part": random_.choice(parts), "content": content}
                    socket.send_text(json.dumps(message))
                socket.send_json({"kind": "part", "part": "header", "content": {"kind": "copy"}})
                while True:
                    received = socket.receive()
                    assert received["type"] == "websocket.send", received
                    assert "internal-error" not in (received.get("text") or "")
                    if b'"copy"' in (received.get("bytes") or b"")[:400]:
                        break
