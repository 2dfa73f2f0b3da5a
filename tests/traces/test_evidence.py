"""Every kind of evidence gives the scores that its definition gives by hand."""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np
import pytest

from explorer.errors import EvidenceError
from explorer.feedback import feedback_table, score_units
from explorer.traces import Hyperedge, Trace, evidence

FACTS = ("The Nile is the longest river.", "The Rhine flows through Cologne.")


def trace_of(*texts, **metadata):
    edges = [Hyperedge(f"he{place}", text) for place, text in enumerate(texts or FACTS, start=1)]
    return Trace("t", "Which river is longest?", edges, "the Nile", metadata)


def scores_of(found, **selection):
    return score_units(found.attention, found.units, found.rows, **selection).tolist()


def codes(diagnostics):
    return [diagnostic.code for diagnostic in diagnostics]


# direct scores


def test_direct_scores_are_the_scores():
    found = evidence(trace_of(hyperedge_attention={"he1": 0.45, "he2": 0.05}))
    assert found.kind == "direct"
    assert scores_of(found) == pytest.approx([0.45, 0.05])
    assert [unit.name for unit in found.units] == ["he1", "he2"]
    assert [unit.text for unit in found.units] == list(FACTS)
    assert found.diagnostics == ()


def test_a_hyperedge_without_a_score_is_zero_and_says_so():
    found = evidence(trace_of(hyperedge_attention={"he1": 0.45, "he9": 0.2}))
    assert scores_of(found) == pytest.approx([0.45, 0.0])
    assert codes(found.units[1].diagnostics) == ["missing-score"]
    assert codes(found.diagnostics) == ["unknown-hyperedge"]


@pytest.mark.parametrize("value", [[0.45, 0.05], (0.45, 0.05), np.array([0.45, 0.05])])
def test_direct_scores_in_order(value):
    assert scores_of(evidence(trace_of(hyperedge_attention=value))) == pytest.approx([0.45, 0.05])


def test_integer_keys_are_ids_too():
    trace = Trace("t", "q", [Hyperedge("1", "x"), Hyperedge("2", "y")])
    trace.metadata = {"hyperedge_attention": {1: 0.5, "2": 1}}
    assert scores_of(evidence(trace)) == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize("value", ["high", [0.1], {}, True])
def test_a_score_that_is_no_number_is_unknown_not_zero(value):
    found = evidence(trace_of(hyperedge_attention={"he1": value, "he2": 0.2}))
    assert codes(found.units[0].diagnostics) == ["not-a-number"]
    table = feedback_table(found.attention, found.units)
    assert table["verdict"].tolist() == ["unknown", "used"]


def test_null_is_unknown():
    found = evidence(trace_of(hyperedge_attention={"he1": None, "he2": 0.2}))
    assert feedback_table(found.attention, found.units)["verdict"][0] == "unknown"


def test_as_many_direct_scores_as_hyperedges():
    with pytest.raises(EvidenceError, match=r"shape \(3,\), but there are 2 hyperedges"):
        evidence(trace_of(hyperedge_attention=[0.1, 0.2, 0.3]))


# token weights


@pytest.mark.parametrize(
    "weights",
    [
        {0: 0.15, 1: 0.20, 2: 0.10, 3: 0.05, 4: 0.03},
        {"0": 0.15, "1": 0.20, "2": 0.10, "3": 0.05, "4": 0.03},
        [0.15, 0.20, 0.10, 0.05, 0.03],
        np.array([0.15, 0.20, 0.10, 0.05, 0.03]),
    ],
)
@pytest.mark.parametrize("positions", [list, np.array, tuple, lambda p: [str(x) for x in p]])
def test_token_weights_are_averaged_over_the_mapped_tokens(weights, positions):
    mapping = {"he1": positions([0, 1, 2]), "he2": positions([3, 4])}
    found = evidence(trace_of(attention_weights=weights, context_mapping=mapping))
    assert found.kind == "token-weights"
    # (0.15 + 0.20 + 0.10) / 3 and (0.05 + 0.03) / 2
    assert scores_of(found) == pytest.approx([0.15, 0.04])
    assert [unit.tokens for unit in found.units] == [3, 2]


def test_a_position_without_a_weight_counts_as_zero():
    found = evidence(
        trace_of(
            attention_weights={"0": 0.4, "9": 0.1}, context_mapping={"he1": [0, 1], "he2": [11]}
        )
    )
    assert scores_of(found) == pytest.approx([0.2, 0.0])
    assert codes(found.units[0].diagnostics) == ["missing-position"]
    assert codes(found.units[1].diagnostics) == ["missing-position"]


