"""The sweep against scikit-learn, against hand counts, and against a bootstrap written out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from explorer.errors import InputError, ValidationError
from explorer.feedback import FeedbackPolicy
from explorer.feedback._feedback_table import reached
from explorer.validation import Resampling, changed_units, confusion_at, sweep
from explorer.validation._metrics.confusion import METRICS, Confusion, metric_value, reaches
from explorer.validation._statistics.bootstrap import drawn_traces, mean_interval, percentiles
from explorer.validation._thresholds.threshold_grid import threshold_grid

from ..made_units import by_chance, judged_of

HAND = judged_of(
    [0.1, 0.2, 0.2, 0.6, 0.8], [False, False, True, True, True], groups=[0, 0, 1, 1, 1]
)


def test_counts_and_metrics_by_hand():
    table = sweep(HAND).table
    assert table.threshold.to_numpy() == pytest.approx([0.1, 0.2, 0.6, 0.8])
    assert table.tp.tolist() == [3, 3, 2, 1]
    assert table.fp.tolist() == [2, 1, 0, 0]
    assert table.fn.tolist() == [0, 0, 1, 2]
    assert table.tn.tolist() == [0, 1, 2, 2]
    assert table.precision.tolist() == [3 / 5, 3 / 4, 1.0, 1.0]
    assert table.recall.tolist() == [1.0, 1.0, 2 / 3, 1 / 3]
    assert table.f1.to_numpy() == pytest.approx([6 / 8, 6 / 7, 4 / 5, 2 / 4])
    assert table.youden.to_numpy() == pytest.approx([0.0, 0.5, 2 / 3, 1 / 3])
    assert table.coverage.tolist() == [1.0, 0.8, 0.4, 0.2]
    assert table.changed_calls.tolist() == [0, 1, 2, 1]
    # Everything is called used: the correlation of a constant is 0/0.
    assert np.isnan(table.mcc[0])
    # (3 x 1 - 1 x 0) / sqrt(4 x 3 x 2 x 1)
    assert table.mcc[1] == pytest.approx(3 / np.sqrt(24))


def test_a_sweep_names_its_truth_and_its_numbers():
    found = sweep(HAND, resampling=Resampling(samples=10, seed=3))
    assert (found.units, found.positives, found.traces, found.unknown) == (5, 3, 2, 0)
    assert (found.truth, found.table.attrs["truth"]) == ("labels", "labels")
    assert (found.samples, found.seed) == (10, 3)


@pytest.mark.parametrize("digits", [None, 1])
def test_metrics_are_those_of_scikit_learn(digits):
    judged = by_chance(40, digits=digits)
    table = sweep(judged, 30, resampling=Resampling(samples=0)).table
    for row in table.itertuples():
        called = judged.scores >= row.threshold
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            judged.labels, called, average="binary", zero_division=np.nan
        )
        assert (row.precision, row.recall, row.f1) == pytest.approx((precision, recall, f1))
        assert row.coverage == pytest.approx(called.mean())
        if not called.all():
            assert row.mcc == pytest.approx(metrics.matthews_corrcoef(judged.labels, called))
            assert row.kappa == pytest.approx(metrics.cohen_kappa_score(judged.labels, called))
            balanced = metrics.balanced_accuracy_score(judged.labels, called, adjusted=True)
            assert row.youden == pytest.approx(balanced)
        counts = metrics.confusion_matrix(judged.labels, called, labels=[False, True]).ravel()
        assert (row.tn, row.fp, row.fn, row.tp) == tuple(counts)


@pytest.mark.parametrize(
    ("metric", "confusion"),
    [
        ("precision", (0, 0, 3, 2)),
        ("recall", (0, 2, 0, 2)),
        ("f1", (0, 0, 0, 4)),
        ("mcc", (0, 0, 3, 2)),
        ("youden", (2, 0, 3, 0)),
        ("kappa", (0, 0, 0, 4)),
        ("coverage", (0, 0, 0, 0)),
    ],
)
def test_what_is_nothing_over_nothing_is_nan(metric, confusion):
    assert np.isnan(metric_value(metric, Confusion(*confusion)))


def test_mcc_of_a_million_units_keeps_its_digits():
    # Half of everything on the diagonal: phi = (a d - b c) / (n/2)^2 = 0.5
    confusion = Confusion(375_000, 125_000, 125_000, 375_000)
    assert metric_value("mcc", confusion) == pytest.approx(0.5, rel=1e-12)


def test_intervals_are_those_of_a_bootstrap_written_out():
    judged = by_chance(12, 5, digits=1)
    found = sweep(judged, [0.0, 0.5, 1.0], resampling=Resampling(samples=60, seed=4))
    draws = np.concatenate([*drawn_traces(12, Resampling(samples=60, seed=4))], axis=1)
    assert draws.sum(axis=0).tolist() == [12.0] * 60
    samples = []
    for times in draws.T.astype(int):
        places = np.concatenate(
            [np.flatnonzero(judged.groups == trace) for trace in np.repeat(np.arange(12), times)]
        )
        labels, scores = judged.labels[places], judged.scores[places]
        samples.append(
            [metrics.f1_score(labels, scores >= threshold) for threshold in (0.0, 0.5, 1.0)]
        )
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    assert found.table.f1_low.to_numpy() == pytest.approx(low)
    assert found.table.f1_high.to_numpy() == pytest.approx(high)


def test_traces_are_what_is_drawn_not_units():
    """Two units of a trace that always go together carry half as much news."""
    alone = by_chance(100, 1, seed=1)
    doubled = judged_of(
        np.repeat(alone.scores, 2), np.repeat(alone.labels, 2), np.repeat(alone.groups, 2)
    )
    one, two = (
        sweep(alone, [0.5], resampling=Resampling(seed=2)).table,
        sweep(doubled, [0.5], resampling=Resampling(seed=2)).table,
    )
    assert two.recall_low[0] == pytest.approx(one.recall_low[0])
    assert two.recall_high[0] == pytest.approx(one.recall_high[0])


def test_percentiles_leave_nan_out_and_are_those_of_numpy():
    values = np.random.default_rng(0).normal(size=(3, 201))
    values[1, :50] = np.nan
    values[2, :150] = np.nan
    low, high = percentiles(values)
    expected = np.nanquantile(values[:2], [0.025, 0.975], axis=1)
    assert low[:2] == pytest.approx(expected[0])
    assert high[:2] == pytest.approx(expected[1])
    assert np.isnan([low[2], high[2]]).all()  # most samples say nothing


def test_draws_do_not_depend_on_the_size_of_blocks():
    narrow = np.concatenate([*drawn_traces(50, Resampling(samples=300, seed=7))], axis=1)
    wide = np.concatenate(
        [*drawn_traces(50, Resampling(samples=300, seed=7), width=1 << 20)], axis=1
    )
    assert (narrow == wide).all()


def test_the_mean_over_traces_and_its_interval():
    values = np.array([1.0, 2.0, np.nan, 3.0, 6.0])
    found = mean_interval(values, Resampling(samples=200, seed=1))
    assert found.value == 3.0
    draws = np.concatenate([*drawn_traces(4, Resampling(samples=200, seed=1))], axis=1)
    means = np.array([1.0, 2.0, 3.0, 6.0]) @ draws / 4
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    assert np.isnan(mean_interval(np.array([5.0])).low)
    assert np.isnan(mean_interval(np.array([np.nan])).value)


def test_a_score_that_is_the_threshold_in_float32_has_reached_it():
    scores = np.array([np.float64(np.float32(0.7)), 0.7, 0.69999, 0.1])
    policy = FeedbackPolicy(threshold=0.7)
    verdicts = policy.verdicts(reached(scores, policy)) == "used"
    assert reaches(scores, 0.7).tolist() == verdicts.tolist() == [True, True, False, False]
    judged = judged_of(scores, [True, True, False, False])
    assert sweep(judged, [0.7]).table.tp.tolist() == [2]
    assert confusion_at(judged, 0.7) == (2, 0, 0, 2)


def test_one_trace_has_figures_and_no_intervals():
    found = sweep(judged_of([0.1, 0.9], [False, True]))
    assert found.table.f1.tolist() == [2 / 3, 1.0]
    assert np.isnan(found.table.f1_low).all()
    assert [note.code for note in found.notes] == ["one-trace"]


def test_equal_scores_give_one_threshold_and_say_so():
    found = sweep(judged_of([0.2, 0.2, 0.2], [True, False, True], [0, 1, 2]))
    assert found.table.threshold.tolist() == pytest.approx([0.2])
    assert found.table.coverage.tolist() == [1.0]
    assert "all-scores-equal" in [note.code for note in found.notes]


def test_unknown_scores_are_left_out_and_counted():
    found = sweep(judged_of([0.1, np.nan, 0.9], [False, True, True], [0, 0, 1]))
    assert (found.units, found.unknown) == (2, 1)
    assert found.table.tp.tolist() == [1, 1]
    assert confusion_at(judged_of([0.1, np.nan, 0.9], [False, True, True]), 0.5) == (1, 0, 0, 1)


@pytest.mark.parametrize("labels", [[True, True], [False, False]])
def test_one_class_only_is_refused(labels):
    with pytest.raises(ValidationError, match=r"[Ll]abel some"):
        sweep(judged_of([0.1, 0.2], labels))


def test_best_is_the_highest_of_equals_and_the_plateau_is_unbroken():
    # F1 by hand at 0.1, 0.2, 0.6, 0.8: 6/8, 6/7, 4/5, 2/4.
    found = sweep(HAND, resampling=Resampling(samples=0))
    assert found.best("f1").threshold == pytest.approx(0.2)
    assert found.best("f1").value == pytest.approx(6 / 7)
    assert found.best("precision").threshold == pytest.approx(0.8)
    plateau = found.plateau("f1", 6 / 7 - 4 / 5)
    assert (plateau.low, plateau.high) == pytest.approx((0.2, 0.6))
    assert (plateau.best, plateau.value) == pytest.approx((0.2, 6 / 7))
    narrow = found.plateau("f1")
    assert (narrow.low, narrow.high) == pytest.approx((0.2, 0.2))
    # mcc at the lowest threshold is 0/0: the plateau stops before it, however wide the tolerance.
    assert found.plateau("mcc", 10.0).low == pytest.approx(0.2)
    with pytest.raises(InputError, match="no metric 'f2'"):
        found.best("f2")
    with pytest.raises(InputError, match="tolerance"):
        found.plateau("f1", -1.0)


def test_changed_calls_against_a_reference_and_which_units_they_are():
    # At 0.6 two units are called used; at 0.1 all five, at 0.2 four, at 0.8 one.
    assert sweep(
        HAND, reference=0.6, resampling=Resampling(samples=0)
    ).table.changed_calls.tolist() == [
        3,
        2,
        0,
        1,
    ]
    table = changed_units(HAND, 0.15, 0.7)
    assert table.unit.tolist() == ["u1", "u2", "u3"]
    assert table.trace.tolist() == ["t0", "t1", "t1"]
    assert table.place.tolist() == [1, 2, 3]
    assert table.label.tolist() == [False, True, True]
    assert table.at_one.all()
    assert not table.at_other.any()
    assert changed_units(HAND, 0.3, 0.5).empty


def test_grids():
    scores = np.array([0.0, 0.1, 1.0, 10.0, 10.0])
    assert threshold_grid(scores, 500).tolist() == pytest.approx([0.0, 0.1, 1.0, 10.0])
    assert threshold_grid(scores, 3, "log").tolist() == pytest.approx([0.1, 1.0, 10.0])
    assert threshold_grid(scores, 3, "linear").tolist() == [0.0, 5.0, 10.0]
    assert threshold_grid(scores, [3, 1, 2]).tolist() == [1.0, 2.0, 3.0]
    many = np.linspace(0, 1, 1001)
    assert threshold_grid(many, 5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"thresholds": 0}, "At least one threshold"),
        ({"thresholds": [0.1, np.nan]}, "finite"),
        ({"thresholds": []}, "finite"),
        ({"thresholds": "many"}, "finite"),
        ({"spacing": "cubic"}, "quantiles, log or linear"),
        ({"resampling": -1}, "must be a Resampling"),
        ({"reference": "x"}, "finite number"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        sweep(HAND, **{"resampling": Resampling(samples=0), **arguments})


def test_log_spacing_needs_scores_above_zero():
    with pytest.raises(InputError, match="above 0"):
        sweep(judged_of([0.0, -1.0], [True, False]), 5, spacing="log")


def test_only_judged_units_are_swept():
    with pytest.raises(InputError, match=r"judge\(traces, scores\)"):
        sweep([0.1, 0.2])


def test_a_million_scores_stay_within_memory():
    """Blocks of samples are bounded; the sparse table of counts is what grows."""
    n_traces = 100_000
    random = np.random.default_rng(0)
    labels = random.random(10 * n_traces) < 0.1
    judged = judged_of(
        random.random(10 * n_traces, dtype=np.float32), labels, np.repeat(np.arange(n_traces), 10)
    )
    largest = max(
        block.size
        for block in drawn_traces(n_traces, Resampling(samples=20, seed=0), width=4 * 500)
    )
    assert largest * 4 < 64e6
    found = sweep(judged, resampling=Resampling(samples=20))
    assert len(found.table) == 500
    assert found.table.f1_low.notna().all()


def test_every_metric_has_a_meaning_and_bounds():
    table = sweep(HAND).table
    for metric in METRICS:
        assert METRICS[metric].meaning
        assert {metric, f"{metric}_low", f"{metric}_high"} <= set(table)
