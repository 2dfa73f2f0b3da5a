"""Texts against texts, and texts against tokens."""

from __future__ import annotations

import pytest

from explorer.traces._evidence.text_matching import (
    find_in_tokens,
    match_texts,
    normalised,
    similarity,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Nile.", "the nile"),
        ("  It's\tAfrica's -- longest\n river! ", "its africas longest river"),
        ("snake_case", "snakecase"),
        ("Ünï-cödé", "ünïcödé"),
        ("...", ""),
    ],
)
def test_normalised(text, expected):
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("abcd", "abcd", 1.0),
        ("abcd", "bcde", 0.75),  # bcd: 2 * 3 / 8
        ("abxcd", "abcd", 8 / 9),  # ab and cd: 2 * 4 / 9
        ("abcd", "wxyz", 0.0),
    ],
)
def test_similarity_is_2m_over_t(first, second, expected):
    assert similarity(first, second) == pytest.approx(expected)


def test_a_text_without_letters_matches_nothing():
    assert match_texts(["...", ""], ["The Nile.", "!"]) == [(), ()]


def test_equal_chunks_are_all_matched():
    assert match_texts(["the Nile"], ["The Nile.", "Rhine", "the nile"]) == [((0, 1.0), (2, 1.0))]


def test_hostile_texts_do_not_take_forever():
    longest = "ab" * 2_000
    assert match_texts([longest], [longest[1:] + "c"]) == [()]


@pytest.mark.parametrize(
    "tokens",
    [
        ["The", " Nile", " is", " long", ".", " The", " Rhine", " is", " not", "."],
        ["TheĠ", "Nile", "Ġis", "Ġlong", ".", "ĠThe", "ĠRhine", "Ġis", "Ġnot", "."],
        ["▁The", "▁Nile", "▁is", "▁long", ".", "▁The", "▁Rhine", "▁is", "▁not", "."],
        ["the", "ni", "##le", "is long", ".", "the", "rhine", "is", "not", "."],
    ],
    ids=["text", "byte-level", "sentencepiece", "wordpiece"],
)
def test_texts_are_found_in_any_tokenizers_tokens(tokens):
    found = find_in_tokens(["The Nile is long.", "The Rhine is not.", "Bees sleep."], tokens)
    assert found == [(0, 1, 2, 3), (5, 6, 7, 8), ()]


def test_byte_level_characters_that_are_split_over_tokens():
    # "São" in GPT-2's alphabet; the two bytes of "ã" are two tokens.
    assert find_in_tokens(["São Paulo"], ["In", "ĠS", "Ã", "£", "o", "ĠPaulo"]) == [(1, 2, 3, 4, 5)]


def test_a_text_that_occurs_twice_is_taken_in_order():
    tokens = ["the Nile", "and", "the Nile"]
    assert find_in_tokens(["the Nile", "the Nile"], tokens) == [(0,), (2,)]
    assert find_in_tokens(["the Nile"] * 3, tokens) == [(0,), (2,), (0,)]


def test_no_tokens():
    assert find_in_tokens(["the Nile", ""], []) == [(), ()]
