"""Writing text: greedy, streamed, stopped at any token."""

from __future__ import annotations

import threading
import warnings

import pytest

from explorer.errors import Cancelled, InputError, ModelCapabilityError


def greedy_by_hand(model, ids, count):
    """The definition: append the most likely token, over and over, without any cache."""
    import torch

    ids = list(ids)
    with torch.no_grad():
        for _ in range(count):
            logits = model.torch_model(input_ids=torch.tensor([ids]), use_cache=False).logits
            ids.append(int(logits[0, -1].argmax()))
            if ids[-1] == model.tokenizer.eos_token_id:
                break
    return ids


def test_generation_is_greedy_and_returns_only_new_text(causal):
    prompt = causal.tokenizer("def fibonacci")["input_ids"]
    ids = greedy_by_hand(causal, prompt, 12)
    expected = causal.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True).strip()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert causal.generate("def fibonacci", max_new_tokens=12) == expected


def test_the_authors_sampling_settings_are_not_used(causal, monkeypatch, capfd):
    from transformers import GenerationConfig

    plain = causal.generate("for item", max_new_tokens=8)
    wild = GenerationConfig(do_sample=True, temperature=9.0, top_k=3, repetition_penalty=5.0)
    wild.eos_token_id = 1
    monkeypatch.setattr(causal.torch_model, "generation_config", wild)
    assert causal.generate("for item", max_new_tokens=8) == plain
    assert causal.torch_model.generation_config is wild
    assert capfd.readouterr() == ("", "")


def test_a_model_in_training_is_left_in_training_and_writes_without_dropout(causal):
    plain = causal.generate("for item", max_new_tokens=8)
    causal.torch_model.train()
    try:
        causal.torch_model.model.layers[0].self_attn.attention_dropout = 0.9
        assert causal.generate("for item", max_new_tokens=8) == plain
        assert all(module.training for module in causal.torch_model.modules())
    finally:
        causal.torch_model.model.layers[0].self_attn.attention_dropout = 0.0
        causal.torch_model.eval()


def test_text_streams_as_it_grows(causal):
    seen: list[str] = []
    text = causal.generate("def", max_new_tokens=10, on_text=seen.append)
    assert 1 < len(seen) <= 10
    assert all(seen)
    assert "".join(seen).strip() == text


def test_generation_stops_at_the_token_where_it_is_cancelled(causal):
    cancel = threading.Event()
    seen: list[str] = []

    def stop_at_third(text: str) -> None:
        seen.append(text)
        if len(seen) == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        causal.generate("def", max_new_tokens=50, on_text=stop_at_third, cancel=cancel)
    assert len(seen) == 3
    assert not any(layer._forward_pre_hooks for layer in causal.torch_model.model.layers)
    assert causal.generate("def", max_new_tokens=2) is not None


def test_a_cancelled_job_does_not_start(causal):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        causal.generate("def", cancel=cancel)
    with pytest.raises(Cancelled):
        causal.record(causal.tokenize("def"), cancel=cancel)


def test_the_window_ends_generation(causal, monkeypatch):
    monkeypatch.setattr(causal.torch_model.generation_config, "eos_token_id", 399)
    prompt = " n" * 240
    used = len(causal.tokenizer(prompt)["input_ids"])
    assert used < causal.max_tokens
    lengths: list[int] = []
    generate = causal.torch_model.generate

    def remember(**kwargs):
        sequences = generate(**kwargs)
        lengths.append(sequences.shape[1])
        return sequences

    monkeypatch.setattr(causal.torch_model, "generate", remember)
    causal.generate(prompt, max_new_tokens=500)
    assert lengths == [causal.max_tokens]


def test_a_prompt_beyond_the_window_is_refused(causal):
    with pytest.raises(InputError, match=r"takes 256"):
        causal.generate("n + " * 400)


def test_encoders_cannot_write_and_the_message_names_one_that_can(encoder):
    with pytest.raises(ModelCapabilityError, match="SmolLM2-135M-Instruct"):
        encoder.generate("def")


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "many"])
def test_the_number_of_tokens_is_checked(causal, count):
    with pytest.raises(InputError, match="max_new_tokens"):
        causal.generate("def", max_new_tokens=count)


def test_an_empty_prompt_is_refused(causal):
    with pytest.raises(InputError, match="prompt is empty"):
        causal.generate(" ")


def test_messages_use_the_chat_format_without_a_second_beginning_token(chat, monkeypatch):
    messages = [{"role": "user", "content": "who"}]
    given = []
    generate = chat.torch_model.generate

    def remember(**kwargs):
        given.append(kwargs["input_ids"][0].tolist())
        return generate(**kwargs)

    monkeypatch.setattr(chat.torch_model, "generate", remember)
    chat.generate(messages, max_new_tokens=2)
    expected = chat.tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    assert given[0] == expected["input_ids"]
    assert given[0].count(chat.tokenizer.bos_token_id) == 1


def test_an_encoder_decoder_writes(translator):
    assert isinstance(translator.generate("translate this", max_new_tokens=5), str)
