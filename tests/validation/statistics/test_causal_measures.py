"""Scores against ablation, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.errors import InputError, ShapeError
from explorer.validation import lds, mean_drop, spearman_by_trace, top_k_drop, top_units

nan = np.nan


def test_spearman_within_each_trace():
    scores = [1, 2, 3, 4, 3, 2, 1, 5, 5, 5, 1, 2]
    effects = [1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 1, 2]
    groups = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    found = spearman_by_trace(scores, effects, groups)
    # In order, reversed, all tied, and two units only.
    assert found.values == pytest.approx([1.0, -1.0, nan, nan], nan_ok=True)
    assert found.mean.value == 0.0
    assert (found.mean.low, found.mean.high) == (-1.0, 1.0)
    assert found.traces == 2


def test_spearman_by_its_formula_and_without_unknown_pairs():
    # Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 x 4 / (4 x 15) = 0.6
    scores = [10, nan, 20, 30, 40, 50]
    effects = [0.2, 9.0, 0.1, 0.4, 0.3, nan]
    found = spearman_by_trace(scores, effects, [0] * 6)
    assert found.values == pytest.approx([0.6])
    assert np.isnan(found.mean.low)


def test_units_of_a_trace_need_not_stand_together():
    random = np.random.default_rng(0)
    scores, effects, groups = random.random(40), random.random(40), np.arange(40) % 4
    found = spearman_by_trace(scores, effects, groups)
    for trace in range(4):
        expected = spearmanr(scores[groups == trace], effects[groups == trace]).statistic
        assert found.values[trace] == pytest.approx(expected)


def test_the_top_units_of_each_trace():
    scores = [0.1, 0.9, 0.9, nan, 0.5, 0.2]
    chosen = top_units(scores, [0, 0, 0, 0, 1, 1], 2)
    assert chosen.tolist() == [False, True, True, False, True, True]
    assert top_units(scores, [0, 0, 0, 0, 1, 1], 1).tolist() == [
        *(False, True, False, False, True, False)
    ]


def test_what_is_lost_with_the_top_units_beside_chance_and_the_best():
    scores = [3, 2, 1, 0, 1, 2, 3, 5]
    effects = [4.0, 0.0, 2.0, -2.0, 1.0, 2.0, 3.0, 7.0]
    groups = [0, 0, 0, 0, 1, 1, 1, 2]
    found = top_k_drop(scores, effects, groups, 2)
    assert found.drop.values == pytest.approx([4.0, 5.0, nan], nan_ok=True)  # one unit is no two
    assert found.drop.mean.value == 4.5
    assert found.random.value == pytest.approx((2 * 1.0 + 2 * 2.0) / 2)
    assert found.best.value == pytest.approx((6.0 + 5.0) / 2)


def test_measured_drops_are_averaged_over_traces():
    found = mean_drop([1.0, nan, 3.0])
    assert (found.mean.value, found.traces) == (2.0, 2)


def test_lds_is_the_rank_correlation_over_masks():
    masks = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=bool)
    # Sums 3, 2, 1, 0 rise with the log-probability in the first, fall in the second.
    found = lds([[2.0, 1.0], [2.0, 1.0]], [masks, masks], [[-1, -2, -3, -4], [-4, -3, -2, -1]])
    assert found.values.tolist() == pytest.approx([1.0, -1.0])
    # Ranks 4 3 2 1 against 4 2 3 1: 1 - 6 x 2 / 60 = 0.8
    assert lds([[2.0, 1.0]], [masks], [[-1, -3, -2, -4]]).values == pytest.approx([0.8])
    # A unit without a score adds nothing: sums 2 2 0 0, all of one rank pair by pair.
    expected = spearmanr([2, 2, 0, 0], [-1, -3, -2, -4]).statistic
    assert lds([[2.0, nan]], [masks], [[-1, -3, -2, -4]]).values == pytest.approx([expected])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="one length"):
        spearman_by_trace([1, 2], [1], [0, 0])
    with pytest.raises(InputError, match="whole numbers"):
        spearman_by_trace([1.0], [1.0], [0.5])
    with pytest.raises(InputError, match="k, the number"):
        top_k_drop([1.0], [1.0], [0], 0)
    with pytest.raises(ShapeError, match="one of each"):
        lds([[1.0]], [], [])
    with pytest.raises(ShapeError, match="masks of trace 0"):
        lds([[1.0, 2.0]], [np.ones((3, 2))], [[1.0, 2.0]])
