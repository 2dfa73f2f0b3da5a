"""Scores against position and length."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import InputError, ValidationError
from explorer.validation import Resampling, bias
from explorer.validation._statistics.bootstrap import drawn_traces

from ..made_units import judged_of


def placed(scores, labels, n_traces, **more):
    per_trace = len(scores) // n_traces
    return judged_of(
        scores,
        labels,
        np.repeat(np.arange(n_traces), per_trace),
        positions=np.tile(np.linspace(0, 1, per_trace), n_traces),
        **more,
    )


def test_each_position_by_hand():
    judged = placed([0.1, 0.2, 0.6, 0.3, 0.2, 0.4], [True, False, False, True, False, True], 2)
    found = bias(judged)
    table = found.table
    assert table.middle.tolist() == [0.0, 0.5, 1.0]
    assert table.units.tolist() == [2, 2, 2]
    assert table.score.to_numpy() == pytest.approx([0.2, 0.2, 0.5])
    assert table.used.tolist() == [1.0, 0.0, 0.5]
    # Ranks 1 2 3 in order; 2 1 3 against 1 2 3: 1 - 6 x 2 / 24 = 0.5
    assert found.spearman.value == pytest.approx(0.75)
    assert (found.truth, table.attrs["truth"]) == ("labels", "labels")


def test_intervals_are_drawn_by_trace():
    random = np.random.default_rng(0)
    scores = random.random(60)
    found = bias(
        placed(scores, [True, False, True] * 20, 20), resampling=Resampling(samples=100, seed=3)
    )
    draws = np.concatenate([*drawn_traces(20, Resampling(samples=100, seed=3))], axis=1)
    means = scores.reshape(20, 3)[:, 1] @ draws / 20
    low, high = np.quantile(means, [0.025, 0.975])
    assert (found.table.score_low[1], found.table.score_high[1]) == pytest.approx((low, high))


def test_lengths_in_bins_of_about_as_many_units():
    judged = judged_of(
        np.arange(40.0), [True, False] * 20, np.arange(40) // 4, lengths=np.arange(40.0) + 1
    )
    found = bias(judged, "length", bins=4)
    assert found.table.units.sum() == 40
    assert len(found.table) == 4
    assert found.table.units.between(9, 11).all()
    assert found.pooled == pytest.approx(1.0)
    assert found.spearman.value == pytest.approx(1.0)
    assert found.counted_in == "tokens"


def test_equal_lengths_stay_together_and_have_no_correlation():
    judged = judged_of([0.1, 0.2, 0.3, 0.4], [True] * 4, [0, 0, 1, 1], lengths=[5.0] * 4)
    found = bias(judged, "length")
    assert found.table.units.tolist() == [4]
    assert np.isnan(found.pooled)


def test_unknown_scores_and_lengths_are_left_out():
    judged = judged_of(
        [0.1, np.nan, 0.3, 0.4], [True] * 4, [0, 0, 1, 1], lengths=[1.0, 2.0, np.nan, 4.0]
    )
    assert bias(judged, "length").table.units.tolist() == [1, 1]
    with pytest.raises(ValidationError, match="No labelled unit has both"):
        bias(judged, "position")


def test_wrong_arguments_are_refused():
    judged = placed([0.1, 0.2], [True, False], 1)
    with pytest.raises(InputError, match="position or length"):
        bias(judged, "colour")
    with pytest.raises(InputError, match="bins"):
        bias(judged, bins=0)
