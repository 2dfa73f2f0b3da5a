"""SDPA in blocks of rows, which omits keys that a continued text's rows cannot attend to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

_NAME = "explorer_blockwise"
# Rows per block. Measured on a CPU: 64 to 256 are equally fast.
_ROWS = 192
# With these arguments attention is more than a masked softmax.
_SPECIAL_ARGUMENTS = ("softcap", "s_aux", "position_bias")


@contextmanager
def blockwise(module: Any) -> Iterator[None]:
    """Run a model's SDPA in blocks of rows, on a CPU.

    With a cache, SDPA gets a mask and computes all keys for all rows, later ones too, which is half
    of the work in a long text. SDPA's own causal attention omits them, and so do these blocks, with
    the same results. Other implementations and devices are unchanged.

    Only for models in which no row attends to later keys.
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
    # The private attribute by which transformers itself chooses its masks.
    used = {getattr(one, "_attn_implementation", None) for one in configs if one is not None}
    return used == {"sdpa"}


@cache
def _registered() -> str:
    """Register the attention function with transformers, once, and return its name."""
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
        if plain or dropout or any(options.get(name) is not None for name in _SPECIAL_ARGUMENTS):
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
