"""A tiny model in a folder, and traces for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.traces import save_traces

from ..support.tiny_folder import labelled_trace, write_tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A file of nine traces of different lengths."""
    path = tmp_path / "traces.jsonl"
    save_traces([labelled_trace(number, 1 + number % 4) for number in range(9)], path)
    return path
