"""Answers to prompts that begin alike: the numbers of separate passes, for fewer tokens."""

from __future__ import annotations

import threading
from itertools import product
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled, ModelCapabilityError
from explorer.models import Model
from explorer.models._running.answer_scorer import AnswerScorer
from explorer.models._text.prompt_encoding import EncodedPrompt
from explorer.run_control import RunControl

from ...support.tiny_models import LANGUAGE_MODELS, language_model, tiny_model
from ...support.tiny_tokenizers import NumberTokenizer

ARCHITECTURES = (
    "llama", "mistral", "gemma2", "qwen3", "gpt2", "opt", "bloom", "dynamic", "lfm2",
)  # fmt: skip
# Shorter than the prompts.
WINDOWS = {"mistral": {"sliding_window": 20}, "gemma2": {"sliding_window": 20}}
ANEW = {"dynamic": "depends on the length", "lfm2": "cannot be cut"}


def made(name: str) -> Model:
    torch_model = language_model(name, vocab_size=97, **WINDOWS.get(name, {}))
    return Model.wrap(torch_model, NumberTokenizer(), name=name)


def text(ids: Any, n_answer: int = 4) -> EncodedPrompt:
    """Token ids of which the last ones are the answer."""
    array = np.asarray(ids, dtype=np.int64)
    rows = np.arange(len(array) - n_answer - 1, len(array) - 1)
    names = tuple(map(str, array))
    return EncodedPrompt(array, None, names, (), rows, array[rows + 1], names[-n_answer:])


def prompts(n_facts: int = 4, length: int = 11) -> list[EncodedPrompt]:
    """All subsets of some facts between a beginning and an end, all of them first."""
    random = np.random.default_rng(3)
    begin, end = random.integers(2, 97, 9), random.integers(2, 97, 13)
    facts = random.integers(2, 97, (n_facts, length))
    return [
        text(np.concatenate([begin, *(fact for fact, stays in zip(facts, kept) if stays), end]))  # noqa: B905
        for kept in product([True, False], repeat=n_facts)
    ]


def by_definition(model: Model, one: EncodedPrompt) -> np.ndarray:
    """log softmax of the logits of the whole text, in a pass of its own."""
    import torch

    with torch.no_grad():
        logits = model.torch_model(input_ids=torch.tensor(one.ids)[None]).logits[0].double()
    logs = torch.log_softmax(logits, dim=-1).numpy()
    return np.array([logs[place, one.ids[place + 1]] for place in one.rows])


@pytest.fixture
def tokens_read() -> Any:
    """Tokens of every pass of a model, padding included."""

    def listen(model: Model) -> list[int]:
        found: list[int] = []
        embeddings = model.torch_model.get_input_embeddings()
        embeddings.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].numel()))
        return found

    return listen


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("batch_tokens", [1, 120, 2000])
def test_the_numbers_are_those_of_separate_passes(name, batch_tokens):
    model = made(name)
    given = prompts()
    reader = AnswerScorer(model)
    found = reader.logprobs(given, RunControl(), batch_tokens=batch_tokens)
    for one, logprobs in zip(given, found, strict=True):
        np.testing.assert_allclose(logprobs, by_definition(model, one), atol=1e-4)
    if name in ANEW:
        assert ANEW[name] in reader.notes[0]
    else:
        assert not reader.notes


