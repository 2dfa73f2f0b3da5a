"""Texts that share a padded forward pass: each has the numbers of a pass of its own."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from explorer.errors import AttentionFallbackWarning, Cancelled, InputError
from explorer.models import Model
from explorer.models._text.tokens import TokenizedText
from explorer.run_control import RunControl

from ...support.tiny_models import (
    ARCHITECTURES,
    ENCODER_DECODERS,
    HYBRID,
    WITHOUT_INTERFACE,
    eager_outputs,
    every_weight,
    language_model,
    tiny_model,
)
from ...support.tiny_tokenizers import NumberTokenizer

CODES = ("def area(r): return r * r", "x", "for item in items:\n    print(item, sep=', ')")
FAMILIES = {**ARCHITECTURES, **ENCODER_DECODERS, "qwen3-next": HYBRID}
# Convolutions over neighbouring tokens see the pads.
CONVOLUTIONS = (
    "ConvBertConfig",
    "ConvBertModel",
    {
        "vocab_size": 99,
        "hidden_size": 32,
        "embedding_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 128,
    },
)


def made(entry: Any) -> Model:
    return Model.wrap(tiny_model(entry), NumberTokenizer(), name=entry[1])


def text(length: int, seed: int = 0) -> TokenizedText:
    ids = np.random.default_rng(seed).integers(2, 97, length)
    special = np.zeros(length, dtype=np.bool_)
    special[0] = True
    names = tuple(map(str, ids))
    return TokenizedText(
        text=" ".join(names), ids=ids, tokens=names, offsets=np.zeros((length, 2), dtype=np.int64),
        special=special, truncated=False, n_total=length, char_window=(0, 1), stop=length,
    )  # fmt: skip


def encoder_of(model: Model) -> Any:
    whole = model.torch_model
    return whole.get_encoder() if model.kind == "encoder-decoder" else whole


def passes(model: Model) -> list[int]:
    """Texts of every pass from now on."""
    found: list[int] = []
    embeddings = encoder_of(model).get_input_embeddings()
    embeddings.register_forward_pre_hook(lambda _, inputs: found.append(len(inputs[0])))
    return found


def assert_alone(found: Any, model: Model, tokenized: TokenizedText) -> None:
    alone = model.record(tokenized)
    assert found.tokenized is tokenized
    assert found.attention.tokens == alone.tokens == tokenized.tokens
    assert found.attention.n_batch == 1
    assert found.attention.notes == alone.notes
    assert found.attention.layer_numbers == alone.layer_numbers
    np.testing.assert_allclose(every_weight(found.attention), every_weight(alone), atol=1e-5)
    for layer in range(alone.n_layers):
        np.testing.assert_array_equal(
            found.attention.visible_keys(layer), alone.visible_keys(layer)
        )
    np.testing.assert_allclose(found.attention.received(-1), alone.received(-1), atol=1e-5)
    # Stock transformers, without the recorder, gives the hidden states and the attention too.
    stock = eager_outputs(
        encoder_of(model).base_model, input_ids=torch.as_tensor(tokenized.ids)[None]
    )
    states = stock.last_hidden_state[0].numpy()
    assert found.hidden.dtype == np.float32
    np.testing.assert_allclose(found.hidden, states, atol=1e-4 * max(1, np.abs(states).max()))
    chosen = ~tokenized.special if len(tokenized) > 1 else np.array([True])
    np.testing.assert_allclose(found.embedding(), found.hidden[chosen].mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_text_has_the_numbers_of_its_own_pass(name):
    model = made(FAMILIES[name])
    texts = [text(length, seed) for seed, length in enumerate((9, 30, 2, 29, 1))]
    for found, one in zip(model.record_batch(texts), texts, strict=True):
        assert_alone(found, model, one)


@pytest.mark.parametrize("name", FAMILIES)
def test_all_texts_share_one_pass(name):
    model = made(FAMILIES[name])
    model.record_batch([text(5), text(9)])  # tests the padding
    read = passes(model)
    model.record_batch([text(12, seed) for seed in range(3)])
    model.record_batch([text(3), text(7), text(12)])
    model.record_batch([text(3)])
    assert read == [3, 3, 1]


def test_texts_of_one_length_need_no_test():
    model = made(ARCHITECTURES["bert"])
    read = passes(model)
    model.record_batch([text(8, seed) for seed in range(4)])
    assert read == [4]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("which", ["causal", "encoder", "translator"])
def test_real_texts_on_either_padding_side(which, side, request):
    model = request.getfixturevalue(which)
    model.tokenizer.padding_side = side
    texts = [model.tokenize(code) for code in CODES]
    for found, one in zip(model.record_batch(texts), texts, strict=True):
        assert_alone(found, model, one)
        assert found.hidden.shape == (len(one), model.torch_model.config.hidden_size)


def test_the_embedding_leaves_special_tokens_out(encoder):
    (found,) = encoder.record_batch([encoder.tokenize("def f(x): return x")])
    special = found.tokenized.special
    assert special.sum() == 2
    by_hand = sum(found.hidden[place] for place in np.flatnonzero(~special)) / (~special).sum()
    np.testing.assert_allclose(found.embedding(), by_hand, atol=1e-6)


def test_a_rotary_embedding_that_depends_on_the_length_is_not_padded():
    model = Model.wrap(language_model("dynamic", vocab_size=97), NumberTokenizer())
    texts = [text(100, 1), text(70, 2)]
    read = passes(model)
    found = model.record_batch(texts)
    assert read == [1, 1]
    for one, tokenized in zip(found, texts, strict=True):
        assert_alone(one, model, tokenized)


def test_convolutions_over_pads_are_found_out():
    model = made(CONVOLUTIONS)
    texts = [text(9), text(20)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttentionFallbackWarning)
        found = model.record_batch(texts)
        read = passes(model)
        model.record_batch(texts)
        assert read == [1, 1]
        for one, tokenized in zip(found, texts, strict=True):
            assert_alone(one, model, tokenized)


@pytest.mark.parametrize("name", WITHOUT_INTERFACE)
def test_models_without_an_attention_interface_read_one_text_after_another(name):
    model = made(WITHOUT_INTERFACE[name])
    texts = [text(9), text(20)]
    with pytest.warns(AttentionFallbackWarning):
        found = model.record_batch(texts)
    read = passes(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttentionFallbackWarning)
        model.record_batch(texts)
        assert read == [1, 1]
        for one, tokenized in zip(found, texts, strict=True):
            assert_alone(one, model, tokenized)


def test_bfloat16_gives_float32_states():
    model = Model.wrap(tiny_model(ARCHITECTURES["llama"]).bfloat16(), NumberTokenizer())
    texts = [text(9), text(20)]
    found = model.record_batch(texts)
    for one, tokenized in zip(found, texts, strict=True):
        (alone,) = model.record_batch([tokenized])
        assert one.hidden.dtype == one.embedding().dtype == np.float32
        np.testing.assert_allclose(one.hidden, alone.hidden, atol=0.05 * np.abs(alone.hidden).max())


def test_a_set_cancel_event_stops_before_the_first_layer():
    model = made(ARCHITECTURES["llama"])
    stop = threading.Event()
    stop.set()
    read = passes(model)
    with pytest.raises(Cancelled):
        model.record_batch([text(4), text(5)], control=RunControl(cancel=stop))
    assert read == []


def test_a_pass_is_stopped_before_the_next_layer():
    model = made(ARCHITECTURES["llama"])
    stop = threading.Event()
    ran: list[int] = []
    for number, layer in enumerate(model.torch_model.model.layers):
        layer.register_forward_hook(lambda *_, number=number: (ran.append(number), stop.set())[-1])
    with pytest.raises(Cancelled):
        model.record_batch([text(5), text(5, 1)], control=RunControl(cancel=stop))
    assert ran == [0]
    stop.clear()
    for hook_holder in model.torch_model.model.layers:
        hook_holder._forward_hooks.clear()
    texts = [text(4), text(5)]
    for found, one in zip(model.record_batch(texts), texts, strict=True):
        assert_alone(found, model, one)


def test_no_hook_stays_behind():
    model = made(ARCHITECTURES["llama"])
    model.record_batch([text(4), text(5)])
    assert not any(part._forward_hooks for part in model.torch_model.modules())


def test_no_texts_and_no_text():
    model = made(ARCHITECTURES["bert"])
    assert model.record_batch([]) == []
    with pytest.raises(InputError, match="entry 1 is a str"):
        model.record_batch([text(4), "def f(): ..."])
