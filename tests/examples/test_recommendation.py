"""The packaged recommendation: each trace is judged by heads that were chosen without it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from explorer.examples import example_recommendation, example_traces
from explorer.examples._example_recommendation import packed_heads, unpacked_heads
from explorer.traces import head_readings


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).parents[2] / "tools" / "make_recommendation.py"
    spec = importlib.util.spec_from_file_location("make_recommendation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_packaged_trace_has_heads_of_one_fold_and_no_other_has():
    found, ids = example_recommendation(), [trace.id for trace in example_traces()]
    assert sorted(name for fold in found.folds for name in fold.traces) == sorted(ids)
    assert all(found.heads_for(name) is not None for name in ids)
    assert found.heads_for("another") is None


def test_the_held_out_figures_follow_from_the_stored_heads_and_the_labels():
    found = example_recommendation()
    tp = fp = fn = right = facts = 0
    for trace in example_traces():
        heads = found.heads_for(trace.id)
        scores = heads.scores(head_readings(trace, heads.reduction, heads.k))
        for edge, score in zip(trace.hyperedges, scores, strict=True):
            called = score >= found.threshold
            tp, fp, fn = (
                tp + (called and edge.label), fp + (called and not edge.label),
                fn + (not called and edge.label),
            )  # fmt: skip
            right, facts = right + (called == edge.label), facts + 1
    assert (right, facts) == (found.held_out.right, found.held_out.facts)
    assert found.held_out.f1 == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-4)
    assert found.held_out.f1_low < found.held_out.f1 < found.held_out.f1_high
    # The first view is right on at least 80 % of the facts, and better than calling none used.
    assert right / facts >= 0.8
    assert right > facts - found.held_out.used


def test_heads_are_stored_whole():
    heads = example_recommendation().folds[0].heads
    again = unpacked_heads(packed_heads(heads, 30, 9))
    assert again == heads


@pytest.mark.slow
def test_a_fold_made_again_from_the_other_traces_is_the_stored_one(tool):
    traces = list(example_traces())
    places = tool.folds_of(traces)[0]
    fold = example_recommendation().folds[0]
    assert [traces[place].id for place in places] == list(fold.traces)
    others = [trace for place, trace in enumerate(traces) if place not in places]
    made = tool.heads_from(others)
    assert (made.reduction, made.content_free) == (fold.heads.reduction, fold.heads.content_free)
    for place in places:
        trace = traces[place]
        readings = head_readings(trace, made.reduction, made.k)
        np.testing.assert_allclose(made.scores(readings), fold.heads.scores(readings), atol=0.02)
