"""Recorded attention against eager attention, architecture by architecture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.attention import DenseAttention, RecordedAttention, record_attention
from explorer.errors import AttentionFallbackWarning

from ...support.tiny_models import (
    ARCHITECTURES,
    ENCODER_DECODERS,
    HYBRID,
    VOCABULARY,
    WITHOUT_INTERFACE,
    eager_outputs,
    every_weight,
    item_of,
    tiny_model,
)

pytestmark = pytest.mark.slow

EXACT = {"rtol": 0, "atol": 1e-5}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_those_of_eager_attention(name, token_ids):
    model = tiny_model(ARCHITECTURES[name])
    expected = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    attention = record_attention(model, input_ids=token_ids[:1])
    assert isinstance(attention, RecordedAttention)
    assert attention.notes == ()
    np.testing.assert_allclose(every_weight(attention), expected, **EXACT)
    np.testing.assert_allclose(attention.weights(), expected.mean(axis=(0, 1)), **EXACT)
    np.testing.assert_allclose(
        attention.weights(-1, 2, rows=[3, 17], columns=slice(2, 9)),
        expected[-1, 2][[3, 17], 2:9],
        **EXACT,
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_dropped_and_the_rest_is_eager(name, side, token_ids):
    model = tiny_model(ARCHITECTURES[name])
    mask = torch.ones_like(token_ids)
    real = slice(6, None) if side == "left" else slice(0, -6)
    mask[0] = 0
    mask[0, real] = 1
    layers = eager_outputs(model, input_ids=token_ids, attention_mask=mask).attentions
    attention = record_attention(model, input_ids=token_ids, attention_mask=mask)
    assert (attention.n_batch, attention.n_queries, attention.n_keys) == (2, 14, 14)
    np.testing.assert_allclose(every_weight(attention), item_of(layers)[..., real, real], **EXACT)
    np.testing.assert_allclose(every_weight(attention.batch(1)), item_of(layers, 1), **EXACT)


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_encoder_decoder_and_cross_attention_are_eager(name, token_ids):
    model = tiny_model(ENCODER_DECODERS[name])
    mask = torch.ones_like(token_ids)
    mask[0, -6:] = 0
    written = torch.randint(3, VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(2))
    written_mask = torch.ones_like(written)
    written_mask[0, -2:] = 0
    inputs = {
        "input_ids": token_ids,
        "attention_mask": mask,
        "decoder_input_ids": written,
        "decoder_attention_mask": written_mask,
    }
    outputs = eager_outputs(model, **inputs)
    attention = record_attention(model, **inputs)
    for part, layers, rows, columns in [
        (attention, outputs.decoder_attentions, 7, 7),
        (attention.encoder, outputs.encoder_attentions, 14, 14),
        (attention.cross, outputs.cross_attentions, 7, 14),
    ]:
        expected = item_of(layers)[..., :rows, :columns]
        np.testing.assert_allclose(every_weight(part), expected, **EXACT)
    second = attention.batch(1)
    np.testing.assert_allclose(
        every_weight(second.cross), item_of(outputs.cross_attentions, 1), **EXACT
    )
    assert (attention.query_offset, attention.cross.query_offset) == (0, None)


def test_sinks_make_rows_sum_to_less_than_one(token_ids):
    attention = record_attention(tiny_model(ARCHITECTURES["gpt-oss"]), input_ids=token_ids[:1])
    sums = every_weight(attention).sum(axis=-1)
    assert sums.max() <= 1 + 1e-6
    assert sums.min() < 0.9


@pytest.mark.parametrize("name", ["gemma2", "gpt-oss", "mistral", "t5"])
def test_the_model_computes_what_it_computes_with_eager_attention(name, token_ids):
    entry = {**ARCHITECTURES, **ENCODER_DECODERS}[name]
    model = tiny_model(entry)
    inputs = {"input_ids": token_ids}
    if name == "t5":
        inputs["decoder_input_ids"] = token_ids[:, :7]
    seen = []
    last = [part for part in model.modules() if "Norm" in type(part).__name__][-1]
    handle = last.register_forward_hook(lambda _part, _args, output: seen.append(output))
    record_attention(model, **inputs)
    handle.remove()
    states = eager_outputs(model, **inputs, output_hidden_states=True)
    expected = states.decoder_hidden_states if name == "t5" else states.hidden_states
    torch.testing.assert_close(seen[-1], expected[-1], rtol=1e-4, atol=1e-4)


def test_a_hybrid_model_shows_the_layers_that_have_attention(token_ids):
    model = tiny_model(HYBRID)
    expected = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    attention = record_attention(model, input_ids=token_ids[:1])
    assert attention.layer_numbers == (1, 3)
    assert "layers 1, 3" in attention.notes[0]
    np.testing.assert_allclose(every_weight(attention), expected, **EXACT)


@pytest.mark.parametrize("name", WITHOUT_INTERFACE)
def test_a_model_without_the_interface_falls_back_and_says_so(name, token_ids):
    model = tiny_model(WITHOUT_INTERFACE[name])
    mask = torch.ones_like(token_ids)
    mask[0, :6] = 0
    layers = eager_outputs(model, input_ids=token_ids, attention_mask=mask).attentions
    hooks = [len(part._forward_hooks) for part in model.modules()]
    with pytest.warns(AttentionFallbackWarning, match="eager attention was used"):
        attention = record_attention(model, input_ids=token_ids, attention_mask=mask)
    assert isinstance(attention, DenseAttention)
    assert "no attention interface" in attention.notes[0]
    np.testing.assert_allclose(every_weight(attention), item_of(layers)[..., 6:, 6:], **EXACT)
    np.testing.assert_allclose(every_weight(attention.batch(1)), item_of(layers, 1), **EXACT)
    assert [len(part._forward_hooks) for part in model.modules()] == hooks


@pytest.mark.parametrize("name", ["llama", "bert", "gemma2"])
def test_bfloat16_weights_are_within_its_rounding(name, token_ids):
    model = tiny_model(ARCHITECTURES[name]).to(torch.bfloat16)
    expected = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    weights = every_weight(record_attention(model, input_ids=token_ids[:1]))
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights[0], expected[0], rtol=0, atol=0.01)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=0, atol=1e-5)