def test_an_empty_mapping_leaves_a_unit_without_tokens():
    found = evidence(trace_of(attention_weights=[0.4], context_mapping={"he1": []}))
    assert [unit.tokens for unit in found.units] == [0, 0]
    assert codes(found.units[0].diagnostics) == ["empty-mapping"]
    assert codes(found.units[1].diagnostics) == ["unmapped-hyperedge"]


def test_odd_positions_are_left_out_and_told():
    found = evidence(
        trace_of(
            attention_weights={"0": 0.4, "-1": 0.3, "x": 0.1, "99999999999": 1.0},
            context_mapping={"he1": [0, -1, "x", 1.5, 10**12, True], "he2": 3},
        )
    )
    assert scores_of(found) == pytest.approx([0.4, 0.0])
    assert "bad-position" in codes(found.units[0].diagnostics)
    assert codes(found.units[1].diagnostics) == ["bad-position"]
    assert codes(found.diagnostics) == ["bad-position"]


def test_weights_of_more_than_one_dimension_are_a_matrix():
    with pytest.raises(EvidenceError, match="attention_matrix"):
        evidence(trace_of(attention_weights=[[0.1, 0.2]], context_mapping={"he1": [0]}))


def test_half_a_pair_is_told():
    found = evidence(trace_of(attention_weights=[0.1]))
    assert found.kind == "none"
    assert codes(found.diagnostics) == ["half-evidence", "no-attention"]


# matrix: four context columns of two chunks, two answer rows

SQUARE = np.array(
    [
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
        [0.2, 0.3, 0.5, 0.0, 0.0, 0.0],
        [0.1, 0.2, 0.3, 0.4, 0.0, 0.0],
        [0.10, 0.30, 0.05, 0.15, 0.40, 0.0],
        [0.20, 0.10, 0.15, 0.05, 0.30, 0.2],
    ]
)
# Row mean of the answer's rows 4 and 5: 0.15, 0.20, 0.10, 0.10; means of the halves:
EXPECTED = [0.175, 0.1]
TOKENS = [
    "The Nile is the",
    " longest river.",
    " The Rhine",
    " flows through Cologne.",
    "the",
    " Nile",
]


@pytest.mark.parametrize(
    "mapping",
    [
        {"context_spans": [[0, 2], [2, 4]]},
        {"context_spans": [[[0, 1], [1, 2]], [[2, 4]]]},
        {"tokens": TOKENS},
        {"context_tokens": TOKENS[:4]},
    ],
)
@pytest.mark.parametrize("dimensions", [2, 3, 4])
def test_matrix_scores_by_hand(mapping, dimensions):
    matrix = SQUARE[(None,) * (dimensions - 2)]
    found = evidence(
        trace_of(
            attention_matrix=matrix.tolist(),
            context_texts=list(FACTS),
            answer_start_pos=4,
            context_end_pos=4,
            **mapping,
        )
    )
    assert found.kind == "matrix"
    assert found.rows.tolist() == [4, 5]
    assert scores_of(found) == pytest.approx(EXPECTED)
    assert found.diagnostics == ()
    assert codes(found.units[0].diagnostics) == []


def test_matrix_averages_layers_and_heads():
    stack = np.stack([SQUARE, np.zeros((6, 6))])[None]  # one layer, two heads, one of them empty
    found = evidence(
        trace_of(
            attention_matrix=stack,
            context_texts=list(FACTS),
            answer_start_pos=4,
            context_spans=[(0, 2), (2, 4)],
        )
    )
    assert scores_of(found) == pytest.approx([value / 2 for value in EXPECTED])
    assert scores_of(found, head=0) == pytest.approx(EXPECTED)


def test_one_column_for_each_chunk():
    matrix = [
        [0.7, 0.2, 0.1, 0.0],
        [0.5, 0.4, 0.1, 0.0],
        [0.6, 0.3, 0.1, 0.0],
        [0.2, 0.1, 0.0, 0.7],
    ]
    found = evidence(
        trace_of(
            attention_matrix=matrix,
            context_texts=list(reversed(FACTS)),
            answer_start_pos=2,
        )
    )
    # Rows 2 and 3; context 1 is the Rhine: (0.3 + 0.1) / 2 for the Nile, (0.6 + 0.2) / 2.
    assert scores_of(found) == pytest.approx([0.2, 0.4])


def test_the_default_answer_is_the_lower_half():
    found = evidence(trace_of(attention_matrix=SQUARE[:4, :4], context_texts=list(FACTS)))
    assert found.rows.tolist() == [2, 3]
    assert codes(found.diagnostics) == ["assumed-answer-start"]
    # Columns 0 and 1: (0.2 + 0.1) / 2 and (0.3 + 0.2) / 2.
    assert scores_of(found) == pytest.approx([0.15, 0.25])


