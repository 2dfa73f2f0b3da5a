"""The program: help without torch, exit codes, errors as one sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explorer.cli._program import COMMANDS
from explorer.errors import MissingExtraError
from explorer.traces import load_traces, save_traces

from ..support.tiny_folder import labelled_trace
from .conftest import PROGRAM

HEAVY = ("torch", "transformers", "pandas", "plotly", "numpy", "matplotlib", "ray", "rich")

IMPORTED = f"""
import sys
from explorer.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
print("HEAVY", [name for name in {HEAVY!r} if name in sys.modules])
print("COMMANDS", [name for name in sys.modules if name.startswith("explorer.cli._commands.")])
"""


def imported_by(*arguments: str) -> list[str]:
    command = [sys.executable, "-c", IMPORTED, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_help_imports_nothing_heavy_and_no_command() -> None:
    *page, heavy, commands = imported_by("--help")
    assert heavy == "HEAVY []"
    assert commands == "COMMANDS []"
    text = "\n".join(page)
    assert all(f"  {name}" in text and line in text for name, line in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_imports_nothing_heavy(name: str) -> None:
    *page, heavy, _ = imported_by(name, "--help")
    assert heavy == "HEAVY []"
    text = "\n".join(page)
    assert "Examples:" in text or "Commands:" in text
    assert name in text


def test_the_console_script_is_this_function(repository: Path) -> None:
    import tomllib

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"attention-explorer": "explorer.cli:main"}


def test_the_version(run) -> None:
    import explorer

    assert run("--version").stdout == f"attention-explorer {explorer.__version__}\n"


def test_every_command_is_documented(repository: Path) -> None:
    text = (repository / "docs" / "cli.md").read_text()
    assert [name for name in COMMANDS if f"attention-explorer {name}" not in text] == []


def test_usage_errors(run) -> None:
    for arguments in (
        ["score"],
        ["no-such"],
        ["score", "x", "-o", "y", "--workers", "0"],
        ["gate"],
    ):
        found = run(*arguments)
        assert found.exit_code == 2
        assert "Usage" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["score", "missing.jsonl", "-o", "out.jsonl"], 3, "There is no file missing.jsonl"),
        (["calibrate", "missing.jsonl"], 3, "There is no file"),
        (["code", "missing.py"], 3, "cannot be read"),
        (["report", "a", "b"], 3, "Give one trace file"),
        (["open", "missing.py"], 3, "There is no file"),
        (["score", "{traces}", "-o", "out.jsonl", "-m", "no-such-model-x"], 5, "no-such-model-x"),
        (["models", "where", "owner/absent"], 5, "models fetch owner/absent"),
        (["models", "free", "owner/absent"], 5, "no download or conversion"),
        (["gate", "{traces}", "--fail-under", "beauty=1"], 3, "METRIC=NUMBER"),
        (["feedback", "{traces}", "-o", "-", "--json"], 3, "both write to stdout"),
        (["feedback", "{traces}", "-o", "out.jsonl", "-c", "{traces}"], 3, "is not JSON"),
        (["score", "{traces}", "-o", "out.jsonl", "--engine", "spark"], 3, '"local" or "ray"'),
    ],
)
def test_errors_are_one_sentence(
    run, traces: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(traces.parent)
    found = run(*(one.format(traces=traces) for one in arguments))
    assert found.exit_code == code, found.stderr
    assert said in found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout == ""


def test_a_missing_extra_is_a_sentence(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(extra: str, purpose: str) -> None:
        raise MissingExtraError(f"{purpose} needs fastapi. Install with: pip", extra=extra)

    monkeypatch.setattr("explorer._extras.require_extra", missing)
    found = run("serve")
    assert (found.exit_code, found.stdout) == (5, "")
    assert found.stderr == "attention-explorer: The service needs fastapi. Install with: pip\n"


def test_debug_shows_the_traceback(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_DEBUG", "")  # restored afterwards
    found = run("--debug", "calibrate", "missing.jsonl")
    assert found.exit_code == 3
    assert "Traceback" in found.stderr
    assert "TraceError" in found.stderr


def test_a_fault_is_not_taken_for_a_failed_gate(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("explorer.cli._tasks.checkup.check_up", broken)
    found = run("doctor")
    assert found.exit_code == 70
    assert "ZeroDivisionError" in found.stderr


def test_some_bad_records_are_exit_code_4(run, traces: Path, tiny: str) -> None:
    with traces.open("ab") as stream:
        stream.write(b"{broken\n")
    out = traces.with_name("out.jsonl")
    found = run("score", traces, "-o", out, "-m", tiny, "--json")
    assert found.exit_code == 4
    summary = json.loads(found.stdout)
    assert (summary["traces"], summary["bad_records"]) == (8, 1)
    assert Path(summary["problems"]).exists()


def test_pipes(program, traces: Path, tiny: str) -> None:
    out = traces.with_name("out.jsonl")
    assert program("score", traces, "-o", out, "-m", tiny).returncode == 0
    piped = program("score", "-", "-o", "-", "-m", tiny, input=traces.read_bytes())
    assert (piped.returncode, piped.stdout) == (0, out.read_bytes())
    assert piped.stderr == b""


def test_a_closed_pipe_is_no_error(traces: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    save_traces([labelled_trace(number) for number in range(3000)], many)
    command = [*PROGRAM, "convert", str(many)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
        assert running.wait() == 141
    assert said == b""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_and_the_command_continues(
    run, tmp_path: Path, tiny: str, number: int, code: int
) -> None:
    given, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    save_traces([labelled_trace(place) for place in range(400)], given)
    words = ["score", str(given), "-o", str(out), "-m", tiny, "--batch-tokens", "1"]
    with subprocess.Popen([*PROGRAM, *words], stderr=subprocess.PIPE) as running:
        while not (out.exists() and out.stat().st_size) and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(number)
        said = running.stderr.read().decode()
        assert running.wait() == code, said
    assert "Traceback" not in said
    assert 0 < len(load_traces(out)) < 400
    assert run(*words).exit_code == 0
    assert [trace.id for trace in load_traces(out)] == [f"t{place}" for place in range(400)]


def test_completion_of_a_shell(program) -> None:
    environment = os.environ | {
        "_ATTENTION_EXPLORER_COMPLETE": "complete_bash",
        "COMP_WORDS": "attention-explorer ca",
        "COMP_CWORD": "1",
    }
    assert program(env=environment).stdout.split() == [b"calibrate"]
