"""The attention function and the mask function that transformers calls while we record.

Both are registered once under one name and do what the stock SDPA functions do. They keep something
only where the thread that runs the model has a recording open, so other threads never mix in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from explorer.attention._recorder.key_masks import (
    CausalMask,
    KeyMask,
    NoMask,
    PositionBias,
    RuleMask,
    TensorMask,
    same_memory,
)
from explorer.attention._recorder.recorded_attention import Capture, attention_block
from explorer.errors import Cancelled

IMPLEMENTATION = "explorer_recorder"

# Arguments with which a model asks for attention over chosen keys only. Its own code prepares them
# for the stock implementations by name, so only eager attention is known to be right.
_SPARSE_ARGUMENTS = ("indices", "block_indices", "sinks", "cache")

# Rows of (heads, rows, keys) attention worked out at once where SDPA cannot do it: 64 MB.
_BLOCK_VALUES = 1 << 24


class NeedsEagerError(Exception):
    """An attention call that cannot be told by queries, keys and mask; eager attention can."""


class Recording:
    """What one recorded forward pass leaves behind.

    Parameters
    ----------
    keep
        Called with every attention module and its capture, in the order of the calls.
    cancel
        Set by another thread to stop before the next layer.
    holds
        Whether `keep` holds on to what it is given. Where it does, views into large tensors are
        copied, so that those can be freed.
    copy_keys
        Copy the keys: they live in a cache of the caller, who may write to it later.
    """

    def __init__(
        self,
        keep: Callable[[nn.Module, Capture], None],
        cancel: threading.Event | None = None,
        *,
        holds: bool = True,
        copy_keys: bool = False,
    ) -> None:
        self._keep = keep
        self._cancel = cancel
        self._holds = holds
        self._copy_keys = copy_keys
        # The tensors are held with what was made of them, so that their identity stays theirs.
        self._rules: dict[int, tuple[Tensor, RuleMask]] = {}
        self._tensor_masks: dict[tuple[Any, ...], TensorMask] = {}
        self._biases: dict[tuple[Any, ...], tuple[Tensor, PositionBias]] = {}

    def check_cancelled(self) -> None:
        """Raise `Cancelled` where the user asked to stop."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("Recording was stopped.")

    def know_rule(self, mask: Tensor, rule: RuleMask) -> None:
        """Remember which rule a mask tensor was made from."""
        self._rules[id(mask)] = (mask, rule)

    def keep(self, module: nn.Module, capture: Capture) -> None:
        """Hand one capture on."""
        self._keep(module, capture)

    def own(self, tensor: Tensor, *, is_key: bool = False) -> Tensor:
        """Return a tensor to keep: itself, unless that would hold much more memory alive."""
        if not self._holds:
            return tensor
        size = tensor.numel() * tensor.element_size()
        if (is_key and self._copy_keys) or tensor.untyped_storage().nbytes() > 1.5 * size:
            return tensor.clone(memory_format=torch.contiguous_format)
        return tensor

    def mask_of(self, mask: Tensor | None, n_keys: int, *, causal: bool) -> KeyMask:
        """Return the small form of the mask that an attention call came with."""
        if mask is None:
            return CausalMask() if causal else NoMask()
        if not isinstance(mask, Tensor) or mask.ndim != 4:
            raise NeedsEagerError(f"its mask is a {type(mask).__name__}")
        if id(mask) in self._rules:
            return self._rules[id(mask)][1]
        return self._tensor_masks.setdefault(same_memory(mask), TensorMask(mask))

    def bias_of(self, bias: Tensor | None) -> PositionBias | None:
        """Return the small form of a position bias; layers that share one share it here too."""
        if bias is None:
            return None
        memory = same_memory(bias)
        if memory not in self._biases:
            self._biases[memory] = (bias, PositionBias.of(bias))
        return self._biases[memory][1]


_tape: ContextVar[Recording | None] = ContextVar("explorer_tape", default=None)


@contextmanager
def taping(tape: Recording) -> Iterator[None]:
    """Let this thread's attention calls be kept by `tape`."""
    token = _tape.set(tape)
    try:
        yield
    finally:
        _tape.reset(token)


