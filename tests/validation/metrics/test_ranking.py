"""Ranking and the quality of heads against scikit-learn, ties and unknown scores included."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from explorer.errors import InputError, ValidationError
from explorer.validation import HeadScores, Resampling, precision_recall, quality_map, rank, roc
from explorer.validation._metrics.head_quality import chance_of
from explorer.validation._metrics.ranking import rank_samples, within_trace_auc
from explorer.validation._statistics.bootstrap import drawn_traces

from ..made_units import by_chance, judged_of


@pytest.mark.parametrize("digits", [None, 1, 0])
def test_auc_and_average_precision_are_those_of_scikit_learn(digits):
    judged = by_chance(60, digits=digits)
    found = rank(judged, resampling=Resampling(samples=0))
    assert found.auc.value == pytest.approx(roc_auc_score(judged.labels, judged.scores))
    expected = average_precision_score(judged.labels, judged.scores)
    assert found.average_precision.value == pytest.approx(expected)
    assert found.prevalence == judged.labels.mean()
    assert np.isnan(found.auc.low)


def test_by_hand():
    # Pairs (used, other): 0.6 and 0.8 win over both others, 0.2 wins one and ties one.
    judged = judged_of([0.1, 0.2, 0.2, 0.6, 0.8], [False, False, True, True, True])
    found = rank(judged)
    assert found.auc.value == pytest.approx(5.5 / 6)
    assert found.average_precision.value == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert [note.code for note in found.notes] == ["one-trace"]


def test_samples_are_those_of_a_bootstrap_written_out():
    judged = by_chance(15, 4, digits=1)
    found = rank_samples(judged, Resampling(samples=40, seed=5))
    draws = np.concatenate([*drawn_traces(15, Resampling(samples=40, seed=5))], axis=1)
    for sample, times in enumerate(draws.T.astype(int)):
        weights = times[judged.groups]
        assert found.auc_samples[sample] == pytest.approx(
            roc_auc_score(judged.labels, judged.scores, sample_weight=weights)
        )
        assert found.average_precision_samples[sample] == pytest.approx(
            average_precision_score(judged.labels, judged.scores, sample_weight=weights)
        )


def test_a_sample_without_one_of_the_classes_says_nothing():
    judged = judged_of([0.9, 0.1, 0.2], [True, False, False], [0, 1, 2])
    samples = rank_samples(judged, Resampling(samples=50, seed=0)).auc_samples
    draws = np.concatenate([*drawn_traces(3, Resampling(samples=50, seed=0))], axis=1)
    missing = (draws[0] == 0) | (draws[0] == 3)
    assert missing.any()
    assert np.isnan(samples).tolist() == missing.tolist()


def test_within_trace_auc_trace_by_trace():
    judged = by_chance(80, 6, digits=1)
    found = within_trace_auc(judged)
    for trace in range(80):
        mine = judged.groups == trace
        if judged.labels[mine].all() or not judged.labels[mine].any():
            assert np.isnan(found[trace])
        else:
            expected = roc_auc_score(judged.labels[mine], judged.scores[mine])
            assert found[trace] == pytest.approx(expected)
    ranking = rank(judged, resampling=Resampling(samples=0))
    assert ranking.within_trace_auc.value == pytest.approx(np.nanmean(found))
    assert ranking.traces_within == np.count_nonzero(~np.isnan(found))


def test_units_of_a_trace_need_not_stand_together():
    judged = by_chance(30, 6, digits=1)
    order = np.random.default_rng(3).permutation(len(judged))
    assert within_trace_auc(judged.subset(order)) == pytest.approx(
        within_trace_auc(judged), nan_ok=True
    )


def test_unknown_scores_are_left_out_of_the_ranking():
    judged = by_chance(20)
    scores = judged.scores.copy()
    scores[:30] = np.nan
    found = rank(judged.with_scores(scores), resampling=Resampling(samples=10))
    assert found.auc.value == pytest.approx(roc_auc_score(judged.labels[30:], scores[30:]))
    assert found.unknown == 30


def test_curves_carry_truth_and_prevalence():
    judged = by_chance(30, digits=1)
    curve = roc(judged)
    # The trapezia under the curve are the area, ties included.
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(roc_auc_score(judged.labels, judged.scores))
    points = precision_recall(judged)
    for row in points.itertuples():
        called = judged.scores >= row.threshold
        assert row.precision == pytest.approx(judged.labels[called].mean())
        assert row.recall == pytest.approx(called[judged.labels].mean())
    for table in (curve, points):
        assert table.attrs == {"truth": "labels", "prevalence": judged.labels.mean()}


def test_equal_scores_rank_by_chance():
    found = rank(judged_of([0.3] * 6, [True, False] * 3, [0, 0, 1, 1, 2, 2]))
    assert found.auc == (0.5, 0.5, 0.5)
    assert found.average_precision.value == 0.5


def test_one_class_only_is_refused():
    for metric_value in (rank, roc, precision_recall):
        with pytest.raises(ValidationError, match="labelled 'used'"):
            metric_value(judged_of([0.1, 0.2], [True, True]))


def heads_of(scores, labels):
    units = judged_of(np.zeros(len(labels)), labels)
    rest = {
        name: getattr(units, name)
        for name in ("labels", "groups", "traces", "units", "lengths", "positions", "truth")
    }
    return HeadScores(scores=scores, **rest)


@pytest.fixture(scope="module")
def heads():
    random = np.random.default_rng(1)
    labels = random.random(300) < 0.2
    scores = random.normal(size=(3, 4, 300)).astype(np.float32)
    scores += labels * np.linspace(0, 2, 12, dtype=np.float32).reshape(3, 4, 1)
    scores[0] = scores[0].round(1)
    scores[1, 1, :70] = np.nan
    scores[2, 0] = 0.5
    scores[2, 1, 0], scores[2, 1, 1] = 0.0, -0.0
    return heads_of(scores, labels)


def best_f1(labels, scores):
    precision, recall, _ = precision_recall_curve(labels, scores)
    with np.errstate(invalid="ignore"):
        return np.nanmax(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(
    ("metric", "reference"),
    [("auc", roc_auc_score), ("average_precision", average_precision_score), ("f1", best_f1)],
)
def test_the_map_has_what_scikit_learn_has_for_each_head(heads, metric, reference):
    found = quality_map(heads, metric)
    assert found.shape == (3, 4)
    for layer in range(3):
        for head in range(4):
            scores = heads.scores[layer, head]
            known = ~np.isnan(scores)
            assert found[layer, head] == pytest.approx(
                reference(heads.labels[known], scores[known])
            ), (layer, head)


@pytest.mark.parametrize("metric", ["auc", "average_precision", "f1"])
def test_a_head_that_knows_one_class_only_has_no_quality(metric):
    scores = np.array([[[0.1, 0.2, np.nan], [0.1, np.nan, 0.3], [np.nan] * 3]])
    found = quality_map(heads_of(scores, [True, True, False]), metric)
    assert np.isnan(found).tolist() == [[True, False, True]]


def test_the_map_is_the_ranking_of_each_head(heads):
    assert quality_map(heads)[1, 1] == pytest.approx(
        rank(heads.at(1, 1), resampling=Resampling(samples=0)).auc.value
    )


def test_a_map_needs_labels_of_both_kinds_and_a_metric(heads):
    with pytest.raises(ValidationError, match="are labelled"):
        quality_map(heads_of(np.zeros((1, 1, 2)), [True, True]))
    with pytest.raises(ValidationError, match="nothing can be measured"):
        quality_map(heads_of(np.zeros((1, 1, 0)), []))
    with pytest.raises(InputError, match="no metric 'accuracy'"):
        quality_map(heads, "accuracy")


@pytest.mark.parametrize(("metric", "expected"), [("auc", 0.5), ("average_precision", 0.25)])
def test_what_chance_gives_is_that_of_random_scores(metric, expected):
    assert chance_of(metric, 0.25) == expected
    # Calling all used has precision 1/4 and recall 1: F1 is 2/5.
    assert chance_of("f1", 0.25) == pytest.approx(0.4)
