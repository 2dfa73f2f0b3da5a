from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.feedback import (
    NORMALISATIONS,
    REDUCTIONS,
    Part,
    Unit,
    reachable_scores,
    score_all_heads,
    score_units,
)


class Matrix:
    """A plain attention map, written from the interface: (layers, heads, queries, keys)."""

    def __init__(self, array):
        self.array = np.asarray(array, dtype=np.float32)
        self.n_layers, self.n_heads, self.n_queries, self.n_keys = self.array.shape

    def weights(self, layer=None, head=None, rows=None, columns=None):
        chosen = self.array.mean(axis=0) if layer is None else self.array[layer]
        chosen = chosen.mean(axis=0) if head is None else chosen[head]
        return chosen if rows is None else chosen[rows]

    def _received(self, rows):
        array = self.array if rows is None else self.array[:, :, rows]
        return array.astype(np.float64).mean(axis=2)

    def span_mass(self, spans, rows=None):
        a = self._received(rows)
        masses = [sum(a[:, :, i:j].sum(axis=2) for i, j in unit) for unit in spans]
        return np.stack(masses, axis=2).astype(np.float32)

    def span_topk(self, spans, rows=None, k=3):
        a = self._received(rows)
        tops = []
        for unit in spans:
            columns = np.concatenate([a[:, :, i:j] for i, j in unit], axis=2)
            tops.append(np.sort(columns, axis=2)[:, :, -k:].mean(axis=2))
        return np.stack(tops, axis=2).astype(np.float32)


