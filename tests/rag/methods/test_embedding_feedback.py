"""Feedback from embeddings, against cosines worked out by hand."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.rag._extraction.extractor import FeedbackExtractor
from explorer.rag._methods.embedding_feedback import Vectors, similarities

ANSWER = "the answer"


def explain(vectors, answer=ANSWER, **config):
    """Explain facts that have these vectors, to an answer that points to (1, 0)."""
    table = {ANSWER: [1.0, 0.0], **{f"fact {place}": one for place, one in enumerate(vectors)}}
    extractor = FeedbackExtractor(lambda texts: [table[text] for text in texts], config)
    edges = [{"id": str(place), "hyperedge": f"fact {place}"} for place in range(len(vectors))]
    return asyncio.run(extractor.explain(answer, edges))


def codes(table, row=0):
    return {note.code for note in table.diagnostics[row]}


def test_the_cosine_is_mapped_to_the_unit_interval_and_converted():
    root = math.sqrt(0.5)
    table = explain([[2, 0], [0, 3], [-1, 0], [root, root], [0.4, math.sqrt(0.84)]])
    # cosines 1, 0, -1, 0.7071, 0.4
    assert table.score.to_numpy() == pytest.approx([1.0, 0.5, 0.0, 0.8535534, 0.7])
    # below 0.7: 0.3 + s / 0.7 * 0.2; a score of exactly the threshold has reached it
    assert table.feedback.to_numpy() == pytest.approx([1.0, 0.3 + 0.5 / 0.7 * 0.2, 0.3, 1.0, 1.0])
    assert table.verdict.tolist() == ["used", "near", "not used", "used", "used"]
    assert table.evidence.tolist() == ["cosine"] * 5
    assert table.matched_to[0] == "answer: 'the answer'"


def test_the_upper_branch_rises_where_positive_is_below_one():
    table = explain([[0.8, 0.6]], similarity_threshold=0.5, positive_feedback=0.6)
    # (0.8 + 1) / 2 = 0.9: 0.6 + (0.9 - 0.5) / 0.5 * 0.4
    assert table.feedback[0] == pytest.approx(0.92)


def test_a_zero_vector_has_no_direction():
    table = explain([[0, 0], [1, 0]])
    assert table.feedback.tolist() == [0.5, 1.0]
    assert math.isnan(table.score[0])
    assert table.verdict.tolist() == ["unknown", "used"]
    assert "zero-embedding" in codes(table)


@pytest.mark.parametrize("answer", ["", None, "  \n"])
def test_without_an_answer_everything_is_neutral_and_nothing_is_embedded(answer):
    def never(texts):
        raise AssertionError("there is nothing to embed")

    edges = [{"id": "a", "hyperedge": "x"}]
    table = asyncio.run(FeedbackExtractor(never).explain(answer, edges))
    assert table.feedback.tolist() == [0.5]
    assert "empty-answer" in codes(table)


def test_a_hyperedge_without_text_is_neutral_and_is_not_sent():
    sent = []

    def function(texts):
        sent.append(texts)
        return [[1.0] for _ in texts]

    edges = [{"id": "a"}, {"id": "b", "hyperedge": "x"}]
    table = asyncio.run(FeedbackExtractor(function).explain(ANSWER, edges))
    assert table.feedback.tolist() == [0.5, 1.0]
    assert {"empty-hyperedge", "nothing-to-embed"} <= codes(table)
    assert sent == [[ANSWER, "x"]]


def test_neutral_is_what_the_config_says():
    table = explain([[0, 0]], neutral_feedback=0.45)
    assert table.feedback.tolist() == [0.45]


def test_huge_and_tiny_vectors_have_directions():
    table = explain([[1e200, 1e200], [1e-300, 0], [-1e308, 0]])
    assert table.score.to_numpy() == pytest.approx([(math.sqrt(0.5) + 1) / 2, 1.0, 0.0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=2, max_size=5))
def test_similarities_follow_a_loop(rows):
    texts = [str(place) for place in range(len(rows))]
    found = similarities(Vectors.of(texts, np.array(rows)), texts[0], texts[1:])
    for place, row in enumerate(rows[1:]):
        lengths = [math.sqrt(sum(value * value for value in one)) for one in (rows[0], row)]
        if min(lengths) == 0.0:
            largest = [max(map(abs, one)) for one in (rows[0], row)]
            assert math.isnan(found[place]) or min(largest) > 0.0
        elif min(lengths) > 1e-100:
            cosine = sum(a * b for a, b in zip(rows[0], row, strict=True))
            expected = (cosine / lengths[0] / lengths[1] + 1) / 2
            assert found[place] == pytest.approx(expected, abs=1e-9)
