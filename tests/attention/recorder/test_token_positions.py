"""What is recorded is attention over the tokens that went in, or it is refused with the reason."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DynamicCache, StaticCache

from explorer.attention import record_attention, record_units
from explorer.attention._recorder import TextUnits, reduce_texts
from explorer.errors import AttentionFallbackWarning, RecordingError

from ...support.tiny_models import (
    ARCHITECTURES,
    VOCABULARY,
    eager_outputs,
    every_weight,
    item_of,
    tiny_model,
)

pytestmark = pytest.mark.slow

EXACT = {"rtol": 0, "atol": 1e-5}
VIRTUAL = 5


def adapted(kind: str, model: torch.nn.Module) -> Any:
    """Return a model with an adapter that adds learned positions."""
    peft = pytest.importorskip("peft")
    configs = {
        "prompt tuning": peft.PromptTuningConfig,
        "p-tuning": peft.PromptEncoderConfig,
        "prefix tuning": peft.PrefixTuningConfig,
    }
    extra = {"encoder_hidden_size": 16} if kind == "p-tuning" else {}
    torch.manual_seed(3)
    config = configs[kind](num_virtual_tokens=VIRTUAL, task_type="CAUSAL_LM", **extra)
    return peft.get_peft_model(model, config).eval()


def own_outputs(model: Any, **inputs: Any) -> Any:
    """Return what the adapted model itself gives, with eager attention."""
    reference = copy.deepcopy(model)
    reference.base_model.set_attn_implementation("eager")
    with torch.no_grad():
        return reference(**inputs, output_attentions=True)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", ["prompt tuning", "p-tuning", "prefix tuning"])
def test_positions_of_an_adapter_are_left_out(kind, token_ids):
    model = adapted(kind, tiny_model(ARCHITECTURES["llama"]))
    mask = torch.ones_like(token_ids)
    mask[0, :6] = 0
    outputs = own_outputs(model, input_ids=token_ids, attention_mask=mask)
    rows = slice(0 if kind == "prefix tuning" else VIRTUAL, None)
    attention = record_attention(model, input_ids=token_ids, attention_mask=mask)
    for item, real in enumerate([slice(6, None), slice(0, None)]):
        expected = item_of(outputs.attentions, item)[:, :, rows, VIRTUAL:][:, :, real, real]
        np.testing.assert_allclose(every_weight(attention.batch(item)), expected, **EXACT)
    assert attention.query_offset == 0
    assert f"{VIRTUAL} learned positions" in attention.notes[0]

    spans, asked = [(0, 2), (3, 7)], [9, 11]
    targets = token_ids[0, 6:][[10, 12]]
    text = TextUnits(spans, asked, ["a", "b"], targets=targets.tolist())
    inputs = {"input_ids": token_ids[:1, 6:]}
    (reduced,) = reduce_texts(model, inputs, [text])
    alone = own_outputs(model, **inputs)
    weights = item_of(alone.attentions)[:, :, rows, VIRTUAL:][:, :, asked].mean(axis=2)
    expected = np.stack([weights[..., start:stop].sum(-1) for start, stop in spans], axis=-1)
    np.testing.assert_allclose(reduced.attention.span_mass([(0, 1), (1, 2)]), expected, **EXACT)
    logits = alone.logits[0] if kind == "prefix tuning" else alone.logits[0, VIRTUAL:]
    likely = torch.log_softmax(logits, -1)[asked, targets]
    np.testing.assert_allclose(reduced.logprobs, likely.numpy(), rtol=0, atol=1e-4)


def test_a_cache_of_fixed_length_has_only_the_keys_that_were_written(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    whole = item_of(eager_outputs(model, input_ids=token_ids[:1, :8]).attentions)
    cache = StaticCache(config=model.config, max_cache_len=20)
    with torch.no_grad():
        model(token_ids[:1, :7], past_key_values=cache)
    step = {"input_ids": token_ids[:1, 7:8], "attention_mask": torch.ones(1, 8, dtype=torch.long)}
    attention = record_attention(model, **step, past_key_values=cache)
    assert (attention.n_keys, attention.query_offset) == (8, 7)
    np.testing.assert_allclose(every_weight(attention), whole[:, :, 7:], **EXACT)


@pytest.mark.parametrize("name", ["mistral", "gemma2", "gemma3", "gpt-oss"])
@pytest.mark.parametrize("new", [1, 3])
def test_a_step_after_a_cache_longer_than_the_window(name, new, token_ids):
    model = tiny_model(ARCHITECTURES[name])
    before = 20 - new
    whole = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)

    def filled() -> DynamicCache:
        cache = DynamicCache(config=model.config)
        with torch.no_grad():
            model(token_ids[:1, :before], past_key_values=cache)
        return cache

    attention = record_attention(model, input_ids=token_ids[:1, before:], past_key_values=filled())
    assert (attention.n_queries, attention.n_keys, attention.query_offset) == (new, 20, before)
    np.testing.assert_allclose(every_weight(attention), whole[:, :, before:], rtol=0, atol=2e-5)
    units = record_units(
        model,
        [(0, 4), (14, 18)],
        [0],
        input_ids=token_ids[:1, before:],
        past_key_values=filled(),
    )
    row = whole[:, :, before]
    expected = np.stack([row[..., :4].sum(-1), row[..., 14:18].sum(-1)], axis=-1)
    np.testing.assert_allclose(units.span_mass([(0, 1), (1, 2)]), expected, rtol=0, atol=2e-5)


DIFF_LLAMA = ("DiffLlamaConfig", "DiffLlamaForCausalLM", ARCHITECTURES["llama"][2])


def test_a_layer_that_attends_twice_with_the_same_queries_is_one_layer(token_ids):
    model = tiny_model(DIFF_LLAMA, num_hidden_layers=2)
    expected = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    attention = record_attention(model, input_ids=token_ids[:1])
    assert attention.layer_numbers == (0, 1)
    np.testing.assert_allclose(every_weight(attention), expected, **EXACT)
    units = record_units(model, [(0, 4)], [7], input_ids=token_ids[:1])
    assert units.n_layers == 2


@pytest.mark.parametrize("half", [2, 3])
def test_longformer_slots_are_brought_to_their_keys(half, token_ids):
    sizes = {
        **ARCHITECTURES["bert"][2],
        "attention_window": 2 * half,
        "num_hidden_layers": 2,
    }
    model = tiny_model(("LongformerConfig", "LongformerModel", sizes))
    ids = token_ids[:1, :12]
    everywhere = torch.zeros_like(ids)
    everywhere[0, [0, 7]] = 1
    for chosen in (None, everywhere):
        inputs = {"input_ids": ids}
        if chosen is not None:
            inputs["global_attention_mask"] = chosen
        with pytest.warns(AttentionFallbackWarning):
            attention = record_attention(model, **inputs)
        assert (attention.n_queries, attention.n_keys) == (12, 12)
        weights = attention.layer_weights(0)[:, :12]
        np.testing.assert_allclose(weights.sum(-1), 1, **EXACT)
        np.testing.assert_allclose(weights, dense_longformer(model, ids, half, chosen), **EXACT)


def dense_longformer(model: Any, ids: Any, half: int, chosen: Any) -> np.ndarray:
    """Return the first layer's attention by the definition: softmax over the window's keys."""
    layer = model.encoder.layer[0].attention.self
    with torch.no_grad():
        hidden = model.embeddings(input_ids=ids)[0]
        size = hidden.shape[-1] // layer.num_heads

        def heads(values: Any) -> Any:
            return values.view(len(values), layer.num_heads, size).transpose(0, 1)

        local = heads(layer.query(hidden)) @ heads(layer.key(hidden)).mT / size**0.5
        wide = heads(layer.query_global(hidden)) @ heads(layer.key_global(hidden)).mT / size**0.5
        away = torch.arange(len(hidden))
        seen = (away[:, None] - away[None]).abs() <= half
        if chosen is not None:
            seen = seen | (chosen[0] > 0)[None]
        found = torch.softmax(local.masked_fill(~seen, float("-inf")), -1)
        if chosen is not None:
            rows = chosen[0] > 0
            found[:, rows] = torch.softmax(wide[:, rows], -1)
    return found.numpy()


def test_led_keeps_the_keys_of_its_encoder(token_ids):
    sizes = {
        "vocab_size": VOCABULARY,
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "attention_window": 4,
        "max_encoder_position_embeddings": 64,
        "max_decoder_position_embeddings": 64,
    }
    model = tiny_model(("LEDConfig", "LEDForConditionalGeneration", sizes))
    with pytest.warns(AttentionFallbackWarning):
        attention = record_attention(
            model, input_ids=token_ids[:1, :14], decoder_input_ids=token_ids[:1, :5]
        )
    assert (attention.n_queries, attention.n_keys) == (5, 5)
    assert (attention.encoder.n_queries, attention.encoder.n_keys) == (14, 14)
    assert (attention.cross.n_queries, attention.cross.n_keys) == (5, 14)
    for part in (attention, attention.encoder, attention.cross):
        np.testing.assert_allclose(every_weight(part).sum(-1), 1, **EXACT)


REFUSED = {
    "funnel": (
        "FunnelConfig",
        "FunnelModel",
        {
            "vocab_size": VOCABULARY,
            "d_model": 32,
            "n_head": 4,
            "d_head": 8,
            "d_inner": 64,
            "block_sizes": [1, 1],
            "num_decoder_layers": 1,
        },
        "different numbers of heads or positions",
    ),
    "mamba": (
        "MambaConfig",
        "MambaModel",
        {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2},
        "no attention",
    ),
    "fnet": (
        "FNetConfig",
        "FNetModel",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 64,
        },
        "no attention",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_attention_between_tokens_is_refused_by_name(name, token_ids):
    config, kind, sizes, reason = REFUSED[name]
    model = tiny_model((config, kind, sizes), spread=None)
    with pytest.raises(RecordingError, match=reason) as raised:
        record_attention(model, input_ids=token_ids[:1])
    assert kind in str(raised.value)


@pytest.mark.filterwarnings("ignore")
def test_big_bird_is_refused_where_it_gives_out_a_part_of_its_attention():
    sizes = {
        **ARCHITECTURES["bert"][2],
        "max_position_embeddings": 256,
        "num_hidden_layers": 2,
        "attention_type": "block_sparse",
        "block_size": 4,
        "num_random_blocks": 1,
    }
    entry = ("BigBirdConfig", "BigBirdModel", sizes)
    ids = torch.randint(3, VOCABULARY, (1, 58), generator=torch.Generator().manual_seed(2))
    for length in (20, 58):  # the model changes its attention for short texts
        with pytest.raises(RecordingError, match="original_full"):
            record_attention(tiny_model(entry), input_ids=ids[:, :length])
    full = record_attention(tiny_model(entry, attention_type="original_full"), input_ids=ids)
    assert (full.n_queries, full.n_keys) == (58, 58)
    np.testing.assert_allclose(every_weight(full).sum(-1), 1, **EXACT)


def test_packed_texts_are_read_as_the_model_reads_them(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    ids = token_ids[:1, :7]
    positions = torch.tensor([[0, 1, 2, 0, 1, 2, 3]])
    for inputs in ({}, {"use_cache": True}, {"use_cache": False}):
        outputs = eager_outputs(model, input_ids=ids, position_ids=positions, **inputs)
        attention = record_attention(model, input_ids=ids, position_ids=positions, **inputs)
        np.testing.assert_allclose(every_weight(attention), item_of(outputs.attentions), **EXACT)


def test_a_compiled_forward_is_recorded(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    expected = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    model.forward = torch.compile(model.forward, fullgraph=True)
    attention = record_attention(model, input_ids=token_ids[:1])
    np.testing.assert_allclose(every_weight(attention), expected, **EXACT)


def test_a_model_in_data_parallel_is_recorded(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    expected = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    attention = record_attention(torch.nn.DataParallel(model), input_ids=token_ids[:1])
    np.testing.assert_allclose(every_weight(attention), expected, **EXACT)
