"""Objectives: against every threshold in turn, with figures of scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from explorer.errors import InputError, ValidationError
from explorer.validation import (
    CrossValidation,
    Objective,
    Resampling,
    best_threshold,
    cross_validated_threshold,
    sweep,
)
from explorer.validation._thresholds.objective_plateau import objective_plateau
from explorer.validation._thresholds.threshold_selection import nearest_threshold

from ..made_units import by_chance, judged_of


def every_call(judged):
    """Calls at every score, from the highest threshold down."""
    return [judged.scores >= one for one in np.unique(judged.scores)[::-1]]


def test_precision_at_a_recall_is_the_largest_of_all_that_reach_it():
    judged = by_chance(40, digits=1)
    found = best_threshold(judged.scores, judged.labels, Objective("precision", least_recall=0.6))
    reached = [
        precision_score(judged.labels, called)
        for called in every_call(judged)
        if recall_score(judged.labels, called) >= 0.6
    ]
    assert found.value == pytest.approx(max(reached))
    called = judged.scores >= found.threshold
    assert precision_score(judged.labels, called) == pytest.approx(max(reached))
    assert recall_score(judged.labels, called) >= 0.6


def test_recall_at_a_precision_is_the_largest_of_all_that_reach_it():
    judged = by_chance(40, digits=1)
    found = best_threshold(judged.scores, judged.labels, Objective("recall", least_precision=0.5))
    reached = [
        recall_score(judged.labels, called)
        for called in every_call(judged)
        if precision_score(judged.labels, called) >= 0.5
    ]
    assert found.value == pytest.approx(max(reached))
    assert precision_score(judged.labels, judged.scores >= found.threshold) >= 0.5


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_the_cost_is_the_smallest(ratio):
    judged = by_chance(40, digits=1)
    found = best_threshold(judged.scores, judged.labels, Objective("cost", cost_ratio=ratio))

    def cost(called):
        kept, lost = (called & ~judged.labels).sum(), (~called & judged.labels).sum()
        return (ratio * kept + lost) / len(judged)

    assert found.value == pytest.approx(min(cost(called) for called in every_call(judged)))
    assert cost(judged.scores >= found.threshold) == pytest.approx(found.value)


def test_a_dearer_wrong_fact_raises_the_threshold():
    judged = by_chance(60)
    at = [
        best_threshold(judged.scores, judged.labels, Objective("cost", cost_ratio=ratio)).threshold
        for ratio in (0.1, 0.5, 1, 2, 8)
    ]
    assert at == sorted(at)
    assert at[0] < at[-1]


def test_a_floor_by_hand():
    scores, labels = [0.9, 0.8, 0.7, 0.6], [True, False, True, False]
    # Calls of 1, 2, 3, 4 units: precision 1, 1/2, 2/3, 1/2; recall 1/2, 1/2, 1, 1.
    assert best_threshold(scores, labels, Objective("recall", least_precision=2 / 3)) == (0.65, 1)
    assert best_threshold(scores, labels, Objective("recall", least_precision=0.9)) == (0.85, 0.5)
    precise = Objective("precision", least_recall=0.8)
    assert best_threshold(scores, labels, precise) == pytest.approx((0.65, 2 / 3))


def test_a_floor_out_of_reach_says_what_is_in_reach():
    scores, labels = [0.9, 0.8], [False, True]
    objective = Objective("recall", least_precision=0.75)
    with pytest.raises(ValidationError, match=r"a precision of 0\.750: the largest is 0\.500"):
        best_threshold(scores, labels, objective)
    # The folds of a cross-validation take what comes nearest.
    assert nearest_threshold(scores, labels, objective) == (0.8, 1.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("precision",), "least_recall"),
        (("recall", None, 1.2), "above 0 and at most 1, not 1.2"),
        (("recall", None, 0.0), "above 0 and at most 1, not 0.0"),
        (("precision", float("nan")), "not nan"),
        (("precision", True), "not True"),
        (("cost",), "cost_ratio"),
        (("cost", None, None, -1), "a number above 0, not -1"),
        (("cost", None, None, float("inf")), "a number above 0, not inf"),
        (("f1", 0.5), "`least_recall` belongs to"),
        (("luck",), "no metric 'luck'"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        Objective(*arguments)


def test_names_of_metrics_stand_for_their_maximum_and_others_need_a_number():
    assert Objective.of("mcc") == Objective("mcc")
    with pytest.raises(InputError, match="'cost' needs a number"):
        Objective.of("cost")
    assert str(Objective("recall", least_precision=0.8)) == "recall at a precision of 0.800"


def test_held_out_figures_of_an_objective_are_those_of_the_calls():
    judged = by_chance(60)
    objective = Objective("recall", least_precision=0.5)
    found = cross_validated_threshold(
        judged,
        objective,
        cross_validation=CrossValidation(folds=4, repeats=1),
        resampling=Resampling(samples=100, seed=3),
    )
    from explorer.validation._thresholds.cross_validation import trace_folds

    called = np.zeros(len(judged), dtype=bool)
    for row, mask in zip(found.folds.itertuples(), trace_folds(judged, 4, 3), strict=True):
        called[mask] = judged.scores[mask] >= row.threshold
    assert found.held_out.value == pytest.approx(recall_score(judged.labels, called))
    assert found.held_out_floor.value == pytest.approx(precision_score(judged.labels, called))
    assert found.held_out_floor.low < found.held_out_floor.value < found.held_out_floor.high
    assert np.quantile(found.samples, 0.025) == pytest.approx(found.held_out.low)
    assert found.metric == "recall"


def test_held_out_cost_is_a_loss():
    judged = by_chance(60)
    found = cross_validated_threshold(judged, Objective("cost", cost_ratio=2))
    assert found.optimism == pytest.approx(found.held_out.value - found.in_sample)
    assert found.optimism >= 0
    assert found.held_out_floor is None


def test_the_best_threshold_is_short_and_makes_the_same_calls():
    """It read 0.0819, 0.0818 and 0.08190000057220459: one number, the same calls."""
    random = np.random.default_rng(0)
    for _ in range(50):
        scores = random.random(200).astype(np.float32)
        labels = random.random(200) < 0.3 + 0.4 * scores
        found = best_threshold(scores, labels)
        best = max(f1_score(labels, scores >= one) for one in np.unique(scores))
        shown = float(f"{found.threshold:.6g}")
        assert shown == found.threshold
        assert f1_score(labels, scores >= np.float32(shown)) == pytest.approx(best)


def test_the_plateau_is_every_threshold_around_the_best_that_is_as_good():
    judged = judged_of([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [True, True, False, True, False, False])
    objective = Objective()
    best = best_threshold(judged.scores, judged.labels, objective)
    found = sweep(judged, resampling=Resampling(samples=0))
    wide = objective_plateau(found, objective, best, 0.2)
    f1 = {one: f1_score(judged.labels, judged.scores >= one) for one in (0.9, 0.8, 0.7, 0.6, 0.5)}
    # 1/2, 4/5, 2/3, 6/7, 3/4: at 0.7 the run ends on its upper side.
    assert f1[0.6] == best.value == pytest.approx(6 / 7)
    assert (wide.low, wide.high) == pytest.approx((0.4, 0.8)) or (
        f1_score(judged.labels, judged.scores >= 0.4) >= best.value - 0.2
    )
    narrow = objective_plateau(found, objective, best, 0.0)
    assert (narrow.low, narrow.high) == pytest.approx((best.threshold, 0.6))


@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_of_a_plateau_misses_the_floor(seed):
    judged = by_chance(30, seed=seed, digits=1)
    objective = Objective("precision", least_recall=0.5)
    best = best_threshold(judged.scores, judged.labels, objective)
    found = objective_plateau(sweep(judged, resampling=Resampling(samples=0)), objective, best)
    assert found.low <= best.threshold <= found.high
    inside = [one for one in np.unique(judged.scores) if found.low <= one <= found.high]
    for one in itertools.chain(inside, [found.low, found.high]):
        called = judged.scores >= np.float32(one)
        assert recall_score(judged.labels, called) >= 0.5
        assert precision_score(judged.labels, called) >= best.value - 0.02 - 1e-9
