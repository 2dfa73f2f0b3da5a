"""Which keys a query may attend to, stored compactly and evaluated for the rows in view.

A mask of n x n entries per forward pass would be larger than the recorded queries and keys.
transformers builds its masks from functions of (text, head, query, key) positions; evaluating such
a function for a few rows gives the same entries without the square.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.attention._indexing import IntArray

# transformers' mask functions: True where position q_idx may attend to the key at kv_idx.
MaskFunction = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class KeyMask(ABC):
    """Which keys each row may attend to."""

    def stop(self, rows: IntArray, n_keys: int) -> int:
        """Return the first key from which on none of these rows attends to any key."""
        return n_keys

    @abstractmethod
    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor | None:
        """Return a bool or additive mask (1 or heads, rows or 1, stop); None to allow all keys."""

    @abstractmethod
    def allowed_in_batch(self, rows: Tensor, stop: int) -> Tensor | None:
        """Return `allowed` for rows of all texts, given as int64 (texts, rows).

        Returns
        -------
        A bool or additive mask (1 or texts, 1 or heads, rows or 1, stop); None to allow all keys.
        """

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
    """Every query attends to every key."""

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> None:
        """Return None: all keys."""

    def allowed_in_batch(self, rows: Tensor, stop: int) -> None:
        """Return None: all keys."""


class CausalMask(KeyMask):
    """A query attends to its own position and those before it."""

    def stop(self, rows: IntArray, n_keys: int) -> int:
        """Return the position after the last row."""
        return min(n_keys, int(rows.max()) + 1) if rows.size else 0

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return key <= query: (1, rows, stop)."""
        queries = torch.as_tensor(rows, device=device)[None, :, None]
        return torch.arange(stop, device=device) <= queries

    def allowed_in_batch(self, rows: Tensor, stop: int) -> Tensor:
        """Return key <= query: (texts, 1, rows, stop)."""
        return torch.arange(stop, device=rows.device) <= rows[:, None, :, None]

    def apply(self, scores: Tensor, item: int, rows: IntArray, heads: IntArray) -> Tensor:
        """Mask the columns from the first row on; all rows attend to the columns before it."""
        first = int(rows.min())
        allowed = self.allowed(item, rows - first, scores.shape[-1] - first, scores.device)
        scores[..., first:].masked_fill_(~allowed, float("-inf"))
        return scores


class RuleMask(KeyMask):
    """A mask function of transformers and the padding that it is combined with."""

    def __init__(
        self, function: MaskFunction, padding: Tensor | None, q_offset: int, kv_offset: int
    ) -> None:
        self._function = function
        self._padding = padding  # bool (texts, keys)
        self._q_offset = q_offset
        self._kv_offset = kv_offset

    def from_first_query(self) -> RuleMask:
        """Return the same rule for rows that are counted from the first position of the text."""
        return RuleMask(self._function, self._padding, 0, self._kv_offset)

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return the entries of the rule: bool (1, rows, stop)."""
        text = torch.full((1, 1, 1, 1), item, device=device)
        head = torch.zeros((1, 1, 1, 1), dtype=torch.long, device=device)
        queries = torch.as_tensor(rows, device=device)[None, None, :, None] + self._q_offset
        keys = torch.arange(stop, device=device)[None, None, None, :] + self._kv_offset
        allowed = self._function(text, head, queries, keys)
        if self._padding is not None:
            allowed = allowed & self._padding[item, keys]
        return allowed.expand(1, 1, len(rows), stop)[0]

    def allowed_in_batch(self, rows: Tensor, stop: int) -> Tensor:
        """Return the entries of the rule: bool (texts, 1, rows, stop)."""
        text = torch.arange(len(rows), device=rows.device)[:, None, None, None]
        head = torch.zeros((1, 1, 1, 1), dtype=torch.long, device=rows.device)
        queries = rows[:, None, :, None] + self._q_offset
        keys = torch.arange(stop, device=rows.device)[None, None, None, :] + self._kv_offset
        allowed = self._function(text, head, queries, keys)
        if self._padding is not None:
            allowed = allowed & self._padding[text, keys]
        return allowed.expand(len(rows), 1, rows.shape[1], stop)


class TensorMask(KeyMask):
    """A mask tensor (texts, heads, queries, keys): bool (True to attend) or added to the scores."""

    def __init__(self, mask: Tensor) -> None:
        self._mask = mask

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return the entries of the tensor: (1 or heads, rows or 1, stop)."""
        one = self._mask[item if self._mask.shape[0] > 1 else 0].to(device)
        picked = one if one.shape[1] == 1 else one[:, torch.as_tensor(rows, device=device)]
        return picked[..., :stop]

    def allowed_in_batch(self, rows: Tensor, stop: int) -> Tensor:
        """Return the entries of the tensor: (1 or texts, 1 or heads, rows or 1, stop)."""
        mask = self._mask.to(rows.device)[..., :stop]
        if mask.shape[2] == 1:
            return mask
        place = rows[:, None, :, None].expand(-1, mask.shape[1], -1, stop)
        return mask.expand(len(rows), -1, -1, -1).gather(2, place)


class ShiftedMask(KeyMask):
    """The mask of a layer whose keys begin later than the text: the keys before it are hidden."""

    def __init__(self, inner: KeyMask, missing: int) -> None:
        self._inner = inner
        self._missing = missing

    def allowed(self, item: int, rows: IntArray, stop: int, device: torch.device) -> Tensor:
        """Return the entries of the layer, and False before them: (1 or heads, rows or 1, stop)."""
        seen = max(0, stop - self._missing)
        return self._shifted(self._inner.allowed(item, rows, seen, device), (1, 1), stop, device)

    def allowed_in_batch(self, rows: Tensor, stop: int) -> Tensor:
        """Return the entries of the layer, and False before them, for rows of all texts."""
        seen = max(0, stop - self._missing)
        allowed = self._inner.allowed_in_batch(rows, seen)
        return self._shifted(allowed, (1, 1, 1), stop, rows.device)

    def _shifted(
        self, allowed: Tensor | None, shape: tuple[int, ...], stop: int, device: torch.device
    ) -> Tensor:
        if allowed is None:
            allowed = torch.ones((*shape, stop - self._missing), dtype=torch.bool, device=device)
        elif allowed.dtype != torch.bool:
            hidden = torch.finfo(allowed.dtype).min
            return torch.nn.functional.pad(allowed, (self._missing, 0), value=hidden)
        return torch.nn.functional.pad(allowed, (self._missing, 0), value=False)
