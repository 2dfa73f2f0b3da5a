"""A recorded model is as it was before, whatever happens while it runs."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from transformers import PreTrainedConfig

from explorer.attention import record_attention

from ...support.tiny_models import ARCHITECTURES, ENCODER_DECODERS, WITHOUT_INTERFACE, tiny_model

HOOK_DICTIONARIES = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")


def state_of(model):
    configs = {
        name: part.config._attn_implementation
        for name, part in model.named_modules()
        if isinstance(getattr(part, "config", None), PreTrainedConfig)
    }
    training = {name: part.training for name, part in model.named_modules()}
    hooks = {
        name: [list(getattr(part, kind)) for kind in HOOK_DICTIONARIES]
        for name, part in model.named_modules()
    }
    flag = "_output_capturing_hooks_installed"
    flags = [name for name, part in model.named_modules() if hasattr(part, flag)]
    gradients = {name: value.requires_grad for name, value in model.named_parameters()}
    return configs, training, hooks, flags, gradients


def model_in_an_odd_state(entry, implementation="eager"):
    model = tiny_model(entry)
    model.set_attn_implementation(implementation)
    model.train()
    next(part for part in model.modules() if isinstance(part, torch.nn.Linear)).training = False
    next(model.parameters()).requires_grad_(False)
    return model


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_after_a_recording(implementation, token_ids):
    model = model_in_an_odd_state(ARCHITECTURES["llama"], implementation)
    before = state_of(model)
    first = record_attention(model, input_ids=token_ids)
    assert state_of(model) == before
    without_dropout = record_attention(copy.deepcopy(model).eval(), input_ids=token_ids)
    np.testing.assert_allclose(first.weights(), without_dropout.weights(), atol=1e-6)
    assert torch.is_grad_enabled()


def test_settings_that_differ_between_parts_of_a_model(token_ids):
    model = model_in_an_odd_state(ENCODER_DECODERS["t5"], "sdpa")
    model.encoder.config._attn_implementation_internal = "eager"
    before = state_of(model)
    record_attention(model, input_ids=token_ids, decoder_input_ids=token_ids)
    assert state_of(model) == before
    assert model.encoder.config._attn_implementation == "eager"


@pytest.mark.slow
@pytest.mark.parametrize("error", [RuntimeError("broken layer"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", ["llama", "bert", "gemma2"])
def test_after_an_error_in_the_middle(name, error, token_ids):
    model = model_in_an_odd_state(ARCHITECTURES[name])

    def stop(*_arguments):
        raise error

    last = [part for part in model.modules() if type(part).__name__.endswith("MLP")][-1:]
    last = last or [part for part in model.modules() if isinstance(part, torch.nn.Linear)][-3:]
    last[0].register_forward_hook(stop)
    before = state_of(model)
    with pytest.raises(type(error)):
        record_attention(model, input_ids=token_ids)
    assert state_of(model) == before
    last[0]._forward_hooks.clear()
    assert record_attention(model, input_ids=token_ids).n_layers == 3


@pytest.mark.filterwarnings("ignore::explorer.errors.AttentionFallbackWarning")
def test_after_a_fallback(token_ids):
    model = tiny_model(WITHOUT_INTERFACE["deberta-v2"]).train()
    before = state_of(model)
    record_attention(model, input_ids=token_ids)
    assert state_of(model) == before


def test_training_goes_on_after_a_recording(token_ids):
    model = tiny_model(ARCHITECTURES["llama"]).train()
    record_attention(model, input_ids=token_ids)
    model(input_ids=token_ids, labels=token_ids).loss.backward()
    assert model.model.layers[0].self_attn.q_proj.weight.grad.abs().sum() > 0


def test_a_plain_forward_during_a_recording_keeps_nothing(token_ids):
    """The registered functions do only what SDPA does where no recording is open."""
    model = tiny_model(ARCHITECTURES["mistral"])
    with torch.no_grad():
        expected = model(input_ids=token_ids).logits
        model.set_attn_implementation("explorer_recorder")
        torch.testing.assert_close(model(input_ids=token_ids).logits, expected)
