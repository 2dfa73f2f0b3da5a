"""The model hub: what it may answer, and that it is asked once when it does not."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from explorer.errors import (
    Cancelled,
    HubUnreachableError,
    ModelError,
    ModelNotFoundError,
)
from explorer.models import available_models, clear_models, load_model
from explorer.models._catalogue.hub import is_cached

_PICKLED = b"pickled weights"


class FakeHub:
    """A hub on this machine that speaks the few calls a download makes."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], dict[str, bytes]] = {}  # (model, revision)
        self.discussions: dict[str, list[dict[str, Any]]] = {}
        self.refusal: tuple[int, dict[str, str]] | None = None
        self.html = False
        self.half = threading.Event()  # set: the second half of the weights waits for `go_on`
        self.go_on = threading.Event()
        self.requests: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def add(self, name: str, files: dict[str, bytes], revision: str = "main") -> None:
        self.files[name, revision] = files

    def answer(self, http: BaseHTTPRequestHandler, *, body: bool) -> None:
        url = urlsplit(http.path)
        self.requests.append(f"{http.command} {url.path}")
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        if self.refusal is not None:
            self.send(http, self.refusal[0], {}, b"{}", body, self.refusal[1])
        elif self.html:
            self.send(http, 200, {}, b"<html>Please log in to the Wi-Fi</html>", body)
        elif parts[:2] == ["api", "models"]:
            self.answer_api(http, parts[2:], parse_qs(url.query), body)
        else:
            name, revision, path = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
            content = self.files.get((name, self.branch(name, revision)), {}).get(path)
            if content is None:
                self.send(http, 404, {}, b"", body, {"X-Error-Code": "EntryNotFound"})
                return
            commit = self.commit(name, self.branch(name, revision))
            etag = hashlib.sha256(content).hexdigest()
            self.send(
                http,
                200,
                {"X-Repo-Commit": commit, "ETag": f'"{etag}"'},
                content,
                body,
                until=self.go_on if self.half.is_set() and path.endswith(".safetensors") else None,
            )

    def answer_api(self, http: Any, parts: list[str], query: dict[str, Any], body: bool) -> None:
        name, rest = "/".join(parts[:2]), parts[2:]
        if not any(known == name for known, _ in self.files):
            self.send(http, 404, {}, b"{}", body, {"X-Error-Code": "RepoNotFound"})
            return
        if rest[:1] == ["discussions"]:
            found = list(self.discussions.get(name, []))
            answer: Any = {"count": len(found), "start": 0, "discussions": found}
        else:
            revision = self.branch(name, "/".join(rest[1:]) if rest else "main")
            files = self.files.get((name, revision))
            if files is None:
                self.send(http, 404, {}, b"{}", body, {"X-Error-Code": "RevisionNotFound"})
                return
            described = [
                {
                    "type": "file",
                    "path": path,
                    "rfilename": path,
                    "size": len(content),
                    "oid": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
                    "blobId": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
                }
                for path, content in files.items()
            ]
            answer = described
            if rest[:1] != ["tree"]:
                answer = {
                    "id": name,
                    "sha": self.commit(name, revision),
                    "private": False,
                    "siblings": described,
                }
        self.send(
            http, 200, {"Content-Type": "application/json"}, json.dumps(answer).encode(), body
        )

    def branch(self, name: str, revision: str) -> str:
        """The branch of a commit, or the branch itself."""
        for known, branch in self.files:
            if known == name and self.commit(name, branch) == revision:
                return branch
        return revision

    @staticmethod
    def commit(name: str, revision: str) -> str:
        return hashlib.sha1(f"{name}@{revision}".encode(), usedforsecurity=False).hexdigest()

    @staticmethod
    def send(
        http: Any,
        status: int,
        headers: dict[str, str],
        content: bytes,
        body: bool,
        more: dict[str, str] | None = None,
        *,
        until: threading.Event | None = None,
    ) -> None:
        http.send_response(status)
        for key, value in {**headers, **(more or {})}.items():
            http.send_header(key, value)
        http.send_header("Content-Length", str(len(content)))
        http.end_headers()
        if not body:
            return
        try:
            if until is not None:
                half = len(content) // 2
                http.wfile.write(content[:half])
                http.wfile.flush()
                until.wait(60)
                content = content[half:]
            http.wfile.write(content)
        except OSError:
            return  # the other side hung up, as a cancelled download does


