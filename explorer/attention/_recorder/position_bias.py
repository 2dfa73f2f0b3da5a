"""Position biases: numbers that a model such as T5 adds to its attention scores.

A bias tensor has a number for each query and key. Where it depends on their distance only, one
number per diagonal is stored instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from explorer.attention._indexing import IntArray


class PositionBias(ABC):
    """A bias that is added to the scores by position (T5)."""

    @abstractmethod
    def block(self, item: int, rows: IntArray, stop: int) -> Tensor:
        """Return the bias of some rows: (heads, rows, stop)."""

    @staticmethod
    def of(bias: Tensor) -> PositionBias:
        """Return the compact form of a bias tensor (texts, heads, queries, keys)."""
        if bias.shape[2] == 1 or torch.equal(bias[..., 1:, 1:], bias[..., :-1, :-1]):
            return DiagonalBias(bias)
        return TensorBias(bias)


class DiagonalBias(PositionBias):
    """A bias that depends on key - query only, stored as one number per diagonal."""

    def __init__(self, bias: Tensor) -> None:
        self._last_query = bias.shape[2] - 1
        # Down the first column (reversed), then along the first row: key - query rises by one.
        self._diagonals = torch.cat([bias[..., 1:, 0].flip(-1), bias[..., 0, :]], dim=-1)

    def block(self, item: int, rows: IntArray, stop: int) -> Tensor:
        """Return the bias of some rows: (heads, rows, stop)."""
        one = self._diagonals[item if len(self._diagonals) > 1 else 0]  # (heads, diagonals)
        index = self._last_query - rows[:, None] + np.arange(stop)[None, :]
        return one[:, torch.as_tensor(index, device=one.device)]


class TensorBias(PositionBias):
    """A bias stored as the model passed it."""

    def __init__(self, bias: Tensor) -> None:
        self._bias = bias

    def block(self, item: int, rows: IntArray, stop: int) -> Tensor:
        """Return the bias of some rows: (heads, rows, stop)."""
        one = self._bias[item if len(self._bias) > 1 else 0]
        return one[:, torch.as_tensor(rows, device=one.device), :stop]
