"""Attention of a text that goes on from a cache, without the keys that its rows cannot see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

_NAME = "explorer_blockwise"
# Rows that are worked out at once. Measured on a CPU: 64 to 256 are alike.
_ROWS = 192
# Arguments with which attention is more than a softmax over a mask.
_MORE = ("softcap", "s_aux", "position_bias")


@contextmanager
def blockwise(module: Any) -> Iterator[None]:
    """Run a model's SDPA by blocks of rows, on a CPU.

    After a cache SDPA is given a mask, and works out all keys for all rows, those behind each row
    as well: half of the work in a long text. Its own causal attention leaves them out, and so does
    this, with the same results. Other implementations and devices stay as they are.

    Only for models whose rows look back, and nowhere else.
    """
    from explorer.attention._recorder.model_preparation import prepared

    with prepared(module, _registered()) if _uses_sdpa(module) else nullcontext():
        yield


def _uses_sdpa(module: Any) -> bool:
    from explorer.attention._recorder.model_preparation import follows_interface, transformers_model

    inner = transformers_model(module)
    if inner is None or not follows_interface(inner) or inner.device.type != "cpu":
        return False
    configs = [getattr(part, "config", None) for part in module.modules()]
    # The same private name that transformers' own masks are chosen by.
    used = {getattr(one, "_attn_implementation", None) for one in configs if one is not None}
    return used == {"sdpa"}


@cache
def _registered() -> str:
    """Make the attention function known to transformers, once."""
    import torch
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    def attention(
        module: Any,
        query: torch.Tensor,  # (texts, heads, rows, width)
        key: torch.Tensor,  # (texts, key heads, keys, width)
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        dropout: float = 0.0,
        scaling: float | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, None]:
        n_rows, n_keys = query.shape[2], key.shape[2]
        plain = attention_mask is None or attention_mask.ndim != 4 or n_rows <= _ROWS
        if plain or dropout or any(options.get(name) is not None for name in _MORE):
            found: tuple[torch.Tensor, None] = sdpa_attention_forward(
                module,
                query,
                key,
                value,
                attention_mask,
                dropout=dropout,
                scaling=scaling,
                **options,
            )
            return found
        assert attention_mask is not None  # noqa: S101 - for the type checker
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key = key.repeat_interleave(groups, dim=1)
            value = value.repeat_interleave(groups, dim=1)
        blocks = []
        for start in range(0, n_rows, _ROWS):
            stop = min(n_rows, start + _ROWS)
            seen = n_keys - n_rows + stop
            blocks.append(
                torch.nn.functional.scaled_dot_product_attention(
                    query[:, :, start:stop],
                    key[:, :, :seen],
                    value[:, :, :seen],
                    attn_mask=attention_mask[:, :, start:stop, :seen],
                    scale=scaling,
                )
            )
        return torch.cat(blocks, dim=2).transpose(1, 2).contiguous(), None

    AttentionInterface.register(_NAME, attention)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    return _NAME
