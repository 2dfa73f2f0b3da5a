"""Stores that are dead, hang, or come back: analyses go on, with one warning."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from explorer.errors import ExplorerWarning, InputError, TrackingWarning
from explorer.tracking import MlflowTracker
from explorer.tracking import _delivery as delivery
from explorer.tracking._delivery import Delivery, is_remote, open_database, without_password

CODE = "x = 1"


def warned(work: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        work()
    return [one for one in found if issubclass(one.category, ExplorerWarning)]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.timeout(300)
def test_with_a_dead_server_analyses_go_on_with_one_warning(agent_of, closed_port):
    tracker = MlflowTracker(uri=f"http://user:secret@127.0.0.1:{closed_port}")
    agent = agent_of(tracker)
    results: list[Any] = []

    def work() -> None:
        results.extend(agent.analyze(CODE) for _ in range(5))
        results.append(agent.analyze_with_attention(CODE))
        results.extend(agent.analyze_many([CODE, CODE]))

    (one,) = warned(work)
    assert one.category is TrackingWarning
    assert f"http://127.0.0.1:{closed_port}" in str(one.message)
    assert "secret" not in str(one.message)
    assert len(results) == 8
    assert all(result.error is None for result in results)
    assert tracker.skipped == 7
    assert "refused" in str(tracker.failure).lower()


@pytest.mark.timeout(300)
def test_a_server_that_never_answers_is_waited_for_once(agent_of, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracker = MlflowTracker(
            uri=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.5, retry_after=0
        )
        agent = agent_of(tracker)
        (one,) = warned(lambda: [agent.analyze(CODE) for _ in range(4)])
        assert "did not answer within 0.5 s" in str(one.message)
        assert tracker.skipped == 4
        late = tracker._delivery._late
        assert late is not None
        assert late.daemon
        silent.settimeout(0.05)
        kept = []
        with contextlib.suppress(TimeoutError):
            while True:
                kept.append(silent.accept()[0])
        for connection in kept:
            connection.close()
    # One that only asked whether a server is there, and the first request of the first run.
    assert len(kept) == 2
    late.join(120)
    assert not late.is_alive()


def test_the_environment_of_the_user_is_as_before(agent_of, closed_port, monkeypatch):
    import os

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    before = dict(os.environ)
    agent = agent_of(MlflowTracker(uri=f"http://127.0.0.1:{closed_port}"))
    assert len(warned(lambda: agent.analyze(CODE))) == 1
    assert dict(os.environ) == before


def test_a_disk_that_cannot_be_written_is_a_warning(agent_of, tmp_path):
    tracker = MlflowTracker(uri=f"sqlite:///{tmp_path}/missing/mlflow.db")
    (tmp_path / "missing").write_text("a file where the folder should be")
    agent = agent_of(tracker)
    assert len(warned(lambda: [agent.analyze(CODE), agent.analyze(CODE)])) == 1


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(delivery, "time", found)
    return found


def test_a_failure_is_tried_again_later_and_warned_of_once_for_each_outage(clock):
    made = Delivery(timeout=1, retry_after=60)
    tries: list[str] = []
    alive = False

    def write(what: str) -> str:
        tries.append(what)
        if not alive:
            raise OSError("disk full")
        return f"run of {what}"

    def log(what: str) -> str | None:
        return made.run(lambda: "sqlite:///:memory:", lambda: what, write)

    with pytest.warns(TrackingWarning, match="disk full.*next try is in 60 s"):
        assert log("a") is None
    assert log("b") is None
    clock.now += 61
    assert log("c") is None  # tried, failed, and no second warning
    assert tries == ["a", "c"]
    clock.now += 61
    alive = True
    assert log("d") == "run of d"
    assert log("e") == "run of e"
    assert made.failure is None
    assert made.skipped == 3
    alive = False
    with pytest.warns(TrackingWarning):
        assert log("f") is None


def test_what_cannot_be_prepared_is_a_warning_and_nothing_is_prepared_while_waiting(clock):
    made = Delivery(timeout=1, retry_after=60)
    prepared: list[int] = []

    def prepare() -> int:
        prepared.append(1)
        raise MemoryError("a picture too large")

    with pytest.warns(TrackingWarning, match="a picture too large"):
        made.run(lambda: "sqlite:///:memory:", prepare, str)
    made.run(lambda: "sqlite:///:memory:", prepare, str)
    assert prepared == [1]


@pytest.mark.parametrize(
    ("uri", "remote"),
    [
        ("sqlite:///mlflow.db", False), ("sqlite+pysqlite:////x.db", False), ("./mlruns", False),
        ("file:///runs", False), ("C:/runs", False), ("http://localhost:5000", True),
        ("https://x.org", True), ("databricks", True), ("databricks://profile", True),
        ("postgresql://u:p@host/db", True), ("mysql+pymysql://host/db", True),
    ],
)  # fmt: skip
def test_which_stores_may_be_on_another_machine(uri, remote):
    assert is_remote(uri) is remote


def test_passwords_are_not_shown():
    assert without_password("postgresql://u:p@host:1/db?key=k") == "postgresql://host:1/db"
    assert without_password("sqlite:///x.db") == "sqlite:///x.db"
    assert "secret" not in without_password("http://user:secret@[::1")


class Server(BaseHTTPRequestHandler):
    """As much of MLflow's REST interface as a run needs."""

    calls: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    artifacts = ""

    def answer(self, body: dict[str, Any]) -> None:
        name = self.path.partition("?")[0].rpartition("mlflow/")[2]
        self.calls.append((name, body))
        info = {
            "run_id": "r1", "run_uuid": "r1", "experiment_id": "7", "status": "RUNNING",
            "start_time": 1, "artifact_uri": self.artifacts, "lifecycle_stage": "active",
        }  # fmt: skip
        run = {"info": info, "data": {}}
        answers: dict[str, dict[str, Any]] = {
            "experiments/get-by-name": {"experiment": {"experiment_id": "7", "name": "code"}},
            "runs/create": {"run": run},
            "runs/get": {"run": run},
            "runs/update": {"run_info": info},
        }
        written = json.dumps(answers.get(name, {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.mark.timeout(300)
def test_a_living_server_gets_the_run_and_nothing_is_printed(agent_of, tmp_path, capfd):
    Server.calls.clear()
    Server.artifacts = (tmp_path / "artifacts").as_uri()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        tracker = MlflowTracker("code", f"http://127.0.0.1:{server.server_port}", timeout=60)
        agent_of(tracker).analyze_with_attention(CODE)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert tracker.failure is None
    sent = dict(Server.calls)
    metrics = {one["key"]: one["value"] for one in sent["runs/log-batch"]["metrics"]}
    assert metrics["code_length"] == len(CODE)
    assert sent["runs/update"]["status"] == "FINISHED"
    assert (tmp_path / "artifacts" / "heatmap.png").exists()
    assert capfd.readouterr().out == ""


def test_a_database_that_cannot_be_opened_is_not_tried_for_minutes(agent_of, tmp_path, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr("mlflow.store.db.utils.time.sleep", waited.append)
    folder = tmp_path / "folder.db"
    folder.mkdir()
    tracker = MlflowTracker(uri=folder)
    agent = agent_of(tracker)
    (one,) = warned(lambda: [agent.analyze(CODE), agent.analyze(CODE)])
    assert "unable to open database file" in str(one.message)
    assert tracker.skipped == 2
    assert waited == []


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "http://h/x", "./mlruns", ""])
def test_stores_that_are_no_file_are_not_opened(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_database(uri, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.db"
    path.write_bytes(b"my notes, no database " * 50)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        open_database(f"sqlite:///{path}", 1)
    assert path.read_bytes() == b"my notes, no database " * 50


def test_an_address_of_the_environment_that_is_not_valid_is_a_warning(agent_of, monkeypatch):
    monkeypatch.setattr("mlflow.get_tracking_uri", lambda: "http://[::1")
    agent = agent_of(MlflowTracker())
    assert len(warned(lambda: [agent.analyze(CODE), agent.analyze(CODE)])) == 1


@pytest.mark.parametrize(
    "change", [{"uri": "http://[::1"}, {"uri": 5}, {"artifact_location": 5}, {"uri": b"x"}]
)
def test_what_is_no_address_is_refused_at_once(change):
    (name,) = change
    with pytest.raises(InputError, match=f"{name} must be an address or a path"):
        MlflowTracker(**change)
