"""How much attention a key receives from the other tokens that can look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attention._blocks import BlockFunction, FloatArray, row_blocks
from explorer.attention._indexing import IntArray

_ENOUGH_ROWS = 10
_ENOUGH_SHARE = 4  # of a short text, a quarter of the rows


class ReceivedFromOthers(NamedTuple):
    """The attention that each key receives from other tokens, and from how many.

    Attributes
    ----------
    weights : ndarray of float32, shape (keys,)
        Mean over the rows that may attend to the key, without the key's own row; 0 without any.
    rows : ndarray of int64, shape (keys,)
        How many rows that is: in the layer where they are fewest.
    least : int
        From how many rows on a mean says something: 10, or a quarter of the chosen rows where
        those are fewer.
    """

    weights: FloatArray
    rows: IntArray
    least: int

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Whether enough rows see each key for its mean to be compared; bool (keys,)."""
        return self.rows >= self.least


RowMean = Callable[[IntArray, IntArray, IntArray], FloatArray]
"""Layers, heads and rows to the mean over the rows: float32 (layers, heads, keys)."""
Visible = Callable[[int, IntArray], NDArray[np.bool_]]
"""Layer and rows to the keys that they may attend to: bool (rows, keys), or (1, keys) for all."""


def mean_received(
    row_mean: RowMean, visible_of: Visible, layers: IntArray, heads: IntArray, rows: IntArray
) -> FloatArray:
    """Return what `AttentionMap.received` describes: float32 (keys,)."""
    total: NDArray[np.float64] | float = 0.0
    for layer in layers:
        mean = row_mean(np.array([layer]), heads, rows)[0]  # (heads, keys)
        n_keys = mean.shape[1]
        seen = np.zeros(n_keys, dtype=np.int64)
        for part in row_blocks(len(rows), n_keys):
            visible = visible_of(int(layer), rows[part])
            repeats = len(rows[part]) if len(visible) == 1 else 1
            seen += visible.sum(axis=0) * repeats
        total = total + mean.mean(axis=0, dtype=np.float64) * len(rows) / np.maximum(seen, 1)
    return np.asarray(total / len(layers), dtype=np.float32)


def mean_from_others(
    block_of: BlockFunction,
    visible_of: Visible,
    layers: IntArray,
    heads: IntArray,
    rows: IntArray,
    shape: tuple[int, int],
) -> ReceivedFromOthers:
    """Return what `AttentionMap.received_from_others` describes.

    Parameters
    ----------
    block_of
        Attention of a layer, of some heads and rows: float32 (heads, rows, keys).
    visible_of
        Which keys the rows of a layer may attend to.
    layers, heads, rows
        What to average over.
    shape
        Number of query rows and of keys; in a square map row i is the token of key i.
    """
    n_keys = shape[1]
    square = shape[0] == n_keys
    mean = np.zeros(n_keys, dtype=np.float64)
    fewest = np.full(n_keys, len(rows), dtype=np.int64)
    for layer in layers.tolist():
        total = np.zeros(n_keys, dtype=np.float64)
        seen = np.zeros(n_keys, dtype=np.int64)
        for part in row_blocks(len(rows), len(heads) * n_keys):
            chosen = rows[part]
            block = block_of(layer, heads, chosen)  # (heads, rows, keys)
            visible = visible_of(layer, chosen)
            total += block.sum(axis=1, dtype=np.float64).mean(axis=0)
            seen += visible.sum(axis=0) * (len(chosen) if len(visible) == 1 else 1)
            if square:
                places = np.arange(len(chosen))
                own = block[:, places, chosen].mean(axis=0, dtype=np.float64)
                np.subtract.at(total, chosen, own)
                every = np.broadcast_to(visible, (len(chosen), n_keys))
                np.subtract.at(seen, chosen, every[places, chosen].astype(np.int64))
        mean += total / np.maximum(seen, 1)
        fewest = np.minimum(fewest, seen)
    weights = np.maximum(mean / len(layers), 0.0).astype(np.float32)
    least = min(_ENOUGH_ROWS, -(-len(rows) // _ENOUGH_SHARE))
    return ReceivedFromOthers(weights, fewest, max(1, least))
