"""Scenes: tokens cut the text at their edges, and nothing of the text is lost."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.attention import DenseAttention
from explorer.errors import InputError
from explorer.widgets._code.scene import (
    LINE_BREAK,
    SPECIAL,
    TEXT,
    CodeScene,
    matrix_scene,
    visible_positions,
)


def build_scene(text: str, pieces: list[str | None]) -> CodeScene:
    """Build a scene whose tokens are `pieces` found one after another; None is special."""
    offsets, special, position = [], [], 0
    for piece in pieces:
        special.append(piece is None)
        if piece is None:
            offsets.append((0, 0))
            continue
        start = text.index(piece, position)
        offsets.append((start, start + len(piece)))
        position = start + len(piece)
    n = len(pieces)
    attention = np.tril(np.ones((n, n)))
    return CodeScene(
        text=text,
        tokens=tuple("<s>" if p is None else p for p in pieces),
        offsets=np.array(offsets),
        special=np.array(special),
        attention=DenseAttention(attention / attention.sum(1, keepdims=True)),
        stop=n,
        n_total=n,
    )


def test_lines_hold_the_whole_text_and_every_token() -> None:
    text = "def f(n):\n    return n\n"
    scene = build_scene(text, ["def", " f", "(", "n", "):", "\n   ", " return", " n", "\n"])
    assert [number for number, _ in scene.lines] == [1, 2]
    joined = "\n".join("".join(part[0] for part in parts) for _, parts in scene.lines)
    assert joined + "\n" == text
    tokens = {part[1] for _, parts in scene.lines for part in parts}
    assert tokens == set(range(9))
    # A token with a line break ends its line there and goes on in the next.
    assert scene.lines[0][1][-1] == ("", 5, LINE_BREAK)
    assert scene.lines[1][1][0] == ("   ", 5, TEXT)


def test_special_tokens_stand_apart() -> None:
    scene = build_scene("a b", [None, "a", "b", None])
    assert scene.lines[0] == (None, [("<s>", 0, SPECIAL)])
    assert scene.lines[-1] == (None, [("<s>", 3, SPECIAL)])
    assert scene.lines[1] == (1, [("a", 1, TEXT), (" ", -1, TEXT), ("b", 2, TEXT)])
    assert scene.rows.tolist() == [1, 2]


def test_a_character_of_several_tokens_keeps_them_all_clickable() -> None:
    text = "x 🙂"
    scene = CodeScene(
        text=text,
        tokens=("x", " 🙂", "🙂", "🙂"),
        offsets=np.array([(0, 1), (1, 3), (2, 3), (2, 3)]),
        special=np.zeros(4, dtype=bool),
        attention=DenseAttention(np.eye(4)),
        stop=4,
        n_total=4,
    )
    parts = scene.lines[0][1]
    assert [part[1] for part in parts] == [0, 1, 2, 3]
    assert "".join(part[0] for part in parts if part[2] == TEXT) == text


def test_html_in_the_text_stays_text() -> None:
    scene = build_scene("<b>&amp;</b>", ["<", "b", ">", "&", "amp", ";", "</", "b", ">"])
    assert "".join(part[0] for part in scene.lines[0][1]) == "<b>&amp;</b>"


def test_lines_of_code_become_units() -> None:
    scene = build_scene("a = 1\nb = a\n", ["a", " =", " 1", "\n", "b", " =", " a", "\n"])
    units = scene.units("line")
    assert [unit.name for unit in units] == ["line 1", "line 2"]
    names = {unit.name: unit.spans for unit in scene.units("identifier")}
    assert names["a"] == ((0, 1), (6, 7))
    assert [unit.tokens for unit in scene.units("token")] == [1] * 8


def test_hidden_positions() -> None:
    scene = build_scene("a b", [None, "a", "b", None])
    rows, columns = visible_positions(scene, hide_special=False, hide_sink=False)
    assert rows.tolist() == columns.tolist() == [0, 1, 2, 3]
    rows, columns = visible_positions(scene, hide_special=True, hide_sink=False)
    assert rows.tolist() == columns.tolist() == [1, 2]
    rows, columns = visible_positions(scene, hide_special=False, hide_sink=True)
    assert rows.tolist() == [0, 1, 2, 3]
    assert columns.tolist() == [1, 2, 3]


def test_a_matrix_of_ones_own() -> None:
    scene = matrix_scene(DenseAttention(np.eye(3)), ["the", "<b>", "cat"])
    assert scene.text == "the <b> cat"
    assert [scene.text[a:b] for a, b in scene.offsets] == ["the", "<b>", "cat"]


def test_a_matrix_must_be_square_and_fit_its_tokens() -> None:
    with pytest.raises(InputError, match="square"):
        matrix_scene(DenseAttention(np.ones((2, 3)) / 3))
    with pytest.raises(InputError, match="one token for each of 3"):
        matrix_scene(DenseAttention(np.eye(3)), ["a", "b"])
