from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy

from ..support.call_counter import calls_during

unit_interval = st.floats(0.0, 1.0)
any_score = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def policies(draw):
    negative, neutral, positive = sorted(draw(st.tuples(*[unit_interval] * 3)))
    return FeedbackPolicy(draw(unit_interval), positive, negative, neutral)


def feedback_by_definition(score, policy):
    """The formula as the design states it, one score at a time."""
    if math.isnan(score):
        return math.nan
    s, t = min(max(score, 0.0), 1.0), policy.threshold
    if s >= t:
        if t == 1.0:
            return policy.positive
        return policy.positive + (s - t) / (1.0 - t) * (1.0 - policy.positive)
    return policy.negative + s / t * (policy.neutral - policy.negative)


def test_the_three_hyperedges_of_the_reference_example():
    # 0.45 and 0.15 are above 0.1; 0.05 is half way from 0.3 to 0.5
    feedback = FeedbackPolicy().convert([0.45, 0.05, 0.15])
    np.testing.assert_allclose(feedback, [1.0, 0.4, 1.0], atol=1e-15)


def test_an_upper_branch_below_one_tells_strong_from_just_enough():
    policy = FeedbackPolicy(threshold=0.2, positive=0.7)
    np.testing.assert_allclose(policy.convert([0.2, 0.6, 1.0]), [0.7, 0.85, 1.0], atol=1e-15)


@given(policies(), arrays(np.float64, st.integers(0, 40), elements=any_score))
def test_equals_the_definition_score_by_score(policy, scores):
    expected = [feedback_by_definition(float(score), policy) for score in scores]
    np.testing.assert_allclose(policy.convert(scores), expected, rtol=0, atol=1e-12)


@given(policies(), arrays(np.float64, 50, elements=st.floats(allow_nan=False)))
def test_feedback_never_falls_when_the_score_rises(policy, scores):
    feedback = policy.convert(np.sort(scores))
    assert (np.diff(feedback) >= 0).all()


@given(policies(), arrays(np.float64, 50, elements=st.floats(allow_nan=False)))
def test_feedback_lies_between_negative_and_one(policy, scores):
    feedback = policy.convert(scores)
    assert (feedback >= policy.negative).all()
    assert (feedback <= 1.0).all()


@given(policies(), arrays(np.float64, 30, elements=any_score))
def test_threshold_parts_the_verdicts(policy, scores):
    clipped = np.clip(scores, 0.0, 1.0)
    verdicts = policy.verdicts(scores)
    assert ((verdicts == "used") == (clipped >= policy.threshold)).all()
    assert ((verdicts == "unknown") == np.isnan(scores)).all()


def test_verdicts_in_words():
    words = FeedbackPolicy(threshold=0.2).verdicts([[0.2, 0.1], [0.099, np.nan]])
    assert words.tolist() == [["used", "near"], ["not used", "unknown"]]


@pytest.mark.parametrize(
    ("threshold", "score", "expected"),
    [
        (0.0, 0.0, 1.0),  # everything is at or above 0
        (0.0, 0.3, 1.0),
        (1.0, 1.0, 1.0),  # only 1 is at 1
        (1.0, 0.5, 0.4),
        (5e-324, 1.0, 1.0),  # the smallest number there is
        (1.0 - 2**-53, 1.0, 1.0),
    ],
)
def test_thresholds_at_the_ends_do_not_divide_by_zero(threshold, score, expected):
    assert FeedbackPolicy(threshold).convert(score) == pytest.approx(expected)


def test_threshold_zero_with_a_rising_upper_branch():
    policy = FeedbackPolicy(threshold=0.0, positive=0.6)
    np.testing.assert_allclose(policy.convert([0.0, 0.5, 1.0]), [0.6, 0.8, 1.0], atol=1e-15)


def test_threshold_one_gives_positive_and_not_one():
    assert FeedbackPolicy(threshold=1.0, positive=0.7).convert(1.0) == 0.7


@pytest.mark.parametrize("threshold", [0.0, 0.1, 1.0])
def test_nan_and_none_stay_nan(threshold):
    feedback = FeedbackPolicy(threshold).convert([np.nan, None, 1.0])
    assert np.isnan(feedback[:2]).all()
    assert feedback[2] == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint64, bool])
def test_any_real_dtype_and_shape(dtype):
    scores = np.array([[0, 1], [1, 0]], dtype=dtype)[:, ::-1]
    feedback = FeedbackPolicy().convert(scores)
    assert feedback.dtype == np.float64
    np.testing.assert_allclose(feedback, [[1.0, 0.3], [0.3, 1.0]])


def test_the_scores_are_left_as_they_were():
    scores = np.array([0.05, 2.0, -1.0])
    FeedbackPolicy(positive=0.8).convert(scores)
    assert scores.tolist() == [0.05, 2.0, -1.0]


def test_arrays_longer_than_one_block_equal_their_parts():
    scores = np.random.default_rng(0).random(100_003)
    policy = FeedbackPolicy(0.4, 0.8)
    parts = np.concatenate([policy.convert(part) for part in np.array_split(scores, 7)])
    np.testing.assert_array_equal(policy.convert(scores), parts)


@pytest.mark.parametrize("scores", [["0.1"], [1j], [[1.0], [1.0, 2.0]], [object()]])
def test_scores_that_are_no_numbers(scores):
    with pytest.raises(InputError, match=r"must be (real )?numbers"):
        FeedbackPolicy().convert(scores)


@pytest.mark.parametrize("field", ["threshold", "positive", "negative", "neutral"])
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, "0.1", None, True])
def test_values_outside_zero_to_one_are_refused(field, value):
    with pytest.raises(InputError, match=f"{field.capitalize()} must be a number from 0 to 1"):
        FeedbackPolicy(**{field: value})


def test_feedback_values_must_be_in_order():
    with pytest.raises(InputError, match="negative <= neutral <= positive"):
        FeedbackPolicy(negative=0.6)


def test_numpy_and_integer_values_are_welcome():
    policy = FeedbackPolicy(threshold=np.float32(0.5), positive=1, negative=0)
    assert policy == FeedbackPolicy(0.5, 1.0, 0.0, 0.5)


def test_large_arrays_are_converted_in_blocks():
    scores = np.random.default_rng(0).random(2_000_000)
    policy = FeedbackPolicy(positive=0.8)
    assert 0 < calls_during(lambda: policy.convert(scores)) < scores.size / 1000
