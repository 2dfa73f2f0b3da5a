"""Feedback from attention, against values worked out by hand and a scalar implementation."""

from __future__ import annotations

import asyncio
from difflib import SequenceMatcher

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.rag._extraction.extractor import FeedbackExtractor

EDGES = [
    {"id": "he1", "hyperedge": "The Nile is the longest river."},
    {"id": "he2", "hyperedge": "The Rhine flows through Cologne."},
    {"id": "he3", "hyperedge": "Quartz is hard."},
]


def direction(texts):
    """All texts point the same way, so that the embedding gives 1, unlike the attention."""
    return [[1.0, 0.0] for _ in texts]


def explain(metadata, edges=EDGES, answer="the Nile", **config):
    extractor = FeedbackExtractor(direction, {"method": "attention", **config})
    return asyncio.run(extractor.explain(answer, edges, metadata))


def codes(table, row):
    return {note.code for note in table.diagnostics[row]}


def notes(table):
    return {note.code for note in table.attrs["notes"]}


def by_formula(score, threshold=0.1, positive=1.0, negative=0.3, neutral=0.5):
    """The formula of the reference, one number at a time."""
    score = min(max(score, 0.0), 1.0)
    if score >= threshold:
        above = (score - threshold) / (1 - threshold) if threshold < 1 else 0.0
        return positive + above * (1 - positive)
    return negative + score / threshold * (neutral - negative)


# -- direct scores


def test_direct_scores_of_the_reference_s_example():
    table = explain({"hyperedge_attention": {"he1": 0.45, "he2": 0.05, "he3": 0.15}})
    assert table.feedback.to_numpy() == pytest.approx([1.0, 0.4, 1.0], abs=1e-6)
    assert table.verdict.tolist() == ["used", "near", "used"]
    assert table.evidence.tolist() == ["direct"] * 3
    assert table.matched_to.tolist() == ["its own score"] * 3
    assert table.threshold.tolist() == [0.1] * 3
    assert table.attrs["method"] == "attention"


def test_a_missing_direct_score_is_zero_and_told():
    table = explain({"hyperedge_attention": {"he1": 0.45}})
    assert table.feedback.tolist() == [1.0, 0.3, 0.3]
    assert "missing-score" in codes(table, 1)
    assert table.matched_to[1] == "nothing"


@pytest.mark.parametrize(
    "given_scores", [[0.45, 0.05, 0.15], np.array([0.45, 0.05, 0.15])], ids=type
)
def test_direct_scores_may_be_a_list_in_order(given_scores):
    table = explain({"hyperedge_attention": given_scores})
    assert table.feedback.to_numpy() == pytest.approx([1.0, 0.4, 1.0], abs=1e-6)


def test_ids_that_are_numbers_match_their_digits():
    edges = [{"id": 1, "hyperedge": "a"}, {"id": "2", "hyperedge": "b"}]
    table = explain({"hyperedge_attention": {"1": 0.05, 2: 0.02}}, edges)
    assert table.feedback.to_numpy() == pytest.approx([0.4, 0.34], abs=1e-6)


@pytest.mark.parametrize("unknown", [float("nan"), None, "high"])
def test_a_score_that_is_no_number_is_never_feedback(unknown):
    table = explain({"hyperedge_attention": {"he1": 0.05, "he2": unknown, "he3": 0.0}})
    assert table.method.tolist() == ["attention", "embedding", "attention"]
    assert table.feedback.to_numpy() == pytest.approx([0.4, 1.0, 0.3], abs=1e-6)
    assert {"nan-score", "embedding-fallback"} <= codes(table, 1)
    assert codes(table, 0) == set()


