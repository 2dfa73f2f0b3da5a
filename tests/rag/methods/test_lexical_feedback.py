"""The words as a method: by its formula, by hand, and equal to the baseline."""

from __future__ import annotations

import asyncio
from math import log

import numpy as np
import pytest

from explorer.examples import example_traces
from explorer.rag import FeedbackExtractor
from explorer.traces import Hyperedge, Trace
from explorer.validation import baseline_scores, judge

NILE = Trace(
    "t",
    "Which river is longest?",
    [
        Hyperedge("h0", "The Nile is the longest river."),
        Hyperedge("h1", "The Rhine is a river."),
        Hyperedge("h2", "Whales swim."),
        Hyperedge("h3", "?!"),
    ],
    "The Nile.",
)


def explained(trace, **config):
    extractor = FeedbackExtractor(config={"method": "lexical"} | config)
    return asyncio.run(extractor.explain(trace))


def test_scores_by_hand():
    table = explained(NILE)
    # Asked: river, longest, nile. Of four texts, river is in two and the others in one.
    river, rare = log(1 + 2.5 / 2.5), log(1 + 3.5 / 1.5)
    whole = river + 2 * rare
    assert table.score[:3].tolist() == pytest.approx([1.0, river / whole, 0.0])
    assert table.verdict.tolist() == ["used", "used", "not used", "unknown"]
    assert river / whole == pytest.approx(0.2235, abs=1e-4)
    # At the threshold 0.2: from 1 to 1; at score 0 the negative feedback; unknown is neutral.
    assert table.feedback.tolist() == pytest.approx([1.0, 1.0, 0.3, 0.5])
    assert table.matched_to[0] == "words: 'river, longest, nile'"
    assert [note.code for note in table.diagnostics[3]][-1] == "no-content-words"


def test_its_threshold_is_its_own():
    table = explained(NILE, lexical_threshold=0.3)
    assert table.verdict.tolist()[:2] == ["used", "near"]
    assert set(table.threshold) == {0.3}


def test_nothing_asked_is_told_and_neutral():
    table = explained(Trace("t", "Who is it?", NILE.hyperedges, ""))
    assert table.verdict.tolist() == ["unknown"] * 4
    assert table.feedback.tolist() == [0.5] * 4
    assert {note.code for note in table.diagnostics[0]} >= {"no-words-asked"}


def test_it_is_the_baseline():
    traces = example_traces()
    table = asyncio.run(FeedbackExtractor(config={"method": "lexical"}).explain_traces(traces))
    judged = judge(traces, table)
    baseline = baseline_scores(traces, judged, ("lexical-overlap",))["lexical-overlap"]
    np.testing.assert_allclose(judged.scores, baseline.scores, atol=1e-7)
