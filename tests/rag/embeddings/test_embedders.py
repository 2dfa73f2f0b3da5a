"""Functions of the user's, of every kind and fault; the packaged MiniLM against its definition."""

from __future__ import annotations

import asyncio
import functools
import threading

import numpy as np
import pytest
import torch

from explorer.errors import Cancelled, EmbeddingError, InputError
from explorer.rag._embeddings import minilm
from explorer.rag._embeddings.embedders import embedder, packaged_embedder
from explorer.rag._embeddings.embedding_functions import checked_embeddings
from explorer.rag._embeddings.minilm import MiniLM
from explorer.run_control import RunControl

WANTED = [[1.0, 2.0], [3.0, 4.0]]


def run(function, texts=("a", "b"), control=None):
    return asyncio.run(embedder(function)(list(texts), control))


def lists(texts):
    return [list(row) for row in WANTED]


async def async_lists(texts):
    await asyncio.sleep(0)
    return lists(texts)


class Plain:
    def __call__(self, texts):
        return lists(texts)

    def method(self, texts):
        return lists(texts)


class Async:
    async def __call__(self, texts):
        return lists(texts)


@pytest.mark.parametrize(
    "function",
    [
        lists,
        async_lists,
        Plain(),
        Plain().method,
        Async(),
        functools.partial(async_lists),
        lambda texts: async_lists(list(texts)),
        lambda texts: np.array(WANTED),
        lambda texts: np.array(WANTED, dtype=np.float16),
        lambda texts: np.array(WANTED, dtype=np.int64),
        lambda texts: torch.tensor(WANTED),
        lambda texts: torch.tensor(WANTED, dtype=torch.bfloat16, requires_grad=True),
        lambda texts: [torch.tensor(row) for row in WANTED],
        lambda texts: [np.array(row) for row in WANTED],
        lambda texts: tuple(tuple(row) for row in WANTED),
    ],
)
def test_any_function_from_texts_to_vectors_will_do(function):
    found = run(function)
    assert found.array.tolist() == WANTED
    assert found.array.dtype == np.float64
    assert found.cut == frozenset()


def test_a_plain_function_leaves_the_event_loop_free():
    released = threading.Event()

    def waits(texts):
        assert released.wait(10)
        return lists(texts)

    async def both():
        waiting = asyncio.ensure_future(embedder(waits)(["a", "b"]))
        await asyncio.sleep(0.01)
        released.set()  # would never be reached if the function ran here
        return await waiting

    assert asyncio.run(both()).array.tolist() == WANTED


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "returned None"),
        ("text", "must return numbers"),
        ([["a"], ["b"]], "must return numbers"),
        ([[1.0, 2.0], [3.0]], "different widths"),
        ([1.0, 2.0], r"shape \(2,\)"),
        ([], r"shape \(0,\)"),
        ([[], []], r"shape \(2, 0\)"),
        (7.0, r"shape \(\)"),
        ([[[1.0]], [[2.0]]], r"shape \(2, 1, 1\)"),
        ([[1.0, 2.0]], "1 vectors for 2 texts"),
        ([[1.0]] * 3, "3 vectors for 2 texts"),
        ([[1.0, 2.0], [3.0, float("nan")]], "NaN or infinity for text 2"),
        ([[1.0, 2.0], [3.0, None]], "NaN or infinity for text 2"),
        ([[float("inf"), 2.0], [3.0, 1.0]], "NaN or infinity for text 1"),
        ([[1.0, 2.0], None], "different widths|not numbers"),
        ([[True], [False]], "must return numbers"),
        ([[1j], [2j]], "must return numbers"),
        ({"embeddings": WANTED}, "not numbers"),
        (object(), "not numbers"),
        ([[10**400, 1], [1, 1]], "not numbers"),
    ],
    ids=str,
)
def test_what_are_no_embeddings_is_said(given, words):
    with pytest.raises(EmbeddingError, match=words):
        run(lambda texts: given)
    with pytest.raises(EmbeddingError, match=words):
        checked_embeddings(given, 2)


@pytest.mark.parametrize("error", [ValueError("no service\nmore"), StopIteration(), MemoryError()])
def test_a_function_that_raises_is_quoted(error):
    def plain(texts):
        raise error

    async def waiting(texts):
        raise error

    with pytest.raises(EmbeddingError, match=type(error).__name__) as caught:
        run(plain)
    assert "more" not in str(caught.value)
    if not isinstance(error, StopIteration):  # Python itself makes a RuntimeError of it
        with pytest.raises(EmbeddingError, match=type(error).__name__):
            run(waiting)


