"""The program, in this process and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from explorer.cli._program import app
from explorer.traces import save_traces

from ..support.tiny_folder import labelled_trace, write_tiny_model

PROGRAM = [sys.executable, "-c", "from explorer.cli import main; main()"]

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    path = tmp_path / "traces.jsonl"
    save_traces([labelled_trace(number) for number in range(8)], path)
    return path


@pytest.fixture
def run() -> Run:
    """Run a command in this process; arguments become text."""

    def called(*arguments: object, **options: Any) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], **options)

    return called


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a command as a process."""

    def called(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        words = [*PROGRAM, *(str(one) for one in arguments)]
        return subprocess.run(words, capture_output=True, check=False, **options)

    return called