@pytest.mark.parametrize("name", ["llama", "mistral", "qwen3", "gpt2", "opt", "bloom"])
def test_long_ends_are_worked_out_by_blocks_of_rows(name, monkeypatch):
    """Blocks of 7 rows, where texts go on from a cache; the model is left as it was found."""
    import torch

    monkeypatch.setattr("explorer.models._running.blockwise._ROWS", 7)
    sdpa = torch.nn.functional.scaled_dot_product_attention
    calls: list[tuple[int, int]] = []

    def counted(query: Any, key: Any, *others: Any, **options: Any) -> Any:
        calls.append((query.shape[2], key.shape[2]))
        return sdpa(query, key, *others, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", counted)
    model = made(name)
    before = model.torch_model.config._attn_implementation
    given = prompts(3, 25)
    found = AnswerScorer(model).logprobs(given, RunControl(), batch_tokens=300)
    for one, logprobs in zip(given, found, strict=True):
        np.testing.assert_allclose(logprobs, by_definition(model, one), atol=1e-4)
    going_on = [rows for rows, keys in calls if rows < keys]
    assert max(going_on, default=7) <= 7
    assert bool(going_on) == (name != "bloom")  # which has attention code of its own
    assert model.torch_model.config._attn_implementation == before


@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled", "twice"])
def test_any_order_gives_the_same_numbers(order):
    model = made("llama")
    given = prompts()
    if order == "backwards":
        given = given[::-1]
    elif order == "shuffled":
        given = [given[place] for place in np.random.default_rng(0).permutation(len(given))]
    elif order == "twice":
        given = [one for one in given for _ in range(2)]
    found = AnswerScorer(model).logprobs(given, RunControl(), batch_tokens=300)
    for one, logprobs in zip(given, found, strict=True):
        np.testing.assert_allclose(logprobs, by_definition(model, one), atol=1e-4)


def test_each_token_that_prompts_share_is_read_once(tokens_read):
    model = made("llama")
    given = prompts()
    read = tokens_read(model)
    reader = AnswerScorer(model)
    reader.logprobs(given[:1], RunControl(), batch_tokens=1)
    read.clear()
    reader.logprobs(given, RunControl(), batch_tokens=1)
    # The tree of the prompts: 9 tokens, then each fact after each choice before it, then 13 for
    # each of 16 ends; where the first token of two continuations is the same by chance, one less.
    assert sum(read) == 9 + 11 * (1 + 2 + 4 + 8) + 13 * 16
    read.clear()
    reader.logprobs(given, RunControl(), reuse=False, batch_tokens=1)
    assert sum(read) == sum(len(one.ids) for one in given)


def test_leaving_out_one_of_ten_costs_less_than_six_tenths(tokens_read):
    """What wall time cannot be held to in a test: the tokens that are read."""
    model = made("llama")
    random = np.random.default_rng(0)
    begin, end = random.integers(2, 97, 10), random.integers(2, 97, 10)
    facts = random.integers(2, 97, (10, 40))
    left_out = [None, *reversed(range(10))]
    given = [
        text(np.concatenate([begin, *(facts[j] for j in range(10) if j != i), end]))
        for i in left_out
    ]
    reader = AnswerScorer(model)
    reader.logprobs(given[:1], RunControl())
    read = tokens_read(model)
    reader.logprobs(given, RunControl())
    assert sum(read) <= 0.6 * sum(len(one.ids) for one in given)


def test_a_model_whose_cache_lies_is_found_out(monkeypatch):
    """A model that begins to count positions anew in every pass."""
    import torch

    model = made("gpt2")
    forward = model.torch_model.forward

    def counting_anew(*args: Any, **kwargs: Any) -> Any:
        ids = kwargs["input_ids"]
        return forward(*args, position_ids=torch.arange(ids.shape[1])[None], **kwargs)

    counting_anew.__signature__ = None
    monkeypatch.setattr(model.torch_model, "forward", counting_anew)
    given = prompts()
    reader = AnswerScorer(model)
    found = reader.logprobs(given, RunControl())
    assert "gives other numbers" in reader.notes[0]
    for one, logprobs in zip(given, found, strict=True):
        np.testing.assert_allclose(logprobs, by_definition(model, one), atol=1e-4)


def test_a_cache_that_fails_later_costs_time_only(monkeypatch):
    model = made("llama")
    forward = model.torch_model.forward
    reader = AnswerScorer(model)
    given = prompts()
    reader.logprobs(given[:1], RunControl())

    def failing(*args: Any, **kwargs: Any) -> Any:
        cache = kwargs.get("past_key_values")
        if cache is not None and cache.get_seq_length() > 30:
            raise RuntimeError("out of memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(model.torch_model, "forward", failing)
    found = reader.logprobs(given, RunControl(), batch_tokens=1)
    assert "going on from a cache failed (RuntimeError)" in reader.notes[0]
    for one, logprobs in zip(given, found, strict=True):
        np.testing.assert_allclose(logprobs, by_definition(model, one), atol=1e-4)


def test_a_model_without_language_head_is_refused():
    config, _, settings = LANGUAGE_MODELS["llama"]
    body = Model.wrap(tiny_model((config, "LlamaModel", settings)), NumberTokenizer(), name="body")
    with pytest.raises(ModelCapabilityError, match="no language head"):
        AnswerScorer(body)


def test_it_stops_between_layers_and_leaves_no_hook():
    model = made("llama")
    cancel = threading.Event()
    layers = model.torch_model.model.layers
    calls: list[int] = []

    def stop(*_: Any) -> None:
        calls.append(1)
        if len(calls) == 8:
            cancel.set()

    handles = [layer.register_forward_hook(stop) for layer in layers]
    with pytest.raises(Cancelled):
        AnswerScorer(model).logprobs(prompts(), RunControl(cancel=cancel), batch_tokens=1)
    for handle in handles:
        handle.remove()
    assert len(calls) == 8
    assert not any(layer._forward_pre_hooks for layer in layers)
    assert not model.torch_model.lm_head._forward_pre_hooks


def test_nothing_to_read():
    assert AnswerScorer(made("llama")).logprobs([], RunControl()) == []
