"""`/live` for editors: numbers, order, cancelling."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from explorer.feedback import FeedbackPolicy, Unit, feedback_table
from explorer.source import code_units, units_on_tokens

LIVE = "ws://127.0.0.1:8001/live"
CODE = "def add(first, second):\n    # sums\n    return first + second\n"


def ask(socket: Any, serial: int = 1, **fields: Any) -> dict[str, Any]:
    """Send a text and return the message that answers it."""
    socket.send_json({"kind": "code", "serial": serial, "code": CODE, **fields})
    return dict(socket.receive_json())


@pytest.mark.parametrize("model", ["tiny", "encoder"])
def test_weights_are_those_of_get_attention(client, model) -> None:
    code = CODE if model == "tiny" else "def add(a, b)"
    body = {"code": code, "model": model, "layer": 1, "head": 0}
    expected = client.post("/v1/get-attention", json=body).json()
    with client.websocket_connect(LIVE) as socket:
        for serial in (1, 2):  # as a whole, and from its beginning
            found = ask(socket, serial, **body)
            assert (found["kind"], found["serial"], found["model"]) == ("attention", serial, model)
            assert found["tokens"] == expected["tokens"]
            np.testing.assert_allclose(found["weights"], expected["attention"], atol=1e-6)
            assert (found["layer"], found["head"]) == (1, 0)
        assert found["reused"] == (len(expected["tokens"]) - 1 if model == "tiny" else 0)


def test_a_key_typed_at_the_end_computes_the_end_only(client) -> None:
    longer = CODE + "x"
    expected = client.post("/v1/get-attention", json={"code": longer, "layer": -1}).json()
    with client.websocket_connect(LIVE.replace("/live", "/v1/live")) as socket:
        ask(socket)
        found = ask(socket, 2, code=longer)
    assert found["reused"] > 20
    np.testing.assert_allclose(found["weights"], expected["attention"], atol=1e-5)


def test_arrays_as_binary_frames(client) -> None:
    with client.websocket_connect(LIVE) as socket:
        plain = ask(socket, want=["weights", "received"])
        found = ask(socket, 2, want=["weights", "received"], format="binary")
        shape = [len(found["tokens"])] * 2
        assert found["weights"] == {"dtype": "float32", "shape": shape}
        weights = np.frombuffer(socket.receive_bytes(), "<f4").reshape(shape)
        received = np.frombuffer(socket.receive_bytes(), "<f4")
    # The second pass computed the last row again.
    np.testing.assert_allclose(weights, plain["weights"], atol=1e-6)
    np.testing.assert_allclose(received, plain["received"], atol=1e-6)


@pytest.mark.parametrize("pinned", [False, True])
def test_feedback_is_that_of_the_feedback_table(client, causal, pinned) -> None:
    tokenized = causal.tokenize(CODE)
    attention = causal.record(tokenized)
    pin = CODE.index("return") if pinned else None
    starts, stops = tokenized.offsets.T
    token = int(np.flatnonzero((starts <= (pin or 0)) & ((pin or 0) < stops))[0])
    found = code_units(CODE, "line", "python")
    placed = units_on_tokens(found, tokenized.offsets, tokenized.special)
    units = [Unit.from_positions(u.name, u.text, p) for u, p in zip(found, placed, strict=True)]
    rows = [token] if pinned else np.flatnonzero(~tokenized.special)
    expected = feedback_table(
        attention, units, FeedbackPolicy(threshold=0.02), rows=rows, layer=2, reduction="mass"
    )
    with client.websocket_connect(LIVE) as socket:
        answer = ask(
            socket,
            want=["feedback", "row"] if pinned else ["feedback"],
            layer=2,
            threshold=0.02,
            reduction="mass",
            pin=pin,
        )
    assert [row["unit"] for row in answer["feedback"]] == expected["unit"].tolist()
    for row, (_, wanted) in zip(answer["feedback"], expected.iterrows(), strict=True):
        assert row["score"] == pytest.approx(wanted["score"], abs=1e-6)
        assert row["feedback"] == pytest.approx(wanted["feedback"], abs=1e-5)
        assert row["verdict"] == wanted["verdict"]
    if pinned:
        assert answer["pinned"] == token
        np.testing.assert_allclose(
            answer["row"], attention.weights(2, None, np.array([token]))[0], atol=1e-6
        )


def test_offsets_as_javascript_counts_them(client) -> None:
    code = 'a = "😀😀"; b = a'
    with client.websocket_connect(LIVE) as socket:
        by_code_point = ask(socket, code=code)
        pin = len('a = "😀😀"; '.encode("utf-16-le")) // 2
        by_utf16 = ask(socket, 2, code=code, offsets="utf-16", pin=pin, want=["row"])
    utf16 = code.encode("utf-16-le")
    for (start, stop), (first, last) in zip(
        by_utf16["offsets"], by_code_point["offsets"], strict=True
    ):
        assert utf16[2 * start : 2 * stop].decode("utf-16-le") == code[first:last]
    start, stop = by_code_point["offsets"][by_utf16["pinned"]]
    assert start <= code.index("b =") < stop


class Held:
    """A model whose passes wait until they are let go, and count."""

    def __init__(self, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from explorer.models import LiveRecorder

        self.texts: list[str] = []
        self.began, self.go = threading.Semaphore(0), threading.Event()
        real = LiveRecorder.record

        def record(recorder: Any, tokenized: Any, cancel: Any = None) -> Any:
            self.texts.append(tokenized.text)
            self.began.release()
            if len(self.texts) == 1:
                # As a layer does: go on, or stop.
                while not (cancel.wait(0.01) or self.go.is_set()):
                    pass
            return real(recorder, tokenized, cancel)

        monkeypatch.setattr(LiveRecorder, "record", record)


def test_only_the_newest_text_is_worked_on(client, causal, monkeypatch) -> None:
    held = Held(causal, monkeypatch)
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"kind": "code", "serial": 1, "code": "first"})
        assert held.began.acquire(timeout=30)
        # The pass of the first stops at its next layer; those in between may not even begin.
        for serial, code in [(2, "second"), (3, "third"), (4, "fourth")]:
            socket.send_json({"kind": "code", "serial": serial, "code": code})
        answer = socket.receive_json()
        while answer["serial"] != 4:  # one that was finished before the next came
            answer = socket.receive_json()
            assert answer["serial"] != 1
        assert answer["tokens"]
    assert held.texts[0] == "first"
    assert held.texts[-1] == "fourth"


def test_a_client_that_leaves_stops_its_pass(client, causal, monkeypatch) -> None:
    held = Held(causal, monkeypatch)
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"kind": "code", "serial": 1, "code": "first"})
        assert held.began.acquire(timeout=30)
    # The worker is free again: it was not let go by the test.
    assert client.post("/v1/analyze", json={"code": "x"}).status_code == 200


def test_a_long_text_is_read_from_any_token(client) -> None:
    code = "x = 1\n" * 200
    with client.websocket_connect(LIVE) as socket:
        first = ask(socket, code=code, want=["received"])
        assert first["truncated"]
        assert first["n_total"] > first["stop"]
        rest = ask(socket, 2, code=code, want=["received"], start=first["stop"])
    assert rest["start"] == first["stop"]
    last = max(stop for _, stop in first["offsets"])
    assert min(start for start, stop in rest["offsets"] if stop) == last
