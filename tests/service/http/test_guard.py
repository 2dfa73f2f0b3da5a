"""Host, origin, token, load and security headers."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from .test_problems import checked

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.1", "[::1]:8001", "LOCALHOST"])
def test_loopback_names_are_answered(client, host) -> None:
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", "", "[::1", "localhost."],
)
def test_other_hosts_are_not(client, host) -> None:
    if host == "[::1":
        assert client.get("/v1/models", headers={"Host": host}).status_code == 200
        return
    checked(client.get("/v1/models", headers={"Host": host}), 421, "host-refused")


def test_another_loopback_address_is_answered_under_its_own_name(open_client) -> None:
    client = open_client(host="127.0.0.2")
    assert client.get("/v1/models", headers={"Host": "127.0.0.2:8001"}).status_code == 200
    checked(client.get("/v1/models", headers={"Host": "127.0.0.3"}), 421, "host-refused")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "http://localhost:8001",
        "http://[::1",
    ],
)
def test_pages_of_other_sites_are_refused(client, origin) -> None:
    answer = client.get("/v1/models", headers={"Origin": origin})
    checked(answer, 403, "origin-refused")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_the_service_is_answered_without_cors(client) -> None:
    answer = client.get("/v1/models", headers={"Origin": "http://127.0.0.1:8001"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/v1/models", "/health", "/metrics", "/v1/openapi.json", "/no"])
@pytest.mark.parametrize(
    "given",
    [
        None,
        "Bearer",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer \xff",
    ],
)
def test_every_path_needs_the_token(open_client, path, given) -> None:
    client = open_client(token=TOKEN)
    headers = [] if given is None else [(b"authorization", given.encode("latin-1"))]
    answer = client.get(path, headers=headers)
    checked(answer, 401, "token-needed")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_opens_and_is_never_logged(open_client, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    client = open_client(token=TOKEN)
    assert client.get("/v1/models", headers=BEARER).status_code == 200
    assert client.get("/v1/models", headers={"Authorization": f"bearer {TOKEN}"}).is_success
    client.get("/v1/models", headers={"Authorization": f"Basic {TOKEN}"})
    client.post("/v1/analyze", json={"code": "x", "model": "no"}, headers=BEARER)
    assert TOKEN not in caplog.text
    document = client.get("/v1/openapi.json", headers=BEARER).json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_a_token_is_compared_in_constant_time(open_client, monkeypatch) -> None:
    import hmac

    lengths = []

    def compare(one: bytes, two: bytes) -> bool:
        lengths.append((len(one), len(two)))
        return one == two

    monkeypatch.setattr(hmac, "compare_digest", compare)
    client = open_client(token=TOKEN)
    for given in ("x", TOKEN, "y" * 1000):
        client.get("/v1/models", headers={"Authorization": f"Bearer {given}"})
    assert lengths == [(32, 32)] * 3


def test_a_host_that_others_reach_has_no_host_check_but_a_token(open_client) -> None:
    client = open_client(host="0.0.0.0", token=TOKEN)  # noqa: S104
    headers = {"Host": "my.machine:8001"}
    checked(client.get("/v1/models", headers=headers), 401, "token-needed")
    assert client.get("/v1/models", headers={**headers, **BEARER}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/no", "/v1/analyze"])
def test_every_answer_has_security_headers(client, path) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_more_requests_than_allowed_are_busy_but_health_answers(open_client) -> None:
    client = open_client(max_concurrency=1)
    worker = client.app.state.service.worker
    begun, go_on = threading.Event(), threading.Event()

    def wait(cancel: threading.Event) -> None:
        begun.set()
        go_on.wait()

    blocking = worker.submit(wait)
    begun.wait()
    queued = threading.Event()
    put = worker.record

    def record(*arguments: object) -> object:
        job = put(*arguments)
        queued.set()
        return job

    worker.record = record
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/v1/analyze", json={"code": "x"})
        queued.wait()
        answer = client.get("/v1/models")
        assert client.get("/health").status_code == 200
        go_on.set()
        assert first.result().status_code == 200
    checked(answer, 503, "overloaded")
    blocking.future.result()
    assert client.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        (BEARER, True),
        ({}, False),
        ({**BEARER, "Origin": "https://evil.example"}, False),
        ({**BEARER, "Host": "evil.example"}, False),
    ],
)
def test_web_sockets_pass_the_same_checks(open_client, headers, accepted) -> None:
    client: TestClient = open_client(token=TOKEN)

    @client.app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    address = "ws://127.0.0.1:8001/echo"
    if accepted:
        with client.websocket_connect(address, headers=headers) as socket:
            assert socket.receive_text() == "hello"
        return
    with (
        pytest.raises(WebSocketDisconnect) as raised,
        client.websocket_connect(address, headers=headers),
    ):
        pass
    assert raised.value.code == 1008
