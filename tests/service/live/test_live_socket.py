"""`/live` with bad input, limits, tokens and origins: clear errors, and no harm."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from explorer.models import Model
from explorer.service import ServiceSettings, create_app
from explorer.service._live.live_messages import message_schema

from ...support.tiny_models import language_model
from ...support.tiny_tokenizers import byte_level_tokenizer

LIVE = "ws://127.0.0.1:8001/live"
TOKEN = "a-token-of-the-service"
SCHEMA = message_schema()


def checked(message: dict[str, Any], kind: str, serial: int | None = None) -> str:
    """Check an error's shape and return what it says."""
    jsonschema.validate(message, SCHEMA)
    assert message["kind"] == "error"
    assert message["serial"] == serial
    assert message["problem"]["type"].endswith(f":{kind}")
    return str(message["problem"]["detail"])


def closed(socket: Any) -> int:
    """Return the code with which the service closes."""
    message = socket.receive()
    assert message["type"] == "websocket.close"
    return int(message["code"])


@pytest.mark.parametrize(
    ("text", "kind", "serial"),
    [
        ("", "malformed-request", None),
        ("{", "malformed-request", None),
        ("[1, 2]", "invalid-input", None),
        ("null", "invalid-input", None),
        ('{"kind": "nonsense"}', "invalid-input", None),
        ('{"kind": "code", "serial": 3}', "invalid-input", 3),
        ('{"kind": "code", "serial": -3, "code": "x"}', "invalid-input", None),
        ('{"kind": "code", "serial": 1e300, "code": "x"}', "invalid-input", None),
        ('{"kind": "code", "serial": 3, "code": 5}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "more": 1}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "threshold": NaN}', "malformed-request", None),
        ('{"kind": "code", "serial": 3, "code": "x", "threshold": 1e999}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "layer": 99}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "layer": 1e40}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "head": "all"}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "want": ["gold"]}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "want": ["row"]}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "pin": 44}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": ""}', "invalid-input", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "model": "../etc"}', "model-not-found", 3),
        ('{"kind": "code", "serial": 3, "code": "x", "model": "http://a/b"}', "model-not-found", 3),
        ('{"kind": "part", "part": "header", "content": {}}', "invalid-input", None),
        ("[" * 70, "malformed-request", None),
    ],
)
def test_what_is_not_valid_is_answered_and_the_connection_goes_on(
    client, text, kind, serial
) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_text(text)
        assert checked(socket.receive_json(), kind, serial).endswith(".")
        socket.send_json({"kind": "code", "serial": 9, "code": "x"})
        assert socket.receive_json()["serial"] == 9


def test_lone_surrogates_are_an_error(client) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_text('{"kind": "code", "serial": 1, "code": "\\ud800"}')
        checked(socket.receive_json(), "malformed-request")


def test_long_messages_and_long_texts(open_client) -> None:
    client = open_client(max_message_bytes=2000, max_tokens=20)
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"kind": "code", "serial": 1, "code": "x" * 2000})
        assert "2000 bytes" in checked(socket.receive_json(), "body-too-large", 1)
        socket.send_json({"kind": "code", "serial": 2, "code": "é" * 990})
        checked(socket.receive_json(), "body-too-large", 2)
        socket.send_json({"kind": "code", "serial": 3, "code": "x = 1\n" * 20})
        assert "takes 20" in checked(socket.receive_json(), "too-many-tokens", 3)


def test_many_cells(open_client) -> None:
    client = open_client(max_cells=20)
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"kind": "code", "serial": 1, "code": "x = 1\n" * 20})
        checked(socket.receive_json(), "too-many-cells", 1)
        socket.send_json({"kind": "code", "serial": 2, "code": "x = 1\n", "want": ["received"]})
        assert socket.receive_json()["received"]


def test_binary_messages_close_the_connection(client) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_bytes(b"\xff\xfe")
        checked(socket.receive_json(), "unsupported-media-type")
        assert closed(socket) == 1003


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999"])
def test_pages_of_other_sites_are_refused(client, origin) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect(LIVE, headers={"Origin": origin}),
    ):
        pass
    assert caught.value.code == 1008
    with client.websocket_connect(LIVE, headers={"Origin": "http://127.0.0.1:8001"}):
        pass


def test_the_token_comes_first(open_client, caplog) -> None:
    caplog.set_level("DEBUG")
    client = open_client(token=TOKEN)
    hello = {"kind": "code", "serial": 1, "code": "x"}
    for first in (hello, {"kind": "open"}, {"kind": "open", "token": "wrong-" + TOKEN}):
        with client.websocket_connect(LIVE) as socket:
            socket.send_json(first)
            checked(socket.receive_json(), "token-needed")
            assert closed(socket) == 4401
    with client.websocket_connect(LIVE) as socket:
        socket.send_text("{")  # not valid: no token either
        checked(socket.receive_json(), "malformed-request")
        checked(socket.receive_json(), "token-needed")
        assert closed(socket) == 4401
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"kind": "open", "token": TOKEN})
        assert socket.receive_json()["kind"] == "opened"
        socket.send_json(hello)
        assert socket.receive_json()["kind"] == "attention"
    with client.websocket_connect(LIVE, headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        socket.send_json(hello)
        assert socket.receive_json()["kind"] == "attention"
    assert TOKEN not in caplog.text


def test_connections_are_bounded(open_client) -> None:
    client = open_client(max_sessions=2)
    connect = client.websocket_connect
    with connect(LIVE), connect(LIVE), connect(LIVE) as third:
        checked(third.receive_json(), "overloaded")
        assert closed(third) == 4429
    with client.websocket_connect(LIVE) as socket:  # there is room again
        socket.send_json({"kind": "open"})
        assert socket.receive_json()["kind"] == "opened"


def test_idle_connections_are_closed(open_client) -> None:
    client = open_client(idle_seconds=0.05)
    with client.websocket_connect(LIVE) as socket:
        assert closed(socket) == 4408


def test_a_connection_is_opened_once(client) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"kind": "open"})
        socket.receive_json()
        socket.send_json({"kind": "open", "view": "panels"})
        checked(socket.receive_json(), "invalid-input")


def test_answers_follow_the_schema(client) -> None:
    with client.websocket_connect(LIVE) as socket:
        for fields in ({}, {"format": "binary"}, {"want": ["feedback"]}):
            message = {"kind": "code", "serial": 1, "code": "x = 1", **fields}
            jsonschema.validate(message, SCHEMA)
            socket.send_json(message)
            jsonschema.validate(json.loads(socket.receive_text()), SCHEMA)
            if "format" in fields:
                socket.receive_bytes()


def test_a_released_model_is_not_kept_by_a_session() -> None:
    made: list[weakref.ref[Model]] = []

    def fresh(name: str) -> Model:
        torch_model = language_model("llama", vocab_size=400, max_position_embeddings=64)
        model = Model.wrap(torch_model, byte_level_tokenizer(), name=name)
        made.append(weakref.ref(model))
        return model

    models = {"one": "/one", "two": "/two"}
    settings = ServiceSettings(model="one", extra_models=models, max_models=1, preload=False)
    app = create_app(settings, load=fresh)
    with TestClient(app) as client, client.websocket_connect(LIVE) as socket:
        for serial, name in enumerate(models):
            socket.send_json({"kind": "code", "serial": serial, "code": "x = 1234", "model": name})
            assert socket.receive_json()["model"] == name
        gc.collect()
        assert made[0]() is None
