from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ShapeError
from explorer.source import SourceUnit, code_units, token_units, units_on_tokens

CODE = "def f(n):\n    return n\n"
#       0123456789 0123456789012
TOKENS = ["def", " f", "(", "n", "):", "\n   ", " return", " n", "\n"]


def offsets_of(tokens):
    stops = np.cumsum([len(token) for token in tokens])
    return np.stack([stops - [len(token) for token in tokens], stops], axis=1)


def by_name(units, positions):
    return {unit.name: found.tolist() for unit, found in zip(units, positions, strict=True)}


def test_tokens_of_lines():
    units = code_units(CODE, "line")
    found = by_name(units, units_on_tokens(units, offsets_of(TOKENS)))
    # the newline with its indentation belongs to no line; " return" brings its space along
    assert found == {"line 1": [0, 1, 2, 3, 4], "line 2": [6, 7]}


def test_tokens_of_identifiers_gather_every_occurrence():
    units = code_units(CODE, "identifier", "python")
    assert by_name(units, units_on_tokens(units, offsets_of(TOKENS))) == {"f": [1], "n": [3, 7]}


def test_a_token_across_two_units_belongs_to_both():
    units = [SourceUnit("a", "ab", ((0, 2),), "node"), SourceUnit("b", "cd", ((2, 4),), "node")]
    positions = units_on_tokens(units, [(0, 1), (1, 3), (3, 4)])
    assert [found.tolist() for found in positions] == [[0, 1], [1, 2]]


def test_special_and_empty_tokens_belong_to_nobody():
    units = [SourceUnit("all", "ab", ((0, 2),), "line")]
    offsets = [(0, 0), (0, 1), (1, 2), (0, 0), (1, 2)]
    (positions,) = units_on_tokens(units, offsets, special=[True, False, False, True, True])
    assert positions.tolist() == [1, 2]


def test_pieces_of_one_emoji_belong_to_its_unit():
    units = [SourceUnit("s", "🎉", ((4, 5),), "identifier")]
    (positions,) = units_on_tokens(units, [(0, 4), (4, 5), (4, 5), (4, 5), (5, 6)])
    assert positions.tolist() == [1, 2, 3]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=20),
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=5),
)
def test_equals_comparing_every_token_with_every_span(tokens, spans):
    offsets = [(start, start + length) for start, length in tokens]
    unit = SourceUnit("u", "", tuple((start, start + length) for start, length in spans), "node")
    expected = [
        position
        for position, (start, stop) in enumerate(offsets)
        if stop > start and any(start < last and stop > first for first, last in unit.char_spans)
    ]
    (found,) = units_on_tokens([unit], offsets)
    assert found.tolist() == expected


def test_units_outside_the_window_have_no_tokens():
    units = code_units(CODE, "line")
    assert [found.size for found in units_on_tokens(units, offsets_of(TOKENS)[:3])] == [3, 0]
    assert [found.size for found in units_on_tokens(units, [])] == [0, 0]


@pytest.mark.parametrize(
    ("offsets", "special"), [([1, 2, 3], None), ([(0, 1, 2)], None), ([(0, 1)], [True, False])]
)
def test_offsets_of_the_wrong_shape(offsets, special):
    with pytest.raises(ShapeError, match="tokens"):
        units_on_tokens([], offsets, special)


def test_one_unit_per_token_with_names_that_tell_repeated_tokens_apart():
    units = token_units(CODE, offsets_of(TOKENS))
    names = [unit.name for unit in units]
    assert names == ["def", "f", "(", "n", "):", "⏎", "return", "n (2)", "⏎ (2)"]
    assert [unit.text for unit in units] == TOKENS
    positions = units_on_tokens(units, offsets_of(TOKENS))
    assert [found.tolist() for found in positions] == [[i] for i in range(len(TOKENS))]


def test_tokens_that_share_a_character_are_one_unit():
    units = token_units(
        "a🎉", [(0, 0), (0, 1), (1, 2), (1, 2)], special=[True, False, False, False]
    )
    assert [(unit.name, unit.char_spans) for unit in units] == [
        ("a", ((0, 1),)),
        ("🎉", ((1, 2),)),
    ]
