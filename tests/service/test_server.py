"""The service behind a socket: slow and leaving clients, stopping, ports in use."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from explorer.errors import InputError
from explorer.service import ServiceSettings, serve, start_service
from explorer.service._work.forward_worker import WorkerJob

from .work.test_forward_worker import Blocker, Layers


def connect(service) -> socket.socket:
    host, port = service.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def request(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if "Content_Length" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def everything(connection: socket.socket) -> bytes:
    """Read until the service closes the connection."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def one_answer(connection: socket.socket) -> bytes:
    """Read one answer with a Content-Length; the connection stays open."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += connection.recv(65_536)
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + body


CODE = json.dumps({"code": "x = 1"}).encode()


def test_requests_over_a_socket(started) -> None:
    service = started()
    answer = httpx.post(f"{service.url}/v1/analyze", json={"code": "x = 1"}, trust_env=False)
    assert answer.status_code == 200
    assert "server" not in answer.headers


@pytest.mark.parametrize("sent", [b"", b"POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b"])
def test_headers_that_never_end_close_the_connection(started, sent) -> None:
    service = started(header_seconds=0.2)
    with connect(service) as connection:
        connection.sendall(sent)
        assert everything(connection) == b""


def test_slow_headers_after_an_answer_close_the_connection_too(started) -> None:
    service = started(header_seconds=2)
    with connect(service) as connection:
        connection.sendall(request("/v1/analyze", CODE))
        assert one_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        assert everything(connection) == b""


def test_a_body_that_does_not_arrive_is_answered_and_closed(started) -> None:
    service = started(body_seconds=0.2)
    with connect(service) as connection:
        connection.sendall(request("/v1/analyze", b'{"code"', Content_Length="100"))
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"only 7 bytes came" in answer


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/analyze", {}, b"413"),
        ("/v1/analyze", {"Content_Encoding": "gzip"}, b"415"),
        ("/v1/nothing", {}, b"404"),
    ],
)
def test_a_client_that_sends_all_of_a_refused_body_reads_its_answer(
    started, path, headers, status
) -> None:
    # A connection that is closed while its client sends is reset, and the answer is lost.
    service = started(max_body_bytes=1000)
    with connect(service) as connection:
        connection.sendall(request(path, b" " * 20_000_000, **headers))
        assert one_answer(connection).split()[1] == status
        connection.sendall(request("/v1/analyze", CODE))
        assert one_answer(connection).startswith(b"HTTP/1.1 200")


def test_a_refused_body_that_never_ends_closes_the_connection(started) -> None:
    service = started(header_seconds=0.2)
    with connect(service) as connection, contextlib.suppress(OSError):
        connection.sendall(request("/v1/nothing", b"", Content_Length="1000000000000"))
        assert one_answer(connection).startswith(b"HTTP/1.1 404")
        while True:
            connection.sendall(b" " * 1000)


def test_what_is_not_http_is_a_problem(started) -> None:
    with connect(started()) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    assert b"not valid HTTP" in answer


def test_what_is_wrong_with_the_headers_is_named(started) -> None:
    with connect(started()) as connection:
        connection.sendall(request("/v1/analyze", CODE, Content_Length="many"))
        assert b"Content-Length" in everything(connection).partition(b"\r\n\r\n")[2]


def test_connections_are_bounded(started) -> None:
    service = started(max_connections=1)
    with connect(service) as first:
        first.sendall(request("/v1/analyze", CODE))
        assert one_answer(first).startswith(b"HTTP/1.1 200")
        with connect(service) as second, contextlib.suppress(ConnectionResetError):
            assert second.recv(10) == b""


@pytest.fixture
def cancelled(monkeypatch) -> threading.Event:
    """Set when a job was cancelled."""
    happened = threading.Event()
    cancel = WorkerJob.cancel

    def noted(job) -> None:
        cancel(job)
        happened.set()

    monkeypatch.setattr(WorkerJob, "cancel", noted)
    return happened


def test_a_client_that_leaves_stops_its_pass(started, causal, cancelled) -> None:
    service = started()
    layers = Layers(causal)
    try:
        with connect(service) as connection:
            connection.sendall(request("/v1/analyze", CODE))
            layers.begun.wait()
        assert cancelled.wait(60)
        layers.go_on.set()
        service.app.state.service.worker.submit(lambda cancel: None).future.result()
        assert layers.count == 1
    finally:
        layers.remove()
    assert (
        "explorer_cancelled_requests_total 1.0"
        in httpx.get(f"{service.url}/metrics", trust_env=False).text
    )


def test_a_client_that_leaves_gives_its_place_in_the_queue_back(started, cancelled) -> None:
    service = started()
    state = service.app.state.service
    blocker = Blocker(state.worker)
    queued = threading.Event()
    record = state.worker.record

    def noted(*arguments):
        job = record(*arguments)
        queued.set()
        return job

    state.worker.record = noted
    with connect(service) as connection:
        connection.sendall(request("/v1/analyze", CODE))
        queued.wait()
        assert state.worker.waiting == 1
    assert cancelled.wait(60)
    assert state.worker.waiting == 0
    blocker.go_on.set()


def test_stopping_finishes_what_runs(started, causal) -> None:
    service = started()
    layers = Layers(causal)
    address = f"{service.url}/v1/analyze"
    try:
        with ThreadPoolExecutor(2) as pool:
            running = pool.submit(
                httpx.post, address, json={"code": "x = 1"}, timeout=60, trust_env=False
            )
            layers.begun.wait()
            stopping = pool.submit(service.stop)
            layers.go_on.set()
            assert running.result().status_code == 200
            stopping.result()
    finally:
        layers.remove()
    with pytest.raises(httpx.ConnectError):
        httpx.post(address, json={"code": "x"}, trust_env=False)


def test_a_port_in_use_is_a_clear_error(started) -> None:
    port = int(started().url.rpartition(":")[2])
    for run in (serve, start_service):
        with pytest.raises(InputError, match=f"port {port}.*in use.*another port"):
            run(ServiceSettings(port=port))


def test_an_address_of_another_machine_is_a_clear_error() -> None:
    with pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1"):
        serve(ServiceSettings(host="192.0.2.1", token="0123456789abcdef"))


CLOSED = """
import os, signal, sys, threading
os.close(2)
sys.stderr = None
import explorer.service._server as server

def stop_soon(address, told=server._print_address):
    told(address)
    os.write(1, b"listens\\n")
    threading.Timer(0, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()

server._print_address = stop_soon
server.serve(server.ServiceSettings(port=0, preload=False))
"""


@pytest.mark.slow
def test_a_service_without_stderr_runs() -> None:
    process = subprocess.run([sys.executable, "-c", CLOSED], stdout=subprocess.PIPE, check=False)
    assert process.stdout == b"listens\n"
    assert process.returncode in (0, -signal.SIGTERM)


SERVE = """
from explorer.service import ServiceSettings, serve
serve(ServiceSettings(port=0, preload=False))
print("finished")
"""


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_serve_and_the_address_was_printed(stop) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stderr.readline()
        address = line.split()[4]
        assert httpx.get(f"{address}/v1/models", trust_env=False).status_code == 200
        process.send_signal(stop)
        out, err = process.communicate(timeout=60)
    assert err == ""
    assert out == "finished\n" or process.returncode == -stop
