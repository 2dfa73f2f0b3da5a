"""Which keys a query may look at, kept small and worked out again for the rows in view.

A mask of n x n entries per forward pass would cost more than the queries and keys that the
recorder keeps. transformers builds its masks from functions of (text, head, query, key) positions,
so such a function, evaluated for a few rows, gives the same entries without the square.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.attention._indexing import IntArray

# transformers' mask functions: True where the key at kv_idx may be looked at from q_idx
MaskFunction = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class KeyMask(ABC):
    """Which keys each row may look at."""

    def stop(self, rows: IntArray, n_keys: int) -> int:
        """Return the first key that none of these rows looks at, nor any after it."""
        return n_keys

    @abstractmethod
    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor | None:
        """Return a bool or additive mask of shape (1 or heads, rows or 1, stop); None for all."""

    def apply(self, scores: Tensor, item: int, rows: IntArray, heads: IntArray) -> Tensor:
        """Mask scores (heads, rows, stop) in place and return them."""
        allowed = self.allowed(item, rows, scores.shape[-1], scores.device)
        if allowed is None:
            return scores
        if allowed.shape[0] > 1:
            allowed = allowed[heads]
        if allowed.dtype == torch.bool:
            return scores.masked_fill_(~allowed, float("-inf"))
        return scores.add_(allowed)


class NoMask(KeyMask):
    """Every query sees every key."""

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> None:
        """Return None: all keys."""


class CausalMask(KeyMask):
    """A query sees itself and what came before."""

    def stop(self, rows: IntArray, n_keys: int) -> int:
        """Return one past the last row: no row looks further."""
        return min(n_keys, int(rows.max()) + 1) if rows.size else 0

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return key <= query: (1, rows, stop)."""
        queries = torch.as_tensor(rows, device=device)[None, :, None]
        return torch.arange(stop, device=device) <= queries

    def apply(self, scores: Tensor, item: int, rows: IntArray, heads: IntArray) -> Tensor:
        """Mask only the columns from the first row on: all rows see what came before it."""
        first = int(rows.min())
        allowed = self.allowed(item, rows - first, scores.shape[-1] - first, scores.device)
        scores[..., first:].masked_fill_(~allowed, float("-inf"))
        return scores


class RuleMask(KeyMask):
    """A mask function of transformers and the padding it is combined with."""

    def __init__(
        self, function: MaskFunction, padding: Tensor | None, q_offset: int, kv_offset: int
    ) -> None:
        self._function = function
        self._padding = padding  # bool (texts, keys)
        self._q_offset = q_offset
        self._kv_offset = kv_offset

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return the rule's entries: bool (1, rows, stop)."""
        text = torch.full((1, 1, 1, 1), item, device=device)
        head = torch.zeros((1, 1, 1, 1), dtype=torch.long, device=device)
        queries = torch.as_tensor(rows, device=device)[None, None, :, None] + self._q_offset
        keys = torch.arange(stop, device=device)[None, None, None, :] + self._kv_offset
        allowed = self._function(text, head, queries, keys)
        if self._padding is not None:
            allowed = allowed & self._padding[item, keys]
        return allowed.expand(1, 1, len(rows), stop)[0]


class TensorMask(KeyMask):
    """A mask that came as a tensor (texts, heads, queries, keys): bool (True = look) or added."""

    def __init__(self, mask: Tensor) -> None:
        self._mask = mask

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return the tensor's entries: (1 or heads, rows or 1, stop)."""
        one = self._mask[item if self._mask.shape[0] > 1 else 0].to(device)
        picked = one if one.shape[1] == 1 else one[:, torch.as_tensor(rows, device=device)]
        return picked[..., :stop]


class PositionBias(ABC):
    """What a model adds to the scores for the distance of query and key (T5)."""

    @abstractmethod
    def block(self, item: int, rows: IntArray, stop: int) -> Tensor:
        """Return the bias of some rows: (heads, rows, stop)."""

    @staticmethod
    def of(bias: Tensor) -> PositionBias:
        """Keep a bias (texts, heads, queries, keys), by its diagonals where they are constant."""
        if bias.shape[2] == 1 or torch.equal(bias[..., 1:, 1:], bias[..., :-1, :-1]):
            return DiagonalBias(bias)
        return TensorBias(bias)


class DiagonalBias(PositionBias):
    """A bias that depends on key - query only: one number per diagonal instead of a square."""

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
    """A bias kept as it came."""

    def __init__(self, bias: Tensor) -> None:
        self._bias = bias

    def block(self, item: int, rows: IntArray, stop: int) -> Tensor:
        """Return the bias of some rows: (heads, rows, stop)."""
        one = self._bias[item if len(self._bias) > 1 else 0]
        return one[:, torch.as_tensor(rows, device=one.device), :stop]


def same_memory(tensor: Tensor) -> tuple[Any, ...]:
    """Return what two views of the same numbers have in common, as a dictionary key."""
    return (
        tensor.data_ptr(),
        tuple(tensor.shape),
        tensor.stride(),
        tensor.dtype,
        tensor.device,
    )
