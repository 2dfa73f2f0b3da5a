"""The number of tokens that a model takes."""

from __future__ import annotations

from typing import Any

from explorer.models._loaded_model import text_config

# A tokenizer without a limit reports 10**30.
_NO_LIMIT = 10**9
_FALLBACK = 2048


def token_limit(torch_model: Any, tokenizer: Any) -> int:
    """Return the most tokens of one forward pass, special tokens included.

    It is the smallest limit of configuration, position table and tokenizer. RoBERTa and similar
    models count positions after the padding index, so their table of 514 rows takes 512 tokens.
    Learned positions of an adapter take their share.
    """
    from explorer.attention._recorder.token_positions import virtual_tokens

    config = text_config(torch_model)
    limits = []
    for name in ("max_position_embeddings", "n_positions", "max_seq_len"):
        value = getattr(config, name, None)
        if isinstance(value, int) and 0 < value < _NO_LIMIT:
            limits.append(value)
            break
    limits += _position_tables(torch_model)
    reported = getattr(tokenizer, "model_max_length", None)
    if (
        isinstance(reported, int | float)
        and 0 < reported < _NO_LIMIT
        and (not limits or reported > 1)
    ):
        limits.append(int(reported))
    return max(1, min(limits, default=_FALLBACK) - virtual_tokens(torch_model))


def _position_tables(torch_model: Any) -> list[int]:
    """Return the number of usable rows of each table of position embeddings."""
    rows = []
    for name, module in torch_model.named_modules():
        if not name.endswith("position_embeddings"):
            continue
        table = getattr(module, "num_embeddings", None)
        padding = getattr(module, "padding_idx", None)
        if isinstance(table, int):
            rows.append(table - padding - 1 if padding is not None else table)
    return rows
