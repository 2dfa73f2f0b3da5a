"""Every error has the same shape, its own type, and says what to do."""

from __future__ import annotations

import json
import threading

import pytest
from starlette.testclient import TestClient

from explorer.errors import ModelError
from explorer.models import Model
from explorer.service import ServiceSettings, create_app
from explorer.service._http.problems import KINDS

from ...support.call_counter import count_calls

JSON = {"Content-Type": "application/json"}


def checked(answer, status: int, kind: str) -> dict:
    """Check the shape of a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) <= {"type", "title", "status", "detail", "errors"}
    assert body["type"] == f"urn:attention-explorer:problem:{kind}"
    assert body["status"] == status == KINDS[kind].status
    assert body["title"] == KINDS[kind].title
    assert len(body["detail"]) > 10
    for error in body.get("errors", []):
        assert set(error) == {"pointer", "detail"}
    return body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"   ", "empty"),
        (b"{", "not valid JSON"),
        (b'{"code": NaN}', "NaN"),
        (b'{"code": "x", "layer": -Infinity}', "Infinity"),
        (b'{"code": "\xff"}', "byte 10"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b"[" * 100_000, "64 levels"),
        (b'{"code": ' + b'{"a":' * 100 + b"1" + b"}" * 101, "64 levels"),
        (b'{"code": "\\ud800"}', "half of a UTF-16 surrogate pair"),
        (b'{"code": "\\udc00 "}', "half of a UTF-16 surrogate pair"),
        (b'{"code": "\\uD83D and more text"}', "half of a UTF-16 surrogate pair"),
        (b'{"code": "\\ud83d\\ude00",}', "trailing comma"),
        (b'{"code": "\\\\ud83d', "truncated"),
        (b'\xef\xbb\xbf{"code": "x"}', "byte order mark"),
    ],
)
def test_a_body_that_is_not_json_is_malformed(client, body, words) -> None:
    answer = client.post("/v1/get-attention", content=body, headers=JSON)
    assert words in checked(answer, 400, "malformed-request")["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("7", ""),
        ("[]", ""),
        ("{}", ""),
        ('{"code": 7}', "/code"),
        ('{"code": ""}', "/code"),
        ('{"code": "  "}', "/code"),
        ('{"code": "x", "layer": "last"}', "/layer"),
        ('{"code": "x", "layer": 1.5}', "/layer"),
        ('{"code": "x", "layer": 99999999999999999999999999}', "/layer"),
        ('{"code": "x", "layer": 1e999}', "/layer"),
        ('{"code": "x", "layer": ' + "9" * 100_000 + "}", "/layer"),
        ('{"code": "x", "rows": [1]}', "/rows"),
        ('{"code": "x", "rows": [1, "b"]}', "/rows/1"),
        ('{"code": "x", "precision": 0}', "/precision"),
        ('{"code": "x", "colour": 1}', ""),
    ],
)
def test_a_value_that_does_not_fit_is_pointed_at(client, body, pointer) -> None:
    answer = client.post("/v1/get-attention", content=body, headers=JSON)
    problem = checked(answer, 422, "invalid-input")
    assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/analyze", {"code": " \n\u3000"}, "white space alone at /code"),
        ("/v1/analyze", {"code": "x", "tongue": "py"}, "this request has code, model"),
        ("/v1/explain", {"colorscale": "pink"}, "'cividis', 'magma', 'violet', 'viridis'"),
        ("/v1/explain", {"scaling": "exp"}, "'linear', 'log', 'sqrt' at /scaling"),
    ],
)
def test_a_value_that_does_not_fit_has_what_was_expected(client, path, body, words) -> None:
    answer = client.post(path, json=body)
    assert words in checked(answer, 422, "invalid-input")["detail"]


@pytest.mark.parametrize("number", ["1e999", "-1e400", "9" * 400 + ".0"])
def test_a_gigantic_number_is_named(client, number) -> None:
    body = '{"trace": {"id": "t", "score": [' + number + "]}}"
    answer = client.post("/v1/feedback", content=body, headers=JSON)
    problem = checked(answer, 422, "invalid-input")
    assert "too large" in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/trace"


@pytest.mark.parametrize(
    ("change", "words"), [({"layer": 3}, "0 to 2"), ({"head": -5}, "0 to 3"), ({"code": "\0"}, "")]
)
def test_a_layer_or_head_that_does_not_exist_is_refused_before_the_model_runs(
    client, change, words, monkeypatch
) -> None:
    passes = count_calls(monkeypatch, "explorer.models.Model.record_batch")
    answer = client.post("/v1/get-attention", json={"code": "x", **change})
    if words:
        problem = checked(answer, 422, "invalid-input")
        assert words in problem["detail"]
        assert [one["pointer"] for one in problem["errors"]] == [f"/{name}" for name in change]
        assert passes == []


@pytest.mark.parametrize(
    "name",
    [
        "/models/llama",
        "../models",
        "file:///etc/passwd",
        "https://example.org/model",
        "~",
        ".",
        "owner/unknown",
        "",
        "x" * 10_000,
        "tiny\0",
        "%2e%2e%2f",
    ],
)
def test_a_model_that_is_a_path_or_an_address_is_not_found(client, name, monkeypatch) -> None:
    loads = count_calls(monkeypatch, "explorer.models._catalogue.model_loader._load")
    answer = client.post("/v1/analyze", json={"code": "x", "model": name})
    problem = checked(answer, 404, "model-not-found")
    assert len(name) < 2 or name not in problem["detail"]
    assert loads == []


def test_a_model_of_the_menu_is_not_downloaded_for_a_request(client, monkeypatch) -> None:
    fetched = count_calls(monkeypatch, "explorer.models._catalogue.hub.fetch")
    answer = client.post("/v1/analyze", json={"code": "x", "model": "Qwen/Qwen3-0.6B"})
    assert "not installed" in checked(answer, 404, "model-not-found")["detail"]
    assert fetched == []


def test_paths_and_methods_that_do_not_exist(client) -> None:
    up = ("/v1/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/page/../web.js")
    for path in (*up, "/v2/analyze", "/docs", "/page", "/page/web.ts"):
        checked(client.get(path), 404, "not-found")
    # No redirect: it would name the host of the request.
    checked(client.get("/v1/health/", follow_redirects=False), 404, "not-found")
    answer = client.get("/v1/analyze")
    checked(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
    checked(client.request("OPTIONS", "/v1/analyze"), 405, "method-not-allowed")
    checked(client.request("BREW", "/v1/models"), 405, "method-not-allowed")


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "nonsense"])
def test_a_format_that_is_not_offered(client, accept) -> None:
    answer = client.post("/v1/analyze", json={"code": "x"}, headers={"Accept": accept})
    assert "application/x-npy" in checked(answer, 406, "not-acceptable")["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": ""},
        {**JSON, "Content-Encoding": "gzip"},
        {**JSON, "Content-Encoding": "br, gzip"},
    ],
)
def test_bodies_in_other_formats_are_refused_unread(client, headers) -> None:
    answer = client.post("/v1/analyze", content=b'{"code": "x"}', headers=headers)
    checked(answer, 415, "unsupported-media-type")


def test_a_long_body_is_refused_by_its_length_and_without_one(open_client) -> None:
    client = open_client(max_body_bytes=100)
    body = json.dumps({"code": "x" * 200}).encode()
    answer = client.post("/v1/analyze", content=body, headers=JSON)
    assert "100 bytes" in checked(answer, 413, "body-too-large")["detail"]
    sent = []

    def pieces():
        for _ in range(1000):
            sent.append(1)
            yield b"x" * 30

    answer = client.post("/v1/analyze", content=pieces(), headers=JSON)
    checked(answer, 413, "body-too-large")
    assert client.post("/v1/analyze", json={"code": "x" * 80}).status_code == 200


def test_limits_of_tokens_and_cells(open_client) -> None:
    client = open_client(max_tokens=20, max_cells=40)
    long = client.post("/v1/analyze", json={"code": "a b c d e f g h i j k l m n"})
    assert "this service takes 20" in checked(long, 413, "too-many-tokens")["detail"]
    wide = {"code": "a b c d"}
    whole = client.post("/v1/analyze-attention", json=wide)
    assert "40" in checked(whole, 413, "too-many-cells")["detail"]
    checked(client.post("/v1/get-attention", json=wide), 413, "too-many-cells")
    row = client.post("/v1/get-attention", json={**wide, "rows": [-1, 99]})
    assert row.status_code == 200
    matrix = {"tokens": ["a"] * 8, "attention": [[0.0] * 8] * 8}
    checked(client.post("/v1/explain", json=matrix), 413, "too-many-cells")


@pytest.mark.parametrize("model", ["tiny", "encoder"])
def test_much_too_long_code_is_refused_by_its_beginning(client, monkeypatch, model) -> None:
    lengths: list[int] = []
    tokenize = Model.tokenize

    def noted(self: Model, text: str, start: int = 0):
        lengths.append(len(text))
        return tokenize(self, text, start)

    monkeypatch.setattr(Model, "tokenize", noted)
    answer = client.post("/v1/analyze", json={"code": "ab " * 1_000_000, "model": model})
    problem = checked(answer, 413, "too-many-tokens")
    assert "more than 2048 tokens; this service takes 2048" in problem["detail"]
    assert max(lengths) < 100_000


@pytest.mark.parametrize("code", ["x = 1" + " " * 1_000_000, " " * 1_000_000 + "x = 1"])
def test_long_code_of_few_tokens_is_read_to_its_end(client, code) -> None:
    # This tokenizer drops white space.
    body = {"code": code, "model": "encoder"}
    short = client.post("/v1/analyze", json={**body, "code": "x = 1"}).json()
    assert client.post("/v1/analyze", json=body).json()["n_tokens"] == short["n_tokens"]


def test_code_that_the_model_cuts_counts_as_a_whole(open_client) -> None:
    client = open_client(max_tokens=100)
    answer = client.post("/v1/analyze", json={"code": "x = 1\n" * 200, "model": "encoder"})
    checked(answer, 413, "too-many-tokens")


def test_a_failure_has_no_details(client, monkeypatch, caplog) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret is in /home/secret")

    monkeypatch.setattr("explorer.service._endpoints.code_endpoints._embedding", broken)
    answer = client.post("/v1/analyze", json={"code": "x"})
    checked(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert "/home/secret" in caplog.text


def test_a_model_that_cannot_be_loaded_is_unavailable(caplog) -> None:
    def refuse(name: str) -> Model:
        raise ModelError("There is no folder /home/secret.")

    settings = ServiceSettings(model="mine", extra_models={"mine": "/home/secret"}, preload=False)
    app = create_app(settings, load=refuse)
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.post("/v1/analyze", json={"code": "x"})
    checked(answer, 503, "model-unavailable")
    assert answer.headers["retry-after"] == "30"
    assert "secret" not in answer.text
    assert "/home/secret" in caplog.text


def test_a_full_queue_is_busy(open_client) -> None:
    client = open_client(max_queue=1)
    worker = client.app.state.service.worker
    begun, go_on = threading.Event(), threading.Event()

    def wait(cancel: threading.Event) -> None:
        begun.set()
        go_on.wait()

    running = worker.submit(wait)
    begun.wait()
    waiting = worker.submit(lambda cancel: None)
    try:
        answer = client.post("/v1/analyze", json={"code": "x"})
        checked(answer, 503, "overloaded")
        assert answer.headers["retry-after"] == "1"
    finally:
        go_on.set()
    running.future.result()
    waiting.future.result()
    assert client.post("/v1/analyze", json={"code": "x"}).status_code == 200


def test_time_is_limited_and_the_waiting_job_is_removed(open_client) -> None:
    client = open_client(request_seconds=0.2)
    worker = client.app.state.service.worker
    begun, go_on = threading.Event(), threading.Event()

    def wait(cancel: threading.Event) -> None:
        begun.set()
        go_on.wait()

    running = worker.submit(wait)
    begun.wait()
    try:
        checked(client.post("/v1/analyze", json={"code": "x"}), 504, "time-limit")
        assert worker.waiting == 0
    finally:
        go_on.set()
    running.future.result()