def test_scores_may_be_tensors():
    by_id = {"he1": torch.tensor(0.45), "he2": np.array(0.05), "he3": np.float64(0.15)}
    in_order = torch.tensor([0.45, 0.05, 0.15], requires_grad=True)
    for scores in (by_id, in_order, in_order.double(), list(in_order)):
        feedback = explain({"hyperedge_attention": scores}).feedback
        assert feedback.to_numpy() == pytest.approx([1.0, 0.4, 1.0], abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-0.5, 1.5, width=32), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]),
    st.sampled_from([(1.0, 0.3, 0.5), (0.75, 0.25, 0.5), (0.5, 0.5, 0.5)]),
)
def test_direct_scores_follow_the_formula(scores, threshold, values):
    edges = [{"id": str(place), "hyperedge": f"fact {place}"} for place in range(len(scores))]
    positive, negative, neutral = values
    table = explain(
        {"hyperedge_attention": dict(enumerate(scores))},
        edges,
        attention_threshold=threshold,
        positive_feedback=positive,
        negative_feedback=negative,
        neutral_feedback=neutral,
    )
    expected = [by_formula(score, threshold, *values) for score in scores]
    assert table.feedback.to_numpy() == pytest.approx(expected, abs=1e-6)


# -- token weights and a mapping

WEIGHTS = {0: 0.15, 1: 0.20, 2: 0.10, 3: 0.05, 4: 0.03}
MAPPING = {"he1": [0, 1, 2], "he2": [3, 4], "he3": []}


@pytest.mark.parametrize(
    "weights",
    [
        WEIGHTS,
        {str(place): weight for place, weight in WEIGHTS.items()},
        list(WEIGHTS.values()),
        np.array(list(WEIGHTS.values())),
        np.array(list(WEIGHTS.values()), dtype=np.float32),
    ],
    ids=["int keys", "text keys", "list", "array", "float32"],
)
@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_token_weights_are_averaged_over_the_mapped_positions(weights, kind):
    mapping = {name: kind(places) for name, places in MAPPING.items()}
    table = explain({"attention_weights": weights, "context_mapping": mapping})
    # means 0.15 and 0.04; he3 has no tokens: negative
    assert table.score.to_numpy() == pytest.approx([0.15, 0.04, 0.0], abs=1e-6)
    assert table.feedback.to_numpy() == pytest.approx([1.0, 0.38, 0.3], abs=1e-6)
    assert table.tokens.tolist() == [3, 2, 0]
    assert table.matched_to.tolist() == ["tokens 0-2", "tokens 3-4", "nothing"]
    assert "empty-mapping" in codes(table, 2)


def test_a_position_without_a_weight_counts_as_zero():
    table = explain(
        {
            "attention_weights": {"0": 0.12, "9": 0.06},
            "context_mapping": {"he1": ["0", "7"], "he2": [9], "he3": [0, 9, 20]},
        }
    )
    # (0.12 + 0) / 2, 0.06, (0.12 + 0.06 + 0) / 3
    assert table.score.to_numpy() == pytest.approx([0.06, 0.06, 0.06], abs=1e-6)
    assert table.matched_to.tolist() == ["tokens 0, 7", "token 9", "tokens 0, 9, 20"]
    assert "missing-position" in codes(table, 0)
    assert "missing-position" not in codes(table, 1)


def test_a_hyperedge_that_the_mapping_leaves_out_has_no_tokens_either():
    table = explain({"attention_weights": WEIGHTS, "context_mapping": {"he1": [0, 1, 2]}})
    assert table.feedback.tolist() == [1.0, 0.3, 0.3]
    assert "unmapped-hyperedge" in codes(table, 1)
    assert "empty-mapping" not in codes(table, 1)


@pytest.mark.parametrize("kind", [torch.tensor, set, frozenset, lambda places: range(len(places))])
def test_positions_may_be_anything_that_lists_them(kind):
    metadata = {
        "attention_weights": torch.tensor([0.15, 0.20, 0.10]),
        "context_mapping": {"he1": kind([0, 1, 2]), "he2": kind([0]), "he3": []},
    }
    assert explain(metadata).score.to_numpy() == pytest.approx([0.15, 0.15, 0.0], abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 0.25, width=32), min_size=1, max_size=8),
    st.lists(st.sets(st.integers(0, 9), max_size=5), min_size=1, max_size=4),
)
def test_token_weights_follow_a_loop_over_positions(weights, mapped):
    edges = [{"id": str(place), "hyperedge": f"fact {place}"} for place in range(len(mapped))]
    table = explain(
        {
            "attention_weights": {str(place): weight for place, weight in enumerate(weights)},
            "context_mapping": {str(place): sorted(places) for place, places in enumerate(mapped)},
        },
        edges,
    )
    for row, places in enumerate(mapped):
        found = [weights[place] if place < len(weights) else 0.0 for place in places]
        mean = sum(found) / len(found) if found else 0.0
        assert table.feedback[row] == pytest.approx(by_formula(mean), abs=1e-5)


