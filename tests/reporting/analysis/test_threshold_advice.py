"""The answer: what it says follows from the figures of `explorer.validation`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explorer.reporting._analysis.expectation import expected
from explorer.reporting._analysis.threshold_advice import threshold_advice
from explorer.reporting._analysis.threshold_analysis import analyse_threshold
from explorer.traces import Hyperedge, Trace
from explorer.validation import (
    HeadScores,
    Objective,
    Resampling,
    best_threshold,
    cross_validated_threshold,
    judge,
    lexical_overlap,
    nested_head,
)

FEW = Resampling(samples=200)
NAMES = ("steam", "valve", "relay", "motor", "sensor")


def made(n=40, *, gain=0.3, words=False, seed=0):
    """Traces and scores; with `words` the used facts have the answer's words, and no others do."""
    random = np.random.default_rng(seed)
    traces, scores = [], {}
    for number in range(n):
        labels = random.random(5) < 0.4
        edges = [
            Hyperedge(
                f"h{i}", f"The {NAMES[i] if used and words else 'thing'} {i}.", label=bool(used)
            )
            for i, used in enumerate(labels)
        ]
        traces.append(Trace(f"t{number}", "Which?", edges, " ".join(NAMES)))
        values = np.clip(random.normal(0.4 + gain * labels, 0.15), 0, 1)
        scores[f"t{number}"] = values.astype(np.float32).astype(float)
    return traces, judge(traces, scores)


def advised(traces, judged, threshold, objective=Objective("f1"), **more):  # noqa: B008 - frozen
    found = expected(traces, judged, objective, resampling=FEW)
    analysis = analyse_threshold(traces, judged, resampling=FEW)
    return threshold_advice(analysis, found, "given", threshold, **more), found


def test_a_threshold_that_is_as_good_is_kept():
    traces, judged = made()
    best = best_threshold(judged.scores, judged.labels)
    near = float(np.sort(judged.scores[judged.scores > best.threshold])[0])
    advice, found = advised(traces, judged, near)
    assert advice.kind == "keep"
    assert advice.sentence.startswith(f"Keep {near:.3f} for given: every threshold from 0.")
    assert advice.threshold == near
    held = cross_validated_threshold(judged, resampling=FEW).held_out
    assert advice.figures[1][:2] == (f"{held.value:.2f}", "F1 on new traces")
    assert found.own.held_out == held


def test_a_worse_threshold_is_replaced_by_the_best():
    traces, judged = made()
    best = best_threshold(judged.scores, judged.labels)
    advice, _ = advised(traces, judged, 0.99)
    assert advice.kind == "set"
    assert advice.threshold == best.threshold
    assert f"to {best.threshold:.3f}, instead of 0.990" in advice.sentence


def test_the_lead_over_the_words_is_paired_with_its_interval():
    traces, judged = made(gain=0.3)
    advice, found = advised(traces, judged, 0.5)
    words = [
        lexical_overlap(f"{t.query} {t.answer}", [e.hyperedge for e in t.hyperedges])
        for t in traces
    ]
    overlap = judge(traces, {t.id: one for t, one in zip(traces, words, strict=True)})
    own = cross_validated_threshold(judged, resampling=FEW)
    other = cross_validated_threshold(overlap, resampling=FEW)
    assert found.lead.value == pytest.approx(own.held_out.value - other.held_out.value)
    ends = np.quantile(own.samples - other.samples, [0.025, 0.975])
    assert (found.lead.low, found.lead.high) == pytest.approx(tuple(ends))
    assert advice.figures[2].value == f"+{found.lead.value:.2f}"
    assert f"words alone: {other.held_out.value:.2f}" in advice.figures[2].detail


def test_words_that_are_surely_better_are_what_to_use():
    traces, judged = made(gain=0.02, words=True)
    advice, found = advised(traces, judged, 0.5)
    assert found.lead.high < 0
    assert advice.kind == "words"
    assert "the method lexical" in advice.sentence
    assert advice.threshold == found.words.threshold
    # Where these scores are the words, there is nothing to change to.
    same, _ = advised(traces, judged, found.own.threshold, lexical=True)
    assert same.kind == "keep"


