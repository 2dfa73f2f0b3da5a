"""Which sequences share a forward pass, and how they are padded for it."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import InputError
from explorer.models._running.batches import (
    batch_tensors,
    default_batch_tokens,
    plan_batches,
    plan_texts,
    run_batch,
)
from explorer.models._running.prepared_prompt import prepare_prompt
from explorer.models._text.prompt_encoding import EncodedPrompt
from explorer.run_control import RunControl

_QUERY = "where was the designer born"
_TRACES = [
    (["The tower was designed by Gustave Eiffel.", "Gustave Eiffel was born in Dijon."], "Dijon"),
    (["Dijon."], "in Dijon, of course"),
    (["for item in items", "", "print(item)"], "Eiffel"),
]


def sequence(n_tokens, n_rows=1):
    ids = np.arange(n_tokens)
    rows = np.arange(n_rows)
    return EncodedPrompt(ids, None, ("x",) * n_tokens, (), rows, rows, ("x",) * n_rows)


def test_batches_hold_like_lengths_within_their_bound():
    lengths = [10, 100, 98, 11, 97, 50, 300]
    batches = plan_batches([sequence(n) for n in lengths], 200)
    # 300 is too long for any batch; 3 x 100 would be more than 200; 97 and 50 are not alike.
    assert batches == [[6], [1, 2], [4], [5], [3, 0]]
    assert plan_batches([sequence(n) for n in lengths], 1) == [[6], [1], [2], [4], [5], [3], [0]]
    assert plan_batches([], 200) == []


def test_texts_are_planned_like_prompts_and_may_be_counted():
    lengths = [10, 100, 98, 11, 97, 50, 300]
    assert plan_texts(lengths, 200) == [[6], [1, 2], [4], [5], [3, 0]]
    assert plan_texts([10] * 5, 1000, most_texts=2) == [[0, 1], [2, 3], [4]]
    assert plan_texts([], 200) == []
    with pytest.raises(InputError, match="batch_tokens"):
        plan_texts(lengths, 0)


def test_the_logits_of_a_batch_are_bounded_too():
    few, many = plan_batches([sequence(10, 8)] * 4, 100, vocabulary=2**22)
    assert (len(few), len(many)) == (2, 2)


@pytest.mark.parametrize("tokens", [0, -1, 2.5, True, "many"])
def test_a_bound_that_is_no_number_of_tokens_is_refused(tokens):
    with pytest.raises(InputError, match="batch_tokens"):
        plan_batches([sequence(3)], tokens)


def test_pads_follow_the_text_and_need_no_mask_where_models_look_back(chat, encoder):
    sequences = [
        prepare_prompt(chat, _QUERY, facts, answer, control=RunControl()).encoded
        for facts, answer in _TRACES
    ]
    inputs = batch_tensors(chat, sequences)
    assert list(inputs) == ["input_ids"]
    for row, one in zip(inputs["input_ids"].numpy(), sequences, strict=True):
        np.testing.assert_array_equal(row[: len(one.ids)], one.ids)
        assert (row[len(one.ids) :] == one.ids[-1]).all()
    assert batch_tensors(chat, sequences[:1])["attention_mask"].all()
    masked = batch_tensors(encoder, sequences)["attention_mask"]
    assert masked.sum(dim=1).tolist() == [len(one.ids) for one in sequences]


@pytest.mark.parametrize("which", ["chat", "causal", "translator"])
def test_a_batch_gives_what_reading_one_by_one_gives(which, request):
    model = request.getfixturevalue(which)
    asked = [
        prepare_prompt(model, _QUERY, facts, answer, control=RunControl())
        for facts, answer in _TRACES
    ]
    together = run_batch(
        model, model.torch_model, [one.encoded for one in asked], [one.facts for one in asked]
    )
    for found, (facts, answer) in zip(together, _TRACES, strict=True):
        alone = model.read(_QUERY, facts, answer, keep_rows=False).attention
        np.testing.assert_allclose(found.attention.array, alone.array, atol=1e-5)
        np.testing.assert_allclose(found.attention.topk, alone.topk, atol=1e-5)


def test_the_default_follows_the_device(causal):
    assert default_batch_tokens(causal) == 1024