# -- a matrix

MATRIX = [
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
    [0.2, 0.3, 0.5, 0.0, 0.0, 0.0],
    [0.1, 0.2, 0.3, 0.4, 0.0, 0.0],
    [0.1, 0.3, 0.05, 0.15, 0.4, 0.0],
    [0.2, 0.1, 0.15, 0.05, 0.3, 0.2],
]
TEXTS = ["The Nile is the longest river!", "the rhine flows through Cologne"]


def test_a_matrix_with_spans():
    table = explain(
        {
            "attention_matrix": MATRIX,
            "context_texts": TEXTS,
            "context_spans": [[0, 2], [2, 4]],
            "answer_start_pos": 4,
        },
        EDGES[:2],
        attention_threshold=0.15,
    )
    # rows 4 and 5: columns 0.15, 0.2, 0.1, 0.1; he1 (0.15 + 0.2) / 2, he2 0.1
    assert table.score.to_numpy() == pytest.approx([0.175, 0.1], abs=1e-6)
    assert table.feedback.to_numpy() == pytest.approx([1.0, 0.3 + 0.1 / 0.15 * 0.2], abs=1e-6)
    assert table.matched_to.tolist() == ["context 1", "context 2"]


def test_the_answer_begins_at_half_where_nobody_says():
    table = explain(
        {"attention_matrix": MATRIX[:4], "context_texts": TEXTS, "tokens": []}, EDGES[:2]
    )
    assert "assumed-answer-start" not in notes(table)  # not square: answer rows only, six columns
    square = np.array(MATRIX)[:4, :4]
    table = explain({"attention_matrix": square, "context_texts": TEXTS}, EDGES[:2])
    # rows 2 and 3, columns before 2, one for each text: (0.2 + 0.1) / 2, (0.3 + 0.2) / 2
    assert table.score.to_numpy() == pytest.approx([0.15, 0.25], abs=1e-6)
    assert "assumed-answer-start" in notes(table)


def test_layers_and_heads_are_averaged_or_chosen():
    stack = np.zeros((2, 2, 2, 2), dtype=np.float32)
    stack[0, 0] = [[0.1, 0.9], [0.1, 0.9]]
    stack[0, 1] = [[0.3, 0.7], [0.3, 0.7]]
    stack[1, 0] = [[0.5, 0.5], [0.5, 0.5]]
    stack[1, 1] = [[0.7, 0.3], [0.7, 0.3]]
    metadata = {
        "attention_matrix": stack,
        "context_texts": TEXTS,
        "answer_start_pos": 1,
        "context_end_pos": 2,
    }
    edges = EDGES[:2]
    assert explain(metadata, edges).score.to_numpy() == pytest.approx([0.4, 0.6], abs=1e-6)
    last = explain(metadata, edges, layer=-1)
    assert last.score.to_numpy() == pytest.approx([0.6, 0.4], abs=1e-6)
    one = explain(metadata, edges, layer=0, head=1)
    assert one.score.to_numpy() == pytest.approx([0.3, 0.7], abs=1e-6)
    none = explain(metadata, edges, layer=7)
    assert none.method.tolist() == ["embedding"] * 2
    assert "no-such-attention" in codes(none, 0)
    assert "no layer 7" in none.attrs["notes"][0].message


def test_layer_and_head_do_not_concern_direct_scores():
    table = explain({"hyperedge_attention": [0.45, 0.05, 0.15]}, layer=7, head=3)
    assert table.method.tolist() == ["attention"] * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_attentions_as_a_model_returns_them(dtype):
    layers = torch.tensor([[0.25, 0.75], [0.5, 0.5]], dtype=dtype, requires_grad=True)
    one = layers[None, None]  # batch, heads, queries, keys
    context = {"context_texts": TEXTS, "answer_start_pos": 1, "context_end_pos": 2}
    for attentions in ((one, one * 0.5), [one, one * 0.5], torch.stack([one, one * 0.5])):
        table = explain({"attention_matrix": attentions, **context}, EDGES[:2])
        # row 1: 0.5 and 0.5 in the first layer, half of it in the second
        assert table.score.to_numpy() == pytest.approx([0.375, 0.375], abs=1e-6)