def test_a_lead_that_is_not_certain_is_not_claimed():
    traces, judged = made(gain=0.0)
    advice, found = advised(traces, judged, found_threshold(judged))
    assert found.lead.low <= 0 <= found.lead.high
    assert "no lead is certain" in advice.sentence


def found_threshold(judged):
    return best_threshold(judged.scores, judged.labels).threshold


def test_of_a_cost_the_smaller_is_better():
    traces, judged = made(gain=0.02, words=True)
    advice, found = advised(traces, judged, 0.5, Objective("cost", cost_ratio=2))
    assert found.lead.low > 0  # dearer than the words
    assert advice.kind == "words"
    assert advice.figures[1].label == "cost per hyperedge on new traces"


def test_halving_an_interval_takes_three_times_as_many_more():
    traces, judged = made(40)
    advice, found = advised(traces, judged, 0.5)
    half = (found.own.held_out.high - found.own.held_out.low) / 2
    assert advice.sure == (
        f"From 40 traces, F1 is known to about ±{half:.2f}. Label 120 more traces to halve that."
    )


def test_intervals_do_shrink_like_that():
    widths = []
    for n in (40, 160):
        judged = made(n, gain=0.25, seed=3)[1]
        low, high = cross_validated_threshold(judged, resampling=Resampling(samples=1000)).held_out[
            1:
        ]
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.3)


def test_too_few_labels_are_counted():
    traces, judged = made(3)
    advice, _ = advised(traces, judged, 0.5)
    used = judged.positives
    assert advice.kind == "few"
    assert advice.threshold is None
    assert advice.figures == ()
    assert "Label 17 more traces" in advice.sentence
    if used < 10:
        assert f"{10 - used} more that are used" in advice.sentence


def test_an_objective_out_of_reach_is_told():
    traces, judged = made(gain=0.1)
    advice, _ = advised(traces, judged, 0.5, Objective("recall", least_precision=1.0))
    if advice.kind == "none":
        assert advice.sentence.startswith("No threshold reaches a precision of 1.00")
    else:
        assert advice.figures[1].label == "recall on new traces"


def test_a_head_that_was_picked_by_the_labels_comes_with_the_nested_figure():
    """What was picked after seeing the labels is not called held out."""
    random = np.random.default_rng(0)
    traces, judged = made(40, gain=0.0)
    noise = random.random((6, 5, len(judged))).astype(np.float32)
    attributes = {
        name: getattr(judged, name)
        for name in ("labels", "groups", "traces", "units", "lengths", "positions", "truth")
    }
    heads = HeadScores(scores=noise, **attributes)
    areas = [
        (np.mean(noise[a, b][judged.labels][:, None] > noise[a, b][~judged.labels]), a, b)
        for a in range(6)
        for b in range(5)
    ]
    best_area, layer, head = max(areas)
    assert best_area > 0.55  # the best of thirty, by chance
    own = heads.at(layer, head)
    found = expected(traces, own, Objective(), heads=heads, resampling=FEW)
    nested = nested_head(heads, resampling=FEW)
    assert nested.auc < best_area
    assert nested.auc == pytest.approx(0.5, abs=0.1)
    assert sum(nested.heads.values()) == 10
    analysis = analyse_threshold(traces, own, resampling=FEW)
    advice = threshold_advice(
        analysis, found, "layer 3, head 1", found.own.threshold, picked=("layer", "head")
    )
    assert advice.figures[1].value == f"{nested.held_out.value:.2f}"
    assert "Only the threshold was held out" in advice.held_out
    assert f"ROC-AUC {nested.auc:.3f}" in advice.held_out
    fixed = threshold_advice(analysis, found, "layer 3, head 1", found.own.threshold)
    assert "Only" not in fixed.held_out
    assert fixed.figures[1].value == f"{found.own.held_out.value:.2f}"
    method = threshold_advice(analysis, found, "citation", found.own.threshold, picked=("method",))
    assert "method was picked after the labels were seen" in method.held_out
    assert not math.isnan(found.own.held_out.value)
