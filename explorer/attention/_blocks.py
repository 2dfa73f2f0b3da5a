"""Means over blocks of rows that bound memory, and sums over the columns of units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.attention._indexing import IntArray

FloatArray = NDArray[np.float32]

BlockFunction = Callable[[int, IntArray, IntArray], FloatArray]
"""Layer, heads and rows to attention: float32 (heads, rows, keys)."""

# Attention of all heads is computed a few rows at a time: 16 million float32 are 64 MB.
_BLOCK_VALUES = 1 << 24
# In short blocks a causal map omits the keys after the rows.
_BLOCK_ROWS = 256


def row_blocks(n_rows: int, values_per_row: int) -> Iterator[slice]:
    """Yield slices of rows, so that a block of `values_per_row` numbers each stays in bounds."""
    step = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // max(1, values_per_row)))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def mean_window(
    block_of: BlockFunction,
    layers: IntArray,
    heads: IntArray,
    rows: IntArray,
    columns: IntArray,
    n_keys: int,
) -> FloatArray:
    """Return a window averaged over layers and heads: (rows, columns)."""
    window = np.zeros((len(rows), len(columns)), dtype=np.float32)
    every_column = np.array_equal(columns, np.arange(n_keys))
    for part in row_blocks(len(rows), len(heads) * n_keys):
        for layer in layers:
            block = block_of(int(layer), heads, rows[part])  # (heads, rows, keys)
            picked = block if every_column else block[:, :, columns]
            window[part] += picked.mean(axis=0) if len(heads) > 1 else picked[0]
    if len(layers) > 1:
        window /= len(layers)
    return window


def mean_rows(
    block_of: BlockFunction, layers: IntArray, heads: IntArray, rows: IntArray, n_keys: int
) -> FloatArray:
    """Return the mean over rows, summed in float64: (layers, heads, keys)."""
    mean = np.empty((len(layers), len(heads), n_keys), dtype=np.float32)
    for number, layer in enumerate(layers):
        total = np.zeros((len(heads), n_keys), dtype=np.float64)
        for part in row_blocks(len(rows), len(heads) * n_keys):
            total += block_of(int(layer), heads, rows[part]).sum(axis=1, dtype=np.float64)
        mean[number] = total / len(rows)
    return mean


def sum_columns(values: NDArray[np.floating], columns: Sequence[IntArray]) -> FloatArray:
    """Return each unit's sum over its columns of the last axis: float32 (..., units)."""
    sums = np.zeros((*values.shape[:-1], len(columns)), dtype=np.float32)
    filled = [number for number, unit in enumerate(columns) if unit.size]
    if filled:
        together = values[..., np.concatenate([columns[number] for number in filled])]
        sizes = [columns[number].size for number in filled]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        sums[..., filled] = np.add.reduceat(together, starts, axis=-1)
    return sums


def top_columns(values: NDArray[np.floating], columns: Sequence[IntArray], k: int) -> FloatArray:
    """Return the mean of each unit's k largest values; NaN without columns: (..., units)."""
    tops = np.full((*values.shape[:-1], len(columns)), np.nan, dtype=np.float32)
    for number, unit in enumerate(columns):
        if unit.size:
            picked = values[..., unit]
            if unit.size > k:
                picked = np.partition(picked, unit.size - k, axis=-1)[..., -k:]
            tops[..., number] = picked.mean(axis=-1)
    return tops