def test_a_similar_chunk_counts_by_its_similarity_and_several_are_averaged():
    texts = ["abcd", "abcd bcde", "zzzz"]
    edges = [{"id": "x", "hyperedge": "bcde"}, {"id": "y", "hyperedge": "qqqq"}]
    table = explain(
        {"attention_matrix": [[0.4, 0.2, 0.1]], "context_texts": texts, "context_end_pos": 3}, edges
    )
    # "bcde" and "abcd": 2 * 3 / 8; "bcde" lies within the second
    assert table.score[0] == pytest.approx((0.75 * 0.4 + 1.0 * 0.2) / 2, abs=1e-6)
    assert table.matched_to[0] == "similarity 0.75 to context 1; context 2"
    assert "approximate-match" in codes(table, 0)
    # what matches nothing is not 0.3 in silence
    assert table.method[1] == "embedding"
    assert {"unmatched-hyperedge", "embedding-fallback"} <= codes(table, 1)


def test_columns_that_nothing_maps_are_told_and_the_embedding_is_asked():
    table = explain(
        {"attention_matrix": MATRIX, "context_texts": TEXTS, "answer_start_pos": 4}, EDGES[:2]
    )
    assert table.method.tolist() == ["embedding"] * 2
    assert table.feedback.tolist() == [1.0, 1.0]
    assert "unmapped-columns" in notes(table)
    assert {"unmapped-columns", "embedding-fallback"} <= codes(table, 0)


def test_tokens_map_the_chunks():
    table = explain(
        {
            "attention_matrix": MATRIX,
            "context_texts": ["The Nile", "Rhine"],
            "tokens": ["The", "ĠNile", "ĠRh", "ine", "Ġan", "swer"],
            "answer_start_pos": 4,
        },
        EDGES[:2],
    )
    assert table.score.to_numpy() == pytest.approx([0.175, 0.1], abs=1e-6)


def test_rows_that_do_not_sum_to_one_are_told():
    half = np.array(MATRIX) / 2
    metadata = {"context_texts": TEXTS, "context_spans": [[0, 2], [2, 4]], "answer_start_pos": 4}
    assert "rows-do-not-sum-to-1" in notes(explain({"attention_matrix": half, **metadata}))
    assert "odd-attention" in notes(explain({"attention_matrix": half * 3, **metadata}))
    plain = notes(explain({"attention_matrix": MATRIX, **metadata}))
    assert not {"rows-do-not-sum-to-1", "odd-attention"} & plain


def test_a_threshold_that_is_out_of_reach_is_told():
    table = explain(
        {
            "attention_weights": [0.08] * 12,
            "context_mapping": {"he1": list(range(12)), "he2": [0], "he3": [1]},
        }
    )
    assert "threshold-out-of-reach" in codes(table, 0)
    assert any("12 tokens" in note.message for note in table.diagnostics[0])
    assert "threshold-out-of-reach" not in codes(table, 1)


def test_mass_share_and_top_k_go_through_the_same_core():
    metadata = {
        "attention_weights": [0.1, 0.3, 0.2, 0.2],
        "context_mapping": {"he1": [0, 1], "he2": [2], "he3": [3]},
    }
    mass = explain(metadata, reduction="mass")
    assert mass.score.to_numpy() == pytest.approx([0.4, 0.2, 0.2], abs=1e-6)
    share = explain(metadata, reduction="mass", normalisation="share")
    assert share.score.to_numpy() == pytest.approx([0.5, 0.25, 0.25], abs=1e-6)
    best = explain(metadata, reduction="top-k", top_k=1)
    assert best.score.to_numpy() == pytest.approx([0.3, 0.2, 0.2], abs=1e-6)


