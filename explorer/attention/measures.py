"""One number per head: what kind of looking a head does.

Every measure is a mean over query rows and comes as float32 of shape (layers, heads). Long maps are
sampled: at most `max_rows` rows, evenly spread. Rows that may look at one key only (the first of a
causal map) are left out, because they have no choice. Rows that sum to less than 1 (learned sinks)
are divided by their sum, except for `sink` and `largest`, which tell plain attention.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from explorer.attention._attention_map import AttentionMap
from explorer.attention._blocks import FloatArray
from explorer.attention._indexing import IntArray, Positions, some_rows
from explorer.errors import InputError

# weights (heads, rows, keys), key positions of the rows (rows,), visible keys (rows,)
# -> (heads, rows)
_RowMeasure = Callable[[FloatArray, IntArray, IntArray], NDArray[np.floating]]


def entropy(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return how widely each head looks, 0 (one key) to 1 (all visible keys alike).

    -sum p log p / log(number of visible keys): Shannon entropy as in Clark et al. 2019, "What Does
    BERT Look At?" (arXiv:1906.04341), divided by its largest possible value.

    Parameters
    ----------
    rows
        The query rows to average; None for all.
    max_rows
        Of more rows, so many evenly spread ones are taken.

    Returns
    -------
    float32 array of shape (layers, heads)

    Raises
    ------
    InputError
        A row does not exist, or max_rows is below 1.
    """
    return _measure(attention, rows, max_rows, _entropy_of_rows)


def sink(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return each head's mean attention on the first key: the attention sink.

    Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks" (arXiv:2309.17453).
    Parameters, result and errors are those of `entropy`.
    """
    return _measure(attention, rows, max_rows, lambda weights, _, __: weights[:, :, 0])


def previous_token(
    attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64
) -> FloatArray:
    """Return each head's mean attention on the token just before the query.

    The positional head of Voita et al. 2019, "Analyzing Multi-Head Self-Attention"
    (arXiv:1905.09418). Parameters and result are those of `entropy`.

    Raises
    ------
    InputError
        As for `entropy`, or queries and keys are not positions of one text.
    """
    _needs_one_text(attention, "previous_token")
    return _measure(attention, rows, max_rows, _previous_of_rows)


def distance(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return how many tokens away each head looks on average.

    sum over keys of p(key) |query - key|: the mean attention distance of Vig and Belinkov 2019,
    "Analyzing the Structure of Attention" (arXiv:1906.04284). Parameters and result are those of
    `entropy`.

    Raises
    ------
    InputError
        As for `entropy`, or queries and keys are not positions of one text.
    """
    _needs_one_text(attention, "distance")
    return _measure(attention, rows, max_rows, _distance_of_rows)


def largest(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return each head's mean over rows of its largest weight: the confidence of Voita et al. 2019.

    Parameters, result and errors are those of `entropy`.
    """
    return _measure(attention, rows, max_rows, lambda weights, _, __: weights.max(axis=2))


MEASURES: dict[str, Callable[..., FloatArray]] = {
    "entropy": entropy,
    "sink": sink,
    "previous_token": previous_token,
    "distance": distance,
    "largest": largest,
}


def _measure(
    attention: AttentionMap, rows: Positions, max_rows: int, of_rows: _RowMeasure
) -> FloatArray:
    if max_rows < 1:
        raise InputError(f"max_rows must be at least 1; got {max_rows}.")
    chosen = some_rows(rows, attention.n_queries)
    # Rows without a choice go before sampling, so that as many as asked for are looked at.
    seen = attention.visible_keys(0, chosen)
    chosen = chosen[seen > 1] if (seen > 1).any() else chosen
    if len(chosen) > max_rows:
        chosen = chosen[np.linspace(0, len(chosen) - 1, max_rows).round().astype(np.int64)]
    positions = chosen + (attention.query_offset or 0)
    values = np.empty((attention.n_layers, attention.n_heads), dtype=np.float32)
    for layer in range(attention.n_layers):
        weights = attention.layer_weights(layer, chosen)  # (heads, rows, keys)
        visible = attention.visible_keys(layer, chosen)
        values[layer] = of_rows(weights, positions, visible).mean(axis=1)
    return values


def _entropy_of_rows(
    weights: FloatArray, _positions: IntArray, visible: IntArray
) -> NDArray[np.floating]:
    shares = _shares(weights)
    # 0 log 0 is 0; the smallest normal number keeps log finite without another mask
    logs = np.log(np.maximum(shares, np.finfo(np.float32).tiny))
    spread: NDArray[np.floating] = -np.einsum("hrk,hrk->hr", shares, logs)
    return spread / np.log(np.maximum(visible, 2))


def _previous_of_rows(
    weights: FloatArray, positions: IntArray, _visible: IntArray
) -> NDArray[np.floating]:
    has_previous = positions > 0
    if not has_previous.any():
        return np.zeros(weights.shape[:2], dtype=np.float32)
    rows = np.flatnonzero(has_previous)
    found: NDArray[np.floating] = _shares(weights)[:, rows, positions[rows] - 1]
    return found


def _distance_of_rows(
    weights: FloatArray, positions: IntArray, _visible: IntArray
) -> NDArray[np.floating]:
    steps = np.abs(np.arange(weights.shape[2])[None, :] - positions[:, None]).astype(np.float32)
    away: NDArray[np.floating] = np.einsum("hrk,rk->hr", _shares(weights), steps)
    return away


def _shares(weights: FloatArray) -> FloatArray:
    """Divide rows by their sums; rows without attention stay 0."""
    sums = weights.sum(axis=2, keepdims=True)
    shares: FloatArray = np.divide(weights, sums, out=np.zeros_like(weights), where=sums != 0)
    return shares


def _needs_one_text(attention: AttentionMap, measure: str) -> None:
    if attention.query_offset is None:
        raise InputError(
            f"{measure} compares positions of one text, and the rows and columns of this map are "
            "different things: use self-attention of single tokens."
        )
