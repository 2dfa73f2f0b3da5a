"""The attention function and the mask function that transformers calls during a recording.

Both are registered once, under one name, and return what the stock SDPA functions return. They
store captures only while a recording is active in the calling thread, so threads do not mix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from explorer.attention._recorder.capture import Capture, attention_block
from explorer.attention._recorder.key_masks import RuleMask
from explorer.attention._recorder.recording import NeedsEagerError, Recording, current_recording
from explorer.run_control import RunControl

IMPLEMENTATION = "explorer_recorder"

# Arguments with which a model asks for attention over selected keys only. Its own code prepares
# them for the stock implementations by name, so only eager attention is known to be correct.
_SPARSE_ARGUMENTS = ("indices", "block_indices", "sinks", "cache")

# Values of one block of attention (heads, rows, keys) where SDPA cannot be used: 64 MB.
_BLOCK_VALUES = 1 << 24


def recorder_mask(**arguments: Any) -> Tensor | None:
    """Return the mask that SDPA would get, and store the rule behind it."""
    mask = sdpa_mask(**arguments)
    recording = current_recording()
    # A function that needs vmap depends on more than positions: its tensor is stored instead.
    if recording is not None and mask is not None and not arguments.get("use_vmap", False):
        kv_length, kv_offset = arguments["kv_length"], arguments.get("kv_offset", 0)
        padding = arguments.get("attention_mask")
        if padding is not None and (short := kv_length + kv_offset - padding.shape[-1]) > 0:
            padding = nn.functional.pad(padding, (0, short))
        rule = RuleMask(
            arguments["mask_function"], padding, arguments.get("q_offset", 0), kv_offset
        )
        recording.know_rule(mask, rule)
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
    """Return SDPA's output, and store query, key and mask while a recording is active.

    Soft caps (Gemma 2) and sinks (gpt-oss), which SDPA lacks, are computed in blocks of rows.
    """
    softcap, sinks = arguments.get("softcap"), arguments.get("s_aux")
    recording = current_recording()
    special = softcap is not None or sinks is not None
    if recording is None and not special:
        return _sdpa(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, arguments
        )
    kept_by = recording or Recording(lambda module, capture: None, RunControl())
    kept_by.control.check()
    wrong = [name for name in _SPARSE_ARGUMENTS if arguments.get(name) is not None]
    if wrong or query.ndim != 4:
        raise NeedsEagerError(f"it passes {wrong[0]!r}" if wrong else "its queries are not 4-D")

    n_queries = query.shape[2]
    causal = attention_mask is None and n_queries > 1
    causal = causal and bool(
        is_causal if is_causal is not None else getattr(module, "is_causal", True)
    )
    # As in SDPA: without a mask, keys after the queries are free space of a cache.
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
    if not kept_by.again(module, query, key):
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
    """Return attention times value, (texts, queries, heads, size), computed in blocks of rows."""
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