@pytest.mark.parametrize("start", [1, 2])
def test_with_a_column_for_each_chunk_the_answer_begins_where_it_likes(start):
    rows = [[0.9, 0.0], [0.2, 0.4], [0.4, 0.2]]
    found = evidence(
        trace_of(attention_matrix=rows, context_texts=list(FACTS), answer_start_pos=start)
    )
    # Rows 1 and 2 on average, or row 2 alone; in a square matrix row 1 would be column 1.
    assert scores_of(found) == pytest.approx([0.3, 0.3] if start == 1 else [0.4, 0.2])
    assert found.diagnostics == ()


def test_a_matrix_of_answer_rows_and_context_columns_only():
    found = evidence(
        trace_of(
            attention_matrix=SQUARE[4:, :4],
            context_texts=list(FACTS),
            tokens=TOKENS[:4],
            answer_tokens=TOKENS[4:],
        )
    )
    assert found.rows.tolist() == [0, 1]
    assert scores_of(found) == pytest.approx(EXPECTED)
    assert found.attention.query_tokens == ("the", " Nile")


def test_when_nothing_maps_the_columns_it_is_a_diagnostic_and_no_score():
    # The example of the format's first description: six columns, two chunks, no mapping.
    found = evidence(
        trace_of(
            attention_matrix=np.full((12, 12), 1 / 12),
            context_texts=list(FACTS),
            answer_start_pos=6,
            context_end_pos=6,
        )
    )
    assert found.attention is not None
    assert codes(found.diagnostics) == ["unmapped-columns"]
    assert [unit.spans for unit in found.units] == [(), ()]
    assert "unmapped-columns" in codes(found.units[0].diagnostics)


def test_hyperedges_match_by_containment_or_similarity():
    found = evidence(
        trace_of(
            "the nile IS the longest river",  # contained, apart from case and punctuation
            "The Rhine runs through Cologne.",  # similar
            "Bees sleep at night.",  # neither
            attention_matrix=SQUARE,
            context_texts=[FACTS[0] + " It is in Africa.", FACTS[1]],
            context_spans=[[0, 2], [2, 4]],
            answer_start_pos=4,
        )
    )
    assert [unit.spans for unit in found.units] == [((0, 2),), ((2, 4),), ()]
    assert found.matches[0] == ((0, 1.0),)
    assert codes(found.units[0].diagnostics) == []
    assert codes(found.units[1].diagnostics) == ["approximate-match"]
    assert codes(found.units[2].diagnostics) == ["unmatched-hyperedge"]
    # 2M/T by difflib, the reference's own measure: the similar one counts by its ratio only.
    plain = ("the rhine runs through cologne", "the rhine flows through cologne")
    ratio = SequenceMatcher(None, *plain, autojunk=False).ratio()
    whole = np.asarray(SQUARE, dtype=float)[4:].mean(axis=0)
    scores = score_units(found.attention, found.units, found.rows)
    assert scores[0] == pytest.approx(whole[0:2].mean(), rel=1e-6)
    assert scores[1] == pytest.approx(ratio * whole[2:4].mean(), rel=1e-6)
    assert np.isnan(scores[2])


def test_a_hyperedge_in_two_chunks_scores_the_mean_of_the_two():
    found = evidence(
        trace_of(
            FACTS[0],
            attention_matrix=SQUARE,
            context_texts=[FACTS[0], "Bees sleep.", "Once more: " + FACTS[0]],
            context_spans=[[0, 2], [2, 3], [3, 4]],
            answer_start_pos=4,
        )
    )
    a = np.asarray(SQUARE, dtype=float)[4:].mean(axis=0)
    # Not the mean over the three tokens: a chunk counts as one, however long it is.
    expected = ((a[0] + a[1]) / 2 + a[3]) / 2
    scores = score_units(found.attention, found.units, found.rows)
    assert scores[0] == pytest.approx(expected, rel=1e-6)


def test_a_hyperedge_owns_the_columns_of_all_chunks_that_it_matches():
    found = evidence(
        trace_of(
            FACTS[0],
            attention_matrix=SQUARE,
            context_texts=[FACTS[0], "Bees sleep.", "Once more: " + FACTS[0]],
            context_spans=[[0, 1], [1, 3], [3, 4]],
            answer_start_pos=4,
        )
    )
    assert found.units[0].spans == ((0, 1), (3, 4))


