"""Attention of a transformers model at the cost of a plain forward pass.

`output_attentions=True` forces eager attention and stores layers x heads x n x n numbers. Here the
model runs with SDPA, and only queries and keys are stored: the weights are
softmax(query key^T * scaling + mask), computed for the window that is read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor, nn

from explorer.attention._attention_map import AttentionMap
from explorer.attention._recorder._eager.eager_attention import run_eager
from explorer.attention._recorder.capture import Capture
from explorer.attention._recorder.forward_pass import (
    checked_inputs,
    n_texts,
    run_recorded,
    with_items,
)
from explorer.attention._recorder.layer_stacks import Stack, Stacks, find_stacks
from explorer.attention._recorder.model_preparation import transformers_model, unwrap
from explorer.attention._recorder.recorded_attention import RecordedAttention
from explorer.attention._recorder.token_positions import TokenPositions
from explorer.errors import RecordingError
from explorer.run_control import RunControl


def record_attention(model: Any, **inputs: Any) -> AttentionMap:
    """Return the attention of one forward pass of a model.

    Parameters
    ----------
    model
        A transformers model, or an object with one as `torch_model`. Its settings are restored
        after the pass, also after an error.
    **inputs
        Arguments of the model's `forward`: `input_ids`, `attention_mask`, `inputs_embeds`,
        `decoder_input_ids` ... as tensors with a batch dimension.

    Returns
    -------
    AttentionMap
        For several texts, the first: `.batch(i)` gives each. Pad positions are dropped. For an
        encoder-decoder model it is the decoder's self-attention, with `.encoder` and `.cross`.

    Raises
    ------
    InputError
        There are no inputs, or an input has no batch dimension or no tokens.
    RecordingError
        The model ran but returned no attention.

    Warns
    -----
    AttentionFallbackWarning
        The model has no attention interface (DeBERTa), so eager attention was used.
    """
    return record(model, inputs)


def record(
    model: Any, inputs: dict[str, Any], *, control: RunControl | None = None
) -> AttentionMap:
    """Do what `record_attention` does; `control` can stop it before the next layer.

    Raises
    ------
    Cancelled
        The cancel event of `control` was set.
    """
    module, arguments = unwrap(model), checked_inputs(inputs)
    texts = n_texts(arguments)
    notes: tuple[str, ...] = ()
    if texts > 1:
        notes = (f"The batch holds {texts} texts: each map is one of them, see batch().",)
    return with_items(_record_items(module, arguments, control or RunControl(), notes=notes))


def record_with_states(
    model: Any,
    inputs: dict[str, Any],
    padding: Tensor,
    *,
    control: RunControl | None = None,
) -> tuple[list[AttentionMap], Tensor]:
    """Return the attention of each text of a batch, and the last hidden states of the same pass.

    Parameters
    ----------
    model, control
        As for `record`.
    inputs
        Arguments of `forward`; the attention mask may be missing if the model only looks back.
    padding
        (texts, tokens): 0 at the pads, which the maps leave out.

    Returns
    -------
    maps
        One map per text, without reference to the others.
    states
        (texts, tokens, width): output of the model below its head, pads included.

    Raises
    ------
    RecordingError
        The model returned no attention, or no hidden states.
    Cancelled
        The cancel event of `control` was set.
    """
    module, arguments = unwrap(model), checked_inputs(inputs)
    with _last_states(module) as states:
        maps = _record_items(module, arguments, control or RunControl(), padding)
    if not states:
        raise RecordingError(
            f"{type(module).__name__} returned no hidden states, so its texts have no embedding. "
            "Choose another model."
        )
    return maps, states[-1]


@contextmanager
def _last_states(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what the model below the head returns in this thread: (texts, tokens, width)."""
    found: list[Tensor] = []
    thread = threading.get_ident()

    def keep(_: nn.Module, __: Any, outputs: Any) -> None:
        states = getattr(outputs, "last_hidden_state", None)
        if states is None and isinstance(outputs, tuple) and outputs:
            states = outputs[0]
        if isinstance(states, Tensor) and states.ndim == 3 and threading.get_ident() == thread:
            found[:] = [states]

    inner = transformers_model(module)
    if inner is None:
        yield found
        return
    handle = inner.base_model.register_forward_hook(keep)
    try:
        yield found
    finally:
        handle.remove()


def _record_items(
    module: nn.Module,
    arguments: dict[str, Any],
    control: RunControl,
    padding: Tensor | None = None,
    notes: tuple[str, ...] = (),
) -> list[AttentionMap]:
    """Return the map of each text; `padding` takes the place of the attention mask afterwards."""
    masked = arguments if padding is None else {**arguments, "attention_mask": padding}
    positions = TokenPositions(module, masked)
    captures: list[tuple[nn.Module, Capture]] = []
    reason = run_recorded(
        module,
        arguments,
        lambda part, kept: captures.append((part, kept)),
        control,
        positions=positions,
    )
    if reason is not None:
        return run_eager(module, arguments, reason, control, positions=positions)
    return _assemble(find_stacks(module, captures), positions, notes)


def _assemble(
    stacks: Stacks, positions: TokenPositions, notes: tuple[str, ...]
) -> list[AttentionMap]:
    """Return the map of each text; it has encoder and cross-attention."""
    items: list[AttentionMap] = []
    notes = (*stacks.notes, *positions.notes, *notes)
    for item in range(stacks.main.captures[0].query.shape[0]):
        attention = _one_map(stacks.main, positions, item, stacks.query_mask, notes=notes)
        if stacks.encoder is not None:
            attention.encoder = _one_map(stacks.encoder, positions, item, stacks.key_mask)
        if stacks.cross is not None:
            attention.cross = _one_map(
                stacks.cross, positions, item, stacks.query_mask, stacks.key_mask
            )
        items.append(attention)
    return items


def _one_map(
    stack: Stack,
    positions: TokenPositions,
    item: int,
    query_mask: str,
    key_mask: str | None = None,
    notes: Sequence[str] = (),
) -> RecordedAttention:
    """Return the map of one text from a stack; `key_mask` is given for cross-attention."""
    _, n_queries, n_keys = stack.captures[0].shape
    kept_queries = positions.kept(query_mask, n_queries, item)
    kept_keys = positions.kept(key_mask or query_mask, n_keys, item, keys=key_mask is None)
    offset = None
    if key_mask is None:
        before = np.arange(positions.n_before(query_mask, n_queries, n_keys))
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