def test_being_cancelled_is_no_fault_of_the_function():
    async def cancelled(texts):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(cancelled)

    def stopped(texts):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(stopped)

    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        run(lists, control=RunControl(cancel=stop))


@pytest.mark.parametrize("wrong", ["minilm", 3, [lists]], ids=str)
def test_what_is_no_function_is_refused_at_once(wrong):
    with pytest.raises(InputError, match="must take a list of texts"):
        embedder(wrong)


def test_no_function_is_the_packaged_one_for_all_and_nothing_is_loaded_yet(monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("nothing was asked for")

    monkeypatch.setattr(minilm, "load_model", never)
    assert embedder(None) is packaged_embedder() is embedder(None)


def test_a_model_that_is_not_there_is_an_embedding_that_failed():
    with pytest.raises(EmbeddingError, match="ModelNotFoundError"):
        asyncio.run(MiniLM("no such model")(["a"]))


# -- the packaged model

TEXTS = [
    "The Nile is the longest river.",
    "Quartz",
    "A long sentence about the Rhine, which flows through Cologne, Bonn and many more. " * 4,
    "Ünïcode — 漢字",
]


@pytest.fixture(scope="module")
def folder():
    from explorer.models._catalogue.packaged_models import find_packaged

    found = find_packaged("minilm").locate()
    if found is None:
        pytest.skip("all-MiniLM-L6-v2 is not installed")
    return found


@pytest.mark.packaged_model
def test_minilm_is_the_mean_over_tokens_of_length_one(folder):
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = MiniLM().embed(TEXTS)
    assert found.cut == frozenset()
    for row, text in enumerate(TEXTS):  # one at a time, without padding
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        mean = hidden[0].numpy().mean(axis=0)
        assert found.array[row] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert np.linalg.norm(found.array, axis=1) == pytest.approx(np.ones(4), abs=1e-6)


@pytest.mark.packaged_model
def test_minilm_thinks_of_rivers_as_rivers(folder):
    rows = MiniLM().embed(["Which river is longest?", "The Nile is a long river.", "Quartz"]).array
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3


@pytest.mark.packaged_model
def test_a_text_beyond_the_limit_is_cut_and_told(folder):
    start = " ".join(["river"] * 510)
    found = MiniLM().embed([start, start + " quartz " * 200])
    assert found.cut == frozenset({start + " quartz " * 200})
    # 512 tokens with the two special ones: the same beginning is the same vector
    assert found.array[0] == pytest.approx(found.array[1], abs=1e-5)


@pytest.mark.packaged_model
def test_what_was_embedded_is_remembered_up_to_a_bound(folder, monkeypatch):
    model = MiniLM(kept=2)
    first = model.embed(["a", "b", "b", "c"])
    assert first.array.shape == (4, 384)
    assert list(model._memory) == ["b", "c"] or len(model._memory) == 2
    kept = list(model._memory)
    monkeypatch.setattr(minilm, "load_model", None)
    again = model.embed(kept)
    places = [["a", "b", "b", "c"].index(text) for text in kept]
    assert again.array.tolist() == first.array[places].tolist()


@pytest.mark.packaged_model
def test_half_a_character_is_embedded_all_the_same(folder):
    assert np.isfinite(MiniLM().embed(["half \ud83d"]).array).all()


@pytest.mark.packaged_model
def test_many_at_once_get_the_same_vectors(folder):
    model = MiniLM()
    texts = [f"fact number {place}" for place in range(40)]

    async def all_at_once():
        return await asyncio.gather(*(model(texts[start : start + 10]) for start in range(31)))

    together = asyncio.run(all_at_once())
    alone = MiniLM().embed(texts).array
    for start, found in enumerate(together):
        assert found.array == pytest.approx(alone[start : start + 10], abs=1e-5)


@pytest.mark.packaged_model
def test_minilm_is_stopped_by_the_event_and_by_the_task(folder):
    stop = threading.Event()
    steps = []

    def tell(step):
        steps.append(step)
        if step.stage == "embedding":
            stop.set()

    with pytest.raises(Cancelled):
        MiniLM().embed([f"text {place}" for place in range(300)], RunControl(tell, stop))
    assert steps[-1].stage == "embedding"

    async def cancelled():
        task = asyncio.ensure_future(MiniLM()([f"text {place}" for place in range(300)]))
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
