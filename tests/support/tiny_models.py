"""Tiny random models of every architecture, and eager attention to compare with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

VOCABULARY = 99
PAD = 1

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": PAD,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 2, "head_dim": 16}
_TWO_TEXTS = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 128,
    "pad_token_id": PAD,
}
_MIXED = {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}

# Configuration class, model class, configuration.
Entry = tuple[str, str, dict[str, Any]]

ARCHITECTURES: dict[str, Entry] = {
    "bert": ("BertConfig", "BertModel", _SIZES),
    "roberta": ("RobertaConfig", "RobertaForMaskedLM", _SIZES),
    "distilbert": (
        "DistilBertConfig",
        "DistilBertModel",
        {"vocab_size": VOCABULARY, "dim": 32, "hidden_dim": 64, "n_layers": 3, "n_heads": 4},
    ),
    "modernbert": (
        "ModernBertConfig",
        "ModernBertModel",
        {**_SIZES, "local_attention": 6, "global_attn_every_n_layers": 2},
    ),
    "gpt2": (
        "GPT2Config",
        "GPT2LMHeadModel",
        {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 128},
    ),
    "gpt-neox": ("GPTNeoXConfig", "GPTNeoXForCausalLM", _SIZES),
    "llama": ("LlamaConfig", "LlamaForCausalLM", _GROUPED),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", _GROUPED),
    "mistral": ("MistralConfig", "MistralForCausalLM", {**_GROUPED, "sliding_window": 5}),
    "gemma2": (
        "Gemma2Config",
        "Gemma2ForCausalLM",
        {**_GROUPED, **_MIXED, "sliding_window": 5, "attn_logit_softcapping": 2.0},
    ),
    "gpt-oss": (
        "GptOssConfig",
        "GptOssForCausalLM",
        {
            **_GROUPED,
            **_MIXED,
            "sliding_window": 5,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
        },
    ),
    "albert": ("AlbertConfig", "AlbertModel", {**_SIZES, "embedding_size": 16}),
    "gemma3": (
        "Gemma3TextConfig",
        "Gemma3ForCausalLM",
        {**_GROUPED, **_MIXED, "sliding_window": 5},
    ),
    "deepseek-v3": (
        "DeepseekV3Config",
        "DeepseekV3ForCausalLM",
        {
            **_SIZES,
            "num_key_value_heads": 4,
            "first_k_dense_replace": 3,
            "kv_lora_rank": 16,
            "q_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 12,
            "n_routed_experts": 4,
            "n_group": 1,
            "topk_group": 1,
            "num_experts_per_tok": 2,
        },
    ),
}
ENCODER_DECODERS: dict[str, Entry] = {
    "bart": ("BartConfig", "BartForConditionalGeneration", _TWO_TEXTS),
    "t5": (
        "T5Config",
        "T5ForConditionalGeneration",
        {
            "vocab_size": VOCABULARY,
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 2,
            "num_decoder_layers": 3,
            "num_heads": 4,
            "pad_token_id": PAD,
            "relative_attention_num_buckets": 8,
            "relative_attention_max_distance": 16,
        },
    ),
}
HYBRID = (
    "Qwen3NextConfig",
    "Qwen3NextForCausalLM",
    {
        **_GROUPED,
        "num_hidden_layers": 4,
        "layer_types": [
            "linear_attention",
            "full_attention",
            "linear_attention",
            "full_attention",
        ],
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
    },
)
WITHOUT_INTERFACE = {
    "deberta": ("DebertaConfig", "DebertaModel", {**_SIZES, "relative_attention": True}),
    "deberta-v2": ("DebertaV2Config", "DebertaV2Model", {**_SIZES, "relative_attention": True}),
}

# Causal models that answer prompts, with room for some facts, and an encoder-decoder that does.
_LANGUAGE = {
    "vocab_size": 330,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}
_OTHERS = {"vocab_size": 330, "bos_token_id": 0, "eos_token_id": 1}
LANGUAGE_MODELS: dict[str, Entry] = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", _LANGUAGE),
    "mistral": ("MistralConfig", "MistralForCausalLM", {**_LANGUAGE, "sliding_window": 40}),
    "gemma2": (
        "Gemma2Config",
        "Gemma2ForCausalLM",
        {**_LANGUAGE, "sliding_window": 40, "final_logit_softcapping": 3.0},
    ),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", _LANGUAGE),
    "gpt2": (
        "GPT2Config",
        "GPT2LMHeadModel",
        {**_OTHERS, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 512},
    ),
    "opt": (
        "OPTConfig",
        "OPTForCausalLM",
        {
            **_OTHERS,
            "hidden_size": 32,
            "word_embed_proj_dim": 32,
            "ffn_dim": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "max_position_embeddings": 512,
        },
    ),
    "bloom": (
        "BloomConfig",
        "BloomForCausalLM",
        {**_OTHERS, "hidden_size": 32, "n_layer": 3, "n_head": 4},
    ),
    "dynamic": (
        "LlamaConfig",
        "LlamaForCausalLM",
        {
            **_LANGUAGE,
            "max_position_embeddings": 64,
            "rope_scaling": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0},
        },
    ),
    "lfm2": (
        "Lfm2Config",
        "Lfm2ForCausalLM",
        {
            **_LANGUAGE,
            "layer_types": ["conv", "full_attention", "conv"],
            "block_auto_adjust_ff_dim": False,
        },
    ),
    "t5": (
        "T5Config",
        "T5ForConditionalGeneration",
        {
            "vocab_size": 330,
            "d_model": 16,
            "d_kv": 8,
            "d_ff": 32,
            "num_layers": 2,
            "num_heads": 2,
            "decoder_start_token_id": 1,
            "eos_token_id": 1,
            "pad_token_id": 1,
        },
    ),
}
TINY_ENCODER: Entry = (
    "BertConfig",
    "BertModel",
    {
        "vocab_size": 330,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
    },
)

Build = Callable[[Entry], "nn.Module"]


def tiny_model(entry: Entry, *, spread: float | None = 0.3, **changes: Any) -> nn.Module:
    """Return a small random model in evaluation mode, the same whichever tests ran before.

    Parameters
    ----------
    entry
        One of the entries above.
    spread
        Standard deviation of its weights, large enough that texts differ; None for the model's own.
    **changes
        Settings of the configuration instead of those of the entry.
    """
    import torch
    import transformers

    config_class, model_class, settings = entry
    torch.manual_seed(0)
    config = getattr(transformers, config_class)(**{**settings, **changes})
    model = getattr(transformers, model_class)(config).eval()
    if spread is None:
        return model
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2 or "sinks" in name or "relative_attention_bias" in name:
                parameter.normal_(0, spread)
            if name.endswith((".SelfAttention.q.weight", ".EncDecAttention.q.weight")):
                parameter *= config.d_kv**-0.5  # T5 scales its queries here, not its scores
    return model


def language_model(name: str, *, spread: float | None = 0.3, **changes: Any) -> nn.Module:
    """Return `tiny_model(LANGUAGE_MODELS[name], ...)`."""
    return tiny_model(LANGUAGE_MODELS[name], spread=spread, **changes)


def eager_outputs(model: nn.Module, **inputs: Any) -> Any:
    """Return what the stock way gives: a copy of the model with eager attention."""
    import torch

    reference = copy.deepcopy(model).eval()
    if reference._can_set_attn_implementation():
        reference.set_attn_implementation("eager")
    with torch.no_grad():
        return reference(**inputs, output_attentions=True)


def item_of(layers: tuple[Tensor, ...], item: int = 0) -> np.ndarray:
    """Return the attention of one text: (layers, heads, queries, keys)."""
    return np.stack([layer[item].float().numpy() for layer in layers])


def every_weight(attention: Any) -> np.ndarray:
    """Return a whole map: (layers, heads, queries, keys)."""
    return np.stack([attention.layer_weights(layer) for layer in range(attention.n_layers)])
