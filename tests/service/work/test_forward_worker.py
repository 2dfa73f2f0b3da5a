"""One thread, texts of like length together, and cancelling before the next layer."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from explorer.errors import Cancelled, ModelError
from explorer.service._work.forward_worker import (
    ForwardWorker,
    QueueFullError,
    WorkerClosedError,
)

from ...support.call_counter import count_calls

FORWARD = "transformers.models.llama.modeling_llama.LlamaModel.forward"


class Blocker:
    """Work that holds the worker until it is released."""

    def __init__(self, worker: ForwardWorker) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.job = worker.submit(self._wait)
        self.begun.wait()

    def _wait(self, cancel: threading.Event) -> str:
        self.begun.set()
        self.go_on.wait()
        return "stopped" if cancel.is_set() else "done"


@pytest.fixture
def passes() -> list[int]:
    """The number of texts of each pass."""
    return []


@pytest.fixture
def worker(passes):
    worker = ForwardWorker(8, lambda jobs: passes.append(len(jobs)))
    yield worker
    worker.close()


def test_texts_of_like_length_share_a_pass(worker, passes, causal, encoder, monkeypatch) -> None:
    calls = count_calls(monkeypatch, FORWARD)
    texts = ["xqz", "zxq", "qzx", "zqx", "x = 1\n" * 20]
    blocker = Blocker(worker)
    jobs = [worker.record(causal, causal.tokenize(text)) for text in texts]
    other = worker.record(encoder, encoder.tokenize("a = 1"))
    assert worker.waiting == 6
    blocker.go_on.set()
    found = [job.future.result() for job in jobs]
    other.future.result()
    assert passes == [4, 1, 1]
    assert len(calls) == 2
    for text, recorded in zip(texts, found, strict=True):
        tokenized = causal.tokenize(text)
        expected = causal.record(tokenized)
        assert recorded.attention.tokens == tokenized.tokens
        for layer in range(3):
            np.testing.assert_allclose(
                recorded.attention.weights(layer, 1), expected.weights(layer, 1), atol=2e-5
            )


def test_a_batch_is_bounded_by_its_tokens(worker, passes, causal, monkeypatch) -> None:
    monkeypatch.setattr(
        "explorer.models._running.batches._CPU_TOKENS", 2 * len(causal.tokenize("x = 1"))
    )
    blocker = Blocker(worker)
    jobs = [worker.record(causal, causal.tokenize("x = 1")) for _ in range(5)]
    blocker.go_on.set()
    for job in jobs:
        job.future.result()
    assert passes == [2, 2, 1]


def test_a_job_that_waits_is_removed(worker, passes, causal) -> None:
    blocker = Blocker(worker)
    job = worker.record(causal, causal.tokenize("x"))
    job.cancel()
    assert worker.waiting == 0
    blocker.go_on.set()
    blocker.job.future.result()
    with pytest.raises(CancelledError):
        job.future.result()
    assert passes == []


class Layers:
    """Blocks a model at its first layer, and counts the layers that run."""

    def __init__(self, model) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.count = 0
        self._handles = [
            layer.register_forward_hook(self._ran) for layer in model.torch_model.model.layers
        ]

    def _ran(self, *_: object) -> None:
        self.count += 1
        self.begun.set()
        self.go_on.wait()

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


@pytest.fixture
def layers(causal):
    layers = Layers(causal)
    yield layers
    layers.go_on.set()
    layers.remove()


def test_a_pass_is_stopped_before_its_next_layer(worker, causal, layers) -> None:
    job = worker.record(causal, causal.tokenize("x = 1"))
    layers.begun.wait()
    job.cancel()
    layers.go_on.set()
    with pytest.raises(Cancelled):
        job.future.result()
    assert layers.count == 1
    again = worker.record(causal, causal.tokenize("x = 1"))
    assert again.future.result().attention.n_layers == 3


def test_a_shared_pass_goes_on_for_those_who_stay(worker, passes, causal, layers) -> None:
    blocker = Blocker(worker)
    first = worker.record(causal, causal.tokenize("a = 1"))
    second = worker.record(causal, causal.tokenize("b = 2"))
    blocker.go_on.set()
    layers.begun.wait()
    first.cancel()
    layers.go_on.set()
    assert second.future.result().attention.n_layers == 3
    assert passes == [2]


def test_a_shared_pass_stops_when_all_have_left(worker, causal, layers) -> None:
    blocker = Blocker(worker)
    jobs = [worker.record(causal, causal.tokenize(text)) for text in ("a = 1", "b = 2")]
    blocker.go_on.set()
    layers.begun.wait()
    for job in jobs:
        job.cancel()
    layers.go_on.set()
    for job in jobs:
        with pytest.raises(Cancelled):
            job.future.result()
    assert layers.count == 1


def test_other_work_is_told_to_stop(worker) -> None:
    blocker = Blocker(worker)
    blocker.job.cancel()
    blocker.go_on.set()
    assert blocker.job.future.result() == "stopped"


def test_the_queue_is_bounded(worker, causal) -> None:
    blocker = Blocker(worker)
    for _ in range(8):
        worker.submit(lambda cancel: None)
    with pytest.raises(QueueFullError):
        worker.record(causal, causal.tokenize("x"))
    blocker.go_on.set()


def test_an_error_reaches_its_own_job_alone(worker, causal, monkeypatch) -> None:
    bad = causal.tokenize("b = 2")

    def record(model, texts, *, control):
        if any(text is bad for text in texts):
            raise ModelError("too bad")
        return [text.text for text in texts]

    monkeypatch.setattr("explorer.models.Model.record_batch", record)
    blocker = Blocker(worker)
    jobs = [worker.record(causal, text) for text in (causal.tokenize("a = 1"), bad)]
    blocker.go_on.set()
    assert jobs[0].future.result() == "a = 1"
    with pytest.raises(ModelError, match="too bad"):
        jobs[1].future.result()


def test_closing_finishes_what_was_queued(causal, passes) -> None:
    worker = ForwardWorker(8)
    blocker = Blocker(worker)
    job = worker.record(causal, causal.tokenize("x"))
    closing = threading.Thread(target=worker.close)
    closing.start()
    blocker.go_on.set()
    closing.join()
    assert job.future.result().attention.n_layers == 3
    with pytest.raises(WorkerClosedError):
        worker.submit(lambda cancel: None)
