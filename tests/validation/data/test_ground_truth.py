"""Causal use as a truth: what counts as used, what is left out, and that it stays by itself."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from explorer.errors import EvidenceError, InputError, ShapeError, ValidationError
from explorer.figures import ScoreGroups, quality_map_figure, score_histogram
from explorer.traces import Hyperedge, Trace, load_traces, save_traces
from explorer.validation import (
    LEAST_DROP,
    CrossValidation,
    Resampling,
    Truth,
    baseline_table,
    bias,
    changed_units,
    compare_scores,
    cross_validated_threshold,
    fit_calibrator,
    head_scores,
    judge,
    labels_of,
    precision_recall,
    quality_map,
    rank,
    reliability,
    roc,
    sweep,
)

from ..made_ablations import ablated

nan, inf = float("nan"), float("inf")
SOME = [2.0, 0.1, -0.5]


def notes_by_code(judged):
    return {note.code: note.message for note in judged.notes}


def many(n_traces=30, **more):
    """Traces of which the first hyperedge is needed, with scores that mostly say so."""
    random = np.random.default_rng(1)
    traces = [ablated(f"t{n}", [3.0, 0.0, 0.2, -1.0], **more) for n in range(n_traces)]
    scores = {
        trace.id: random.random(4) + np.array([0.8 if random.random() < 0.7 else 0, 0, 0, 0])
        for trace in traces
    }
    return traces, scores


# -- what counts as used ---------------------------------------------------------------------------


def test_used_is_what_makes_the_answer_half_as_likely():
    just = [0.6931, 0.6932]  # log 2 is 0.69314...
    assert log(2) == LEAST_DROP
    assert labels_of(ablated("a", [*SOME, *just]), "ablation") == [True, False, False, False, True]
    assert labels_of(ablated("a", [1.0, 1.01]), Truth(kind="ablation", least_drop=1.0)) == [
        True,
        True,
    ]
    assert labels_of(ablated("a", SOME), Truth(kind="ablation", least_drop=0.05)) == [
        True,
        True,
        False,
    ]


def test_an_effect_that_is_no_number_is_no_label():
    trace = ablated("a", [None, 2.0, nan, inf, -inf])
    assert labels_of(trace, "ablation") == [None, True, None, None, None]
    judged = judge([trace, ablated("b", [0.0])], {"a": [0.1] * 5, "b": [0.2]}, "ablation")
    assert judged.units == ("h1", "h0")
    assert judged.positions.tolist() == [0.25, 0.0]


def test_labels_of_people_and_of_ablation_are_kept_apart():
    trace = ablated("a", SOME)
    for edge, label in zip(trace.hyperedges, [False, True, None], strict=True):
        edge.label = label
    assert labels_of(trace) == [False, True, None]
    assert labels_of(trace, "ablation") == [True, False, False]
    scores = {"a": [0.3, 0.2, 0.1]}
    by_people, by_use = judge([trace], scores), judge([trace], scores, "ablation")
    assert by_people.labels.tolist() == [False, True]
    assert by_use.labels.tolist() == [True, False, False]
    assert (by_people.truth, by_use.truth) == ("labels", "ablation")
    assert by_people.notes == ()
    with pytest.raises(InputError, match="another truth"):
        compare_scores({"one": by_people, "other": by_use})


def test_one_truth_with_another_drop_is_another_truth():
    trace, scores = ablated("a", [2.0, 0.5, 0.0]), {"a": [0.3, 0.2, 0.1]}
    at_two, at_less = (
        judge([trace], scores, Truth(kind="ablation", least_drop=d)) for d in (1.0, 0.4)
    )
    with pytest.raises(InputError, match="another truth"):
        compare_scores({"one": at_two, "other": at_less})
    assert (
        len(compare_scores({"one": at_two, "other": at_two}, resampling=Resampling(samples=0))) == 2
    )


def test_labels_that_are_given_stand_in_place_of_what_traces_bring():
    judged = judge(
        [ablated("a", SOME)], {"a": [1, 2, 3]}, "ablation", labels={"a": {"h2": True}, "z": {}}
    )
    assert judged.units == ("h2",)
    assert "causal-use" not in notes_by_code(judged)


# -- messages -------------------------------------------------------------------------------------


def test_what_used_means_is_said_with_the_figures():
    traces, scores = many()
    judged = judge(traces, scores, "ablation")
    said = notes_by_code(judged)["causal-use"]
    assert "at least 2 times less likely" in said
    assert "0.693 or more" in said
    assert "reader" in said
    said = notes_by_code(judge(traces, scores, Truth(kind="ablation", least_drop=log(10))))[
        "causal-use"
    ]
    assert "at least 10 times less likely" in said
    assert any(
        note.code == "causal-use" for note in sweep(judged, resampling=Resampling(samples=0)).notes
    )


def test_traces_that_are_left_out_are_told_with_the_reason():
    changed = ablated("changed", SOME)
    changed.answer = "Something else."
    failed = ablated("failed", SOME)
    failed.metadata["ablation"] = {"model": "m", "problem": "It has no answer to read."}
    odd = ablated("odd", SOME, leave_one_out=[1.0])
    odder = ablated("odder", SOME)
    odder.metadata["ablation"] = "yes"
    empty = ablated("empty", SOME)
    empty.metadata["ablation"] = None
    traces = [ablated("a", SOME), changed, failed, odd, odder, empty, ablated("blank", [None])]
    traces.append(Trace("bare", "What?", [Hyperedge("h", "fact")], "That."))
    scores = {trace.id: [0.1] * len(trace.hyperedges) for trace in traces}
    judged = judge(traces, scores, "ablation")
    assert judged.traces == ("a",)
    said = notes_by_code(judged)["traces-without-ablation"]
    for words in (
        "7 of 8 traces are left out",
        "Not ablated: 2 (ablate(traces) does it)",
        "Could not be ablated: failed (It has no answer to read.)",
        "Changed since they were ablated: changed.",
        "Without any numeric effect: blank.",
        "cannot be used: odd (The `ablation` of trace odd was not written by ablate",
        "odder (",
    ):
        assert words in said


def test_one_trace_of_which_the_ablation_is_odd_is_refused_by_name():
    with pytest.raises(EvidenceError, match="trace odd was not written by ablate"):
        labels_of(ablated("odd", SOME, full_logprob="much"), "ablation")


def test_ablations_of_several_models_are_told():
    traces = [
        ablated("a", SOME),
        ablated("b", SOME),
        ablated("c", SOME, model="another", reader="r1"),
        ablated("d", SOME, reader="r2"),
    ]
    judged = judge(traces, [[0.1] * 3] * 4, "ablation")
    said = notes_by_code(judged)["several-models"]
    assert "reader (2), another (1), reader (1)" in said
    assert "several-models" not in notes_by_code(judge(traces[:2], [[0.1] * 3] * 2, "ablation"))


def test_drops_that_rises_match_are_told_as_noise():
    """Two of four drops of log 2 or more have a rise of that size against them; from 2 on none."""
    traces = [ablated("a", [0.8, 2.0, -0.9, 0.1, 5.0]), ablated("b", [0.7, -1.2, -0.1, None])]
    scores = {"a": [0.1] * 5, "b": [0.1] * 4}
    said = notes_by_code(judge(traces, scores, "ablation"))["noisy-effects"]
    assert said.startswith("2 hyperedges make the answer more likely")
    assert "the 4 used ones" in said
    assert "With least_drop=2 it is 0 against 2." in said
    assert "noisy-effects" not in notes_by_code(
        judge(traces, scores, Truth(kind="ablation", least_drop=2.0))
    )
    worse = judge([ablated("a", [1.0, -2.0, 0.0])], {"a": [1, 2, 3]}, "ablation")
    assert notes_by_code(worse)["noisy-effects"].endswith("may be due to chance.")


# -- what is refused -------------------------------------------------------------------------------


def test_without_ablation_it_says_which_call_makes_one():
    trace = Trace("a", "What?", [Hyperedge("h", "fact", label=True)], "That.")
    with pytest.raises(ValidationError, match=r"in 1 trace, .* ablate\(traces\), and judge"):
        judge([trace], {"a": [0.1]}, "ablation")
    with pytest.raises(ValidationError, match=r"ablate\(traces\).*Not ablated: 1"):
        head_scores([trace], truth="ablation")
    with pytest.raises(ValidationError, match=r"in 0 traces, .* ablate\(traces\)"):
        judge([], {}, "ablation")


def test_an_ablation_of_no_hyperedges_is_none():
    with pytest.raises(ValidationError, match="causal use"):
        judge([ablated("a", [])], {"a": []}, "ablation")


@pytest.mark.parametrize("least_drop", [0, -1.0, nan, inf, True, "half", None])
def test_a_drop_that_is_none_is_refused(least_drop):
    with pytest.raises(InputError, match="least_drop"):
        judge([ablated("a", SOME)], {"a": [1, 2, 3]}, Truth(kind="ablation", least_drop=least_drop))
    with pytest.raises(InputError, match="least_drop"):
        labels_of(ablated("a", SOME), Truth(kind="ablation", least_drop=least_drop))


def test_a_truth_that_is_none_is_refused():
    with pytest.raises(InputError, match="no truth 'ablations'"):
        judge([ablated("a", SOME)], {"a": [1, 2, 3]}, "ablations")
    with pytest.raises(InputError, match="calls_of"):
        labels_of(ablated("a", SOME), "agreement")


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        ([2.0, 3.0], r"All 2 ablated hyperedges .* 'used' by ablation.*larger `least_drop`"),
        ([0.2, 0.1], r"'not used' by ablation.*know it by heart.*smaller `least_drop`"),
    ],
)
def test_effects_of_one_kind_cannot_be_measured(effects, words):
    judged = judge([ablated("a", effects)], {"a": [0.1, 0.2]}, "ablation")
    with pytest.raises(ValidationError, match=words):
        sweep(judged)


def test_too_few_ablated_traces_to_choose_by():
    traces, scores = many(8)
    with pytest.raises(ValidationError, match=r"20 ablated traces, .* Ablate more traces"):
        cross_validated_threshold(judge(traces, scores, "ablation"))


def test_scores_that_do_not_fit_are_refused_as_with_labels():
    with pytest.raises(ShapeError, match="has 3 hyperedges"):
        judge([ablated("a", SOME)], {"a": [0.1]}, "ablation")


# -- everything that takes labels ------------------------------------------------------------------


def test_every_measure_works_by_ablation_and_says_so():
    traces, scores = many()
    judged = judge(traces, scores, "ablation")
    assert (judged.positives, len(judged)) == (30, 120)
    by_hand = judge(
        traces,
        scores,
        "ablation",
        labels={t.id: {"h0": True, "h1": False, "h2": False, "h3": False} for t in traces},
    )
    assert (judged.labels == by_hand.labels).all()
    assert (
        rank(judged, resampling=Resampling(samples=50)).auc
        == rank(by_hand, resampling=Resampling(samples=50)).auc
    )
    names = ("always-no", "length", "lexical-overlap")
    told = [
        sweep(judged, resampling=Resampling(samples=20)).truth,
        sweep(judged, resampling=Resampling(samples=20)).table.attrs["truth"],
        rank(judged, resampling=Resampling(samples=20)).truth,
        roc(judged).attrs["truth"],
        precision_recall(judged).attrs["truth"],
        changed_units(judged, 0.3, 0.9).attrs["truth"],
        cross_validated_threshold(
            judged, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=20)
        ).truth,
        reliability(fit_calibrator(judged), resampling=Resampling(samples=20)).truth,
        bias(judged, "position", resampling=Resampling(samples=20)).truth,
        baseline_table(traces, judged, names=names, resampling=Resampling(samples=20)).attrs[
            "truth"
        ],
    ]
    assert told == ["ablation"] * len(told)


def test_heads_are_judged_by_ablation():
    random = np.random.default_rng(0)
    traces = [ablated(f"t{n}", [3.0, 0.0, 0.1]) for n in range(6)]
    for trace in traces:
        attention = random.random((2, 3, 3))
        attention[1, 2] = [0.9, 0.1, 0.2]
        trace.metadata |= {"unit_attention": attention, "unit_tokens": [3, 3, 3]}
    heads = head_scores(traces, truth="ablation")
    assert heads.truth == heads.at(1, 2).truth == "ablation"
    assert any(note.code == "causal-use" for note in heads.notes)
    quality = quality_map(heads)
    assert quality[1, 2] == 1.0
    assert head_scores(traces, truth=Truth(kind="ablation", least_drop=0.05)).positives == 12
    with pytest.raises(ValidationError, match="by ablation"):
        quality_map(head_scores(traces, truth=Truth(kind="ablation", least_drop=100.0)))
    assert "judged by ablation" in quality_map_figure(quality, truth="ablation").to_json()


def test_figures_say_that_it_is_ablation():
    traces, scores = many()
    judged = judge(traces, scores, "ablation")
    scores_by = ScoreGroups.of(judged.scores, judged.labels)
    figure = score_histogram(scores_by, 0.5, truth=judged.truth)
    assert "used by ablation" in figure.to_json()


def test_it_is_the_same_from_a_file(tmp_path):
    traces, scores = many(3)
    save_traces(traces, tmp_path / "a.jsonl")
    found = judge(load_traces(tmp_path / "a.jsonl"), scores, "ablation")
    assert found.labels.tolist() == judge(traces, scores, "ablation").labels.tolist()


def test_a_drop_beyond_all_numbers_calls_nothing_used() -> None:
    trace = ablated("a", SOME)
    judged = judge([trace], [[0.3, 0.2, 0.1]], Truth(kind="ablation", least_drop=1e6))
    assert judged.labels.tolist() == [False, False, False]
    assert "at least e^1e+06 times less likely" in notes_by_code(judged)["causal-use"]
