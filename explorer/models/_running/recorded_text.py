"""Attention and hidden states of texts, several of them from one padded forward pass."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, InputError, RecordingError
from explorer.models._loaded_model import LoadedModel
from explorer.models._running.batches import not_padding, only_looks_back, padded
from explorer.models._running.prefix_cache import depends_on_length
from explorer.models._text.tokens import TokenizedText
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.attention import AttentionMap

# Tokens of the text that tests whether a model can be padded, and the largest difference that
# counts as rounding, in float32 and in half precision; of hidden states relative to the largest.
_PROBE = 24
_ROUNDING, _ROUNDING_HALF = 1e-4, 2e-2

# Whether padding changes the numbers of a model; tested once while the model lives.
_can_pad: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class RecordedText:
    """Attention and hidden states of one text, from the same forward pass.

    Attributes
    ----------
    tokenized
        The window of text that was read.
    attention
        Attention of this text alone, (layers, heads, tokens, tokens), computed on demand. For an
        encoder-decoder the encoder's self-attention. The queries and keys behind it are shared by
        all texts of a pass and live as long as one of them.
    hidden
        float32 (tokens, width): output of the last layer, special tokens included.
    """

    tokenized: TokenizedText
    attention: AttentionMap
    hidden: NDArray[np.float32]

    def embedding(self) -> NDArray[np.float32]:
        """Return the mean of the hidden states over tokens that are not special: (width,).

        A text of special tokens only is averaged over all of them.
        """
        chosen = ~self.tokenized.special
        states = self.hidden[chosen] if chosen.any() else self.hidden
        mean: NDArray[np.float32] = states.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean


def record_texts(
    model: LoadedModel, texts: Sequence[TokenizedText], control: RunControl
) -> list[RecordedText]:
    """Return what `Model.record_batch` documents."""
    for number, text in enumerate(texts):
        if not isinstance(text, TokenizedText):
            raise InputError(
                f"record_batch takes texts from Model.tokenize, but entry {number} is a "
                f"{type(text).__name__}."
            )
    if not texts:
        return []
    if len({len(text) for text in texts}) == 1 or _padding_is_harmless(model, texts, control):
        found = _record_ids(model, [text.ids for text in texts], control)
    else:
        found = [_record_ids(model, [text.ids], control)[0] for text in texts]
    return [
        RecordedText(text, attention.with_tokens(text.tokens), hidden)
        for text, (attention, hidden) in zip(texts, found, strict=True)
    ]


def _record_ids(
    model: LoadedModel, texts: Sequence[NDArray[np.int64]], control: RunControl
) -> list[tuple[AttentionMap, NDArray[np.float32]]]:
    """Return attention and hidden states of each text from one pass, padded on the right.

    A model that only looks back needs no mask, and is fastest without: no token attends to a pad.
    """
    import torch

    from explorer.attention._recorder import record_with_states

    device = model.torch_model.device
    mask = torch.as_tensor(not_padding(texts), device=device)
    inputs = {"input_ids": torch.as_tensor(padded(texts), device=device)}
    if not only_looks_back(model):
        inputs["attention_mask"] = mask
    with model.run(control) as torch_model:
        part = torch_model.get_encoder() if model.kind == "encoder-decoder" else torch_model
        maps, states = record_with_states(part, inputs, mask, control=control)
    if states.shape[:2] != mask.shape:
        raise RecordingError(
            f"{model.label} returned hidden states of shape {tuple(states.shape)} for "
            f"{tuple(mask.shape)} (texts, tokens), so they belong to no tokens. Choose another "
            "model."
        )
    hidden = states.float().cpu().numpy()  # (texts, tokens, width)
    return [
        (attention, hidden[place, : len(ids)].copy())
        for place, (ids, attention) in enumerate(zip(texts, maps, strict=True))
    ]


def _padding_is_harmless(
    model: LoadedModel, texts: Sequence[TokenizedText], control: RunControl
) -> bool:
    """Return whether a padded text has the numbers of a text by itself; tested once per model."""
    known = _can_pad.get(model.torch_model)
    if known is None:
        longest = max(texts, key=len)
        known = _can_pad[model.torch_model] = _test_padding(model, longest.ids, control)
    return known


def _test_padding(model: LoadedModel, ids: NDArray[np.int64], control: RunControl) -> bool:
    from explorer.attention._recorder import RecordedAttention

    if depends_on_length(model):
        return False
    whole = np.resize(ids, max(2, min(_PROBE, model.max_tokens)))
    pair = [whole, whole[: len(whole) // 2]]
    try:
        together = _record_ids(model, pair, control)
        alone = [_record_ids(model, [one], control)[0] for one in pair]
    except Cancelled:
        raise
    except Exception:  # noqa: BLE001 - a model that takes no mask or no batch fails in any way
        return False
    if not all(isinstance(attention, RecordedAttention) for attention, _ in together):
        return False  # eager attention holds every weight of the batch at once
    exact = str(model.torch_model.dtype) in {"torch.float32", "torch.float64"}
    least = _ROUNDING if exact else _ROUNDING_HALF
    return all(_difference(one, other) <= least for one, other in zip(together, alone, strict=True))


def _difference(
    one: tuple[AttentionMap, NDArray[np.float32]],
    other: tuple[AttentionMap, NDArray[np.float32]],
) -> float:
    """Return the largest difference of attention, and of hidden states relative to the largest."""
    (first, first_states), (second, second_states) = one, other
    if (first.n_layers, first.n_keys) != (second.n_layers, second.n_keys):
        return float("inf")
    found = [float(np.abs(first_states - second_states).max() / np.abs(second_states).max())]
    for layer in range(first.n_layers):
        weights = first.layer_weights(layer) - second.layer_weights(layer)
        found.append(float(np.abs(weights).max()))
    return float(np.max(found))  # NaN if one is
