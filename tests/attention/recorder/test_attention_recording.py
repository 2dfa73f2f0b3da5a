"""Recording: inputs, wrappers, threads, memory and stopping."""

from __future__ import annotations

import copy
import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import DynamicCache

from explorer.attention import record_attention
from explorer.attention._recorder import record
from explorer.errors import Cancelled, InputError
from explorer.run_control import RunControl

from ...support.tiny_models import (
    ARCHITECTURES,
    ENCODER_DECODERS,
    VOCABULARY,
    eager_outputs,
    every_weight,
    item_of,
    tiny_model,
)

pytestmark = pytest.mark.slow

EXACT = {"rtol": 0, "atol": 1e-5}


def test_importing_the_package_loads_no_torch():
    code = "import sys, explorer.attention; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["llama", "bert"])
def test_embeddings_can_be_given_instead_of_tokens(name, token_ids):
    model = tiny_model(ARCHITECTURES[name])
    embeddings = model.get_input_embeddings()(token_ids[:1]).detach()
    by_tokens = record_attention(model, input_ids=token_ids[:1])
    by_embeddings = record_attention(model, inputs_embeds=embeddings)
    np.testing.assert_allclose(by_embeddings.weights(), by_tokens.weights(), **EXACT)


def test_the_head_of_a_language_model_is_not_run(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])

    def refuse(*_arguments):
        raise AssertionError("logits were computed")

    model.lm_head.register_forward_pre_hook(refuse)
    assert record_attention(model, input_ids=token_ids).n_layers == 3


