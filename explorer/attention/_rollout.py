"""Attention rollout: attention accumulated over layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.attention._attention_map import AttentionMap
from explorer.attention._blocks import FloatArray
from explorer.attention._indexing import Positions, many_indices, one_index
from explorer.errors import InputError


def rollout(
    attention: AttentionMap,
    layer: int | None = None,
    rows: Positions = None,
    *,
    residual: float = 0.5,
) -> FloatArray:
    """Return the contribution of each input token to each position, up to a layer.

    With A_l the mean over heads of layer l, B_l = residual I + (1 - residual) A_l with rows divided
    by their sums, the rollout is B_l B_(l-1) ... B_0: Abnar and Zuidema 2020, "Quantifying
    Attention Flow in Transformers" (arXiv:2005.00928), with their residual of one half.

    Parameters
    ----------
    layer
        The last layer to include; None for all.
    rows
        Positions to compute; None for all. Few rows need little memory.
    residual
        Share of the residual connection, 0 to 1.

    Returns
    -------
    float32 array of shape (rows, keys); each row sums to 1.

    Raises
    ------
    InputError
        The map is not square self-attention, a layer or row does not exist, or residual lies
        outside 0 .. 1.
    """
    if attention.query_offset != 0 or attention.n_queries != attention.n_keys:
        raise InputError(
            "Rollout needs square self-attention, but this map has "
            f"{attention.n_queries} queries and {attention.n_keys} keys."
        )
    if not 0 <= residual <= 1:
        raise InputError(f"residual must lie between 0 and 1, but it is {residual}.")
    last = one_index(layer, attention.n_layers, "layer")
    chosen = many_indices(rows, attention.n_queries, "row")
    n_keys = attention.n_keys
    arrived: NDArray[np.floating] = np.zeros((len(chosen), n_keys), dtype=np.float32)
    arrived[np.arange(len(chosen)), chosen] = 1.0
    # From the last layer down, so that only the chosen rows are multiplied: each step is
    # arrived @ B_l, with B's row sums divided out of `arrived`, which is smaller.
    for number in range(attention.n_layers - 1 if last is None else last, -1, -1):
        weights = attention.weights(layer=number)  # (queries, keys)
        sums = residual + (1 - residual) * weights.sum(axis=1)
        scaled = arrived / np.where(sums > 0, sums, 1)
        arrived = residual * scaled + (1 - residual) * (scaled @ weights)
    return arrived.astype(np.float32)
