"""Old public names and keywords of the package, which keep working for one release."""

import re

import numpy as np
import pytest

import explorer.validation as package
from explorer.errors import InputError, ValidationError
from explorer.reporting import ReportOptions, threshold_report
from explorer.validation import (
    AblationSettings,
    CalibrationCancelled,
    CrossValidation,
    LabelledScores,
    Resampling,
    Truth,
)
from explorer.validation._calibration.outer_folds import PartialCalibration
from explorer.validation._comparison.score_comparison import compare_scores

from .made_ablations import ablated

GROUPS = np.repeat(np.arange(24), 4)
RANDOM = np.random.default_rng(0)
LABELS = RANDOM.random(96) < 0.5
SCORES = RANDOM.random(96) + LABELS


def judged():
    return LabelledScores(
        scores=SCORES,
        labels=LABELS,
        groups=GROUPS,
        traces=tuple(f"t{n}" for n in range(24)),
        units=tuple(f"h{n % 4}" for n in range(96)),
        lengths=np.full(96, 5.0),
        positions=np.tile([0, 1 / 3, 2 / 3, 1], 24),
        truth="labels",
    )


def same(one, other):
    """Whether two results hold the same figures."""
    return repr(one) == repr(other)


def test_the_old_name_of_a_comparison_of_scores():
    with pytest.warns(DeprecationWarning, match="compare_scores"):
        assert package.side_by_side is compare_scores


def test_the_old_name_of_the_folds_of_a_stopped_calibration():
    stopped = CalibrationCancelled(PartialCalibration((), ()))
    with pytest.warns(DeprecationWarning, match="partial"):
        assert stopped.begun is stopped.partial


def test_the_old_names_of_methods_of_labelled_scores():
    scores = judged()
    with pytest.warns(DeprecationWarning, match="subset"):
        assert scores.of(np.array([1, 2])).units == ("h1", "h2")
    with pytest.warns(DeprecationWarning, match="with_scores"):
        assert scores.scored(SCORES + 1).scores[0] == SCORES[0] + 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("rank", lambda: (judged(),)),
        ("sweep", lambda: (judged(), [0.5, 1.0])),
        ("bias", lambda: (judged(),)),
        ("compare_scores", lambda: ({"a": judged(), "b": judged().with_scores(-SCORES)},)),
        ("cross_validated_threshold", lambda: (judged(),)),
        ("reliability", lambda: (package.fit_calibrator(judged()),)),
        ("spearman_by_trace", lambda: (SCORES, SCORES**2, GROUPS)),
        ("top_k_drop", lambda: (SCORES, SCORES**2, GROUPS)),
        ("mean_drop", lambda: (SCORES,)),
        ("lds", lambda: ([SCORES[:4]] * 3, [np.eye(4)] * 3, [SCORES[4:8]] * 3)),
        ("call_agreement", lambda: (LABELS * 1.0, (SCORES > 1) * 1.0, GROUPS)),
    ],
)
def test_samples_and_seed_make_a_resampling(name, arguments):
    function = getattr(package, name)
    with pytest.warns(DeprecationWarning, match=re.escape(f"{name}(samples=, seed=)")):
        old = function(*arguments(), samples=20, seed=3)
    assert same(old, function(*arguments(), resampling=Resampling(samples=20, seed=3)))


def test_old_keywords_of_functions_that_take_traces():
    traces = [ablated(f"t{n}", [3.0, 0.0, 0.2, -1.0]) for n in range(24)]
    scores = {trace.id: SCORES[:4] for trace in traces}
    drop = Truth(kind="ablation", least_drop=0.1)
    with pytest.warns(DeprecationWarning, match="judge"):
        old = package.judge(traces, scores, "ablation", least_drop=0.1)
    new = package.judge(traces, scores, drop)
    assert old.labels.tolist() == new.labels.tolist()
    assert old.positives == 48
    with pytest.warns(DeprecationWarning, match="labels_of"):
        assert package.labels_of(traces[0], "ablation", least_drop=0.1) == [
            True,
            False,
            True,
            False,
        ]
    reports = []
    names = ("length", "random")
    for table in (package.baseline_table, package.ablation_table):
        with pytest.warns(DeprecationWarning, match="is now") as warned:
            before = table(traces, new, names=names, samples=20, seed=1, progress=reports.append)
        assert {str(one.message).split(" is now")[0].split("(")[1] for one in warned} == {
            "samples=, seed=)",
            "progress=)",
        }
        after = table(traces, new, names=names, resampling=Resampling(samples=20, seed=1))
        assert before.equals(after)
    with pytest.warns(DeprecationWarning, match="baseline_scores"):
        package.baseline_scores(traces, new, names, progress=reports.append)
    with pytest.warns(DeprecationWarning, match="fit_calibrator"):
        package.fit_calibrator(judged(), folds=3, min_traces=5, min_positives=5)
    with pytest.warns(DeprecationWarning, match="threshold_report"):
        page = threshold_report(
            traces, new, title="Old", reference=0.2, baselines=("length",), heads=False, samples=0
        )
    assert "<h1>Old</h1>" in page


@pytest.mark.parametrize(
    ("name", "old", "error"),
    [
        ("head_scores", {"truth": "ablation", "least_drop": 0.1, "progress": print}, "attention"),
        (
            "calibrate",
            {"truth": "ablation", "least_drop": 0.1, "repeats": 1, "seed": 2},
            "attention",
        ),
        ("ablate", {"masks": 2, "seed": 1, "progress": False, "batch_tokens": 0}, "batch_tokens"),
    ],
)
def test_old_keywords_reach_the_function(name, old, error):
    traces = [ablated(f"t{n}", [3.0, 0.0, 0.2, -1.0]) for n in range(24)]
    with (
        pytest.warns(DeprecationWarning, match=f"{name}.* is now"),
        pytest.raises((InputError, ValidationError), match=error),
    ):
        getattr(package, name)(traces, **old)


def test_the_old_samples_of_method_agreement():
    with (
        pytest.warns(DeprecationWarning, match="method_agreement"),
        pytest.raises(InputError, match="two methods"),
    ):
        package.method_agreement({}, samples=5)


def test_bundles_refuse_what_is_not_valid():
    for bundle, wrong in (
        (Resampling, {"samples": -1}),
        (Resampling, {"seed": 1.5}),
        (Truth, {"kind": "labelled"}),
        (Truth, {"kind": "ablation", "least_drop": 0}),
        (CrossValidation, {"folds": 1}),
        (CrossValidation, {"repeats": 0}),
        (AblationSettings, {"masks": -1}),
        (ReportOptions, {"reference": float("nan")}),
    ):
        with pytest.raises(InputError):
            bundle(**wrong)
    assert repr(Resampling(samples=5)) == "Resampling(samples=5, seed=0)"
    for function in (package.rank, package.sweep):
        with pytest.raises(InputError, match="must be a Resampling"):
            function(judged(), resampling=100)