def test_what_the_callers_own_hooks_see_still_happens(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    called = []
    model.register_forward_hook(lambda *_arguments: called.append("outer"))
    model.model.layers[1].register_forward_hook(lambda *_arguments: called.append("layer"))
    record_attention(model, input_ids=token_ids)
    assert called == ["layer", "outer"]


def test_labels_and_stock_switches_do_no_harm(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    plain = record_attention(model, input_ids=token_ids)
    odd = record_attention(
        model, input_ids=token_ids, labels=token_ids, output_attentions=True, return_dict=False
    )
    np.testing.assert_array_equal(odd.weights(), plain.weights())


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's own, in its compiler
@pytest.mark.parametrize("wrap", ["torch_model", "module", "torch.compile", "compile()"])
def test_wrapped_models_are_recorded(wrap, token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    expected = record_attention(model, input_ids=token_ids).weights()
    if wrap == "torch_model":
        model = SimpleNamespace(torch_model=model)
    elif wrap == "module":  # as an adapter does

        class Adapter(torch.nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.base_model = inner

            def forward(self, **inputs):
                return self.base_model(**inputs)

        model = Adapter(model)
    elif wrap == "torch.compile":
        model = torch.compile(model)
    else:
        model.compile()
    np.testing.assert_allclose(
        record_attention(model, input_ids=token_ids).weights(), expected, **EXACT
    )


@pytest.mark.parametrize("name", ["llama", "mistral"])
def test_tokens_in_a_cache_are_keys_but_no_queries(name, token_ids):
    model = tiny_model(ARCHITECTURES[name])
    whole = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    cache = DynamicCache()
    with torch.no_grad():
        model(input_ids=token_ids[:1, :15], past_key_values=cache, use_cache=True)
    attention = record_attention(model, input_ids=token_ids[:1, 15:], past_key_values=cache)
    assert (attention.n_queries, attention.n_keys, attention.query_offset) == (5, 20, 15)
    np.testing.assert_allclose(every_weight(attention), whole[:, :, 15:], **EXACT)


def test_a_mask_of_the_callers_own_is_followed(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    mask = torch.tril(torch.ones(20, 20, dtype=torch.bool))
    mask[10:, 3:6] = False
    attention = record_attention(model, input_ids=token_ids[:1], attention_mask=mask[None, None])
    additive = torch.where(mask, 0.0, torch.finfo(torch.float32).min)[None, None]
    layers = eager_outputs(model, input_ids=token_ids[:1], attention_mask=additive).attentions
    np.testing.assert_allclose(every_weight(attention), item_of(layers), **EXACT)
    same = record_attention(model, input_ids=token_ids[:1], attention_mask=additive)
    np.testing.assert_allclose(every_weight(same), item_of(layers), **EXACT)
    assert attention.visible_keys(0, [2, 12]).tolist() == [3, 10]


def test_visible_keys_and_received_know_windows_and_padding(token_ids):
    mask = torch.ones_like(token_ids[:1])
    mask[0, :6] = 0
    model = tiny_model(ARCHITECTURES["mistral"])  # each row sees itself and the four before
    attention = record_attention(model, input_ids=token_ids[:1], attention_mask=mask)
    assert attention.visible_keys(1).tolist() == [1, 2, 3, 4] + [5] * 10
    weights = every_weight(attention)[1, 2]
    by_hand = [weights[key : key + 5, key].mean() for key in range(14)]
    np.testing.assert_allclose(attention.received(1, 2), by_hand, atol=1e-6)


def test_span_sums_come_from_the_weights(token_ids):
    attention = record_attention(tiny_model(ARCHITECTURES["qwen3"]), input_ids=token_ids[:1])
    weights = every_weight(attention)
    rows = [4, 11, 19]
    average = weights[:, :, rows].mean(axis=2)
    mass = attention.span_mass([(0, 3), [(4, 6), (9, 12)]], rows=rows)
    np.testing.assert_allclose(mass[..., 0], average[..., :3].sum(-1), atol=1e-6)
    picked = average[..., [4, 5, 9, 10, 11]]
    np.testing.assert_allclose(mass[..., 1], picked.sum(-1), atol=1e-6)
    top = attention.span_topk([[(4, 6), (9, 12)]], rows=rows, k=2)[..., 0]
    np.testing.assert_allclose(top, np.sort(picked, axis=-1)[..., -2:].mean(-1), atol=1e-6)


def test_answers_can_be_written_on_without_changing_the_next(token_ids):
    attention = record_attention(tiny_model(ARCHITECTURES["llama"]), input_ids=token_ids[:1])
    first = attention.weights()
    kept = first.copy()
    first[:] = 7
    attention.row_mean()[:] = 7
    np.testing.assert_array_equal(attention.weights(), kept)
    assert attention.row_mean().max() <= 1


@pytest.mark.parametrize("name", ["mistral", "gemma2", "t5", "gpt2"])
def test_nothing_of_size_n_by_n_is_kept(name):
    n = 128
    model = tiny_model({**ARCHITECTURES, **ENCODER_DECODERS}[name])
    ids = torch.randint(3, VOCABULARY, (1, n))
    mask = torch.ones_like(ids)
    mask[0, :5] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if name == "t5":
        inputs["decoder_input_ids"] = ids
    attention = record_attention(model, **inputs)
    parameters = {value.data_ptr() for value in model.state_dict().values()}
    gc.collect()
    large = [
        thing.shape
        for thing in gc.get_objects()
        if type(thing) is torch.Tensor
        and thing.untyped_storage().nbytes() >= n * n
        and thing.data_ptr() not in parameters
        and thing.dim() > 2
        and tuple(thing.shape[-2:]) == (n, n)
    ]
    assert large == []
    assert attention.n_keys == n - 5 or name == "t5"


def test_two_threads_do_not_mix(token_ids):
    shared = tiny_model(ARCHITECTURES["llama"])
    other = tiny_model(ARCHITECTURES["bert"])
    jobs = [(shared, token_ids[:1]), (other, token_ids[:1]), (shared, token_ids[1:, :13])] * 4
    expected = [
        record_attention(copy.deepcopy(model), input_ids=ids).weights() for model, ids in jobs
    ]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda job: record_attention(job[0], input_ids=job[1]), jobs))
    for attention, weights in zip(found, expected, strict=True):
        np.testing.assert_allclose(attention.weights(), weights, **EXACT)
    assert shared.config._attn_implementation == "sdpa"


def test_a_recording_can_be_stopped_between_layers(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    cancel = threading.Event()
    reached = []

    def stop(layer, *_arguments):
        reached.append(layer.self_attn.layer_idx)
        cancel.set()

    for layer in model.model.layers:
        layer.register_forward_hook(stop)
    with pytest.raises(Cancelled):
        record(model, {"input_ids": token_ids}, control=RunControl(cancel=cancel))
    assert reached == [0]
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "nothing to run"),
        ({"input_ids": torch.ones(4, dtype=torch.long)}, "batch dimension"),
        ({"input_ids": torch.ones(1, 0, dtype=torch.long)}, "no tokens"),
        ({"inputs_embeds": torch.ones(4, 32)}, "batch dimension"),
        (
            {
                "input_ids": torch.ones(1, 4, dtype=torch.long),
                "attention_mask": torch.zeros(1, 4, dtype=torch.long),
            },
            "all padding",
        ),
    ],
)
def test_inputs_that_cannot_be_run_are_refused(inputs, words):
    with pytest.raises(InputError, match=words):
        record_attention(tiny_model(ARCHITECTURES["llama"]), **inputs)


def test_what_is_no_transformers_model_is_refused(token_ids):
    with pytest.raises(InputError, match="got str"):
        record_attention("llama", input_ids=token_ids)
    with pytest.raises(InputError, match="no transformers model"):
        record_attention(torch.nn.Linear(2, 2), input_ids=token_ids)


def test_a_decoder_without_text_is_named(token_ids):
    with pytest.raises(InputError, match="decoder_input_ids"):
        record_attention(tiny_model(ENCODER_DECODERS["t5"]), input_ids=token_ids)
