"""Max-pooling of large attention maps for drawing: no large weight is lost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError


def block_of(count: int, max_cells: int) -> int:
    """Number of positions that share a cell when `count` positions get at most `max_cells`."""
    return max(1, math.ceil(count / max_cells))


def pool_max(weights: NDArray[np.floating], max_cells: int = 512) -> NDArray[np.float32]:
    """Max-pool a matrix to at most `max_cells` x `max_cells`.

    Parameters
    ----------
    weights : ndarray, shape (queries, keys)
    max_cells : int, default 512

    Returns
    -------
    ndarray of float32
        Blocks have the size ``block_of(queries, max_cells)`` x ``block_of(keys, max_cells)``; the
        last ones may be smaller. A cell is NaN only if its whole block is.

    Raises
    ------
    ShapeError
        If the weights are not a matrix with at least one cell.
    """
    matrix = np.asarray(weights, dtype=np.float32)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ShapeError(
            "A heatmap needs a matrix of weights (queries, keys) with at least one cell, but the "
            f"weights have the shape {matrix.shape}."
        )
    queries, keys = matrix.shape
    return pool_blocks(matrix, block_of(queries, max_cells), block_of(keys, max_cells))


def pool_blocks(weights: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Max-pool a matrix in blocks of `rows` x `columns` cells.

    Parameters
    ----------
    weights : ndarray, shape (queries, keys)
        It is returned itself if the blocks have one cell.
    rows, columns : int
        Size of a block, at least 1. Blocks at the lower and right edge may be smaller.

    Returns
    -------
    ndarray, shape (ceil(queries / rows), ceil(keys / columns))
        Of the same dtype. A cell is NaN only if its whole block is.

    Raises
    ------
    InputError
        If a block has no cells.

    Examples
    --------
    >>> pool_blocks(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32), 2, 2)
    array([[5., 6.]], dtype=float32)
    """
    if rows < 1 or columns < 1:
        raise InputError(f"A block has at least one row and one column; got {rows} x {columns}.")
    pooled = weights
    if columns > 1:
        pooled = np.fmax.reduceat(pooled, np.arange(0, pooled.shape[1], columns), axis=1)
    if rows > 1:
        pooled = np.fmax.reduceat(pooled, np.arange(0, pooled.shape[0], rows), axis=0)
    return pooled
