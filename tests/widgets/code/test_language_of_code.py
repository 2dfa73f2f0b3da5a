"""The language of code is found and can be said; text has lines and tokens only."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Explorer
from explorer.errors import InputError

from ...support.app_driver import AppDriver


def _kinds(page: AppDriver) -> list[str]:
    return [name for name, _ in page.toolbar["choices"]["unit_kind"]]


def test_it_is_found_and_another_can_be_said() -> None:
    app = Explorer(unit_kind="identifier")
    page = AppDriver(app)
    assert (page.code["language"], page.code["languages"][0]) == (
        "auto",
        ["auto", "python (found)"],
    )
    assert page.code["title"] == "python, 81 tokens"
    names = app.feedback["unit"].tolist()
    assert "seen" in names
    attention = app.attention
    page.choose("language", "text")
    assert page.code["title"] == "text, 81 tokens"
    assert _kinds(page) == ["line", "token"]
    assert app.unit_kind == "line"
    assert app.feedback["unit"][0] == "line 1"
    assert app.attention is attention  # nothing was recorded anew
    page.choose("language", "sql")
    assert _kinds(page) == ["line", "identifier", "node", "token"]
    page.choose("language", "auto")
    app.unit_kind = "identifier"
    assert app.feedback["unit"].tolist() == names


def test_a_pinned_unit_that_text_does_not_have_is_no_longer_pinned() -> None:
    app = Explorer(unit_kind="identifier")
    app.selection = {"kind": "unit", "name": "seen"}
    app.language = "text"
    assert app.selection is None


def test_a_language_without_a_grammar_is_refused_with_the_known_ones() -> None:
    app = Explorer()
    with pytest.raises(InputError, match=r"language must be one of 'auto', 'python', .*'text'"):
        app.language = "rust"
    assert app.language == "auto"


def test_ones_own_matrix_is_text() -> None:
    app = Explorer.from_attention(np.full((3, 3), 1 / 3), ["x", "=", "1"])
    assert _kinds(AppDriver(app)) == ["line", "token"]
