"""A question, its hyperedges, and the attention that each received."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from explorer.errors import Cancelled, InputError, ModelCapabilityError
from explorer.models import Model
from explorer.run_control import RunControl

from ...support.tiny_models import ENCODER_DECODERS, tiny_model
from ...support.tiny_tokenizers import byte_level_tokenizer

_QUERY = "where was the designer born"
_HYPEREDGES = [
    "The tower was designed by Gustave Eiffel.",
    "Gustave Eiffel was born in Dijon.",
    "Café 🎉",
]
_ANSWER = "Dijon, of course"


def eager_attention(model, **inputs):
    """What transformers itself says: (layers, heads, queries, keys)."""
    import copy

    import torch

    twin = copy.deepcopy(model.torch_model)
    twin.set_attn_implementation("eager")
    with torch.no_grad():
        out = twin(**inputs, output_attentions=True)
    kept = out.cross_attentions if model.kind == "encoder-decoder" else out.attentions
    return torch.cat(kept).numpy()


@pytest.mark.parametrize("which", ["causal", "chat"])
def test_rows_predict_the_answer_and_spans_are_the_hyperedges(which, request):
    import torch

    model = request.getfixturevalue(which)
    reading = model.read(_QUERY, _HYPEREDGES, _ANSWER)
    assert "".join(reading.answer_tokens).strip() == _ANSWER
    for tokens, hyperedge in zip(reading.unit_tokens, _HYPEREDGES[:2], strict=False):
        assert "".join(tokens).strip() == hyperedge
    assert reading.unit_tokens[2][-1] == "🎉"

    # The same pass by transformers' own eager attention, with positions found by hand.
    lead = "" if which == "chat" else " "
    ids = model.tokenizer(reading.prompt + lead + _ANSWER, add_special_tokens=which == "causal")[
        "input_ids"
    ]
    assert ids.count(model.tokenizer.bos_token_id) == 1
    n_answer = len(reading.answer_tokens)
    rows = np.arange(len(ids) - n_answer - 1, len(ids) - 1)
    attention = eager_attention(model, input_ids=torch.tensor([ids]))
    assert reading.attention.array.shape == (3, 4, n_answer, 3)
    for unit, spans in enumerate(reading.spans):
        (start, stop), *_ = spans
        expected = attention[:, :, rows, start:stop]
        np.testing.assert_allclose(
            reading.attention.array[..., unit], expected.sum(axis=-1), atol=1e-5
        )
        top = np.sort(expected.mean(axis=2), axis=-1)[..., -3:].mean(axis=-1)
        np.testing.assert_allclose(reading.attention.topk[..., unit], top, atol=1e-5)
    assert reading.attention.rows == tuple(rows)
    assert reading.attention.units == tuple(_HYPEREDGES)
    tokens = reading.token_attention
    assert tokens.query_tokens == reading.answer_tokens
    np.testing.assert_allclose(
        np.stack([tokens.layer_weights(layer) for layer in range(3)]),
        attention[:, :, rows],
        atol=1e-5,
    )


def test_reduced_inside_the_recorder_gives_the_same_numbers(chat):
    whole = chat.read(_QUERY, _HYPEREDGES, _ANSWER)
    reduced = chat.read(_QUERY, _HYPEREDGES, _ANSWER, keep_tokens=False)
    assert reduced.token_attention is None
    np.testing.assert_allclose(reduced.attention.array, whole.attention.array, atol=1e-6)
    np.testing.assert_allclose(reduced.attention.topk, whole.attention.topk, atol=1e-6)
    mean = chat.read(_QUERY, _HYPEREDGES, _ANSWER, keep_rows=False)
    assert mean.attention.array.shape == (3, 4, 3)
    np.testing.assert_allclose(mean.attention.array, whole.attention.array.mean(axis=2), atol=1e-6)


def test_large_token_attention_is_left_out_with_a_note(chat, monkeypatch):
    monkeypatch.setattr("explorer.models._running.recorded_answer._TOKEN_BYTES", 1000)
    reading = chat.read(_QUERY, _HYPEREDGES, _ANSWER)
    assert reading.token_attention is None
    assert "was not kept" in reading.notes[0]
    assert reading.attention.array.shape[-1] == 3


def test_every_token_knows_its_unit(chat):
    reading = chat.read(_QUERY, _HYPEREDGES, _ANSWER)
    assert len(reading.tokens) == len(reading.unit_of_token) == reading.token_attention.n_keys
    first = "".join(np.array(reading.tokens)[reading.unit_of_token == 0])
    assert first.strip() == _HYPEREDGES[0]
    question = "".join(np.array(reading.tokens)[reading.unit_of_token == -1])
    assert _QUERY in question
    assert "Gustave" not in question


def test_repeated_hyperedges_stay_apart(chat):
    reading = chat.read(_QUERY, [_HYPEREDGES[0], _HYPEREDGES[0]], _ANSWER)
    (one,), (two,) = reading.spans
    assert one[1] <= two[0]
    assert one[1] - one[0] == two[1] - two[0]


def test_an_empty_hyperedge_is_a_unit_without_tokens(chat):
    reading = chat.read(_QUERY, [_HYPEREDGES[0], ""], _ANSWER)
    assert reading.spans[1] == ()
    assert reading.unit_tokens[1] == ()
    assert (reading.attention.array[..., 1] == 0).all()
    reduced = chat.read(_QUERY, [_HYPEREDGES[0], ""], _ANSWER, keep_tokens=False)
    assert (reduced.attention.array[..., 1] == 0).all()


def test_without_an_answer_the_model_writes_one(chat):
    seen, stages = [], []
    reading = chat.read(
        _QUERY,
        _HYPEREDGES,
        on_text=seen.append,
        control=RunControl(lambda p: stages.append(p.stage)),
    )
    assert reading.generated
    assert reading.answer
    # A random model may end within a character, which the stream does not show half.
    assert "".join(seen).strip() == reading.answer.rstrip("\ufffd")
    assert stages == ["generating", "recording"]


@pytest.mark.parametrize("which", ["chat", "causal"])
def test_a_written_answer_is_read_as_the_very_tokens_that_were_written(which, request):
    """A random model writes bytes that no tokenizer would cut so: they must not be cut again."""
    import torch

    model = request.getfixturevalue(which)
    reading = model.read(_QUERY, _HYPEREDGES, max_new_tokens=6)
    prompt = model.tokenizer(reading.prompt, add_special_tokens=which == "causal")["input_ids"]
    ids = torch.tensor([prompt])
    for _ in range(6):  # greedy by its definition
        with torch.no_grad():
            following = model.torch_model(input_ids=ids).logits[0, -1].argmax()
        ids = torch.cat([ids, following.reshape(1, 1)], dim=1)
    attention = eager_attention(model, input_ids=ids)
    rows = np.array(reading.attention.rows)
    assert rows[0] >= len(prompt) - 1
    assert rows[-1] < len(prompt) + 5
    (start, stop), *_ = reading.spans[0]
    np.testing.assert_allclose(
        reading.attention.array[..., 0], attention[:, :, rows, start:stop].sum(-1), atol=1e-5
    )


def test_a_plain_model_answers_in_one_line(causal):
    assert "\n" not in causal.read(_QUERY, _HYPEREDGES).answer


def test_reading_can_be_stopped_while_answering_and_while_recording(chat):
    for stage in ("generating", "recording"):
        cancel = threading.Event()

        def stop(progress, stage=stage, cancel=cancel) -> None:
            if progress.stage == stage:
                cancel.set()

        with pytest.raises(Cancelled):
            chat.read(_QUERY, _HYPEREDGES, control=RunControl(stop, cancel))
    assert chat.read(_QUERY, _HYPEREDGES, _ANSWER).answer == _ANSWER


def test_progress_and_cancel_are_still_taken_with_a_warning(chat):
    stages, cancel = [], threading.Event()
    with pytest.warns(DeprecationWarning, match=r"control=RunControl\("):
        chat.read(_QUERY, _HYPEREDGES, _ANSWER, progress=lambda p: stages.append(p.stage))
    assert stages == ["recording"]
    cancel.set()
    with pytest.warns(DeprecationWarning, match="cancel="), pytest.raises(Cancelled):
        chat.read(_QUERY, _HYPEREDGES, _ANSWER, cancel=cancel)


def test_a_template_that_refuses_a_system_message(tiny_llama, chat):
    chat.tokenizer.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}"
        "{{ raise_exception('no system role') }}{% endif %}[{{ m['role'] }}] {{ m['content'] }}\n"
        "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    reading = chat.read(_QUERY, _HYPEREDGES, _ANSWER)
    assert reading.prompt.startswith("[user] Answer the question")
    assert "".join(reading.unit_tokens[1]).strip() == _HYPEREDGES[1]
    # This format puts a space between the role and the answer.
    assert reading.answer_tokens[0].startswith(" ")


def test_a_template_that_changes_the_text_still_finds_the_hyperedges(chat):
    chat.tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] | replace('\\n- ', '\\n* ') }}\n{% endfor %}"
    )
    reading = chat.read(_QUERY, _HYPEREDGES, _ANSWER)
    assert ["".join(tokens).strip() for tokens in reading.unit_tokens[:2]] == _HYPEREDGES[:2]
    assert reading.unit_tokens[2][-1] == "🎉"


def test_an_encoder_reads_the_answer_itself(encoder):
    import torch

    hyperedges = ["was designed by Eiffel", "born in Dijon"]
    reading = encoder.read("where", hyperedges, "Dijon")
    ids = encoder.tokenizer(f"{reading.prompt} Dijon")["input_ids"]
    n_answer = len(reading.answer_tokens)
    rows = np.arange(len(ids) - 1 - n_answer, len(ids) - 1)  # before [SEP]
    attention = eager_attention(encoder, input_ids=torch.tensor([ids]))
    (start, stop), *_ = reading.spans[1]
    np.testing.assert_allclose(
        reading.attention.array[..., 1], attention[:, :, rows, start:stop].sum(-1), atol=1e-5
    )
    assert reading.tokens[-1] == "[SEP]"
    assert not reading.generated


def test_an_encoder_cannot_write_the_answer(encoder):
    with pytest.raises(ModelCapabilityError, match="give the answer yourself"):
        encoder.read("where", ["born in Dijon"])


@pytest.mark.parametrize("keep_tokens", [True, False])
def test_an_encoder_decoder_is_read_by_its_cross_attention(translator, keep_tokens):
    import torch

    reading = translator.read(_QUERY, _HYPEREDGES, _ANSWER, keep_tokens=keep_tokens)
    ids = translator.tokenizer(reading.prompt)["input_ids"]
    labels = translator.tokenizer(_ANSWER, add_special_tokens=False)["input_ids"]
    attention = eager_attention(
        translator,
        input_ids=torch.tensor([ids]),
        decoder_input_ids=torch.tensor([[1, *labels[:-1]]]),
    )
    assert "".join(reading.answer_tokens) == _ANSWER
    for unit, spans in enumerate(reading.spans):
        (start, stop), *_ = spans
        np.testing.assert_allclose(
            reading.attention.array[..., unit], attention[..., start:stop].sum(-1), atol=1e-5
        )


def test_an_encoder_decoder_writes_the_answer_when_none_is_given(translator):
    reading = translator.read(_QUERY, _HYPEREDGES, max_new_tokens=8)
    assert reading.generated
    assert len(reading.answer_tokens) == reading.attention.n_queries


def test_a_prompt_that_does_not_fit_says_how_long_it_is(chat):
    with pytest.raises(InputError, match=r"takes [\d,]+ tokens, but .* has room for 256"):
        chat.read(_QUERY, _HYPEREDGES * 9, _ANSWER)


@pytest.mark.parametrize(
    ("query", "hyperedges", "answer", "words"),
    [
        ("", ["a"], "b", "question is empty"),
        ("q", [], "b", "at least one"),
        ("q", "abc", "b", "as a list"),
        ("q", ["a", 3], "b", "Hyperedge 2 must be a string"),
        ("q", ["a"], "  ", "answer is empty"),
        ("q", ["a\ud800"], "b", "lone surrogate"),
    ],
)
def test_bad_input_is_named(chat, query, hyperedges, answer, words):
    with pytest.raises(InputError, match=words):
        chat.read(query, hyperedges, answer)


def test_recording_carries_the_tokens_and_matches_eager(causal, encoder):
    import torch

    for model in (causal, encoder):
        tokenized = model.tokenize("def fibonacci(n): return n")
        recorded = model.record(tokenized)
        assert recorded.tokens == tokenized.tokens
        expected = eager_attention(model, input_ids=torch.tensor([tokenized.ids.tolist()]))
        np.testing.assert_allclose(recorded.weights(-1, 0), expected[-1, 0], atol=1e-5)
        np.testing.assert_allclose(recorded.weights(), expected.mean((0, 1)), atol=1e-5)


def test_recording_an_encoder_decoder_looks_at_its_encoder(translator):
    tokenized = translator.tokenize("for item in items")
    recorded = translator.record(tokenized)
    assert recorded.n_queries == recorded.n_keys == len(tokenized)


def test_a_model_on_another_dtype_is_read_too(tiny_llama, chat):
    import copy

    import torch

    half = Model.wrap(copy.deepcopy(tiny_llama).to(torch.bfloat16), chat.tokenizer)
    whole = chat.read(_QUERY, _HYPEREDGES, _ANSWER).attention.array
    np.testing.assert_allclose(
        half.read(_QUERY, _HYPEREDGES, _ANSWER).attention.array, whole, atol=0.02
    )


@pytest.mark.parametrize("keep_tokens", [True, False])
def test_the_rows_of_the_question_come_from_the_same_pass(causal, keep_tokens):
    import torch

    reading = causal.read(_QUERY, _HYPEREDGES, _ANSWER, keep_tokens=keep_tokens)
    encoded = causal.tokenizer(
        f"{reading.prompt} {_ANSWER}", return_offsets_mapping=True, return_tensors="pt"
    )
    first = reading.prompt.rindex(_QUERY)
    last = first + len(_QUERY)
    starts, stops = encoded["offset_mapping"][0].numpy().T
    rows = np.flatnonzero((starts < last) & (stops > first))
    attention = eager_attention(causal, input_ids=torch.as_tensor(encoded["input_ids"]))
    assert reading.question is not None
    assert reading.question.array.shape == (3, 4, 3)
    for unit, spans in enumerate(reading.spans):
        (start, stop), *_ = spans
        looked = attention[:, :, rows, start:stop].mean(axis=2)
        np.testing.assert_allclose(reading.question.array[..., unit], looked.sum(-1), atol=1e-5)
        top = np.sort(looked, axis=-1)[..., -3:].mean(-1)
        np.testing.assert_allclose(reading.question.topk[..., unit], top, atol=1e-5)


def test_only_what_looks_back_at_the_hyperedges_has_rows_of_the_question(encoder, translator):
    assert encoder.read("where", ["born in Dijon"], "Dijon").question is None
    assert translator.read(_QUERY, _HYPEREDGES, _ANSWER).question is None


def test_an_answer_that_is_given_is_read_behind_the_forced_first_token():
    """As generation and training of BART have it: `</s> <s> answer`, decoder start first."""
    import torch

    from explorer.models._text.prompt_encoding import (
        GeneratedText,
        encode_generated_answer,
        encode_given_answer,
    )
    from explorer.models._text.prompts import fact_prompt

    bart = tiny_model(
        ENCODER_DECODERS["bart"],
        spread=None,
        vocab_size=400,
        max_position_embeddings=256,
        decoder_start_token_id=1,
        eos_token_id=1,
        bos_token_id=0,
    )
    bart.generation_config.forced_bos_token_id = 0
    model = Model.wrap(bart, byte_level_tokenizer(), name="tiny bart")
    prompt = fact_prompt(model.tokenizer, _QUERY, _HYPEREDGES)
    given = encode_given_answer(model, prompt, "Dijon")
    labels = torch.tensor([model.tokenizer("Dijon")["input_ids"]])  # <s> Dijon
    own = bart.prepare_decoder_input_ids_from_labels(labels)
    np.testing.assert_array_equal(given.decoder_ids, own[0])
    answer = labels[0, 1:].tolist()
    assert given.answer_ids.tolist() == answer
    assert "".join(given.answer_tokens) == "Dijon"

    generated = encode_generated_answer(
        model, prompt, GeneratedText("Dijon", "Dijon", [0, *answer, 1])
    )
    for field in ("ids", "decoder_ids", "rows", "answer_ids"):
        np.testing.assert_array_equal(getattr(generated, field), getattr(given, field))

    reading = model.read(_QUERY, _HYPEREDGES, "Dijon")
    attention = eager_attention(
        model,
        input_ids=torch.as_tensor(given.ids)[None],
        decoder_input_ids=own,
    )
    expected = [
        attention[:, :, given.rows, start:stop].sum(axis=-1) for ((start, stop),) in given.spans
    ]
    np.testing.assert_allclose(reading.attention.array, np.stack(expected, axis=-1), atol=1e-5)
    parallel = Model.wrap(torch.nn.DataParallel(bart), byte_level_tokenizer())
    assert parallel.kind == "encoder-decoder"
