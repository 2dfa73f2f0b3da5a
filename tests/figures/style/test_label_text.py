from __future__ import annotations

import html
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.errors import ShapeError
from explorer.figures import block_of, escape_label, pool_max, three_digits
from explorer.figures._style.label_text import shortened, thinned, thinned_ticks, wrapped


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("<b>", "&lt;b&gt;"),
        ("&amp;", "&amp;amp;"),
        ("\n", "⏎"),
        (" n", "·n"),
        ("\t", "→"),
        ("$x$", "&#36;x&#36;"),
        ('"', '"'),
    ],
)
def test_tokens_are_text(token, shown):
    assert escape_label(token) == shown


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_a_page_reads_back_the_token(token):
    escaped = escape_label(token)
    assert "<" not in escaped
    assert "$" not in escaped
    assert html.unescape(escaped) == token


@given(st.floats(1e-4, 1.0))
def test_three_digits_are_close_enough(value):
    assert float(three_digits(value)) == pytest.approx(value, rel=6e-3)


def test_three_digits_of_the_rest():
    assert [three_digits(v) for v in (0.0, float("nan"), 1.0, 0.99951, 3e-7)] == [
        "0",
        "\N{EN DASH}",
        "1.00",
        "1.00",
        "3.00e-7",
    ]


@given(st.integers(1, 5000), st.integers(1, 60))
def test_labels_are_thinned_evenly(count, most):
    places = thinned(count, most)
    assert 1 <= len(places) <= most
    assert places[0] == 0
    assert places[-1] < count
    assert len({b - a for a, b in itertools.pairwise(places)}) <= 1


def test_repeated_tokens_have_places_of_their_own():
    ticks = thinned_ticks(["n", "(", "n"], 10)
    assert ticks["tickvals"] == [0, 1, 2]
    assert ticks["ticktext"] == ["n", "(", "n"]


def test_long_texts_are_cut_and_wrapped():
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
    assert wrapped("one two <b>\nthree", 8) == "one two<br>&lt;b&gt;<br>three"
    assert wrapped("word " * 500, 20, 3).count("<br>") == 2


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        elements=st.floats(0, 1, width=32) | st.just(np.nan),
    ),
    st.integers(1, 12),
)
def test_pooling_keeps_the_largest_of_every_block(weights, most):
    pooled = pool_max(weights, most)
    rows, columns = (block_of(size, most) for size in weights.shape)
    assert max(pooled.shape) <= most
    for (i, j), found in np.ndenumerate(pooled):
        block = weights[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
        finite = block[~np.isnan(block)]
        if finite.size:
            assert found == finite.max()
        else:
            assert np.isnan(found)


@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 2, 2)])
def test_pooling_wants_a_matrix(shape):
    with pytest.raises(ShapeError, match="matrix of weights"):
        pool_max(np.zeros(shape))
