"""Calibrators: cross-fitted, and reliable only when they are calibrators."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from explorer.errors import InputError, ValidationError
from explorer.validation import Calibrator, CrossValidation, Resampling, fit_calibrator, reliability
from explorer.validation._thresholds.cross_validation import trace_folds

from ..made_units import by_chance, judged_of


def test_a_raw_score_is_no_probability():
    with pytest.raises(ValidationError, match="raw attention score is no probability"):
        reliability(by_chance(30))


def test_platt_is_the_logistic_curve_of_largest_likelihood_with_drawn_in_targets():
    judged = by_chance(40)
    used = judged.labels.sum()
    target = np.where(judged.labels, (used + 1) / (used + 2), 1 / (len(judged) - used + 2))

    def loss(of):
        z = of[0] * judged.scores + of[1]
        return (np.logaddexp(0, z) - target * z).sum()

    slope, shift = minimize(loss, [1.0, 0.0]).x
    asked = np.array([-1.0, 0.0, 2.0])
    expected = 1 / (1 + np.exp(-(slope * asked + shift)))
    assert fit_calibrator(judged).predict(asked) == pytest.approx(expected, abs=1e-4)


def test_held_out_probabilities_come_from_other_traces():
    judged = by_chance(40, digits=1)
    found = fit_calibrator(judged, "isotonic", cross_validation=CrossValidation(folds=4), seed=2)
    for held in trace_folds(judged, 4, 2):
        other = IsotonicRegression(out_of_bounds="clip")
        other.fit(judged.scores[~held], judged.labels[~held].astype(float))
        assert found.held_out[held] == pytest.approx(other.predict(judged.scores[held]))


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_probabilities_never_fall_with_the_score_and_nan_stays(method):
    found = fit_calibrator(by_chance(40), method).predict([-9.0, 0.0, 1.0, 9.0, np.nan])
    assert (np.diff(found[:4]) >= 0).all()
    assert (found[:4] >= 0).all()
    assert (found[:4] <= 1).all()
    assert np.isnan(found[4])


def calibrator_saying(held_out, labels, groups=None):
    judged = judged_of(held_out, labels, groups)
    return Calibrator("platt", np.asarray(held_out, dtype=float), judged, (), None)


def test_the_table_by_hand():
    said = [0.1, 0.1, 0.1, 0.1, 0.9, 0.9]
    labels = [True, False, False, False, True, True]
    found = reliability(calibrator_saying(said, labels, [0, 1, 2, 3, 4, 5]), 2, strategy="equal")
    table = found.table
    assert table.low.tolist() == [0.0, 0.5]
    assert table.high.tolist() == [0.5, 1.0]
    assert table.units.tolist() == [4, 2]
    assert table.predicted.to_numpy() == pytest.approx([0.1, 0.9])
    assert table.observed.to_numpy() == pytest.approx([0.25, 1.0])
    assert found.expected_calibration_error == pytest.approx((4 * 0.15 + 2 * 0.1) / 6)
    assert found.brier == pytest.approx((0.81 + 3 * 0.01 + 2 * 0.01) / 6)
    assert (table.observed_high >= table.observed).all()
    assert table.attrs["truth"] == found.truth == "labels"


def test_bins_of_as_many_units_and_of_one_probability():
    labels = [True, False] * 10
    table = reliability(
        calibrator_saying(np.arange(20) / 20, labels), 4, resampling=Resampling(samples=10)
    ).table
    assert table.units.tolist() == [5, 5, 5, 5]
    single = reliability(calibrator_saying([0.5] * 20, labels)).table
    assert single.units.tolist() == [20]
    assert single.observed.tolist() == [0.5]


def test_what_was_drawn_from_its_probabilities_is_reliable():
    random = np.random.default_rng(0)
    scores = random.random(4000)
    judged = judged_of(scores, random.random(4000) < scores, np.arange(4000) // 10)
    table = reliability(
        fit_calibrator(judged, "isotonic"), resampling=Resampling(samples=200)
    ).table
    inside = (table.observed_low <= table.predicted) & (table.predicted <= table.observed_high)
    assert inside.mean() >= 0.7


def test_scores_that_separate_the_classes_can_be_calibrated():
    labels = np.tile([True, False, False], 30)
    judged = judged_of(labels * 1.0, labels, np.repeat(np.arange(30), 3))
    assert fit_calibrator(judged).predict([0.0, 1.0]) == pytest.approx([0.0, 1.0], abs=0.05)


def test_too_few_labels_and_wrong_words_are_refused():
    with pytest.raises(ValidationError, match="20 labelled traces"):
        fit_calibrator(by_chance(5))
    with pytest.raises(InputError, match="no calibrator 'beta'"):
        fit_calibrator(by_chance(30), "beta")
    with pytest.raises(InputError, match="bins"):
        reliability(fit_calibrator(by_chance(30)), 0)
    with pytest.raises(InputError, match="quantiles or equal"):
        reliability(fit_calibrator(by_chance(30)), strategy="log")