def recorder_mask(**arguments: Any) -> Tensor | None:
    """Make the mask that SDPA would get, and remember the rule behind it."""
    mask = sdpa_mask(**arguments)
    tape = _tape.get()
    # A function that needs vmap is not made of positions alone: its tensor is kept instead.
    if tape is not None and mask is not None and not arguments.get("use_vmap", False):
        kv_length, kv_offset = arguments["kv_length"], arguments.get("kv_offset", 0)
        padding = arguments.get("attention_mask")
        if padding is not None and (short := kv_length + kv_offset - padding.shape[-1]) > 0:
            padding = nn.functional.pad(padding, (0, short))
        rule = RuleMask(
            arguments["mask_function"], padding, arguments.get("q_offset", 0), kv_offset
        )
        tape.know_rule(mask, rule)
    return mask


def recorder_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **arguments: Any,
) -> tuple[Tensor, None]:
    """Do what SDPA does, and keep query, key and mask where a recording is open.

    Soft caps (Gemma 2) and sinks (gpt-oss), which SDPA lacks, are worked out in blocks of rows.
    """
    softcap, sinks = arguments.get("softcap"), arguments.get("s_aux")
    tape = _tape.get()
    special = softcap is not None or sinks is not None
    if tape is None and not special:
        return _sdpa(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, arguments
        )
    kept_by = tape or Recording(lambda module, capture: None)
    kept_by.check_cancelled()
    wrong = [name for name in _SPARSE_ARGUMENTS if arguments.get(name) is not None]
    if wrong or query.ndim != 4:
        raise NeedsEagerError(f"it passes {wrong[0]!r}" if wrong else "its queries are not 4-D")

    n_queries = query.shape[2]
    causal = attention_mask is None and n_queries > 1
    causal = causal and bool(
        is_causal if is_causal is not None else getattr(module, "is_causal", True)
    )
    # Like SDPA: with no mask, keys after the queries are room that a cache left for later.
    seen = key[:, :, :n_queries] if causal and key.shape[2] > n_queries else key
    capture = Capture(
        query=kept_by.own(query),
        key=kept_by.own(seen, is_key=True),
        scaling=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
        mask=kept_by.mask_of(attention_mask, seen.shape[2], causal=causal),
        bias=kept_by.bias_of(arguments.get("position_bias")),
        softcap=softcap,
        sinks=sinks,
    )
    kept_by.keep(module, capture)
    if special:
        return attend(capture, value[:, :, : seen.shape[2]]), None
    return _sdpa(module, query, key, value, attention_mask, dropout, scaling, is_causal, arguments)


def _sdpa(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float,
    scaling: float | None,
    is_causal: bool | None,
    arguments: dict[str, Any],
) -> tuple[Tensor, None]:
    output: tuple[Tensor, None] = sdpa_attention_forward(
        module,
        query,
        key,
        value,
        attention_mask,
        dropout=dropout,
        scaling=scaling,
        is_causal=is_causal,
        **arguments,
    )
    return output


def attend(capture: Capture, value: Tensor) -> Tensor:
    """Return attention times value, a few rows at a time: (texts, queries, heads, size)."""
    n_heads, n_queries, n_keys = capture.shape
    texts, value_heads = value.shape[0], value.shape[1]
    output = value.new_empty((texts, n_queries, n_heads, value.shape[-1]))
    step = max(1, min(n_queries, _BLOCK_VALUES // (n_heads * n_keys)))
    every_head = np.arange(n_heads)
    for item in range(texts):
        for start in range(0, n_queries, step):
            rows = np.arange(start, min(start + step, n_queries))
            block = attention_block(capture, item, every_head, rows).to(value.dtype)
            grouped = block.reshape(value_heads, -1, block.shape[-1])  # query heads by value head
            mixed = grouped @ value[item, :, : block.shape[-1]]
            mixed = mixed.reshape(n_heads, len(rows), -1)
            output[item, rows[0] : rows[-1] + 1] = mixed.transpose(0, 1)
    return output


AttentionInterface.register(IMPLEMENTATION, recorder_attention)
AttentionMaskInterface.register(IMPLEMENTATION, recorder_mask)
