"""The check of the language finds a banned turn, says where it is, and what to write."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def check(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "check_language", repository / "tools" / "check_language.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "line",
    [
        "Return a digest of what of it concerns one trace.",
        "Raise an error when the settings are none.",
        "A set of heads is in the place of this.",
        "The share held against the share of tokens.",
        "## Beside what is free",
        "Progress is told within a trace.",
        "Nobody can say.",
        "3 of them were tried before, in vain.",
        "Refuse what is no trace: it is no trace.",
    ],
)
def test_turns_that_read_like_a_translation_are_found(check: ModuleType, line: str) -> None:
    found = list(check.findings("docs/page.md", ["A first line.", line]))
    assert found
    assert all(message.startswith("docs/page.md:2: ") for message in found)


@pytest.mark.parametrize(
    "line",
    [
        "There is none of it.",
        "return None if value is None else value",
        "It is no longer public.",
        "The file is stored next to the traces.",
        "None of these is used.",
    ],
)
def test_plain_english_passes(check: ModuleType, line: str) -> None:
    assert list(check.findings("docs/page.md", [line])) == []


def test_a_list_of_words_may_hold_them_all(check: ModuleType) -> None:
    for name, word in check.ALLOWED:
        assert list(check.findings(name, [f"no {word} nor"])) == []
        assert list(check.findings("docs/page.md", [f"no {word} nor"])) != []
