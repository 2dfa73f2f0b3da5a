"""What is kept of one forward pass while it runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from explorer.attention._recorder.capture import Capture
from explorer.attention._recorder.key_masks import (
    CausalMask,
    KeyMask,
    NoMask,
    RuleMask,
    TensorMask,
)
from explorer.attention._recorder.position_bias import PositionBias
from explorer.run_control import RunControl


class NeedsEagerError(Exception):
    """An attention call that queries, keys and mask do not determine; eager attention is needed."""


class Recording:
    """The attention calls of one forward pass.

    Parameters
    ----------
    keep
        Called with each attention module and its capture, in the order of the calls.
    control
        Its cancel event stops the pass before the next layer.
    holds
        Whether `keep` stores what it is given. If so, views into large tensors are copied, so that
        the large tensors can be freed.
    copy_keys
        Copy the keys, because they live in a cache of the caller, who may write to it later.
    """

    def __init__(
        self,
        keep: Callable[[nn.Module, Capture], None],
        control: RunControl,
        *,
        holds: bool = True,
        copy_keys: bool = False,
    ) -> None:
        self.control = control
        self._keep = keep
        self._holds = holds
        self._copy_keys = copy_keys
        # Each tensor is stored with the object made from it: while it lives, its id is unique.
        self._rules: dict[int, tuple[Tensor, RuleMask]] = {}
        self._tensor_masks: dict[tuple[Any, ...], TensorMask] = {}
        self._biases: dict[tuple[Any, ...], tuple[Tensor, PositionBias]] = {}
        self._last: tuple[weakref.ref[Any], ...] | None = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Record this thread's attention calls while the context is open."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def know_rule(self, mask: Tensor, rule: RuleMask) -> None:
        """Store the rule that a mask tensor was made from."""
        self._rules[id(mask)] = (mask, rule)

    def keep(self, module: nn.Module, capture: Capture) -> None:
        """Pass one capture on."""
        self._keep(module, capture)

    def again(self, module: nn.Module, query: Tensor, key: Tensor) -> bool:
        """Return whether the call before this one was by the same module, with the same tensors.

        DiffLlama attends twice with one pair of queries and keys, to two halves of the values; its
        eager attention returns the first.
        """
        now: tuple[weakref.ref[Any], ...] = (
            weakref.ref(module),
            weakref.ref(query),
            weakref.ref(key),
        )
        before, self._last = self._last, now
        if before is None:
            return False
        pairs = zip(before, now, strict=True)
        return all(old() is new() for old, new in pairs)

    def own(self, tensor: Tensor, *, is_key: bool = False) -> Tensor:
        """Return a tensor that can be stored: a copy if it is a view of much larger memory."""
        if not self._holds:
            return tensor
        size = tensor.numel() * tensor.element_size()
        if (is_key and self._copy_keys) or tensor.untyped_storage().nbytes() > 1.5 * size:
            return tensor.clone(memory_format=torch.contiguous_format)
        return tensor

    def mask_of(self, mask: Tensor | None, n_keys: int, *, causal: bool) -> KeyMask:
        """Return the compact form of an attention call's mask.

        Raises
        ------
        NeedsEagerError
            The mask is not a tensor (texts, heads, queries, keys).
        """
        if mask is None:
            return CausalMask() if causal else NoMask()
        if not isinstance(mask, Tensor) or mask.ndim != 4:
            raise NeedsEagerError(f"its mask is a {type(mask).__name__}")
        if id(mask) in self._rules:
            return self._rules[id(mask)][1]
        return self._tensor_masks.setdefault(_memory_key(mask), TensorMask(mask))

    def bias_of(self, bias: Tensor | None) -> PositionBias | None:
        """Return the compact form of a position bias; layers that share a tensor share it too."""
        if bias is None:
            return None
        key = _memory_key(bias)
        if key not in self._biases:
            self._biases[key] = (bias, PositionBias.of(bias))
        return self._biases[key][1]


_current: ContextVar[Recording | None] = ContextVar("explorer_recording", default=None)


def current_recording() -> Recording | None:
    """Return the recording that is active in this thread, or None."""
    return _current.get()


def _memory_key(tensor: Tensor) -> tuple[Any, ...]:
    """Return a dictionary key that views of the same numbers share."""
    return (
        tensor.data_ptr(),
        tuple(tensor.shape),
        tensor.stride(),
        tensor.dtype,
        tensor.device,
    )
