"""Traces that are prepared in a thread while the model, on a GPU, reads those before them."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled
from explorer.models import Model
from explorer.rag import score_traces
from explorer.rag._scoring import trace_preparation
from explorer.rag._scoring.stand_in import StandIn
from explorer.run_control import RunControl, silent
from explorer.traces import Hyperedge, Trace

from ...support.tiny_models import language_model
from ...support.tiny_tokenizers import (
    ANSWERS,
    BRACKET_CHAT,
    FACTS,
    FACTS_AND_ANSWERS,
    byte_level_tokenizer,
)

QUIET = RunControl(silent)


@pytest.fixture(scope="module")
def model() -> Model:
    tokenizer = byte_level_tokenizer(FACTS_AND_ANSWERS, 330, chat_template=BRACKET_CHAT)
    return Model.wrap(language_model("llama"), tokenizer, name="tiny")


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StandIn, "prepares_meanwhile", True)
    monkeypatch.setattr(trace_preparation, "_FIRST_WINDOWS", (1, 2))
    monkeypatch.setattr(trace_preparation, "_WINDOW", 4)


def traces(count: int) -> list[Trace]:
    made = []
    for number in range(count):
        edges = [Hyperedge(f"h{place}", FACTS[(place + number) % 4]) for place in range(3)]
        answer = ANSWERS[number % len(ANSWERS)] if number != 5 else " "  # one has no answer
        made.append(Trace(f"t{number}", f"where was he born {'x' * number}", edges, answer))
    made.append(Trace("passed", "?", [Hyperedge("h", "x")], "y", {"hyperedge_attention": {"h": 1}}))
    return made


def test_the_numbers_are_those_of_one_after_the_other(model, as_on_a_gpu, monkeypatch):
    threads: list[str] = []
    ask = StandIn.ask

    def noted(self: StandIn, *given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return ask(self, *given)

    monkeypatch.setattr(StandIn, "ask", noted)
    beside = score_traces(traces(11), model, control=QUIET)
    assert len(threads) == 11
    assert all(name.startswith("explorer-prepare") for name in threads)
    monkeypatch.setattr(StandIn, "prepares_meanwhile", False)
    threads.clear()
    alone = score_traces(traces(11), model, control=QUIET)
    assert not any(name.startswith("explorer-prepare") for name in threads)

    assert [one.id for one in beside] == [one.id for one in alone]
    assert [one.message for one in beside.problems] == [one.message for one in alone.problems]
    assert "'t5'" in beside.problems[0].message
    for one, other in zip(beside, alone, strict=True):
        if "unit_attention" in one.metadata:
            np.testing.assert_allclose(
                one.metadata["unit_attention"], other.metadata["unit_attention"], atol=1e-6
            )
    assert sum("unit_attention" in one.metadata for one in beside) == 10


def test_a_stop_is_heard_in_the_thread_too(model, as_on_a_gpu):
    cancel = threading.Event()
    before = threading.active_count()
    with pytest.raises(Cancelled) as stopped:
        score_traces(
            traces(11),
            model,
            batch_tokens=1,
            control=RunControl(silent, cancel),
            on_trace=lambda _: cancel.set(),
        )
    assert len(stopped.value.traces) >= 1
    assert threading.active_count() == before
