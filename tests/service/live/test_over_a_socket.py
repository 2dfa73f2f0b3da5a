"""`/live` behind a real socket: what only a server sees."""

from __future__ import annotations

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

HELLO = json.dumps({"kind": "code", "serial": 1, "code": "x = 1"})


def live(service: Any, **more: Any) -> ClientConnection:
    return connect(service.url.replace("http", "ws") + "/live", proxy=None, close_timeout=1, **more)


def close_code(client: ClientConnection) -> int | None:
    """Return the code with which the service closes."""
    try:
        for _ in client:
            pass
    except ConnectionClosed:
        pass
    return client.close_code


def test_a_connection_outlives_the_limit_for_headers(started) -> None:
    with live(started(header_seconds=0.2)) as client:
        time.sleep(0.5)  # the limit has passed
        client.send(HELLO)
        assert json.loads(client.recv())["kind"] == "attention"


def test_text_that_is_not_utf_8_closes_the_connection(started) -> None:
    with live(started()) as client:
        client.socket.sendall(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"\xff\xfe")  # a masked text frame
        assert close_code(client) == 1007


def test_a_huge_message_closes_the_connection(started) -> None:
    with live(started(max_body_bytes=100_000)) as client:
        client.send("x" * 1_000_000)
        assert close_code(client) == 1009


def test_pages_of_other_sites_get_no_connection(started) -> None:
    service = started()
    with (
        pytest.raises(InvalidStatus) as caught,
        live(service, origin="http://example.org"),
    ):
        pass
    assert caught.value.response.status_code == 403


def test_a_service_that_stops_closes_its_connections(started) -> None:
    service = started()
    with live(service) as editor, live(service) as page:
        editor.send(HELLO)
        editor.recv()
        page.send(json.dumps({"kind": "open", "view": "panels"}))
        page.recv()
        service.stop()
        assert close_code(editor) in (1001, 1012)
        assert close_code(page) in (1001, 1012)


def test_a_client_that_does_not_read_is_given_up(started) -> None:
    service = started(body_seconds=0.3, max_sessions=1, max_message_bytes=10_000)
    place = urlsplit(service.url)
    with socket.create_connection((place.hostname, place.port)) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(
            b"GET /live HTTP/1.1\r\nHost: " + place.netloc.encode() + b"\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in raw.recv(200)
        code = "x = 1; " * 30
        body = json.dumps({"kind": "code", "serial": 1, "code": code}).encode()
        frame = bytes([0x81, 0x80 | 126, *len(body).to_bytes(2, "big"), 0, 0, 0, 0]) + body
        raw.settimeout(0.5)
        for _ in range(400):  # answers of some 100 KB each are not read
            try:
                raw.sendall(frame)
            except OSError:
                break
            time.sleep(0.01)
        deadline = time.monotonic() + 60
        while not answered(service):  # there is room for another one
            assert time.monotonic() < deadline
            time.sleep(0.1)


def answered(service: Any) -> bool:
    try:
        with live(service) as client:
            client.send(HELLO)
            return bool(json.loads(client.recv())["kind"] == "attention")
    except ConnectionClosed:
        return False
