"""`code`, `convert`, `models`, `doctor` and `open`."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from explorer import analyze_code_attention
from explorer.cli._tasks.app_notebook import app_source, server_command, write_notebook
from explorer.cli._tasks.diff_comments import changed_files
from explorer.errors import InputError
from explorer.examples import example_file
from explorer.models import load_model
from explorer.traces import load_traces

from .conftest import PROGRAM

CODE = "def area(r):\n    pi = 3\n    return pi * r\n\nprint(area(3))\n"
DIFF = """\
diff --git a/f.py b/f.py
--- a/f.py
+++ b/f.py
@@ -1,2 +1,4 @@
 def area(r):
-    return 3 * r
+    pi = 3
+    return pi * r
+
\\ No newline at end of file
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "area.py"
    path.write_text(CODE)
    return path


def test_values_are_those_of_python(run, code: Path, tiny: str) -> None:
    found = run("code", code, "-m", tiny, "--layer", 1, "--head", 2, "--format", "json")
    values = json.loads(found.stdout)
    expected = analyze_code_attention(CODE, 1, 2, tiny)
    for name in ("tokens", "layer", "head", "truncated", "n_tokens"):
        assert values[name] == expected[name]
    np.testing.assert_allclose(values["attention"], expected["attention"], atol=1e-6)
    np.testing.assert_allclose(values["importance"], expected["importance"], rtol=1e-6)
    assert [unit["unit"] for unit in values["units"]] == ["line 1", "line 2", "line 3", "line 5"]


@pytest.mark.parametrize("form", ["html", "png", "svg", "json"])
def test_files_by_suffix_and_by_pipe(run, code: Path, tiny: str, form: str) -> None:
    out = code.with_suffix(f".{form}")
    arguments = ["-m", tiny, "--layer", -1, "--units", "identifier"]
    assert run("code", code, "-o", out, *arguments).exit_code == 0
    raw = out.read_bytes()
    piped = run("code", "-", "-o", "-", "--format", form, *arguments, input=CODE)
    assert piped.stdout_bytes == raw
    if form == "html":
        assert raw.startswith(b"<!doctype html>")
        assert b"default-src &#39;none&#39;" in raw
        assert b"http-equiv" in raw
    elif form == "png":
        assert raw.startswith(b"\x89PNG")
    elif form == "svg":
        assert ET.fromstring(raw).tag.endswith("svg")  # noqa: S314 - our own file


def test_markup_in_code_is_text(run, tmp_path: Path, tiny: str) -> None:
    path, out = tmp_path / "x.html", tmp_path / "out.html"
    path.write_text("<script>alert(1)</script>\n</script><b>x</b>\n")
    assert run("code", path, "-m", tiny, "-o", out).exit_code == 0
    page = out.read_text()
    assert "<script>alert" not in page
    assert page.count("<script") == 3


def test_the_table(run, code: Path, tiny: str) -> None:
    found = run("code", code, "-m", tiny, "--threshold", 0.000001)
    head, columns, _, *rows = found.stdout.splitlines()
    assert head.endswith("mean of all layers, mean of all heads")
    assert columns.split() == ["unit", "text", "tokens", "score", "feedback", "verdict"]
    assert [row.split()[-1] for row in rows] == ["used"] * 4
    assert run("code", code, "-m", tiny, "--units", "words").exit_code == 3
    assert run("code", code, "-m", tiny, "--layer", 99).exit_code == 3
    assert run("code", code, "-m", tiny, "-o", "x.tiff").exit_code == 3


def test_a_diff_is_commented(run, tiny: str) -> None:
    arguments = ["code", "--diff", "-", "-m", tiny, "--layer", 1, "--head", 2]
    comments = json.loads(run(*arguments, "--json", input=DIFF).stdout)
    assert [(one["file"], one["line"], one["text"]) for one in comments] == [
        ("f.py", 2, "    pi = 3"),
        ("f.py", 3, "    return pi * r"),
    ]
    # By definition: the rows of the line's tokens, summed over the tokens of each earlier line.
    text = "def area(r):\n    pi = 3\n    return pi * r\n"
    model = load_model(tiny)
    tokenized = model.tokenize(text)
    weights = model.record(tokenized).weights(1, 2)
    starts = [text.index(one) for one in ("def", "pi = 3", "return")]
    line = np.full(len(tokenized), -1)
    for index, (start, stop) in enumerate(tokenized.offsets):
        piece = text[start:stop]
        if not tokenized.special[index] and piece.strip():
            place = start + len(piece) - len(piece.lstrip())
            line[index] = np.searchsorted(starts, place, side="right") - 1
    first = int(np.flatnonzero(~tokenized.special)[0])
    line_of_column = line.copy()
    line_of_column[first] = -1
    mean = weights[line == 2].mean(axis=0)
    sums = np.array([mean[line_of_column == other].sum() for other in (0, 1)])
    shares = {one["line"]: one["share"] for one in comments[1]["looks_at"]}
    np.testing.assert_allclose([shares[1], shares[2]], sums / sums.sum(), atol=1e-4)

    lines = run(*arguments, input=DIFF).stdout.splitlines()
    assert [line for line in lines if not line.startswith("#")] == DIFF.splitlines()
    place = lines.index("+    return pi * r")
    assert lines[place + 1].startswith("#   looks at line")


