"""Offsets for tokenizers that tell only token strings."""

from __future__ import annotations

import pytest

from explorer.models._text.alignment import align
from explorer.source._byte_level import byte_alphabet


def pieces(text, spans):
    return [text[start:stop] for start, stop in spans.tolist()]


def test_word_piece():
    text = "Héllo  World!"
    assert pieces(text, align(text, ["hel", "##lo", "world", "!"])) == ["Hél", "lo", "World", "!"]


def test_sentence_piece_with_a_dummy_prefix_space():
    text = "return x"
    spans = align(text, ["▁", "return", "▁", "x"])
    assert pieces(text, spans) == ["", "return", " ", "x"]


def test_sentence_piece_bytes_share_their_character():
    text = "a 🎉"
    spans = align(text, ["▁a", "▁", "<0xF0>", "<0x9F>", "<0x8E>", "<0x89>"])
    assert pieces(text, spans)[2:] == ["🎉"] * 4


def test_byte_level_alphabet():
    text = "é 🎉"
    alphabet = {byte: character for character, byte in byte_alphabet().items()}
    entries = [alphabet[byte] for byte in text.encode()]
    assert pieces(text, align(text, entries)) == ["é", "é", " ", "🎉", "🎉", "🎉", "🎉"]


def test_byte_level_alphabet_is_that_of_the_tokenizers_library():
    from tokenizers.pre_tokenizers import ByteLevel

    assert set(byte_alphabet()) == set(ByteLevel.alphabet())
    assert sorted(byte_alphabet().values()) == list(range(256))


def test_an_unknown_token_stands_for_what_lies_between_its_neighbours():
    text = "say 🎉é now"
    assert pieces(text, align(text, ["say", "[UNK]", "now"])) == ["say", "🎉é", "now"]


def test_an_unknown_token_at_the_end_takes_the_rest():
    assert align("ab 🎉", ["ab", "[UNK]"]).tolist() == [[0, 2], [3, 4]]


def test_word_endings_and_continuations():
    text = "lower low"
    assert pieces(text, align(text, ["low", "er</w>", "low</w>"])) == ["low", "er", "low"]
    assert pieces(text, align(text, ["lo@@", "wer", "low"])) == ["lo", "wer", "low"]


def test_repeated_words_are_found_in_order():
    text = "x + x + x"
    assert align(text, ["x", "+", "x", "+", "x"])[:, 0].tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("entries", [[], ["▁"]])
def test_nothing_to_find(entries):
    assert align("a", entries).shape == (len(entries), 2)


def test_the_same_offsets_as_a_tokenizer_that_reports_them(encoder, causal):
    """The tokenizers library, which tracks offsets while it splits, is the independent source."""
    text = "Gustave EIFFEL was born in Dijon: for item in items print(🎉 é)"
    for model in (encoder, causal):
        encoding = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        entries = model.tokenizer.convert_ids_to_tokens(encoding["input_ids"])
        expected = [list(span) for span in encoding["offset_mapping"]]
        assert align(text, entries).tolist() == expected


def test_a_lone_space_mark_does_not_run_ahead():
    text = "🎉 x"
    spans = align(text, ["▁", "<0xF0>", "<0x9F>", "<0x8E>", "<0x89>", "▁x"])
    assert pieces(text, spans) == ["", "🎉", "🎉", "🎉", "🎉", " x"]


def test_cased_pieces_with_accents_are_not_taken_for_bytes():
    text = "élan vital"
    assert pieces(text, align(text, ["é", "##lan", "vital"])) == ["é", "lan", "vital"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ByT5Tokenizer", "CanineTokenizer"])
def test_tokenizers_written_in_python(name):
    import transformers

    from explorer.models._text.tokens import tokenize

    tokenizer = getattr(transformers, name)()
    assert not tokenizer.is_fast
    text = "def é(): '🎉'"
    tokenized = tokenize(tokenizer, text)
    source = [text[start:stop] for start, stop in tokenized.offsets[~tokenized.special].tolist()]
    per_character = 1 if name == "CanineTokenizer" else None  # ByT5 has one token per byte
    assert source == [c for c in text for _ in range(per_character or len(c.encode()))]
