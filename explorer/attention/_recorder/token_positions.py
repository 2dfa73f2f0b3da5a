"""Where the tokens that went into a forward pass are among its queries and keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from explorer.attention._indexing import IntArray
from explorer.attention._recorder.capture import Capture
from explorer.attention._recorder.key_masks import ShiftedMask
from explorer.errors import InputError, RecordingError

# The inputs that hold the tokens which a mask covers.
_TOKENS = {
    "attention_mask": ("input_ids", "inputs_embeds"),
    "decoder_attention_mask": ("decoder_input_ids", "decoder_inputs_embeds"),
    "encoder_attention_mask": ("encoder_hidden_states",),
}


class TokenPositions:
    """The positions of the tokens that went in; made before the pass, which fills its cache.

    A model may have more positions than tokens: an adapter puts learned ones before the text, and
    a cache of fixed length has free space behind it. A layer with a sliding window may have fewer
    keys than tokens.

    Parameters
    ----------
    module
        The model that runs.
    arguments
        The arguments of its `forward`.
    """

    def __init__(self, module: nn.Module, arguments: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self._name = type(module).__name__
        self._virtual = virtual_tokens(module)
        self.n_cached = _cached(arguments.get("past_key_values"))

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know about positions that are no tokens."""
        if not self._virtual:
            return ()
        note = (
            f"An adapter puts {self._virtual} learned positions before the text. They are left "
            "out, so the weights of a row sum to less than 1."
        )
        return (note,)

    def kept(
        self, mask_name: str, length: int, item: int, *, keys: bool = False
    ) -> IntArray | None:
        """Return the positions of one text's tokens without padding, or None if these are all.

        Of a mask longer than the text, which also covers cached tokens, the end is used. A shorter
        mask does not cover positions that the model added itself, so it is ignored.

        Parameters
        ----------
        mask_name
            The input with the mask of these positions.
        length
            Number of queries or keys of the pass.
        item
            The text of the batch.
        keys
            Whether they are keys, which include cached tokens.

        Raises
        ------
        InputError
            The text is all padding.
        RecordingError
            The model has other positions than its tokens, and where these are is not known.
        """
        first, stop = self._range(mask_name, length, keys=keys)
        mask = self._arguments.get(mask_name)
        if not isinstance(mask, Tensor) or mask.ndim != 2 or mask.shape[1] < stop - first:
            return None if (first, stop) == (0, length) else np.arange(first, stop)
        one = (mask[item if len(mask) > 1 else 0, first - stop :] != 0).cpu().numpy()
        if not one.any():
            raise InputError(f"Text {item} is all padding: {mask_name} has no entry other than 0.")
        if one.all() and (first, stop) == (0, length):
            return None
        found: IntArray = (first + np.flatnonzero(one)).astype(np.int64)
        return found

    def n_before(self, mask_name: str, n_queries: int, n_keys: int) -> int:
        """Return the number of keys, from the first on, that come before the first query."""
        first, stop = self._range(mask_name, n_keys, keys=True)
        if self.n_tokens(mask_name) is None:
            return n_keys - n_queries
        return first + min(self.n_cached, stop - first)

    def with_all_keys(self, capture: Capture) -> Capture:
        """Return a self-attention call with keys for all tokens, those outside its window hidden.

        A layer with a sliding window has only the last keys of a longer cache.
        """
        if not self.n_cached:
            return capture
        tokens = self.n_tokens("decoder_attention_mask") or self.n_tokens("attention_mask")
        missing = 0 if tokens is None else tokens + self.n_cached - capture.key.shape[2]
        if missing <= 0:
            return capture
        key = nn.functional.pad(capture.key, (0, 0, missing, 0))
        return replace(capture, key=key, mask=ShiftedMask(capture.mask, missing))

    def _range(self, mask_name: str, length: int, *, keys: bool) -> tuple[int, int]:
        """Return where the tokens begin and stop among `length` positions."""
        tokens = self.n_tokens(mask_name)
        if tokens is None:
            return 0, length
        known = tokens + (self.n_cached if keys else 0)
        if length == known:
            return 0, length
        if self._virtual and length == known + self._virtual:
            return self._virtual, length
        if keys and self._arguments.get("past_key_values") is not None and length > known:
            return 0, known  # free space of a cache of fixed length
        what = "keys" if keys else "queries"
        raise RecordingError(
            f"{known:,} tokens went in, but the attention of {self._name} has {length:,} {what}, "
            "and it is not known which of them belong to which token."
        )

    @property
    def has_more(self) -> bool:
        """Whether there are keys besides the tokens: of a cache or of an adapter."""
        return bool(self._virtual or self._arguments.get("past_key_values") is not None)

    def n_tokens(self, mask_name: str) -> int | None:
        """Return the number of tokens that went in, or None where the inputs do not tell it."""
        for name in _TOKENS.get(mask_name, ()):
            value = self._arguments.get(name)
            if isinstance(value, Tensor) and value.ndim >= 2:
                return int(value.shape[1])
        return None


def virtual_tokens(module: nn.Module) -> int:
    """Return the number of learned positions that an adapter puts before a text.

    Prompt tuning and p-tuning add them to queries and keys, prefix tuning to the keys only.
    """
    for part in module.modules():
        if isinstance(part, PreTrainedModel):
            return 0
        try:
            config = part.active_peft_config
        except (AttributeError, KeyError, ValueError):
            continue
        if getattr(config, "is_prompt_learning", False):
            return int(getattr(config, "num_virtual_tokens", 0) or 0)
    return 0


def _cached(cache: Any) -> int:
    """Return the number of tokens in a cache before the pass."""
    if cache is None:
        return 0
    if isinstance(cache, tuple | list):  # the form of earlier versions: (keys, values) by layer
        first = cache[0][0] if cache and cache[0] else None
        return int(first.shape[2]) if isinstance(first, Tensor) else 0
    length = getattr(cache, "get_seq_length", None)
    with torch.no_grad():
        return int(length()) if callable(length) else 0
