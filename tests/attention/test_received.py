"""What a key receives from others, by the definition, and which keys can be compared."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.attention import AttentionMap, DenseAttention, ReceivedFromOthers


def _causal(layers: int, heads: int, n: int, seed: int = 0) -> np.ndarray:
    weights = np.random.default_rng(seed).random((layers, heads, n, n))
    weights *= np.tril(np.ones((n, n)))
    return weights / weights.sum(-1, keepdims=True)


def _by_definition(weights: np.ndarray, rows: list[int], key: int, causal: bool) -> float:
    others = [row for row in rows if row != key and (row > key or not causal)]
    return float(weights[others, key].mean()) if others else 0.0


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("rows", [None, [1, 4, 7], list(range(2, 9))])
@pytest.mark.parametrize(("layer", "head"), [(0, 1), (1, None), (None, None)])
def test_it_is_the_mean_over_the_other_rows_that_see_the_key(
    causal: bool, rows: list[int] | None, layer: int | None, head: int | None
) -> None:
    array = _causal(2, 3, 9)
    if not causal:
        array = array[..., ::-1, ::-1] / 2 + array / 2
    found = DenseAttention(array).received_from_others(layer, head, rows=rows)
    layers = [layer] if layer is not None else [0, 1]
    heads = [head] if head is not None else [0, 1, 2]
    chosen = rows if rows is not None else list(range(9))
    for key in range(9):
        means = [_by_definition(array[i, j], chosen, key, causal) for i in layers for j in heads]
        assert found.weights[key] == pytest.approx(np.mean(means), abs=1e-6)
        seen = [row for row in chosen if row != key and (row > key or not causal)]
        assert found.rows[key] == len(seen)


def test_a_look_at_itself_makes_no_key_important() -> None:
    weights = np.tril(np.full((40, 40), 0.004))
    np.fill_diagonal(weights, 0.9)
    weights[20:, 10] = 0.05
    found = DenseAttention(weights).received_from_others()
    assert int(np.argmax(np.where(found.enough, found.weights, 0.0))) == 10
    assert found.weights[39] == 0.0
    assert found.rows[10] == 29
    assert found.weights[10] == pytest.approx((9 * 0.004 + 20 * 0.05) / 29)


@pytest.mark.parametrize(("n", "least"), [(40, 10), (100, 10), (20, 5), (4, 1), (1, 1)])
def test_enough_rows_are_ten_or_a_quarter(n: int, least: int) -> None:
    found = DenseAttention(_causal(1, 1, n)[0, 0]).received_from_others()
    assert found.least == least
    assert found.enough.tolist() == [n - 1 - key >= least for key in range(n)]


def test_every_key_of_an_encoder_can_be_compared() -> None:
    weights = np.full((12, 12), 1 / 12)
    found = DenseAttention(weights).received_from_others()
    assert found.rows.tolist() == [11] * 12
    assert found.enough.all()


def test_a_map_that_is_not_square_has_no_own_rows() -> None:
    attention: AttentionMap = DenseAttention(np.full((3, 5), 0.2))
    found: ReceivedFromOthers = attention.received_from_others()
    assert found.rows.tolist() == [3] * 5
    np.testing.assert_allclose(found.weights, attention.received())
