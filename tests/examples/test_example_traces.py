"""The packaged traces: sound, balanced, and scored without a model."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from explorer.examples import example_traces
from explorer.feedback import feedback_table, score_all_heads
from explorer.traces import evidence


@pytest.fixture(scope="module")
def traces():
    return example_traces()


def test_there_are_at_least_sixty_without_problems(traces):
    assert len(traces) >= 60
    assert traces.problems == ()
    assert len({trace.id for trace in traces}) == len(traces)
    assert len({trace.query for trace in traces}) == len(traces)
    assert len({trace.metadata["domain"] for trace in traces}) >= 10


def test_every_hyperedge_is_labelled_and_two_to_four_of_six_to_ten_are_needed(traces):
    for trace in traces:
        labels = [edge.label for edge in trace.hyperedges]
        assert 6 <= len(labels) <= 10, trace.id
        assert None not in labels, trace.id
        assert 2 <= sum(labels) <= 4, trace.id
        assert len({edge.id for edge in trace.hyperedges}) == len(labels), trace.id
        assert len({edge.hyperedge for edge in trace.hyperedges}) == len(labels), trace.id


def test_every_entity_is_named_in_its_hyperedge(traces):
    missing = [
        (trace.id, edge.id, name)
        for trace in traces
        for edge in trace.hyperedges
        for name in edge.entities
        if name.casefold() not in edge.hyperedge.casefold()
    ]
    assert missing == []
    assert all(edge.entities for trace in traces for edge in trace.hyperedges)


def test_the_answer_is_short_and_stands_in_a_hyperedge_that_is_needed(traces):
    for trace in traces:
        assert 1 <= len(trace.answer.split()) <= 6, trace.id
        assert any(
            trace.answer.casefold() in edge.hyperedge.casefold()
            for edge in trace.hyperedges
            if edge.label
        ), trace.id
        assert trace.answer.casefold() not in trace.query.casefold(), trace.id


def test_position_does_not_give_the_label_away(traces):
    """In every fifth of the list the share of needed hyperedges is the overall share."""
    needed, total = Counter(), Counter()
    for trace in traces:
        for place, edge in enumerate(trace.hyperedges):
            fifth = int((place + 0.5) / len(trace.hyperedges) * 5)
            needed[fifth] += bool(edge.label)
            total[fifth] += 1
    shares = [needed[fifth] / total[fifth] for fifth in range(5)]
    assert max(shares) - min(shares) < 0.05


def test_length_does_not_give_the_label_away(traces):
    """A needed hyperedge is longer than one that is not in about half of all pairs."""
    wins = []
    for trace in traces:
        long = [len(edge.hyperedge) for edge in trace.hyperedges if edge.label]
        others = [len(edge.hyperedge) for edge in trace.hyperedges if not edge.label]
        wins.append(np.mean([a > b for a in long for b in others]))
    assert 0.45 < np.mean(wins) < 0.55


def test_recorded_attention_gives_finite_scores_for_every_hyperedge(traces):
    for trace in traces:
        found = evidence(trace)
        assert found.kind == "units"
        assert found.diagnostics == ()
        assert found.attention.notes == ()
        assert (found.attention.n_layers, found.attention.n_heads) == (30, 9)
        assert found.attention.n_queries == len(trace.metadata["answer_tokens"])
        assert "".join(trace.metadata["answer_tokens"]).strip() == trace.answer
        for reduction in ("mass", "mean", "top-k"):
            scores = score_all_heads(found.attention, found.units, reduction=reduction)
            assert scores.shape == (30, 9, len(trace.hyperedges))
            assert np.isfinite(scores).all()
            assert (scores >= 0).all()
            assert (scores <= 1.002).all()  # float16 rounds up by at most 1/2048


def test_no_unit_gets_more_mass_than_there_is(traces):
    for trace in traces[:10]:
        mass = evidence(trace).attention.weights(layer=10, head=3).sum(axis=1)
        assert (mass <= 1.002).all()


def test_the_table_of_a_packaged_trace(traces):
    found = evidence(traces[0])
    table = feedback_table(found.attention, found.units, layer=8, head=0)
    assert list(table["unit"]) == [edge.id for edge in traces[0].hyperedges]
    assert table["score"].between(0, 1).all()


def test_the_attention_says_more_about_the_labels_than_chance(traces):
    """Some head ranks needed hyperedges first in well over half of all pairs."""
    wins = []
    for trace in traces:
        found = evidence(trace)
        scores = score_all_heads(found.attention, found.units, reduction="top-k")
        label = np.array([edge.label for edge in trace.hyperedges])
        wins.append(
            (scores[..., label][..., None] > scores[..., ~label][..., None, :]).mean((2, 3))
        )
    assert np.mean(wins, axis=0).max() > 0.6


def test_loading_needs_no_torch():
    program = (
        "import sys;"
        "from explorer.examples import example_traces, example_programs, recorded_program;"
        "example_traces(); recorded_program(example_programs()[0].code);"
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "False"]
