"""Calls question by question, by hand."""

from __future__ import annotations

import pytest

from explorer.reporting._analysis.by_question import by_question
from explorer.reporting._analysis.threshold_analysis import analyse_threshold
from explorer.traces import Hyperedge, Trace
from explorer.validation import Resampling, judge

SCORES = {"a": [0.9, 0.1], "b": [0.2, 0.1, 0.3], "c": [0.6, 0.8], "d": [0.7, float("nan")]}
LABELS = {"a": [True, False], "b": [True, True, False], "c": [False, True], "d": [False, True]}


def test_misses_and_wrong_calls_are_counted_by_question():
    traces = [
        Trace(name, "?", [Hyperedge(f"h{i}", "x", label=one) for i, one in enumerate(labels)], "so")
        for name, labels in LABELS.items()
    ]
    judged = judge(traces, SCORES)
    analysis = analyse_threshold(traces, judged, resampling=Resampling(samples=0))
    found = by_question(analysis, 0.5)
    # Called: a h0; none of b; both of c; h0 of d, whose h1 has no score and is left out.
    assert (found.questions, found.nothing, found.everything, found.right) == (4, 1, 2, 1)
    assert [tuple(one) for one in found.worst] == [
        ("b", 3, 2, 2, 0),  # two errors
        ("c", 2, 1, 0, 1),
        ("d", 1, 0, 0, 1),
    ]
    assert by_question(analysis, 0.5, most=1).worst == found.worst[:1]
    # Within a: 1; within b: 0 of 2 pairs; within c: 1; d has one class.
    assert found.within == pytest.approx((1 + 0 + 1) / 3)
    assert found.pooled == pytest.approx(analysis.ranking.auc.value)
