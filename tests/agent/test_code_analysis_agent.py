"""The agent: embeddings and attention of code, by itself and in batches."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
import torch

from explorer.agent import AttentionAnalysis, CodeAnalysis, CodeAnalysisAgent, FailedAnalysis
from explorer.errors import Cancelled, InputError, ModelError
from explorer.models import Model
from explorer.run_control import RunControl

from ..support.call_counter import count_calls
from ..support.tiny_models import TINY_ENCODER, eager_outputs, language_model, tiny_model
from ..support.tiny_tokenizers import byte_level_tokenizer, word_piece_tokenizer

CODE = "def fibonacci(n): return n if n <= 1 else fibonacci(n - 1) + fibonacci(n - 2)"
CODES = [
    CODE,
    "x",
    "for item in items: print(item, sep=', ')",
    "print(item)",
    "def f(n): return n",
    "for item in items: print(n, sep=', ')",
]


@pytest.fixture(params=["causal", "encoder", "encoder-decoder"])
def model(request: Any) -> Model:
    if request.param == "encoder":
        torch_model = tiny_model(TINY_ENCODER)
        return Model.wrap(torch_model, word_piece_tokenizer(), name="tiny encoder")
    name = {"causal": "llama", "encoder-decoder": "t5"}[request.param]
    torch_model = language_model(name, vocab_size=400)
    return Model.wrap(torch_model, byte_level_tokenizer(), name=f"tiny {name}")


@pytest.fixture
def causal() -> Model:
    return Model.wrap(language_model("llama", vocab_size=400), byte_level_tokenizer(), name="tiny")


def passes(model: Model) -> list[int]:
    """Texts of every pass from now on."""
    found: list[int] = []
    whole = model.torch_model
    part = whole.get_encoder() if model.kind == "encoder-decoder" else whole
    part.get_input_embeddings().register_forward_pre_hook(
        lambda _, inputs: found.append(len(inputs[0]))
    )
    return found


def stock(model: Model, code: str) -> tuple[np.ndarray, np.ndarray]:
    """Embedding and attention (layers, heads, tokens, tokens) by transformers alone."""
    tokenized = model.tokenize(code)
    whole = model.torch_model
    part = whole.get_encoder() if model.kind == "encoder-decoder" else whole.base_model
    outputs = eager_outputs(part, input_ids=torch.as_tensor(tokenized.ids)[None])
    states = outputs.last_hidden_state[0].numpy()
    attention = np.stack([layer[0].numpy() for layer in outputs.attentions])
    return states[~tokenized.special].mean(axis=0), attention


@pytest.mark.parametrize("layer", [0, -1, 1, None])
@pytest.mark.parametrize("head", [0, -1, None])
def test_embedding_and_attention_are_those_of_transformers(model, layer, head):
    found = CodeAnalysisAgent(model).analyze_with_attention(CODE, layer, head)
    embedding, attention = stock(model, CODE)
    expected = attention.mean(axis=0) if layer is None else attention[layer]
    expected = expected.mean(axis=0) if head is None else expected[head]
    np.testing.assert_allclose(found.attention, expected, atol=1e-5)
    np.testing.assert_allclose(found.embedding, embedding, atol=1e-4)
    assert found.embedding.dtype == found.attention.dtype == np.float32
    assert found.tokens == model.tokenize(CODE).tokens
    assert found.layer == (None if layer is None else layer % len(attention))
    assert found.head == (None if head is None else head % attention.shape[1])
    recorded = model.record(model.tokenize(CODE))
    np.testing.assert_allclose(found.importance, recorded.received(layer, head), atol=1e-6)


def test_one_pass_gives_both(model):
    agent = CodeAnalysisAgent(model)
    read = passes(model)
    agent.analyze(CODE)
    assert read == [1]
    agent.analyze_with_attention(CODE, None, None)
    assert read == [1, 1]


def test_analyze_gives_the_embedding_with_its_facts(causal):
    found = CodeAnalysisAgent(causal, layer=-2, head=1).analyze(CODE)
    assert type(found) is CodeAnalysis
    np.testing.assert_allclose(found.embedding, stock(causal, CODE)[0], atol=1e-4)
    assert (found.model, found.layer, found.head) == ("tiny", 1, 1)
    assert (found.code_length, found.n_tokens) == (len(CODE), causal.tokenize(CODE).n_total)
    assert not found.truncated
    assert found.error is None
    assert found.latency_ms > 0


def test_the_agents_layer_and_head_are_the_default(causal):
    agent = CodeAnalysisAgent(causal, layer=0, head=1)
    np.testing.assert_array_equal(
        agent.analyze_with_attention(CODE).attention,
        agent.analyze_with_attention(CODE, 0, 1).attention,
    )
    mean = agent.analyze_with_attention(CODE, None, None)
    assert (mean.layer, mean.head) == (None, None)


def test_long_code_is_read_from_its_beginning(causal):
    found = CodeAnalysisAgent(causal).analyze_with_attention("for item in items\n" * 400)
    assert found.truncated
    assert len(found.tokens) == causal.max_tokens < found.n_tokens


def test_many_pieces_have_the_numbers_of_each_by_itself_in_order(model):
    agent = CodeAnalysisAgent(model, layer=None)
    together = agent.analyze_many(CODES, attention=True)
    for found, code in zip(together, CODES, strict=True):
        alone = agent.analyze_with_attention(code)
        assert isinstance(found, AttentionAnalysis)
        assert found.tokens == alone.tokens
        assert found.code_length == len(code)
        np.testing.assert_allclose(found.attention, alone.attention, atol=1e-5)
        np.testing.assert_allclose(found.embedding, alone.embedding, atol=1e-4)
        np.testing.assert_allclose(found.importance, alone.importance, atol=1e-5)


def test_pieces_of_like_length_share_passes(causal):
    agent = CodeAnalysisAgent(causal)
    agent.analyze_many(CODES)  # tests the padding
    read = passes(causal)
    agent.analyze_many([CODE] * 4)
    agent.analyze_many([CODE] * 5, batch_size=2)
    assert read == [4, 2, 2, 1]
    assert all(type(one) is CodeAnalysis for one in agent.analyze_many(CODES))
    assert agent.analyze_many([]) == []
    assert agent.analyze_many(code for code in CODES[:1])[0].error is None


def test_a_bad_piece_has_its_error_in_place(causal):
    found = CodeAnalysisAgent(causal).analyze_many([CODE, "", 5, "x\ud800", b"x", CODE])
    assert [type(one).__name__ for one in found] == [
        "CodeAnalysis", "FailedAnalysis", "FailedAnalysis", "FailedAnalysis", "FailedAnalysis",
        "CodeAnalysis",
    ]  # fmt: skip
    empty, number, half, undecoded = found[1:5]
    assert isinstance(empty, FailedAnalysis)
    assert "empty" in empty.error
    assert "int" in number.error
    assert "surrogate" in half.error
    assert "bytes" in undecoded.error
    assert {one.kind for one in found[1:5]} == {"InputError"}
    assert [one.code_length for one in found[1:5]] == [0, 0, 2, 0]


def test_a_pass_that_fails_is_repeated_one_by_one(causal, monkeypatch):
    record_batch = Model.record_batch

    def fails(self: Model, texts: Any, **settings: Any) -> Any:
        if any(text.text == CODES[2] for text in texts):
            raise RuntimeError("not enough memory")
        return record_batch(self, texts, **settings)

    monkeypatch.setattr(Model, "record_batch", fails)
    found = CodeAnalysisAgent(causal).analyze_many(CODES)
    assert [one.error for one in found] == [None, None, "not enough memory", None, None, None]
    assert found[2].kind == "RuntimeError"


def test_a_cancelled_batch_stops_before_the_next_layer(causal):
    stop = threading.Event()
    agent = CodeAnalysisAgent(causal)
    read = passes(causal)
    causal.torch_model.model.layers[0].register_forward_hook(lambda *_: stop.set())
    with pytest.raises(Cancelled):
        agent.analyze_many([CODE] * 4, batch_size=1, control=RunControl(cancel=stop))
    assert read == [1]
    with pytest.raises(Cancelled):
        agent.analyze(CODE, control=RunControl(cancel=stop))
    assert read == [1]


def test_progress_is_reported_by_pass(causal):
    heard: list[Any] = []
    CodeAnalysisAgent(causal).analyze_many(
        [CODE] * 4, batch_size=2, control=RunControl(progress=heard.append)
    )
    assert [(one.stage, one.fraction) for one in heard] == [("recording", 0.0), ("recording", 0.5)]


def test_results_are_json(causal):
    agent = CodeAnalysisAgent(causal)
    single, failed = agent.analyze_many([CODE, ""])
    found = agent.analyze_with_attention(CODE)
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    np.testing.assert_array_equal(np.float32(read["attention"]), found.attention)
    np.testing.assert_array_equal(np.float32(read["embedding"]), found.embedding)
    assert tuple(read["tokens"]) == found.tokens
    assert len(read["importance"]) == len(found.tokens)
    assert read["error"] is None
    assert read["latency_ms"] == found.latency_ms
    assert set(json.loads(json.dumps(single.to_dict()))) < set(read)
    assert json.loads(json.dumps(failed.to_dict()))["error"] == failed.error


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"layer": 1.5}, "layer"), ({"head": "first"}, "head"), ({"layer": True}, "layer")],
)
def test_what_is_no_layer_or_head_is_refused_at_once(settings, message):
    with pytest.raises(InputError, match=f"The {message} must be a whole number"):
        CodeAnalysisAgent("any", **settings)


def test_what_the_model_does_not_have_is_refused(causal):
    agent = CodeAnalysisAgent(causal)
    read = passes(causal)
    with pytest.raises(InputError, match="has 3 layers, so there is no layer 3"):
        agent.analyze_with_attention(CODE, 3)
    with pytest.raises(InputError, match="has 4 heads, so there is no head -5"):
        agent.analyze_many([CODE], head=-5)
    with pytest.raises(InputError, match="whole number"):
        agent.analyze_with_attention(CODE, "last")
    with pytest.raises(InputError, match="no layer 9"):
        CodeAnalysisAgent(causal, layer=9).analyze(CODE)
    for size in (0, -1, 1.5, True):
        with pytest.raises(InputError, match="batch_size"):
            agent.analyze_many([CODE], batch_size=size)
    with pytest.raises(InputError, match="one string"):
        agent.analyze_many(CODE)
    with pytest.raises(InputError, match="'NoneType'"):
        agent.analyze_many(None)
    with pytest.raises(InputError, match="MlflowTracker or None"):
        CodeAnalysisAgent(causal, tracker="sqlite:///runs.db")
    with pytest.raises(InputError, match="empty"):
        agent.analyze("  ")
    assert read == []


def test_models_are_named_wrapped_or_pairs(causal, monkeypatch):
    pair = CodeAnalysisAgent((causal.torch_model, causal.tokenizer))
    assert pair.model.torch_model is causal.torch_model
    with pytest.raises(InputError, match="must be a name, a Model, or a pair"):
        CodeAnalysisAgent(5)
    loads = count_calls(monkeypatch, "explorer.models._model_argument.load_model")
    agent = CodeAnalysisAgent("no-such-model")
    assert loads == []
    with pytest.raises(ModelError):
        agent.analyze(CODE)
    assert loads == [("no-such-model",)]


def test_threads_share_an_agent(causal):
    agent = CodeAnalysisAgent(causal)
    expected = [agent.analyze(code).embedding for code in CODES]
    found: dict[int, Any] = {}

    def work(place: int) -> None:
        found[place] = agent.analyze(CODES[place]).embedding

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(CODES))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, embedding in enumerate(expected):
        np.testing.assert_allclose(found[place], embedding, atol=1e-5)


@pytest.mark.packaged_model
def test_the_packaged_model_is_the_default():
    found = CodeAnalysisAgent().analyze_with_attention("def hello(): return 'Hello, World!'")
    assert found.embedding.shape == (576,)
    assert found.tokens[0] == "def"
    # A causal model: each row attends to itself and to what is before it.
    np.testing.assert_allclose(found.attention.sum(axis=1), 1, atol=1e-3)
    assert not np.triu(found.attention, 1).any()
