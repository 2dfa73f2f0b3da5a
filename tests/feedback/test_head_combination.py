"""A combination of heads against its formula, worked out by hand and by a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.feedback import HeadCombination, HeadTerm
from explorer.feedback._head_combination import standardised


def logistic(x):
    return 1 / (1 + math.exp(-x))


def test_one_head_by_hand():
    # Masses 0.1, 0.2, 0.6: mean 0.3, deviation sqrt((0.04 + 0.01 + 0.09) / 3).
    deviation = math.sqrt(0.14 / 3)
    z = [(m - 0.3) / deviation for m in (0.1, 0.2, 0.6)]
    one = HeadCombination((HeadTerm("answer", 1, 0, 2.0),), intercept=-0.5)
    mass = np.zeros((2, 1, 3))
    mass[1, 0] = [0.1, 0.2, 0.6]
    np.testing.assert_allclose(
        one.scores({"answer": mass}), [logistic(-0.5 + 2 * value) for value in z]
    )


def test_content_free_mass_is_taken_away():
    one = HeadCombination((HeadTerm("question", 0, 0, 1.0),), content_free=True)
    assert one.needs == ("question", "content_free")
    question, blank = np.array([[[0.5, 0.3]]]), np.array([[[0.4, 0.1]]])
    # 0.1 and 0.2 are left: one deviation below and above their mean.
    np.testing.assert_allclose(
        one.scores({"question": question, "content_free": blank}), [logistic(-1), logistic(1)]
    )
    with pytest.raises(InputError, match="content_free"):
        one.scores({"question": question})


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.booleans())
def test_any_combination_equals_the_loop(seed, units, free):
    rng = np.random.default_rng(seed)
    readings = {name: rng.random((2, 3, units)) for name in ("answer", "question", "content_free")}
    terms = [
        HeadTerm(str(rng.choice(["answer", "question"])), layer, head, float(rng.normal()))
        for layer in range(2)
        for head in range(3)
    ]
    total = np.full(units, 0.25)
    for rows, layer, head, weight in terms:
        mass = readings[rows][layer, head]
        if free:
            mass = mass - readings["content_free"][layer, head]
        spread = mass.std()
        total += weight * ((mass - mass.mean()) / spread if units > 1 else np.zeros(units))
    scores = HeadCombination(tuple(terms), 0.25, free).scores(readings)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-total)), rtol=1e-9)


def test_units_that_are_all_alike_are_told_apart_by_nothing():
    assert standardised(np.full((2, 4), 0.3)).tolist() == [[0.0] * 4] * 2
    assert standardised(np.zeros((1, 0))).shape == (1, 0)


def test_what_is_unknown_is_left_out_and_stays_unknown():
    # Without the unknown one: mean 2, deviation 1.
    np.testing.assert_allclose(standardised(np.array([1.0, np.nan, 3.0])), [-1.0, np.nan, 1.0])
    assert np.isnan(standardised(np.full(2, np.nan))).all()
    one = HeadCombination((HeadTerm("answer", 0, 0, 1.0),))
    scores = one.scores({"answer": np.array([[[0.1, np.nan, 0.3]]])})
    np.testing.assert_allclose(scores, [logistic(-1), np.nan, logistic(1)])


def test_it_survives_json():
    one = HeadCombination(
        (HeadTerm("answer", 3, 1, 0.5), HeadTerm("question", 0, 2, -1.0)), 0.1, True, "top-k", 5
    )
    assert HeadCombination.of(one.to_dict()) == one


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"terms": []},
        {"terms": [["answer", 0, 0]]},
        {"terms": [["system", 0, 0, 1.0]]},
        {"terms": [["answer", -1, 0, 1.0]]},
        {"terms": [["answer", 0, 0.5, 1.0]]},
        {"terms": [["answer", 0, 0, float("nan")]]},
        {"terms": [["answer", 0, 0, 1.0]], "intercept": "x"},
        {"terms": [["answer", 0, 0, 1.0]], "slope": 1},
        {"terms": [["answer", 0, 0, 1.0]], "reduction": "median"},
        {"terms": [["answer", 0, 0, 1.0]], "k": 0},
        [["answer", 0, 0, 1.0]],
        None,
    ],
)
def test_what_is_no_combination_is_refused(value):
    with pytest.raises(InputError):
        HeadCombination.of(value)


def test_heads_that_do_not_exist_are_refused():
    one = HeadCombination((HeadTerm("answer", 30, 0, 1.0),))
    with pytest.raises(InputError, match="layer 30"):
        one.scores({"answer": np.zeros((2, 2, 3))})


def test_a_head_counts_once_whatever_rows_of_it_do():
    both = HeadCombination((HeadTerm("question", 4, 1, 0.5), HeadTerm("answer", 4, 1, 2.0)))
    assert both.n_heads == 1
    assert both.name == "layer 4, head 1, answer and question rows"
    assert both.description == "one head, rows of the answer and the question"
    more = HeadCombination((*both.terms, HeadTerm("answer", 4, 2, -1.0)))
    assert more.name == "set of 2 heads"
    assert more.description == "2 heads, rows of the answer and the question"
