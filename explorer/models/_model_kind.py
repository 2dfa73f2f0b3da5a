"""Kinds of transformers model: causal, encoder, encoder-decoder."""

from __future__ import annotations

from typing import Any, Literal

ModelKind = Literal["causal", "encoder", "encoder-decoder"]


def kind_of(config: Any) -> ModelKind:
    """Return the kind of model that a transformers configuration describes."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if getattr(config, "is_encoder_decoder", False):
        return "encoder-decoder"
    architecture = (getattr(config, "architectures", None) or [""])[0]
    if architecture.endswith(("ForCausalLM", "LMHeadModel", "DecoderModel")):
        return "causal"
    if getattr(config, "is_decoder", False):
        return "causal"
    model_type = config.model_type
    causal = model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    # BERT and similar models are in both lists; they are encoders unless configured as decoders.
    return "causal" if causal and model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES else "encoder"


def auto_class(kind: ModelKind) -> Any:
    """Return the transformers class that builds a model of this kind."""
    if kind == "causal":
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM
    if kind == "encoder-decoder":
        from transformers import AutoModelForSeq2SeqLM

        return AutoModelForSeq2SeqLM
    from transformers import AutoModel

    return AutoModel
