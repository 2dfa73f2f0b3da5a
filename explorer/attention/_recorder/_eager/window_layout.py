"""Longformer and LED: attention by window slots, brought to the keys that the slots stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from explorer.errors import RecordingError

_SELF_ATTENTION = ("LongformerSelfAttention", "LEDEncoderSelfAttention")


def has_windows(module: nn.Module) -> bool:
    """Return whether the model gives its attention by window slots."""
    return any(type(part).__name__ in _SELF_ATTENTION for part in module.modules())


def squares_of_windows(
    module: nn.Module,
    outputs: Any,
    layers: Sequence[Tensor],
    arguments: dict[str, Any],
) -> tuple[Tensor, ...]:
    """Return attention over keys from attention over slots.

    Of a row, the first `g` entries are the weights of the `g` globally attended tokens, and entry
    `g + j` is the weight of the key at distance `j - w` from the query, where `w` is half of the
    window (documentation of `LongformerBaseModelOutput`). A global token attends to every key; its
    row is in the separate output of global attention.

    Parameters
    ----------
    module
        The model, whose layers know their windows.
    outputs
        The output of its pass.
    layers
        (texts, heads, queries, g + 2 w + 1), one for each layer.
    arguments
        The arguments of `forward`.

    Returns
    -------
    tuple of Tensor
        (texts, heads, queries, queries), one for each layer.

    Raises
    ------
    RecordingError
        The model chose its globally attended tokens itself.
    """
    halves = [
        int(vars(part)["one_sided_attn_window_size"])
        for part in module.modules()
        if type(part).__name__ in _SELF_ATTENTION
    ]
    texts, _, n_tokens, n_slots = layers[0].shape
    n_global = n_slots - 2 * halves[0] - 1
    chosen = arguments.get("global_attention_mask")
    wide: Sequence[Tensor] = ()
    places = torch.zeros((texts, n_tokens), dtype=torch.bool)
    if n_global:
        wide = _global_layers(outputs)
        if not isinstance(chosen, Tensor) or len(wide) != len(layers):
            raise RecordingError(
                f"{type(module).__name__} attends from {n_global} tokens to the whole text and "
                "does not say which. Pass global_attention_mask=, 1 at those tokens."
            )
        places = chosen[:, :n_tokens].cpu() > 0
    squares = []
    for number, (layer, half) in enumerate(zip(layers, halves, strict=True)):
        square = layer.new_zeros((*layer.shape[:3], n_tokens))
        for slot in range(2 * half + 1):
            away = slot - half
            first, stop = max(0, -away), min(n_tokens, n_tokens - away)
            if first < stop:
                rows = torch.arange(first, stop, device=layer.device)
                square[:, :, rows, rows + away] = layer[:, :, rows, n_global + slot]
        for text in range(texts):
            for order, place in enumerate(torch.nonzero(places[text]).flatten().tolist()):
                square[text, :, :, place] += layer[text, :, :, order]
                square[text, :, place] = wide[number][text, :, :n_tokens, order]
        squares.append(square)
    return tuple(squares)


def _global_layers(outputs: Any) -> tuple[Tensor, ...]:
    for name in ("global_attentions", "encoder_global_attentions"):
        found = getattr(outputs, name, None)
        if found:
            return tuple(found)
    return ()
