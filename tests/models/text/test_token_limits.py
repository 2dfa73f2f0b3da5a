"""How many tokens a model takes, special tokens included."""

from __future__ import annotations

import pytest

from explorer.models import Model


def test_the_table_of_positions_decides(encoder):
    assert encoder.max_tokens == 64


def test_roberta_loses_the_positions_up_to_its_padding_index(causal):
    """RoBERTa counts positions from padding_idx + 1: 514 rows take 512 tokens."""
    from transformers import RobertaConfig, RobertaModel

    config = RobertaConfig(
        vocab_size=400,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=66,
    )
    model = Model.wrap(RobertaModel(config).eval(), causal.tokenizer)
    assert model.max_tokens == 64
    full = model.tokenize("n + " * 100)
    assert len(full) == 64
    model.record(full)  # one more would index outside the table


@pytest.mark.parametrize(("said", "expected"), [(40, 40), (10**30, 256), (1000, 256)])
def test_a_tokenizer_may_ask_for_less(causal, said, expected, monkeypatch):
    monkeypatch.setattr(causal.tokenizer, "model_max_length", said)
    assert Model.wrap(causal.torch_model, causal.tokenizer).max_tokens == expected


def test_a_model_without_a_limit_gets_a_sensible_one(translator):
    assert 512 <= translator.max_tokens <= 8192


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("BertModel", "encoder"),
        ("BertForMaskedLM", "encoder"),
        ("RobertaForSequenceClassification", "encoder"),
        ("GPT2LMHeadModel", "causal"),
        ("LlamaForCausalLM", "causal"),
        ("Qwen3ForCausalLM", "causal"),
        ("T5ForConditionalGeneration", "encoder-decoder"),
        ("BartModel", "encoder-decoder"),
        ("DistilBertModel", "encoder"),
        ("ModernBertModel", "encoder"),
        ("GPT2Model", "causal"),
        ("LlamaModel", "causal"),
    ],
)
def test_the_kind_of_an_architecture(architecture, kind):
    import transformers

    from explorer.models._model_kind import kind_of

    config = getattr(transformers, architecture).config_class()
    config.architectures = [architecture]
    assert kind_of(config) == kind
    config.architectures = None  # a model built in memory does not say
    assert kind_of(config) == kind
