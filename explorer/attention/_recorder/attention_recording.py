"""Recording the attention of a transformers model at the cost of a plain forward pass.

The stock way, `output_attentions=True`, forces eager attention and stores layers x heads x n x n
numbers. Here the model runs with SDPA, and only queries and keys are kept: the weights are
softmax(query key^T * scaling + mask), worked out for the window that somebody looks at.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from explorer.attention._attention_map import AttentionMap
from explorer.attention._recorder.forward_pass import (
    checked_inputs,
    run_eager,
    run_recorded,
    with_items,
)
from explorer.attention._recorder.layer_stacks import Stack, Stacks, find_stacks, kept_positions
from explorer.attention._recorder.model_preparation import unwrap
from explorer.attention._recorder.recorded_attention import Capture, RecordedAttention


def record_attention(model: Any, **inputs: Any) -> AttentionMap:
    """Run a model once and return its attention.

    Parameters
    ----------
    model
        A transformers model, or an object that holds one as `torch_model`. It is left as it was
        found, also after an error.
    **inputs
        What the model's forward takes: `input_ids`, `attention_mask`, `inputs_embeds`,
        `decoder_input_ids` ... as tensors with a batch dimension.

    Returns
    -------
    AttentionMap
        For several texts, the first: `.batch(i)` gives each. Pad positions are dropped. For an
        encoder-decoder model it is the decoder's self-attention, with `.encoder` and `.cross`.

    Raises
    ------
    InputError
        There are no inputs, no batch dimension, or no tokens.
    RecordingError
        The model ran but gave no attention.

    Warns
    -----
    AttentionFallbackWarning
        The model has no attention interface (DeBERTa), so eager attention was used.
    """
    return record(model, inputs)


def record(
    model: Any, inputs: dict[str, Any], *, cancel: threading.Event | None = None
) -> AttentionMap:
    """Do what `record_attention` does; `cancel`, once set, stops it before the next layer.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    module, arguments = unwrap(model), checked_inputs(inputs)
    captures: list[tuple[nn.Module, Capture]] = []
    reason = run_recorded(
        module, arguments, lambda part, kept: captures.append((part, kept)), cancel
    )
    if reason is not None:
        return run_eager(module, arguments, reason, cancel)
    stacks = find_stacks(module, captures)
    return _assemble(stacks, arguments)


def _assemble(stacks: Stacks, arguments: dict[str, Any]) -> AttentionMap:
    """Make one map per text, with its encoder and cross-attention."""
    n_texts = stacks.main.captures[0].query.shape[0]
    notes = stacks.notes
    if n_texts > 1:
        notes += (f"The batch holds {n_texts} texts: each map is one of them, see batch().",)
    items = []
    for item in range(n_texts):
        attention = _one_map(stacks.main, arguments, item, stacks.query_mask, notes=notes)
        if stacks.encoder is not None:
            attention.encoder = _one_map(stacks.encoder, arguments, item, stacks.key_mask)
        if stacks.cross is not None:
            attention.cross = _one_map(
                stacks.cross, arguments, item, stacks.query_mask, stacks.key_mask
            )
        items.append(attention)
    return with_items(items)


def _one_map(
    stack: Stack,
    arguments: dict[str, Any],
    item: int,
    query_mask: str,
    key_mask: str | None = None,
    notes: Sequence[str] = (),
) -> RecordedAttention:
    """Make the map of one text from a stack; a `key_mask` of its own means cross-attention."""
    _, n_queries, n_keys = stack.captures[0].shape
    kept_queries = kept_positions(arguments, query_mask, n_queries, item)
    kept_keys = kept_positions(arguments, key_mask or query_mask, n_keys, item)
    offset = None
    if key_mask is None:
        before = np.arange(n_keys - n_queries)  # keys that a cache held already
        offset = len(before) if kept_keys is None else int(np.isin(kept_keys, before).sum())
    return RecordedAttention(
        stack.captures,
        item=item,
        kept_queries=kept_queries,
        kept_keys=kept_keys,
        query_offset=offset,
        layer_numbers=stack.layer_numbers,
        notes=notes,
    )