@pytest.fixture
def online(monkeypatch, tmp_path) -> Iterator[None]:
    """Lift offline mode and give the test a hub cache of its own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "explorer"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return


@pytest.fixture
def hub(online, monkeypatch) -> Iterator[FakeHub]:
    server = FakeHub()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    yield server
    server.close()


@pytest.fixture
def weights(llama_folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in llama_folder.iterdir()}


def pickled(files: dict[str, bytes]) -> dict[str, bytes]:
    kept = {name: content for name, content in files.items() if name != "model.safetensors"}
    return {**kept, "pytorch_model.bin": _PICKLED}


def conversion(author: str = "SFconvertbot", number: int = 7) -> dict[str, Any]:
    return {
        "title": "Adding `safetensors` variant of this model",
        "num": number,
        "author": {"name": author},
        "createdAt": "2023-01-01T00:00:00.000Z",
        "status": "open",
        "repo": {"name": "tiny/pickled", "type": "model"},
        "isPullRequest": True,
    }


def test_a_model_is_downloaded_with_progress_and_found_again_offline(hub, weights, monkeypatch):
    hub.add("tiny/llama", {**weights, "onnx/model.onnx": b"no", "consolidated.safetensors": b"no"})
    seen = []
    model = load_model("tiny/llama", progress=seen.append)
    assert model.kind == "causal"
    assert model.tokenize("def f(): pass").tokens[1] == "def"
    fractions = [step.fraction for step in seen if step.stage == "download"]
    assert fractions[0] is None
    assert fractions[1:] == sorted(fractions[1:])
    assert [step.stage for step in seen][-1] == "loading"
    assert not [line for line in hub.requests if "onnx" in line or "consolidated" in line]

    asked = list(hub.requests)
    clear_models()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert is_cached("tiny/llama")
    assert load_model("tiny/llama").n_layers == 3
    assert hub.requests == asked


def test_an_id_that_does_not_exist(hub):
    with pytest.raises(ModelNotFoundError, match=r"no model 'tiny/none'.*spelling"):
        load_model("tiny/none")


def test_a_revision_that_does_not_exist(hub, weights):
    hub.add("tiny/llama", weights)
    with pytest.raises(ModelNotFoundError, match="revision"):
        load_model("tiny/llama@nowhere")


def test_a_named_revision(hub, weights):
    hub.add("tiny/llama", pickled(weights))
    hub.add("tiny/llama", weights, "refs/pr/3")
    assert load_model("tiny/llama@refs/pr/3").n_layers == 3


def test_a_hub_that_never_answers_is_asked_once(online, monkeypatch):
    monkeypatch.setattr("explorer.models._catalogue.hub._ANSWER_WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(HubUnreachableError, match=r"packaged model.*folder"):
            load_model("tiny/llama")
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_hub_that_is_not_there_is_not_waited_for(online, monkeypatch):
    naps = []
    monkeypatch.setattr("time.sleep", naps.append)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubUnreachableError, match="did not answer"):
        load_model("tiny/llama")
    assert naps == []


def test_a_hub_that_goes_silent_during_the_download(hub, weights, monkeypatch):
    monkeypatch.setattr("explorer.models._catalogue.file_transfer.STALL_S", 0.5)
    hub.add("tiny/llama", weights)
    hub.half.set()
    with pytest.raises(HubUnreachableError, match="did not answer"):
        load_model("tiny/llama")


def test_stopping_a_download_waits_for_no_more_bytes(hub, weights):
    hub.add("tiny/llama", weights)
    hub.half.set()
    cancel = threading.Event()

    def stop_when_half(step) -> None:
        if step.stage == "download" and step.fraction:
            cancel.set()

    with pytest.raises(Cancelled):
        load_model("tiny/llama", progress=stop_when_half, cancel=cancel)
    assert not hub.go_on.is_set()
    hub.half.clear()
    hub.go_on.set()
    assert not is_cached("tiny/llama")
    assert load_model("tiny/llama").n_layers == 3  # goes on from what had arrived


def test_offline_mode_is_honoured(hub, weights, monkeypatch):
    hub.add("tiny/llama", weights)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnreachableError, match="offline mode"):
        load_model("tiny/llama")
    assert hub.requests == []


@pytest.mark.parametrize(
    ("status", "headers", "error", "words"),
    [
        (503, {}, HubUnreachableError, "503"),
        (429, {}, HubUnreachableError, "429"),
        (401, {"X-Error-Code": "RepoNotFound"}, ModelNotFoundError, "private"),
        (403, {"X-Error-Code": "GatedRepo"}, ModelError, "gated"),
    ],
)
def test_a_hub_that_refuses_is_not_asked_again(hub, status, headers, error, words):
    hub.refusal = (status, headers)
    with pytest.raises(error, match=words):
        load_model("tiny/llama")
    assert len(hub.requests) == 1


def test_something_else_answers_in_the_hubs_place(hub):
    hub.html = True
    with pytest.raises(HubUnreachableError, match="not a model hub"):
        load_model("tiny/llama")


def test_only_pickled_weights_are_refused(hub, weights):
    hub.add("tiny/pickled", pickled(weights))
    with pytest.raises(ModelError, match="pickled"):
        load_model("tiny/pickled")
    assert not [line for line in hub.requests if "pytorch_model.bin" in line]


def test_the_hubs_own_conversion_of_pickled_weights_is_used(hub, weights):
    hub.add("tiny/pickled", pickled(weights))
    hub.add("tiny/pickled", {**weights, "pytorch_model.bin": _PICKLED}, "refs/pr/7")
    hub.discussions["tiny/pickled"] = [conversion()]
    assert load_model("tiny/pickled").n_layers == 3
    clear_models()
    assert is_cached("tiny/pickled")
    hub.requests.clear()
    assert load_model("tiny/pickled").n_layers == 3
    assert hub.requests == []


@pytest.mark.parametrize(
    ("author", "pickle_in_request"),
    [("someone", _PICKLED), ("SFconvertbot", b"other weights")],
    ids=["made by another author", "made from other weights"],
)
def test_a_conversion_that_is_not_to_be_trusted(hub, weights, author, pickle_in_request):
    hub.add("tiny/pickled", pickled(weights))
    hub.add("tiny/pickled", {**weights, "pytorch_model.bin": pickle_in_request}, "refs/pr/7")
    hub.discussions["tiny/pickled"] = [conversion(author)]
    with pytest.raises(ModelError, match="pickled"):
        load_model("tiny/pickled")


def test_a_model_with_code_of_its_own_is_refused_before_its_weights_are_fetched(hub, weights):
    config = json.loads(weights["config.json"])
    config |= {"model_type": "homemade", "auto_map": {"AutoModel": "modeling.Homemade"}}
    hub.add("tiny/code", {**weights, "config.json": json.dumps(config).encode()})
    with pytest.raises(ModelError, match="never runs code"):
        load_model("tiny/code")
    assert not [line for line in hub.requests if line.endswith(("safetensors", ".py"))]


def test_an_adapter_is_no_model(hub, weights):
    files = {"adapter_config.json": b"{}", "adapter_model.safetensors": b""}
    hub.add("tiny/adapter", {**files, "config.json": weights["config.json"]})
    with pytest.raises(ModelError, match="adapter"):
        load_model("tiny/adapter")


def test_a_model_larger_than_the_disk(hub, weights, monkeypatch):
    import shutil

    hub.add("tiny/llama", weights)
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9))
    with pytest.raises(ModelError, match=r"only 0\.0 GB are free"):
        load_model("tiny/llama")


def test_the_menu_touches_no_network(hub):
    choices = available_models()
    assert hub.requests == []
    assert (
        next(choice.name for choice in choices if "hub" in choice.note) == "microsoft/codebert-base"
    )
    assert "Needs the model hub" in {c.name: c.note for c in choices}["microsoft/codebert-base"]
