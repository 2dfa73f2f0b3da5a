from __future__ import annotations

import numpy as np
import pytest

from explorer.attention import DenseAttention, UnitAttention, rollout
from explorer.attention.measures import MEASURES, distance, entropy, largest, previous_token, sink
from explorer.errors import InputError

N = 8


def uniform_causal():
    return np.tril(np.ones((N, N))) / np.arange(1, N + 1)[:, None]


def previous_head():
    return np.eye(N, k=-1) + np.diag([1.0] + [0.0] * (N - 1))


def sink_head():
    return np.eye(N)[[0] * N]


HEADS = DenseAttention(np.stack([uniform_causal(), previous_head(), sink_head()]))


def test_entropy_runs_from_one_key_to_all_keys():
    np.testing.assert_allclose(entropy(HEADS), [[1, 0, 0]], atol=1e-6)
    both_ways = DenseAttention(np.full((N, N), 1 / N))
    np.testing.assert_allclose(entropy(both_ways), [[1]], atol=1e-6)


def test_entropy_of_two_keys_is_as_defined():
    attention = DenseAttention(np.array([[0.25, 0.75, 0, 0]] * 4))
    bits = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    np.testing.assert_allclose(entropy(attention), [[bits / 2]], atol=1e-6)


def test_each_kind_of_head_is_told_by_its_measure():
    rows = np.arange(1, N)
    np.testing.assert_allclose(sink(HEADS), [[np.mean(1 / (rows + 1)), 1 / (N - 1), 1]], atol=1e-6)
    np.testing.assert_allclose(
        previous_token(HEADS), [[np.mean(1 / (rows + 1)), 1, 1 / (N - 1)]], atol=1e-6
    )
    np.testing.assert_allclose(distance(HEADS), [[np.mean(rows / 2), 1, rows.mean()]], atol=1e-6)
    np.testing.assert_allclose(largest(HEADS), [[np.mean(1 / (rows + 1)), 1, 1]], atol=1e-6)


def test_chosen_rows_and_samples_count():
    np.testing.assert_allclose(sink(HEADS, rows=[3])[0, 0], 0.25)
    np.testing.assert_allclose(sink(HEADS, max_rows=1)[0, 0], 0.5)  # the first row with a choice


def test_rows_without_attention_do_not_become_nan():
    for name, measure in MEASURES.items():
        values = measure(DenseAttention(np.zeros((4, 4))))
        assert np.isfinite(values).all(), name


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_the_registry_describes_its_measures(measure):
    assert MEASURES[measure.name] is measure
    assert measure.summary.startswith("Return ")
    assert measure.summary.endswith(".")
    weights = np.tril(np.random.default_rng(1).random((2, 3, N, N)))
    attention = DenseAttention(weights / weights.sum(axis=-1, keepdims=True))
    values = measure(attention, rows=[3, 5], max_rows=2)
    np.testing.assert_array_equal(values, measure.function(attention, [3, 5]))
    assert (values > measure.lowest).all()
    assert (values < (N if measure.highest is None else measure.highest)).all()


def test_the_registry_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        MEASURES["more"] = MEASURES["sink"]


def test_positions_need_one_text():
    units = UnitAttention(np.full((1, 1, 2), 0.5), ["a", "b"])
    np.testing.assert_allclose(entropy(units), [[1]], atol=1e-6)
    with pytest.raises(InputError, match="one text"):
        distance(units)


def test_rollout_is_the_product_of_the_layers():
    scores = np.random.default_rng(0).random((3, 2, 5, 5))
    weights = scores / scores.sum(-1, keepdims=True)
    expected = np.eye(5)
    for layer in weights:
        expected = (0.5 * layer.mean(0) + 0.5 * np.eye(5)) @ expected
    attention = DenseAttention(weights)
    np.testing.assert_allclose(rollout(attention), expected, atol=1e-6)
    np.testing.assert_allclose(rollout(attention, rows=[-1]), expected[-1:], atol=1e-6)
    first = 0.25 * weights[0].mean(0) + 0.75 * np.eye(5)
    np.testing.assert_allclose(rollout(attention, layer=0, residual=0.75), first, atol=1e-6)


def test_rollout_needs_square_self_attention():
    with pytest.raises(InputError, match="square"):
        rollout(DenseAttention(np.full((2, 4), 0.25)))
    with pytest.raises(InputError, match="residual"):
        rollout(DenseAttention(np.eye(2)), residual=2)
