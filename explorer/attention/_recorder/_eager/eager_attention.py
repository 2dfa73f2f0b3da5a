"""The attention that a model's own eager code returns, as maps over the tokens that went in."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from explorer.attention._attention_map import AttentionMap
from explorer.attention._dense_attention import DenseAttention
from explorer.attention._recorder._eager.window_layout import has_windows, squares_of_windows
from explorer.attention._recorder.forward_pass import run_forward
from explorer.attention._recorder.language_head import LanguageHead
from explorer.attention._recorder.model_preparation import prepared
from explorer.attention._recorder.token_positions import TokenPositions
from explorer.errors import AttentionFallbackWarning, RecordingError
from explorer.run_control import RunControl


def run_eager(
    module: nn.Module,
    arguments: dict[str, Any],
    reason: str,
    control: RunControl,
    *,
    positions: TokenPositions,
    head: LanguageHead | None = None,
) -> list[AttentionMap]:
    """Run the model with eager attention, warn that it was needed, and return each text's map.

    Raises
    ------
    RecordingError
        The model returned no attention, or attention over other positions than its tokens.
    Cancelled
        The cancel event was set.
    """
    note = (
        f"{reason}, so eager attention was used: the weights are the same, but it is slower and "
        "holds all of them in memory."
    )
    warnings.warn(note, AttentionFallbackWarning, stacklevel=5)
    with prepared(module, "eager", control):
        outputs = run_forward(module, arguments, head, output_attentions=True)
    control.check()
    name = type(module).__name__
    if getattr(getattr(module, "config", None), "attention_type", None) == "block_sparse":
        raise RecordingError(
            f"The block-sparse attention of {name} does not give out the weights of its random "
            "blocks. Load the model with attention_type='original_full'."
        )
    cross = _layers(outputs, "cross_attentions")
    main = _layers(outputs, "decoder_attentions") or _layers(outputs, "attentions")
    encoder = _layers(outputs, "encoder_attentions")
    main, encoder = (main, encoder) if main else (encoder, ())
    if not main:
        raise RecordingError(
            f"{name} returned no attention of the form (heads, queries, keys): it has no attention "
            "between tokens, or its code does not give it out. Choose another model."
        )
    queries, keys = "attention_mask", "encoder_attention_mask"
    if cross and encoder:
        queries, keys = "decoder_attention_mask", "attention_mask"
    if has_windows(module):
        if encoder:
            encoder = squares_of_windows(module, outputs, encoder, arguments)
        else:
            main = squares_of_windows(module, outputs, main, arguments)
    notes = (note, *positions.notes)
    items: list[AttentionMap] = []
    for item in range(len(main[0])):
        attention = _dense(name, main, positions, item, queries, queries, notes)
        if encoder:
            attention.encoder = _dense(name, encoder, positions, item, keys, keys, notes)
        if cross:
            attention.cross = _dense(name, cross, positions, item, queries, keys, notes)
        items.append(attention)
    return items


def _layers(outputs: Any, name: str) -> tuple[Tensor, ...]:
    """Return the attention tensors of a model output: one (texts, heads, queries, keys) a layer."""
    values = getattr(outputs, name, None) or ()
    return tuple(value for value in values if isinstance(value, Tensor) and value.ndim == 4)


def _dense(
    name: str,
    layers: Sequence[Tensor],
    positions: TokenPositions,
    item: int,
    query_mask: str,
    key_mask: str,
    notes: Sequence[str],
) -> DenseAttention:
    layers = [_without_padding(layer, positions, query_mask, key_mask) for layer in layers]
    shapes = {tuple(layer.shape[1:]) for layer in layers}
    if len(shapes) > 1:
        raise RecordingError(
            f"The layers of {name} attend over different numbers of heads or positions (heads, "
            f"queries, keys: {sorted(shapes)}): it shortens its text on the way, so its positions "
            "are not the tokens that went in. Choose another model."
        )
    queries = positions.kept(query_mask, layers[0].shape[2], item)
    keys = positions.kept(key_mask, layers[0].shape[3], item, keys=True)
    picked = []
    for layer in layers:
        one = layer[item].float().cpu().numpy()  # (heads, queries, keys)
        one = one if queries is None else one[:, queries]
        picked.append(one if keys is None else one[:, :, keys])
    return DenseAttention(np.stack(picked), notes=notes)


def _without_padding(
    layer: Tensor, positions: TokenPositions, query_mask: str, key_mask: str
) -> Tensor:
    """Return a layer without the keys that the model added behind the text and never looked at.

    BigBird, Longformer and LED fill a text up to a whole number of blocks.
    """
    queries, keys = positions.n_tokens(query_mask), positions.n_tokens(key_mask)
    if queries is not None and layer.shape[2] > queries:
        layer = layer[:, :, :queries] if not positions.has_more else layer
    if keys is None or positions.has_more or layer.shape[3] <= keys:
        return layer
    behind = layer[..., keys:]
    return layer[..., :keys] if float(behind.abs().max()) < 1e-6 else layer
