"""Hybrid and ensemble: which part speaks, and how much it counts."""

from __future__ import annotations

import asyncio
import math

import pytest

from explorer.rag._extraction.extractor import FeedbackExtractor

ANSWER = "We know that the Nile is long, of course."
CITED = {"id": "cited", "hyperedge": "The Nile is long."}
OTHER = {"id": "other", "hyperedge": "Quartz"}
VECTORS = {ANSWER: [1, 0], "The Nile is long.": [0, 1], "Quartz": [1, 0]}
"""The embedding says the opposite of the citation: similarity 0.5 and 1."""

HALF = 0.3 + 0.5 / 0.7 * 0.2
"""Feedback of the similarity 0.5."""


def explain(method, edges=(CITED, OTHER), metadata=None, answer=ANSWER, vectors=VECTORS, **config):
    asked = []

    def function(texts):
        asked.extend(texts)
        return [vectors[text] for text in texts]

    extractor = FeedbackExtractor(function, {"method": method, **config})
    table = asyncio.run(extractor.explain(answer, edges, metadata))
    return table, asked


def codes(table, row=0):
    return {note.code for note in table.diagnostics[row]}


def broken(texts):
    raise ValueError("no service")


# -- hybrid


def test_hybrid_keeps_a_citation_and_asks_the_embedding_about_the_rest():
    table, asked = explain("hybrid")
    assert table.method.tolist() == ["citation", "embedding"]
    assert table.feedback.tolist() == [1.0, 1.0]
    assert asked == [ANSWER, "Quartz"]  # the cited one costs nothing
    assert table.citation.tolist() == [1.0, 0.3]
    assert math.isnan(table.embedding[0])
    assert table.embedding[1] == 1.0


def test_the_bound_of_hybrid_can_be_set():
    near = {"id": "near", "hyperedge": "abcdefghij"}
    vectors = {"abcdeXghij": [1, 0], "abcdefghij": [0, 1]}
    # nine of ten: citation 0.9
    table, _ = explain("hybrid", [near], None, "abcdeXghij", vectors)
    assert (table.method[0], table.feedback[0]) == ("citation", pytest.approx(0.9))
    table, _ = explain("hybrid", [near], None, "abcdeXghij", vectors, hybrid_citation=0.95)
    assert (table.method[0], table.feedback[0]) == ("embedding", pytest.approx(HALF))


def test_hybrid_without_an_embedding_is_neutral_where_nothing_is_cited():
    extractor = FeedbackExtractor(broken, {"method": "hybrid"})
    table = asyncio.run(extractor.explain(ANSWER, [CITED, OTHER]))
    assert table.feedback.tolist() == [1.0, 0.5]
    assert "embedding-failed" in codes(table, 1)
    assert "embedding-failed" not in codes(table, 0)


# -- ensemble


def test_the_ensemble_is_the_weighted_mean_of_its_parts():
    table, _ = explain("ensemble", metadata={"hyperedge_attention": {"cited": 0.05, "other": 0.0}})
    # attention 0.4 and 0.3, embedding HALF and 1, citation 1 and 0.3
    first, second = 0.5 * 0.4 + 0.3 * HALF + 0.2 * 1.0, 0.5 * 0.3 + 0.3 * 1.0 + 0.2 * 0.3
    assert table.feedback.to_numpy() == pytest.approx([first, second], abs=1e-6)
    assert table.attention.to_numpy() == pytest.approx([0.4, 0.3], abs=1e-6)
    assert table.embedding.to_numpy() == pytest.approx([HALF, 1.0])
    assert table.citation.tolist() == [1.0, 0.3]
    assert table.evidence.tolist() == [
        "direct + cosine + substring",
        "direct + cosine + similarity",
    ]
    assert (
        table.matched_to[1]
        == "0.50 x attention 0.30 + 0.30 x embedding 1.00 + 0.20 x citation 0.30"
    )
    assert table.threshold.tolist() == [0.75, 0.75]
    assert table.verdict.tolist() == ["near", "near"]


def test_the_verdict_is_used_from_halfway_between_neutral_and_positive():
    weights = {"citation": 1}
    table, _ = explain("ensemble", ensemble_weights=weights)
    assert table.verdict.tolist() == ["used", "not used"]
    assert table.feedback.tolist() == [1.0, 0.3]


def test_without_attention_the_others_weigh_the_more():
    table, _ = explain("ensemble")
    assert table.feedback.to_numpy() == pytest.approx([0.6 * HALF + 0.4, 0.6 + 0.4 * 0.3])
    assert table.attention.isna().all()
    assert "no-attention" in {note.code for note in table.attrs["notes"]}


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"attention_matrix": [[0.5, 0.5], [0.5, 0.5]]}, "assumed-answer-start"),
        (
            {"attention_matrix": [[0.5, 1.5]], "context_texts": ["The Nile is long", "Quartz"]},
            "odd-attention",
        ),
        ({"hyperedge_attention": [0.1]}, "broken-evidence"),
        ({"hyperedge_attention": {"he1": 0.5}}, "unknown-hyperedge"),
    ],
)
def test_attention_that_can_be_doubted_has_no_voice(metadata, code):
    table, _ = explain("ensemble", metadata=metadata)
    assert table.feedback.to_numpy() == pytest.approx([0.6 * HALF + 0.4, 0.6 + 0.4 * 0.3])
    assert {code, "attention-left-out"} <= {note.code for note in table.attrs["notes"]}
    assert "attention-left-out" in codes(table)


def test_direct_scores_need_not_sum_to_one():
    table, _ = explain("ensemble", metadata={"hyperedge_attention": [0.9, 0.8]})
    assert table.attention.tolist() == [1.0, 1.0]


def test_a_hyperedge_that_attention_does_not_know_is_judged_by_the_rest():
    metadata = {"hyperedge_attention": {"cited": None, "other": 0.5}}
    table, _ = explain("ensemble", metadata=metadata)
    assert table.feedback.to_numpy() == pytest.approx([0.6 * HALF + 0.4, 0.5 + 0.3 + 0.06])
    assert math.isnan(table.attention[0])
    assert "nan-score" in codes(table)


def test_a_failed_embedding_leaves_the_citation():
    extractor = FeedbackExtractor(broken, {"method": "ensemble"})
    table = asyncio.run(extractor.explain(ANSWER, [CITED, OTHER]))
    assert table.feedback.tolist() == [1.0, 0.3]
    assert "embedding-failed" in codes(table)
    assert table.matched_to[0] == "1.00 x citation 1.00"


def test_where_no_part_knows_anything_the_feedback_is_neutral():
    extractor = FeedbackExtractor(broken, {"method": "ensemble"})
    table = asyncio.run(extractor.explain("", [CITED]))
    assert table.feedback.tolist() == [0.5]
    assert table.verdict.tolist() == ["unknown"]
    assert {"nothing-known", "empty-answer"} <= codes(table)


def test_a_part_of_weight_nothing_has_no_voice():
    table, _ = explain("ensemble", ensemble_weights={"embedding": 1})
    assert table.feedback.to_numpy() == pytest.approx([HALF, 1.0])
    assert table.citation.isna().all()
