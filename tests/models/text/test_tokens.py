"""Every token knows the characters that it came from."""

from __future__ import annotations

import itertools
import logging

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.errors import InputError

_SAMPLES = {
    "code": "def fibonacci(n):\n    return n if n <= 1 else fibonacci(n - 1)\n",
    "emoji": "x = '🎉👩‍👩‍👧é'  # ok",
    "right to left": "שלום = 'مرحبا'",
    "html": "<script>alert('&amp;')</script><b>",
    "nul": "a = b'\x00'  # \x00",
    "combining": "e\u0301 = 'n\u0303'",
    "wide": "变量 = '值'",
}


@pytest.mark.parametrize("text", _SAMPLES.values(), ids=_SAMPLES.keys())
@pytest.mark.parametrize("which", ["causal", "encoder"])
def test_every_token_maps_back_to_its_source(which, text, request):
    tokenized = request.getfixturevalue(which).tokenize(text)
    for token, (start, stop), special in zip(
        tokenized.tokens, tokenized.offsets.tolist(), tokenized.special, strict=True
    ):
        if not special and stop > start:
            assert token == text[start:stop]
    assert tokenized.offsets.dtype == np.int64
    assert (tokenized.offsets >= 0).all()
    assert (tokenized.offsets <= len(text)).all()


def test_byte_level_tokens_cover_every_character(causal):
    text = _SAMPLES["emoji"]
    tokenized = causal.tokenize(text)
    covered = {i for start, stop in tokenized.offsets.tolist() for i in range(start, stop)}
    assert covered == set(range(len(text)))


def test_tokens_that_share_a_character_have_its_span(causal):
    tokenized = causal.tokenize("a🎉b")
    # U+1F389 is four bytes in UTF-8, and this vocabulary has no merges for them.
    assert tokenized.tokens == ("<s>", "a", "🎉", "🎉", "🎉", "🎉", "b")
    assert tokenized.offsets.tolist()[2:6] == [[1, 2]] * 4


def test_special_tokens_are_named_and_have_no_source(encoder):
    tokenized = encoder.tokenize("Gustave EIFFEL")
    assert tokenized.tokens[0] == "[CLS]"
    assert tokenized.tokens[-1] == "[SEP]"
    assert tokenized.special.tolist() == [True, *[False] * (len(tokenized) - 2), True]
    assert tokenized.offsets[0].tolist() == tokenized.offsets[-1].tolist() == [0, 0]
    assert "".join(tokenized.tokens[1:-1]) == "GustaveEIFFEL"  # the source, not the lower case


def test_a_special_token_written_in_the_text_is_still_text(causal):
    tokenized = causal.tokenize("a </s> b")
    at = tokenized.tokens.index("</s>")
    assert not tokenized.special[at]
    assert tokenized.offsets[at].tolist() == [2, 6]


@pytest.mark.parametrize("which", ["causal", "encoder"])
def test_windows_follow_each_other_without_gap_or_overlap(which, request, caplog):
    model = request.getfixturevalue(which)
    text = "for item in items: print(item, sep=', ')\n" * 40
    start: int | None = 0
    ids: list[int] = []
    windows = []
    with caplog.at_level(logging.WARNING):
        while start is not None:
            window = model.tokenize(text, start=start)
            assert len(window) <= model.max_tokens
            assert window.truncated
            assert window.n_total > model.max_tokens
            ids += window.ids[~window.special].tolist()
            windows.append(window.char_window)
            start = window.next_start
    whole = model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    assert ids == whole
    assert windows[0][0] == 0
    assert windows[-1][1] == len(text)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(windows))
    assert "longer than" not in caplog.text


def test_a_window_can_step_back(causal):
    text = "n + " * 600
    second = causal.tokenize(text, start=causal.tokenize(text).next_start)
    assert second.previous_start == 0
    assert causal.tokenize(text).previous_start is None


def test_text_that_fits_is_not_truncated(causal):
    tokenized = causal.tokenize("n")
    assert not tokenized.truncated
    assert tokenized.next_start is None
    assert tokenized.char_window == (0, 1)
    assert tokenized.n_total == 1  # <s> is not counted


@pytest.mark.parametrize("text", ["", "   ", "\n\t \n", "\u2003"])
def test_empty_text_is_refused(causal, text):
    with pytest.raises(InputError, match="empty or only white space"):
        causal.tokenize(text)


def test_half_a_character_is_refused(causal):
    with pytest.raises(InputError, match="lone surrogate"):
        causal.tokenize("a\ud83cb")


@pytest.mark.parametrize("text", [b"code", None, 3])
def test_only_strings_are_tokenized(causal, text):
    with pytest.raises(InputError, match="must be a string"):
        causal.tokenize(text)


def test_text_that_the_tokenizer_drops_altogether_is_refused(encoder):
    with pytest.raises(InputError, match="no tokens"):
        encoder.tokenize("\u200b\x00\u200b")


@pytest.mark.parametrize("start", [-1, 1, 99, 0.5, True, "0"])
def test_a_window_outside_the_text_is_refused(causal, start):
    with pytest.raises(InputError, match="start"):
        causal.tokenize("n", start=start)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_any_text_maps_back_or_is_refused(causal, text):
    try:
        tokenized = causal.tokenize(text)
    except InputError:
        assert any(0xD800 <= ord(character) < 0xE000 for character in text)
        return
    assert np.diff(tokenized.offsets[1:, 0]).min(initial=0) >= 0
    covered = {i for start, stop in tokenized.offsets.tolist() for i in range(start, stop)}
    assert covered == set(range(len(text)))