def ratio(first, second):
    """2M/T after the reference: containment is 1, less than 0.6 is no match."""
    if first in second or second in first:
        return 1.0
    found = SequenceMatcher(None, first, second, autojunk=False).ratio()
    return found if found >= 0.6 else None


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 2),
    st.integers(1, 2),
    st.lists(st.text("abc", min_size=1, max_size=6), min_size=2, max_size=4),
    st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=3),
    st.data(),
)
def test_a_matrix_follows_a_loop_over_layers_heads_and_rows(layers, heads, chunks, facts, data):
    n = len(chunks) + 2  # two answer rows after one column for each chunk
    flat = data.draw(
        st.lists(
            st.floats(0, 0.125, width=32),
            min_size=layers * heads * n * n,
            max_size=layers * heads * n * n,
        )
    )
    matrix = np.array(flat, dtype=np.float32).reshape(layers, heads, n, n)
    edges = [{"id": str(place), "hyperedge": fact} for place, fact in enumerate(facts)]
    table = explain(
        {"attention_matrix": matrix, "context_texts": chunks, "answer_start_pos": n - 2}, edges
    )
    chunk_scores = []
    for column in range(len(chunks)):
        values = [
            float(matrix[layer, head, row, column])
            for layer in range(layers)
            for head in range(heads)
            for row in (n - 2, n - 1)
        ]
        chunk_scores.append(sum(values) / len(values))
    for row, fact in enumerate(facts):
        matched = [
            weight * score
            for chunk, score in zip(chunks, chunk_scores, strict=True)
            if (weight := ratio(fact, chunk)) is not None
        ]
        if matched:
            mean = sum(matched) / len(matched)
            assert table.method[row] == "attention"
            assert table.score[row] == pytest.approx(mean, abs=1e-6)
            assert table.feedback[row] == pytest.approx(by_formula(mean), abs=1e-5)
        else:
            assert table.method[row] == "embedding"
            assert "unmatched-hyperedge" in codes(table, row)


# -- recorded units, precedence, and nothing at all


def test_recorded_units_are_last_and_say_their_tokens():
    units = {"unit_attention": [[[0.42, 0.07, 0.0]]], "unit_tokens": [7, 7, 1]}
    table = explain(units)
    assert table.score.to_numpy() == pytest.approx([0.06, 0.01, 0.0], abs=1e-6)
    assert table.matched_to.tolist() == ["its 7 tokens", "its 7 tokens", "its tokens"]
    table = explain({**units, "hyperedge_attention": {"he1": 0.45}})
    assert table.evidence.tolist() == ["direct"] * 3


def test_precedence_direct_then_weights_then_matrix():
    everything = {
        "attention_matrix": MATRIX,
        "context_texts": TEXTS,
        "attention_weights": WEIGHTS,
        "context_mapping": MAPPING,
        "hyperedge_attention": {"he1": 0.45},
    }
    assert explain(everything).evidence.tolist() == ["direct"] * 3
    del everything["hyperedge_attention"]
    assert explain(everything).evidence.tolist() == ["token-weights"] * 3


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({}, "no-attention"),
        ({"attention_weights": WEIGHTS}, "half-evidence"),
        ({"hyperedge_attention": [0.1, 0.2]}, "broken-evidence"),
        ({"attention_matrix": [[0.1, 0.2], [0.3]]}, "broken-evidence"),
        ({"attention_matrix": {"file": "a.npz", "key": "k"}}, "broken-evidence"),
        ({"attention_weights": WEIGHTS, "context_mapping": 3}, "broken-evidence"),
    ],
)
def test_without_usable_attention_every_row_says_why_and_takes_the_embedding(metadata, code):
    table = explain(metadata)
    assert table.method.tolist() == ["embedding"] * 3
    assert table.feedback.tolist() == [1.0] * 3
    assert code in notes(table)
    for row in range(3):
        assert {code, "embedding-fallback"} <= codes(table, row)


def test_the_threshold_of_the_attention_is_its_own():
    table = explain(
        {"hyperedge_attention": [0.2, 0.4, 0.8]}, attention_threshold=0.4, similarity_threshold=0.9
    )
    assert table.feedback.to_numpy() == pytest.approx([0.4, 1.0, 1.0], abs=1e-6)