def test_what_is_no_diff(run, tiny: str) -> None:
    found = run("code", "--diff", "-", "-m", tiny, input="hello\n")
    assert found.exit_code == 3
    assert "not a unified diff" in found.stderr
    with pytest.raises(InputError, match="adds no line"):
        changed_files("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n a\n-b\n")


def test_a_removed_line_that_looks_like_a_header() -> None:
    (found,) = changed_files("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- y\n+++ z\n w\n")
    assert [(number, text, added) for _, number, text, added in found.lines] == [
        (1, "++ z", True),
        (2, "w", False),
    ]


def test_conversion(run, tmp_path: Path) -> None:
    source = example_file("musique")
    for name in ("out.jsonl", "out.parquet"):
        out = tmp_path / name
        assert run("convert", source, "-o", out).exit_code == 0
        for one, other in zip(load_traces(out), load_traces(source), strict=True):
            assert (one.id, one.query, one.hyperedges) == (other.id, other.query, other.hyperedges)
    piped = run("convert", "-", input=source.read_bytes())
    assert piped.stdout_bytes == (tmp_path / "out.jsonl").read_bytes()


def test_a_conversion_that_fails_leaves_the_old_file(run, tmp_path: Path) -> None:
    out, bad = tmp_path / "out.jsonl", tmp_path / "bad.jsonl"
    out.write_text("old\n")
    bad.write_text("{}\n{broken\n")
    assert run("convert", bad, "-o", out).exit_code == 3
    assert out.read_text() == "old\n"


def test_models(run, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row["name"]: row for row in json.loads(run("models", "list", "--json").stdout)}
    assert {"SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"} <= set(rows)
    assert run("models", "where", tiny).stdout.strip() == tiny
    assert run("models", "fetch", tiny).stdout.strip() == tiny
    hub = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    snapshot = hub / "models--owner--name" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"0" * 2_000_000)
    assert run("models", "free", "owner/name").stdout == "2 MB are free again.\n"
    assert not snapshot.exists()
    assert run("models", "free", tiny).exit_code == 5
    assert Path(tiny).is_dir()


def test_the_check_up(run) -> None:
    found = run("doctor", "--json")
    rows = {row["what"]: row for row in json.loads(found.stdout)}
    assert rows["Python"]["state"] == "ok"
    assert rows["devices"]["found"].startswith("cpu")
    assert found.exit_code == 0
    assert "extra service" in run("doctor").stdout


def test_a_missing_extra_is_named_with_what_to_do(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.cli._tasks.checkup.is_installed", lambda extra: extra != "ray")
    found = run("doctor")
    assert found.exit_code == 0
    assert 'extra ray: pip install "attention-explorer[ray]"' in found.stdout


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("x.py", None, "from_code"),
        ("x.jsonl", None, "from_traces"),
        ("x.py", "traces", "from_traces"),
    ],
)
def test_the_notebook_of_a_file(tmp_path: Path, name: str, kind: str | None, made: str) -> None:
    path = tmp_path / "a 'quoted' folder" / name
    path.parent.mkdir()
    path.write_text("x = 1\n")
    source = app_source(path, kind)
    compile(source, "cell", "exec")
    assert made in source
    notebook = write_notebook(tmp_path, source)
    import nbformat

    nbformat.validate(nbformat.read(notebook, as_version=4))


def test_servers_listen_on_loopback_alone(tmp_path: Path) -> None:
    for voila in (False, True):
        words = server_command(tmp_path / "n.ipynb", voila=voila, port=9000, browser=False)
        assert words[0] == sys.executable
        assert any(word.endswith("ip=127.0.0.1") for word in words)
        assert any(word.endswith("port=9000") for word in words)
        assert "--no-browser" in words


def test_open_reports_a_server_that_fails(run, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    monkeypatch.setattr(
        "explorer.cli._tasks.app_notebook.server_command", lambda *_, **options: command
    )
    assert run("open", code, "--no-browser").exit_code == 5


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_of_a_file_is_served_and_stops(code: Path, number: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["open", str(code), "--voila", "--no-browser", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*PROGRAM, *words], start_new_session=True, **quiet) as running:
        page = b""
        while not page and running.poll() is None:
            with contextlib.suppress(OSError):
                page = urlopen(f"http://127.0.0.1:{port}/", timeout=60).read()
            time.sleep(0.2)
        running.send_signal(number)
        assert running.wait() == 128 + number
    assert b"explorer" in page
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/", timeout=60)
