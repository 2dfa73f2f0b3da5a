"""Max-pooling of large attention maps for drawing: no large weight is lost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ShapeError


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
    for axis in (0, 1):
        block = block_of(matrix.shape[axis], max_cells)
        if block > 1:
            starts = np.arange(0, matrix.shape[axis], block)
            matrix = np.fmax.reduceat(matrix, starts, axis=axis)
    return matrix
