"""A chosen threshold: by hand, by brute force, and held out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from explorer.errors import InputError, ValidationError
from explorer.validation import (
    CrossValidation,
    Resampling,
    best_threshold,
    cross_validated_threshold,
    fit_calibrator,
    rank,
    sweep,
)
from explorer.validation._thresholds.cross_validation import trace_folds

from ..made_units import by_chance, judged_of


def test_the_best_threshold_lies_halfway_to_the_next_score():
    assert best_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True]) == (0.4, 1.0)
    # Nothing lies below: the lowest score itself. F1 = 2 x 1 / (2 + 1)
    assert best_threshold([0.5, 0.5], [True, False]) == (0.5, 2 / 3)
    # 0.8 alone, 0.8 and 0.6, all: F1 is 2/3, 1/2, 4/5.
    assert best_threshold([0.8, 0.6, 0.3], [True, False, True]) == pytest.approx((0.3, 0.8))


def test_unknown_scores_do_not_choose():
    assert best_threshold([0.1, np.nan, 0.6], [False, False, True]) == pytest.approx((0.35, 1.0))
    assert np.isnan(best_threshold([np.nan], [True])).all()
    # Without used units precision and recall are 0/0 or 0: nothing is better than nothing.
    assert best_threshold([0.1, 0.2], [False, False], "youden").threshold != 0.1


@pytest.mark.parametrize(("metric", "reference"), [("f1", f1_score), ("mcc", matthews_corrcoef)])
def test_no_threshold_is_better(metric, reference):
    judged = by_chance(30, digits=1)
    found = best_threshold(judged.scores, judged.labels, metric)
    every = [reference(judged.labels, judged.scores >= one) for one in np.unique(judged.scores)]
    assert found.value == pytest.approx(max(every))
    assert reference(judged.labels, judged.scores >= found.threshold) == pytest.approx(max(every))


def test_scores_that_are_equal_in_float32_are_not_torn_apart():
    one = np.nextafter(0.7, 1)
    found = best_threshold([0.7, one, 0.1], [False, True, False])
    # Both are called used, or neither: F1 of both is 2/3.
    assert found.value == pytest.approx(2 / 3)


def test_folds_keep_traces_whole_and_cover_each_once():
    judged = by_chance(23, 4)
    masks = trace_folds(judged, 5, 0)
    assert np.sum(masks, axis=0).tolist() == [1] * len(judged)
    for mask in masks:
        assert not set(judged.groups[mask]) & set(judged.groups[~mask])


def test_held_out_figures_are_those_of_the_folds():
    judged = by_chance(60, digits=1)
    found = cross_validated_threshold(
        judged,
        "f1",
        cross_validation=CrossValidation(folds=4, repeats=2),
        resampling=Resampling(seed=9),
    )
    pooled = []
    for repeat in range(2):
        called = np.zeros(len(judged), dtype=bool)
        for number, mask in enumerate(trace_folds(judged, 4, 9 + repeat)):
            row = found.folds.iloc[4 * repeat + number]
            scores, labels = judged.scores[~mask], judged.labels[~mask]
            every = [f1_score(labels, scores >= one) for one in np.unique(scores)]
            assert row.in_sample == pytest.approx(max(every))
            called[mask] = judged.scores[mask] >= row.threshold
            assert row.held_out == pytest.approx(f1_score(judged.labels[mask], called[mask]))
            assert row.traces == len(set(judged.groups[mask]))
            assert row.positives == judged.labels[mask].sum()
        pooled.append(f1_score(judged.labels, called))
    assert found.held_out.value == pytest.approx(np.mean(pooled))
    assert found.in_sample == best_threshold(judged.scores, judged.labels).value
    assert found.optimism == pytest.approx(found.in_sample - found.held_out.value)
    assert found.held_out.low < found.held_out.value < found.held_out.high
    assert (found.low, found.high) == (found.folds.threshold.min(), found.folds.threshold.max())
    assert found.folds.attrs["truth"] == found.truth == "labels"


def test_in_sample_is_optimistic_where_there_is_nothing_to_learn():
    """Scores by chance: what looks good on its own labels is not, on others."""
    gains = [
        cross_validated_threshold(
            by_chance(25, gain=0.0, seed=seed),
            "youden",
            cross_validation=CrossValidation(repeats=2),
            resampling=Resampling(samples=0),
        ).optimism
        for seed in range(10)
    ]
    assert np.mean(gains) > 0.05


def test_an_unstable_choice_is_told():
    shaky = cross_validated_threshold(
        by_chance(25, gain=0.0, seed=3),
        "mcc",
        cross_validation=CrossValidation(repeats=4),
        resampling=Resampling(samples=0),
    )
    assert shaky.calls_that_differ > 0.1
    assert "unstable-threshold" in [note.code for note in shaky.notes]
    random = np.random.default_rng(0)
    labels = np.tile([True, False, False, False], 50)
    clear = judged_of(labels + random.random(200) / 10, labels, np.repeat(np.arange(50), 4))
    firm = cross_validated_threshold(clear, resampling=Resampling(samples=0))
    assert firm.calls_that_differ == 0.0
    assert firm.held_out.value == 1.0
    assert firm.notes == ()


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        (by_chance(19), "at least 20 labelled traces, and there are 19"),
        (by_chance(20, 8, prevalence=0.02, seed=1), "10 units labelled used, and there are"),
        (
            judged_of(
                np.arange(300.0),
                np.arange(300) < 12,
                np.r_[np.zeros(12), 1 + np.arange(288) // 9].astype(int),
            ),
            "labelled used come from too few traces for 5 folds: 1",
        ),
    ],
)
def test_too_few_labels_are_refused_with_what_is_missing(judged, said):
    with pytest.raises(ValidationError, match=said):
        cross_validated_threshold(judged)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"metric": "recall"}, "'recall' needs a number"),
        ({"metric": "coverage"}, "no metric 'coverage' here"),
        ({"folds": 1}, "`folds`"),
        ({"repeats": 0}, "`repeats`"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        cross_validated_threshold(by_chance(30), **arguments)


def test_a_cut_that_leaves_a_class_to_one_fold_is_made_anew():
    labels = np.zeros(40, dtype=bool)
    labels[[0, 20]] = True  # two traces of twenty, so that chance often puts both into one fold
    judged = judged_of(np.zeros(40), labels, np.repeat(np.arange(20), 2))
    alone = 0
    for seed in range(20):
        alone += any(not labels[~held].any() for held in trace_folds(judged, 2, seed))
        for held in trace_folds(judged, 2, seed, least=1):
            assert labels[~held].any()
    assert alone
    with pytest.raises(ValidationError, match="Too few of the labelled traces"):
        trace_folds(judged, 2, 0, least=2)


@pytest.mark.parametrize("seed", [-1, None, "5", 1.5, [1, 2]])
def test_a_seed_that_is_none_is_refused(seed):
    judged = by_chance(30)
    for work in (cross_validated_threshold, fit_calibrator, rank, sweep):
        with pytest.raises(InputError, match="seed"):
            work(judged, seed=seed)


def test_a_large_seed_cuts_too():
    assert len(trace_folds(by_chance(30), 5, 2**70)) == 5


@pytest.mark.parametrize(("scores", "labels"), [(["a"], [True]), ([1, 2], [True]), ([[1]], [[1]])])
def test_scores_and_labels_must_be_lists_of_one_length(scores, labels):
    with pytest.raises(InputError):
        best_threshold(scores, labels)


def test_a_calibrator_takes_folds_and_scores_that_are_numbers():
    judged = by_chance(30)
    for folds in (0, 1, "5", None, 2.0):
        with pytest.raises(InputError, match="folds"):
            fit_calibrator(judged, cross_validation=CrossValidation(folds=folds))
    for scores in (["a"], [np.inf]):
        with pytest.raises(InputError):
            fit_calibrator(judged).predict(scores)