@st.composite
def maps_and_units(draw):
    """Random attention (rows sum to 1) and disjoint units, some of several spans."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers, heads, queries = draw(st.tuples(*[st.integers(1, 3)] * 3))
    keys = draw(st.integers(4, 20))
    array = rng.random((layers, heads, queries, keys)) ** 4 + 1e-6
    array /= array.sum(axis=-1, keepdims=True)
    owners = rng.integers(0, draw(st.integers(1, 4)), keys)
    units = [
        Unit.from_positions(f"u{u}", "", np.flatnonzero(owners == u)) for u in np.unique(owners)
    ]
    return Matrix(array), units


def scores_by_definition(matrix, units, *, reduction, normalisation, k, layer, head):
    """Loops over numbers, from the definitions in the docstring of `score_units`."""
    layers = range(matrix.n_layers) if layer is None else [layer]
    heads = range(matrix.n_heads) if head is None else [head]
    chosen = [matrix.array[i, j].astype(float) for i, j in itertools.product(layers, heads)]
    a = []
    for key in range(matrix.n_keys):
        looks = [weights[row, key] for weights in chosen for row in range(matrix.n_queries)]
        a.append(sum(looks) / len(looks))
    reduced, masses, lengths = [], [], []
    for unit in units:
        received = sorted((a[position] for position in unit.positions), reverse=True)
        mass, length = sum(received), len(received)
        best = received[: min(k, length)]
        top = sum(best) / len(best)
        reduced.append({"mean": mass / length, "mass": mass, "top-k": top}[reduction])
        masses.append(top * length if reduction == "top-k" else mass)
        lengths.append(length)
    if normalisation == "raw":
        return reduced
    if normalisation == "share":
        return [number / sum(reduced) for number in reduced]
    lifts = [
        (mass / sum(masses)) / (length / sum(lengths))
        for mass, length in zip(masses, lengths, strict=True)
    ]
    return [lift / (1 + lift) for lift in lifts]


reductions = st.sampled_from(list(REDUCTIONS))
normalisations = st.sampled_from(list(NORMALISATIONS))


@given(maps_and_units(), reductions, normalisations, st.integers(1, 5), st.data())
def test_equals_the_definition(map_and_units, reduction, normalisation, k, choose):
    matrix, units = map_and_units
    layer = choose.draw(st.none() | st.integers(0, matrix.n_layers - 1))
    head = choose.draw(st.none() | st.integers(0, matrix.n_heads - 1))
    scores = score_units(
        matrix, units, None, layer, head, reduction=reduction, normalisation=normalisation, k=k
    )
    names = {"reduction": reduction, "normalisation": normalisation, "k": k}
    expected = scores_by_definition(matrix, units, layer=layer, head=head, **names)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


@given(maps_and_units(), reductions, normalisations)
def test_all_heads_at_once_equal_head_by_head(map_and_units, reduction, normalisation):
    matrix, units = map_and_units
    names = {"reduction": reduction, "normalisation": normalisation}
    every = score_all_heads(matrix, units, **names)
    assert every.dtype == np.float32
    assert every.shape == (matrix.n_layers, matrix.n_heads, len(units))
    for layer, head in np.ndindex(every.shape[:2]):
        one = score_units(matrix, units, layer=layer, head=head, **names)
        np.testing.assert_allclose(every[layer, head], one, atol=1e-5)


@given(maps_and_units(), reductions, normalisations, st.randoms())
def test_the_order_of_the_units_does_not_matter(map_and_units, reduction, normalisation, random):
    matrix, units = map_and_units
    order = list(range(len(units)))
    random.shuffle(order)
    names = {"reduction": reduction, "normalisation": normalisation}
    scores = score_units(matrix, units, **names)
    shuffled = score_units(matrix, [units[i] for i in order], **names)
    np.testing.assert_allclose(shuffled, scores[order], atol=1e-12)


@given(maps_and_units(), reductions)
def test_shares_sum_to_one(map_and_units, reduction):
    matrix, units = map_and_units
    shares = score_units(matrix, units, reduction=reduction, normalisation="share")
    assert shares.sum() == pytest.approx(1.0)


@given(maps_and_units(), reductions, normalisations, st.integers(1, 5))
def test_no_score_is_above_what_is_reachable(map_and_units, reduction, normalisation, k):
    matrix, units = map_and_units
    names = {"reduction": reduction, "normalisation": normalisation, "k": k}
    reachable = reachable_scores(units, **names)
    assert (score_units(matrix, units, **names) <= reachable + 1e-6).all()


@given(maps_and_units())
def test_a_mean_never_exceeds_one_over_the_length(map_and_units):
    matrix, units = map_and_units
    scores = score_units(matrix, units, reduction="mean")
    assert (scores <= 1 / np.array([unit.tokens for unit in units]) + 1e-6).all()


@given(reductions, st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_uniform_attention_gives_every_unit_the_lift_of_its_length(reduction, lengths):
    n = sum(lengths)
    edges = np.cumsum([0, *lengths])
    units = [
        Unit.from_spans(str(i), "", [span]) for i, span in enumerate(itertools.pairwise(edges))
    ]
    scores = score_units(
        Matrix(np.full((2, 2, 3, n), 1 / n)), units, reduction=reduction, normalisation="lift"
    )
    np.testing.assert_allclose(scores, 0.5, atol=1e-6)


def test_small_example_worked_by_hand():
    # two rows; a = [.2, .3, .1, .4]
    matrix = Matrix([[[[0.1, 0.4, 0.1, 0.4], [0.3, 0.2, 0.1, 0.4]]]])
    units = [Unit.from_spans("ab", "", [(0, 2)]), Unit.from_spans("cd", "", [(2, 4)])]
    expected = {
        ("mean", "raw"): [0.25, 0.25],
        ("mass", "raw"): [0.5, 0.5],
        ("top-k", "raw"): [0.3, 0.4],
        ("top-k", "share"): [3 / 7, 4 / 7],
        ("mass", "lift"): [0.5, 0.5],
    }
    for (reduction, normalisation), scores in expected.items():
        np.testing.assert_allclose(
            score_units(matrix, units, reduction=reduction, normalisation=normalisation, k=1),
            scores,
            atol=1e-6,
        )


@pytest.mark.parametrize("rows", [[1], np.array([False, True]), slice(1, 2), np.array([1])])
def test_only_the_chosen_rows_count(rows):
    matrix = Matrix([[[[1.0, 0.0], [0.25, 0.75]]]])
    units = [Unit.from_spans("a", "", [(0, 1)]), Unit.from_spans("b", "", [(1, 2)])]
    np.testing.assert_allclose(score_units(matrix, units, rows), [0.25, 0.75])


def test_long_inputs_are_averaged_in_blocks(monkeypatch):
    monkeypatch.setattr("explorer.feedback._scores._BLOCK_WEIGHTS", 12)
    rng = np.random.default_rng(1)
    matrix = Matrix(rng.random((1, 1, 11, 4)))
    units = [Unit.from_spans("a", "", [(0, 3)])]
    expected = matrix.array[0, 0, :, :3].mean(axis=0).sum()
    assert score_units(matrix, units, reduction="mass")[0] == pytest.approx(expected, abs=1e-6)


def test_columns_that_stand_for_whole_units():
    """Attention recorded as mass per unit: the mean divides by tokens, top-k asks the map."""

    class Recorded(Matrix):
        def span_topk(self, spans, rows=None, k=3):
            return np.array([[[0.25, 0.125], [0.5, 0.0]]])  # (layers, heads, units)

    matrix = Recorded([[[[0.6, 0.2]], [[0.4, 0.4]]]])
    units = [Unit("a", "", ((0, 1),), 3), Unit("b", "", ((1, 2),), 10)]
    np.testing.assert_allclose(score_units(matrix, units), [0.5 / 3, 0.3 / 10], atol=1e-6)
    np.testing.assert_allclose(score_units(matrix, units, head=1, reduction="top-k"), [0.5, 0.0])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_an_empty_unit_scores_zero_and_changes_nobody_else(reduction, normalisation):
    matrix = Matrix(np.full((1, 2, 2, 4), 0.25))
    units = [Unit.from_spans("a", "", [(0, 2)]), Unit.from_spans("b", "", [(2, 4)])]
    names = {"reduction": reduction, "normalisation": normalisation}
    without = score_units(matrix, units, **names)
    with_empty = score_units(matrix, [units[0], Unit("none", "", (), 0), units[1]], **names)
    np.testing.assert_allclose(with_empty, [without[0], 0.0, without[1]])
    assert score_all_heads(matrix, [Unit("none", "", (), 0)], **names).tolist() == [[[0.0], [0.0]]]


@pytest.mark.parametrize("normalisation", ["share", "lift"])
def test_no_attention_at_all_has_no_share(normalisation):
    units = [Unit.from_spans("a", "", [(0, 1)]), Unit.from_spans("b", "", [(1, 2)])]
    scores = score_units(Matrix(np.zeros((1, 1, 1, 2))), units, normalisation=normalisation)
    assert np.isnan(scores).all()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nan_stays_with_its_unit(reduction):
    matrix = Matrix([[[[np.nan, 0.25, 0.25, 0.5]]]])
    units = [Unit.from_spans("a", "", [(0, 2)]), Unit.from_spans("b", "", [(2, 4)])]
    for normalisation in NORMALISATIONS:
        scores = score_units(matrix, units, reduction=reduction, normalisation=normalisation, k=2)
        assert np.isnan(scores[0])
        assert np.isfinite(scores[1])


def test_a_span_beyond_the_input_names_its_unit():
    units = [Unit.from_spans("fine", "", [(0, 1)]), Unit.from_spans("line 9", "", [(3, 6)])]
    message = "Unit 'line 9' covers the positions 3 to 5, but the attention map has only 4 key"
    for score in (score_units, score_all_heads):
        with pytest.raises(InputError, match=message):
            score(Matrix(np.ones((1, 1, 1, 4))), units)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"layer": 2}, "There is no layer 2: this attention map has 2 layers, numbered 0 to 1."),
        ({"layer": -3}, "There is no layer -3"),
        ({"head": 1}, "There is no head 1: this attention map has 1 head, numbered 0 to 0."),
        ({"head": 0.5}, "The head must be a whole number, or None for the mean, not 0.5"),
        (
            {"reduction": "max"},
            "There is no reduction 'max'. Choose one of 'mean', 'mass', 'top-k'",
        ),
        ({"normalisation": "z"}, "There is no normalisation 'z'. Choose one of 'raw', 'share'"),
        ({"k": 0}, "must be 1 or more, not 0"),
        ({"rows": []}, "no query rows"),
    ],
)
def test_wrong_choices_say_what_would_be_right(choice, message):
    matrix = Matrix(np.ones((2, 1, 2, 2)))
    with pytest.raises(InputError, match=re.escape(message)):
        score_units(matrix, [Unit.from_spans("a", "", [(0, 1)])], **choice)


def test_negative_layers_count_from_the_end():
    matrix = Matrix([[[[1.0, 0.0]]], [[[0.25, 0.75]]]])
    scores = score_units(matrix, [Unit.from_spans("a", "", [(0, 1)])], layer=-1)
    assert scores.tolist() == [0.25]


def test_no_units_no_scores():
    assert score_units(Matrix(np.ones((1, 1, 1, 1))), []).shape == (0,)


@settings(max_examples=20)
@given(maps_and_units(), st.floats(1.1, 3.0))
def test_more_attention_never_lowers_a_raw_score(map_and_units, factor):
    matrix, units = map_and_units
    more = Matrix(matrix.array.copy())
    more.array[..., units[0].positions] *= factor
    for reduction in REDUCTIONS:
        before = score_units(matrix, units, reduction=reduction)
        after = score_units(more, units, reduction=reduction)
        assert after[0] > before[0]
        np.testing.assert_allclose(after[1:], before[1:], atol=1e-6)


# One row of attention over eight tokens, in one head.
PARTED = Matrix([[[[0.10, 0.20, 0.30, 0.05, 0.05, 0.10, 0.15, 0.05]]]])


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        # tokens 0-1 as they are, tokens 2-4 at 0.8: (0.15 + 0.8 x 0.4/3) / 2
        ("mean", (0.15 + 0.8 * 0.4 / 3) / 2),
        ("mass", (0.30 + 0.8 * 0.40) / 2),
        ("top-k", (0.15 + 0.8 * (0.30 + 0.05) / 2) / 2),
    ],
)
def test_a_unit_of_parts_scores_the_mean_of_weight_times_part(reduction, expected):
    unit = Unit("u", "", ((0, 5),), 5, parts=(Part(((0, 2),), 2), Part(((2, 5),), 3, weight=0.8)))
    other = Unit.from_spans("v", "", [(5, 8)])
    assert score_units(PARTED, [unit, other], reduction=reduction, k=2)[0] == pytest.approx(
        expected, rel=1e-6
    )
    heads = score_all_heads(PARTED, [unit, other], reduction=reduction, k=2)
    assert heads[0, 0, 0] == pytest.approx(expected, rel=1e-6)
    share = score_units(PARTED, [unit, other], reduction="mass", normalisation="share")
    assert share[0] == pytest.approx(0.31 / (0.31 + 0.30), rel=1e-6)


def test_a_unit_of_one_dissimilar_part_is_weighted():
    unit = Unit("u", "", ((0, 2),), 2, parts=(Part(((0, 2),), 2, weight=0.7),))
    assert score_units(PARTED, [unit])[0] == pytest.approx(0.7 * 0.15, rel=1e-6)
    assert reachable_scores([unit])[0] == pytest.approx(0.7 / 2)


def test_what_is_unknown_has_no_score_and_what_is_empty_scores_nothing():
    units = [
        Unit("unknown", "", (), 0, unknown=True),
        Unit("empty", "", (), 0),
        Unit.from_spans("there", "", [(0, 1)]),
    ]
    for normalisation in NORMALISATIONS:
        scores = score_units(PARTED, units, normalisation=normalisation)
        assert np.isnan(scores[0])
        assert scores[1] == 0
        assert scores[2] > 0
        heads = score_all_heads(PARTED, units, normalisation=normalisation)
        assert np.isnan(heads[0, 0, 0])
        assert heads[0, 0, 1] == 0


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_the_weight_of_a_part_is_checked(weight):
    with pytest.raises(InputError, match="weight"):
        Part(((0, 1),), 1, weight=weight)