def test_spans_out_of_range_are_cut_or_left_out_and_told():
    found = evidence(
        trace_of(
            attention_matrix=SQUARE,
            context_texts=list(FACTS),
            context_spans=[[2, 9], [5, 3]],
            answer_start_pos=4,
        )
    )
    assert [unit.spans for unit in found.units] == [((2, 4),), ()]
    assert codes(found.diagnostics) == ["span-out-of-range", "span-out-of-range"]
    assert "it was cut to fit" in str(found.diagnostics[0])
    assert "it was left out" in str(found.diagnostics[1])


def test_overlapping_spans_are_noted_by_the_table():
    found = evidence(
        trace_of(
            attention_matrix=SQUARE,
            context_texts=list(FACTS),
            context_spans=[[0, 3], [2, 4]],
            answer_start_pos=4,
        )
    )
    table = feedback_table(found.attention, found.units, rows=found.rows)
    assert any("overlap" in note.code for note in table.attrs["notes"])


def test_a_chunk_that_the_tokens_do_not_hold():
    found = evidence(
        trace_of(
            attention_matrix=SQUARE,
            context_texts=list(FACTS),
            tokens=[*TOKENS[:2], *"abcd"],
            answer_start_pos=4,
        )
    )
    assert [unit.spans for unit in found.units] == [((0, 2),), ()]
    assert codes(found.diagnostics) == ["chunk-not-in-tokens"]


@pytest.mark.parametrize("odd", [np.nan, -0.2, 1.7])
def test_odd_weights_are_taken_and_told(odd):
    matrix = SQUARE.copy()
    matrix[5, 0] = odd
    found = evidence(
        trace_of(
            attention_matrix=matrix,
            context_texts=list(FACTS),
            context_spans=[[0, 2], [2, 4]],
            answer_start_pos=4,
        )
    )
    assert found.attention.notes
    assert scores_of(found)[1] == pytest.approx(EXPECTED[1])


def test_integers_are_attention_too():
    found = evidence(
        trace_of(
            attention_matrix=np.eye(4, dtype=int), context_texts=list(FACTS), answer_start_pos=2
        )
    )
    assert scores_of(found) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"attention_matrix": [0.1, 0.2]}, "shape"),
        ({"attention_matrix": [[0.1, 0.2], [0.3]]}, "different lengths"),
        ({"attention_matrix": [["a", "b"]]}, "real numbers"),
        ({"attention_matrix": [["0.1", None]]}, "not a number"),
        ({"attention_matrix": "matrix"}, "real numbers"),
        ({"attention_matrix": {"rows": 3}}, "not a number"),
        ({"attention_matrix": [[True, False]]}, "real numbers"),
        ({"attention_matrix": [[10**400, 1]]}, "not an array of numbers"),
        ({"attention_matrix": []}, "shape"),
        ({"attention_matrix": np.zeros((2, 2), complex)}, "real numbers"),
        ({"attention_matrix": np.zeros((2, 2, 2, 2, 2))}, "shape"),
        ({"attention_matrix": SQUARE, "answer_start_pos": 6}, "from 0 to 5"),
        ({"attention_matrix": SQUARE, "answer_start_pos": -1}, "from 0 to 5"),
        ({"attention_matrix": SQUARE, "answer_start_pos": "end"}, "from 0 to 5"),
        ({"attention_matrix": SQUARE, "context_end_pos": 7}, "from 0 to 6"),
        ({"attention_matrix": SQUARE, "context_texts": "text"}, "list of texts"),
        ({"attention_matrix": SQUARE, "context_texts": ["a"], "context_spans": []}, "1 pairs"),
    ],
)
def test_a_matrix_that_cannot_be_used_is_refused_in_plain_words(metadata, reason):
    with pytest.raises(EvidenceError, match=reason) as caught:
        evidence(trace_of(**metadata))
    assert "trace t" in str(caught.value)


# units


def test_unit_attention_is_mass_and_mean_is_mass_by_tokens():
    mass = np.zeros((2, 3, 2))
    mass[1, 2] = [0.6, 0.2]
    found = evidence(trace_of(unit_attention=mass, unit_tokens=[["a", "b", "c"], 4]))
    assert found.kind == "units"
    assert [unit.tokens for unit in found.units] == [3, 4]
    selection = {"layer": 1, "head": 2}
    assert scores_of(found, reduction="mass", **selection) == pytest.approx([0.6, 0.2])
    assert scores_of(found, reduction="mean", **selection) == pytest.approx([0.2, 0.05])
    # The mean over two layers and three heads holds a sixth of it.
    assert scores_of(found, reduction="mass") == pytest.approx([0.1, 0.2 / 6])


