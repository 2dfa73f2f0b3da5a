"""What the app records beyond the answer's rows, and which traces it reads again for it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from explorer.models import Model
from explorer.rag import StandInSettings, score_traces
from explorer.run_control import RunControl, silent
from explorer.traces import Hyperedge, Trace, load_traces
from explorer.widgets._explorer import Explorer

from ...support.app_driver import AppDriver
from ...support.tiny_models import language_model
from ...support.tiny_tokenizers import byte_level_tokenizer

pytestmark = pytest.mark.slow

FACTS = ["The Nile is long.", "The Rhine is short.", "Bees sleep."]
MORE = ("question_attention", "content_free_attention")
CHAT = (
    "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}Answer: {% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return byte_level_tokenizer(FACTS, 300, bos=False, chat_template=CHAT)


@pytest.fixture(scope="module")
def reader(tokenizer: Any) -> Model:
    torch_model = language_model("llama", spread=None, vocab_size=300, num_hidden_layers=2)
    return Model.wrap(torch_model, tokenizer, name="tiny")


@pytest.fixture(scope="module")
def translator(tokenizer: Any) -> Model:
    return Model.wrap(language_model("t5", spread=None, vocab_size=300), tokenizer, name="tiny t5")


def trace(name: str, **metadata: Any) -> Trace:
    edges = [Hyperedge(f"h{i}", text, label=i == 0) for i, text in enumerate(FACTS)]
    return Trace(name, "Which river is long?", edges, "the Nile", metadata)


def given(name: str) -> Trace:
    return trace(name, hyperedge_attention={"h0": 0.5, "h1": 0.1, "h2": 0.3})


def readings(app: Explorer) -> list[list[str]]:
    return [[name for name in MORE if name in one.metadata] for one in app.traces]


def close(one: Any, other: Any) -> bool:
    return np.allclose(np.asarray(one), np.asarray(other), atol=1e-6)


def test_recording_keeps_the_rows_of_the_question(reader: Model) -> None:
    app = Explorer.from_traces([trace("a"), trace("b")], model=reader)
    page = AppDriver(app)
    page.cards.press("record")
    app.wait()
    assert app.error is None
    assert readings(app) == [["question_attention"], []]
    alone = score_traces(
        trace("a"),
        reader,
        settings=StandInSettings(rows=("answer", "question")),
        control=RunControl(silent),
    )[0]
    found = app.traces[0].metadata
    for name in ("question_attention", "question_topk"):
        assert close(found[name], alone.metadata[name])
    assert found["question_rows"] == alone.metadata["question_rows"]
    page.cards.press("record_all")
    app.wait()
    assert readings(app) == [["question_attention"]] * 2
    # A set of heads that needs these rows can now be shown.
    app.heads = {"terms": [["question", 1, 0, 1.0], ["answer", 0, 1, 1.0]]}
    app.trace = 1
    assert app.feedback["score"].notna().all()


def test_an_encoder_decoder_keeps_the_answer_alone(translator: Model) -> None:
    app = Explorer.from_traces([trace("a"), trace("b")], model=translator)
    page = AppDriver(app)
    page.cards.press("record_all")
    app.wait()
    assert app.error is None
    assert readings(app) == [[], []]
    assert all("unit_attention" in one.metadata for one in app.traces)
    page.cards.press("record")
    app.wait()
    assert readings(app) == [[], []]
    # Asked for outright it says why not, and the app lives on.
    page.open("thresholds")
    page.figures.press("read_again")
    app.wait()
    assert "tiny t5 does not read the question" in app.error
    assert app.feedback is not None


def test_only_what_a_stand_in_read_is_read_again(reader: Model) -> None:
    recorded = score_traces([trace("a"), trace("b")], reader, control=RunControl(silent))
    own = trace("own", unit_attention=np.full((2, 2, 3), 0.1))
    app = Explorer.from_traces(
        [recorded[0], given("g"), own, recorded[1], trace("c")], model=reader, tab="thresholds"
    )
    page = AppDriver(app)
    app.wait()
    offer = page.figures["more"]
    assert offer["message"] == (
        "Two more signals could be recorded for the search to choose from: attention from the "
        "question, and a content-free baseline."
    )
    assert not offer["busy"]
    page.figures.press("read_again")
    app.wait()
    assert app.error is None
    assert readings(app) == [list(MORE), [], [], list(MORE), list(MORE)]
    assert app.traces[1].metadata["hyperedge_attention"] == {"h0": 0.5, "h1": 0.1, "h2": 0.3}
    assert close(app.traces[2].metadata["unit_attention"], 0.1)
    # The answer's rows are what they were; labels are kept.
    assert close(app.traces[3].metadata["unit_attention"], recorded[1].metadata["unit_attention"])
    assert [edge.label for edge in app.traces[0].hyperedges] == [True, False, False]
    assert page.figures["more"] is None


def test_what_was_read_in_the_app_keeps_its_rows_and_tokens(reader: Model) -> None:
    app = Explorer.from_traces([trace("a"), given("g")], model=reader)
    page = AppDriver(app)
    page.cards.press("record")
    app.wait()
    scene = app.trace_scene
    app.heads = {"terms": [["question", 1, 0, 1.0]], "content_free": True}
    assert app.feedback["score"].isna().all()
    actions = page.cards["offer"]["actions"]
    assert [action[0] for action in actions] == ["read_again", "leave_heads"]
    page.cards.press("read_again")
    app.wait()
    assert app.error is None
    assert readings(app) == [list(MORE), []]
    assert app.feedback["score"].notna().all()
    assert app.trace_scene.token_attention is scene.token_attention
    assert app.trace_scene.attention.n_queries == scene.attention.n_queries > 1
    # What a trace brought itself can only be left.
    app.trace = 1
    actions = page.cards["offer"]["actions"]
    assert [action[0] for action in actions] == ["leave_heads"]
    page.cards.press("leave_heads")
    assert app.heads is None
    assert app.feedback["score"].tolist() == pytest.approx([0.5, 0.1, 0.3])


def test_what_was_read_until_the_stop_is_kept(
    reader: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    import explorer.rag

    recorded = score_traces([trace(name) for name in "abc"], reader, control=RunControl(silent))
    app = Explorer.from_traces(recorded, model=reader, tab="thresholds")
    page = AppDriver(app)
    whole = explorer.rag.score_traces

    def stopping(traces: Any, model: Any, **settings: Any) -> Any:
        """Stop after the first trace, as the cancel button does."""
        keep = settings.pop("on_trace")
        stop = threading.Event()

        def first(one: Trace) -> None:
            keep(one)
            stop.set()

        settings |= {"control": RunControl(silent, stop), "batch_tokens": 1, "on_trace": first}
        return whole(traces, model, **settings)

    monkeypatch.setattr(explorer.rag, "score_traces", stopping)
    page.figures.press("read_again")
    app.wait()
    page.figures.press("cancel_scoring")
    assert sorted(readings(app)) == [[], [], list(MORE)]
    monkeypatch.undo()
    page.figures.press("read_again")
    app.wait()
    assert readings(app) == [list(MORE)] * 3


def test_a_reading_in_the_app_can_be_saved_and_scored_further(reader: Model, tmp_path: Any) -> None:
    app = Explorer.from_traces([trace("a"), trace("b")], model=reader)
    AppDriver(app).cards.press("record")
    app.wait()
    app.save(tmp_path / "traces.jsonl")
    path = tmp_path / "scored.jsonl"
    for _ in range(2):  # the second time goes on with the file of the first
        score_traces(
            load_traces(tmp_path / "traces.jsonl"), reader, path=path, control=RunControl(silent)
        )
    again = Explorer.from_traces(path, model=reader, tab="thresholds")
    AppDriver(again).figures.press("read_again")
    again.wait()
    assert readings(again) == [list(MORE)] * 2


def test_the_packaged_traces_can_be_read_again() -> None:
    page = AppDriver(Explorer.from_traces(tab="thresholds"))
    # Attention from the question is packaged; that of a content-free question is not.
    said = page.figures["more"]["message"]
    assert "content" in said
    assert "attention from the question" not in said
