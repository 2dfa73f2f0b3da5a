"""Cached keys and values of a shared prefix, and the models that can continue from them."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from explorer.models._loaded_model import LoadedModel, text_config
from explorer.models._running.batches import only_looks_back

# Rotary embeddings that depend on the length of the text: cached keys do not fit a longer one.
_LENGTH_DEPENDENT = frozenset({"dynamic", "longrope"})


def cropped_cache(cache: Any, length: int, texts: int) -> Any:
    """Return the first `length` tokens of a cache of one text, expanded to several texts.

    Nothing is copied. The new cache has no config, so that layers with a sliding window keep all
    of their keys; the mask hides those outside the window.
    """
    from transformers.cache_utils import DynamicCache, DynamicLayer

    found = DynamicCache()
    if cache is None or length == 0:
        return found
    for layer in cache.layers:
        part: Any = DynamicLayer()  # type: ignore[no-untyped-call]
        part.dtype, part.device = layer.keys.dtype, layer.keys.device
        part.keys = layer.keys[:, :, :length].expand(texts, -1, -1, -1)
        part.values = layer.values[:, :, :length].expand(texts, -1, -1, -1)
        part.is_initialized = True
        found.layers.append(part)
    return found


def keep_last_text(cache: Any, length: int) -> None:
    """Drop all texts of a cache but the last, and its padding.

    Raises
    ------
    ValueError
        The model did not store its keys and values in the cache.
    """
    if not cache.layers:
        raise ValueError("the model left the cache empty")
    for layer in cache.layers:
        if layer.keys is None or layer.keys.shape[2] < length:
            raise ValueError("the model keeps keys of some tokens only")
        layer.keys = layer.keys[-1:, :, :length]
        layer.values = layer.values[-1:, :, :length]


def cached_bytes_per_token(model: LoadedModel) -> int:
    """Return the memory of one token's keys and values; an upper bound if layers share them."""
    config = text_config(model.torch_model)
    heads = getattr(config, "num_key_value_heads", None) or model.n_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // model.n_heads
    itemsize = model.torch_model.dtype.itemsize
    return int(2 * model.n_layers * np.max(heads) * np.max(width) * itemsize)


def cache_obstacle(model: LoadedModel, module: Any) -> str | None:
    """Return why a model cannot continue from a cache, as far as its config says; None if it can.

    Parameters
    ----------
    model
        The model.
    module
        Its torch module, without wrappers.
    """
    from explorer.attention._recorder.token_positions import virtual_tokens

    label = model.label
    if model.kind != "causal":
        return f"{label} reads prompts with an encoder, which looks ahead"
    if not only_looks_back(model):
        return f"not all attention of {label} is causal"
    if virtual_tokens(module):
        return f"an adapter of {label} puts learned positions before every text"
    accepted = inspect.signature(type(module).forward).parameters
    if "past_key_values" not in accepted:
        return f"{label} takes no cache of keys and values"
    layer_types = set(getattr(text_config(model.torch_model), "layer_types", None) or ())
    unknown = layer_types - {"full_attention", "sliding_attention"}
    if unknown:
        return f"{label} has layers whose cache cannot be cut ({', '.join(sorted(unknown))})"
    if depends_on_length(model):
        return f"the rotary embedding of {label} depends on the length of the text"
    return None


def depends_on_length(model: LoadedModel) -> bool:
    """Return whether a rotary embedding of the model changes with the length of the text."""
    config = text_config(model.torch_model)
    waiting = [getattr(config, "rope_parameters", None), getattr(config, "rope_scaling", None)]
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            found |= {str(one[name]) for name in ("rope_type", "type") if name in one}
    return bool(found & _LENGTH_DEPENDENT)
