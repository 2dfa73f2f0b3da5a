"""A text that is recorded while it is typed: the attention of a whole pass, for fewer tokens."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import Cancelled
from explorer.models import LiveRecorder, Model
from explorer.models._text.tokens import TokenizedText

from ...support.tiny_models import language_model
from ...support.tiny_tokenizers import NumberTokenizer

CONTINUED = ("llama", "mistral", "gemma2", "qwen3", "gpt2", "opt")
WINDOWS = {"mistral": {"sliding_window": 12}, "gemma2": {"sliding_window": 12}}
AS_A_WHOLE = {"dynamic": "depends on the length", "lfm2": "cannot be cut"}


def made(name: str) -> Model:
    torch_model = language_model(name, vocab_size=97, **WINDOWS.get(name, {}))
    return Model.wrap(torch_model, NumberTokenizer(), name=name)


def text(ids: Any) -> TokenizedText:
    array = np.asarray(ids, dtype=np.int64)
    names = tuple(map(str, array))
    nothing = np.zeros((len(array), 2), dtype=np.int64)
    return TokenizedText(
        text=" ".join(names), ids=array, tokens=names, offsets=nothing,
        special=np.zeros(len(array), dtype=np.bool_), truncated=False, n_total=len(array),
        char_window=(0, 1), stop=len(array),
    )  # fmt: skip


def tokens_read(model: Model) -> list[int]:
    """Tokens of every pass from now on."""
    found: list[int] = []
    embeddings = model.torch_model.get_input_embeddings()
    embeddings.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].numel()))
    return found


def assert_same(found: Any, model: Model, tokenized: TokenizedText) -> None:
    whole = model.record(tokenized)
    assert (found.n_layers, found.n_heads) == (whole.n_layers, whole.n_heads)
    assert (found.n_queries, found.n_keys) == (whole.n_queries, whole.n_keys)
    assert found.tokens == whole.tokens
    assert found.layer_numbers == whole.layer_numbers
    for layer in range(whole.n_layers):
        for head in range(whole.n_heads):
            np.testing.assert_allclose(
                found.weights(layer, head), whole.weights(layer, head), atol=2e-5
            )
        np.testing.assert_array_equal(found.visible_keys(layer), whole.visible_keys(layer))


def versions() -> list[np.ndarray]:
    """A text while it is typed: longer by one, by many, changed at the end, in the middle."""
    long = np.random.default_rng(5).integers(2, 97, 60)
    changed = long.copy()
    changed[20] = (changed[20] + 1 - 2) % 95 + 2
    return [
        long[:30], long[:31], long[:50], long, long, long[:40], long[:10], changed, changed[20:],
    ]  # fmt: skip


@pytest.mark.parametrize("name", CONTINUED)
def test_every_version_has_the_attention_of_a_whole_pass(name):
    model = made(name)
    recorder = LiveRecorder(model)
    for ids in versions():
        assert_same(recorder.record(text(ids)), model, text(ids))
    assert recorder.obstacle is None


@pytest.mark.parametrize("name", CONTINUED)
def test_only_what_changed_is_computed(name):
    model = made(name)
    recorder = LiveRecorder(model)
    recorder.record(text(versions()[0]))
    read = tokens_read(model)
    for ids in versions()[1:]:
        recorder.record(text(ids))
    # one more; 19 more; 10 more; the same (its last token); shorter (its last); changed at 20
    assert read == [1, 19, 10, 1, 1, 1, 60 - 10, 40]
    assert recorder.reused(text(versions()[-1])) == 39


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(2, 4), min_size=1, max_size=20), min_size=1, max_size=6))
def test_any_order_of_any_texts(typed):
    model = made("mistral")
    recorder = LiveRecorder(model)
    for ids in typed:
        assert_same(recorder.record(text(ids)), model, text(ids))


@pytest.mark.parametrize("name", AS_A_WHOLE)
def test_a_model_that_cannot_continue_is_recorded_as_a_whole(name):
    model = made(name)
    recorder = LiveRecorder(model)
    for ids in versions()[:3]:
        assert_same(recorder.record(text(ids)), model, text(ids))
    assert AS_A_WHOLE[name] in str(recorder.obstacle)
    assert recorder.reused(text(versions()[3])) == 0


def test_an_encoder_looks_ahead(encoder):
    recorder = LiveRecorder(encoder)
    for code in ("def f(x):", "def f(x): return x"):
        tokenized = encoder.tokenize(code)
        assert_same(recorder.record(tokenized), encoder, tokenized)
    assert "looks ahead" in str(recorder.obstacle)


def test_real_texts_with_special_tokens(causal):
    recorder = LiveRecorder(causal)
    code = "def area(r):\n    pi = 3.14\n    return pi * r"
    for stop in range(1, len(code) + 1, 3):
        tokenized = causal.tokenize(code[:stop])
        assert_same(recorder.record(tokenized), causal, tokenized)


def test_a_stopped_text_leaves_the_one_before_it():
    model = made("llama")
    recorder = LiveRecorder(model)
    before, after = text(versions()[0]), text(versions()[3])
    recorder.record(before)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        recorder.record(after, stop)

    read = tokens_read(model)
    second = threading.Event()
    layers = model.torch_model.model.layers
    handle = layers[1].register_forward_pre_hook(lambda *_: second.set())
    with pytest.raises(Cancelled):
        recorder.record(after, second)
    handle.remove()
    assert_same(recorder.record(after), model, after)
    assert read[:2] == [30, 30]  # both from the end of the text before


def test_a_model_whose_cache_lies_is_found_out(monkeypatch):
    from explorer.models._running import live_recorder

    def shifted(cache: Any, length: int, texts: int) -> Any:
        found = cropped(cache, length, texts)
        for layer in found.layers:
            layer.keys = layer.keys.roll(1, dims=2)
        return found

    cropped = live_recorder.cropped_cache
    monkeypatch.setattr(live_recorder, "cropped_cache", shifted)
    model = made("llama")
    recorder = LiveRecorder(model)
    for ids in versions()[:3]:
        assert_same(recorder.record(text(ids)), model, text(ids))
    assert "other numbers" in str(recorder.obstacle)


def test_a_short_first_text_does_not_decide_for_all():
    model = made("llama")
    recorder = LiveRecorder(model)
    assert_same(recorder.record(text([5])), model, text([5]))
    assert_same(recorder.record(replace(text([5, 6]))), model, text([5, 6]))