def test_unit_attention_with_rows_and_topk():
    mass = np.zeros((1, 1, 2, 2))
    mass[0, 0] = [[0.5, 0.1], [0.3, 0.3]]
    found = evidence(
        trace_of(
            unit_attention=mass.tolist(),
            unit_topk=[[[0.2, 0.1]]],
            unit_tokens=[5, 5],
            answer_tokens=["the", " Nile"],
        )
    )
    assert scores_of(found, reduction="mass") == pytest.approx([0.4, 0.2])
    assert scores_of(found, reduction="top-k") == pytest.approx([0.2, 0.1])
    assert found.attention.query_tokens == ("the", " Nile")
    assert found.attention.tokens == ("he1", "he2")


def test_a_unit_that_was_cut_from_the_prompt_has_no_columns():
    found = evidence(trace_of(unit_attention=[[[0.2, 0.0]]], unit_tokens=[4, 0]))
    assert [unit.spans for unit in found.units] == [((0, 1),), ()]


def test_without_token_counts_it_is_told():
    found = evidence(trace_of(unit_attention=[[[0.2, 0.1]]]))
    assert codes(found.diagnostics) == ["no-unit-tokens"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"unit_attention": [[0.1, 0.2]]},
        {"unit_attention": [[[0.1, 0.2, 0.3]]]},
        {"unit_attention": [[[0.1, 0.2]]], "unit_topk": [[[0.1]]]},
        {"unit_attention": [[[0.1, 0.2]]], "unit_tokens": [1]},
        {"unit_attention": [[[0.1, 0.2]]], "unit_tokens": [1, -1]},
        {"unit_attention": [[[0.1, 0.2]]], "unit_tokens": "many"},
        {"unit_attention": [[[0.1, 0.2]]], "unit_topk_k": 0},
    ],
)
def test_unit_attention_that_does_not_fit(metadata):
    with pytest.raises(EvidenceError, match="trace t"):
        evidence(trace_of(**metadata))


# which evidence is used, and traces without any


def test_precedence():
    everything = {
        "hyperedge_attention": {"he1": 0.1, "he2": 0.2},
        "attention_weights": [0.1, 0.2],
        "context_mapping": {"he1": [0], "he2": [1]},
        "attention_matrix": SQUARE,
        "unit_attention": [[[0.1, 0.2]]],
    }
    kinds = []
    for name in ("hyperedge_attention", "attention_weights", "attention_matrix", "unit_attention"):
        kinds.append(evidence(trace_of(**everything)).kind)
        del everything[name]
    assert kinds == ["direct", "token-weights", "matrix", "units"]
    assert evidence(trace_of(**everything)).kind == "none"


def test_a_trace_without_attention_has_units_and_says_so():
    found = evidence(trace_of())
    assert (found.kind, found.attention) == ("none", None)
    assert [unit.text for unit in found.units] == list(FACTS)
    assert codes(found.diagnostics) == ["no-attention"]


def test_a_trace_without_hyperedges():
    found = evidence(Trace("t", "q", metadata={"hyperedge_attention": {}}))
    assert codes(found.diagnostics) == ["no-hyperedges"]


def test_duplicate_ids_and_empty_texts_are_told():
    trace = Trace("t", "q", [Hyperedge("a", "x"), Hyperedge("a", " ")])
    trace.metadata = {"hyperedge_attention": {"a": 0.4}}
    found = evidence(trace)
    assert scores_of(found) == pytest.approx([0.4, 0.4])
    assert codes(found.units[0].diagnostics) == ["duplicate-hyperedge-id"]
    assert codes(found.units[1].diagnostics) == ["duplicate-hyperedge-id", "empty-hyperedge"]


def test_the_callers_arrays_are_left_alone():
    matrix = SQUARE.copy()
    evidence(trace_of(attention_matrix=matrix, context_texts=list(FACTS), answer_start_pos=2))
    assert np.array_equal(matrix, SQUARE)


@pytest.mark.parametrize("spans", [[[0, []], [1, 2]], [[], {}]])
def test_spans_that_are_none_leave_their_text_without_columns(spans):
    facts = [Hyperedge(f"he{i}", text) for i, text in enumerate(FACTS[:2])]
    metadata = {"attention_matrix": SQUARE, "context_texts": list(FACTS[:2])}
    found = evidence(Trace("t", "q", facts, "a", metadata | {"context_spans": spans}))
    assert "span-out-of-range" in codes(found.diagnostics)
    assert "unmapped-columns" in codes(found.units[0].diagnostics)


def test_a_single_number_is_no_list_of_spans():
    trace = trace_of(attention_matrix=SQUARE, context_texts=["x"], context_spans=np.zeros(()))
    with pytest.raises(EvidenceError, match="context_spans"):
        evidence(trace)
