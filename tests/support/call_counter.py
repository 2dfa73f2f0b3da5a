"""Counts how often a function runs, for tests that say what is not worked out anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.monkeypatch import derive_importpath

import explorer

_PACKAGE = str(Path(explorer.__file__).parent)


def count_calls(monkeypatch: pytest.MonkeyPatch, path: str) -> list[tuple[Any, ...]]:
    """Return a list that grows by the positional arguments of each call to `path` from now on."""
    name, owner = derive_importpath(path, raising=True)
    function = getattr(owner, name)
    calls: list[tuple[Any, ...]] = []

    def counted(*arguments: Any, **settings: Any) -> Any:
        calls.append(arguments)
        return function(*arguments, **settings)

    monkeypatch.setattr(owner, name, counted)
    return calls


def calls_during(run: Callable[[], object]) -> int:
    """How many functions, of Python and of C, are called while `run` runs."""
    return _count(run, lambda frame, event: event in {"call", "c_call"})


def calls_in_the_package(run: Callable[[], object]) -> int:
    """How many calls of Python functions of the package `run` makes."""
    return _count(
        run,
        lambda frame, event: event == "call" and frame.f_code.co_filename.startswith(_PACKAGE),
    )


def _count(run: Callable[[], object], counts: Callable[[FrameType, str], bool]) -> int:
    count = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        count += counts(frame, event)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count
