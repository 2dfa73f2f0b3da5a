"""Traces that a stand-in read: its numbers, its file, and what may go wrong."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled, InputError, ModelCapabilityError, TraceError
from explorer.models import Model
from explorer.rag._scoring.job_progress import _duration
from explorer.rag._scoring.scored_file import scored_line
from explorer.rag._scoring.stand_in_settings import StandInSettings
from explorer.rag._scoring.trace_scoring import ScoringCancelled, score_traces
from explorer.run_control import RunControl, silent
from explorer.traces import Hyperedge, Trace, evidence, load_traces, save_traces

from ...support.tiny_models import TINY_ENCODER, language_model, tiny_model
from ...support.tiny_tokenizers import (
    ANSWERS,
    BRACKET_CHAT,
    FACTS,
    FACTS_AND_ANSWERS,
    byte_level_tokenizer,
)

CHAT = BRACKET_CHAT
QUIET = RunControl(silent)
QUESTION_TOO = StandInSettings(rows=("answer", "question"))
ARCHITECTURES = ("llama", "mistral", "gemma2", "gpt2", "opt")


def tokenizer(**options: Any) -> Any:
    return byte_level_tokenizer(FACTS_AND_ANSWERS, 330, **options)


@pytest.fixture(scope="session")
def llama() -> Any:
    return language_model("llama")


@pytest.fixture(scope="session")
def chat_tokenizer() -> Any:
    return tokenizer(chat_template=CHAT)


@pytest.fixture
def model(llama: Any, chat_tokenizer: Any) -> Model:
    return Model.wrap(llama, chat_tokenizer, name="tiny")


def trace(number: int, n_facts: int = 3, **fields: Any) -> Trace:
    edges = [Hyperedge(f"h{place}", FACTS[place % 4]) for place in range(n_facts)]
    answer = ANSWERS[number % len(ANSWERS)]
    return Trace(f"t{number}", f"where was he born {'x' * number}", edges, answer, **fields)


def five() -> list[Trace]:
    return [trace(number, 1 + (number * 2) % 4) for number in range(5)]


@dataclass
class Definition:
    """A trace read by hand: token positions, eager attention, logits of the whole text."""

    mass: np.ndarray
    rows: np.ndarray
    top: np.ndarray
    counts: list[int]
    logprob: float
    n_rows: int


def by_definition(model: Model, one: Trace) -> Definition:
    """What transformers itself says, with positions found in the text by hand."""
    import torch

    content = "Facts:\n" + "".join(f"- {edge.hyperedge}\n" for edge in one.hyperedges)
    content += f"\nQuestion: {one.query}"
    from explorer.models._text.prompts import INSTRUCTION

    if model.tokenizer.chat_template:
        text = f"<s>[system] {INSTRUCTION}\n[user] {content}\n[assistant] {one.answer}"
    else:
        text = f"<s>{INSTRUCTION}\n\n{content.strip()}\nAnswer: {one.answer}"
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    begin = len(text) - len(one.answer)
    answer = [place for place, (_, stop) in enumerate(offsets) if stop > begin]
    twin = copy.deepcopy(model.torch_model)
    twin.set_attn_implementation("eager")
    with torch.no_grad():
        outputs = twin(input_ids=torch.tensor([ids]), output_attentions=True)
    attention = torch.cat(outputs.attentions).numpy()  # (layers, heads, queries, keys)
    rows = attention[:, :, [place - 1 for place in answer]]
    masses, tops, counts = [], [], []
    cursor = text.index("Facts:")
    for edge in one.hyperedges:
        start = text.index(f"- {edge.hyperedge}\n", cursor) + 2
        stop = cursor = start + len(edge.hyperedge)
        columns = [place for place, (a, b) in enumerate(offsets) if a < stop and b > start]
        counts.append(len(columns))
        masses.append(rows[..., columns].sum(axis=-1))
        mean = np.sort(rows[..., columns].mean(axis=2), axis=-1)
        tops.append(mean[..., -3:].mean(axis=-1))
    logits = outputs.logits[0].double().numpy()
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    by_row = np.stack(masses, axis=-1)
    return Definition(
        mass=by_row.mean(axis=2),
        rows=by_row,
        top=np.stack(tops, axis=-1),
        counts=counts,
        logprob=sum(logs[place - 1, ids[place]] for place in answer),
        n_rows=len(answer),
    )


def check(model: Model, scored: Trace, given: Trace) -> None:
    expected = by_definition(model, given)
    found = scored.metadata
    np.testing.assert_allclose(np.array(found["unit_attention"]), expected.mass, atol=1e-5)
    np.testing.assert_allclose(np.array(found["unit_topk"]), expected.top, atol=1e-5)
    assert found["unit_topk_k"] == 3
    assert found["unit_tokens"] == expected.counts
    assert found["answer_rows"] == expected.n_rows == len(found["answer_tokens"])
    assert found["answer_logprob"] == pytest.approx(expected.logprob, abs=1e-3)
    assert "".join(found["answer_tokens"]).strip() == given.answer
    assert (scored.id, scored.answer, scored.hyperedges) == (
        given.id,
        given.answer,
        given.hyperedges,
    )


@pytest.fixture
def sizes(model: Model) -> Iterator[list[int]]:
    """How many texts each pass holds."""
    found: list[int] = []
    embeddings = model.torch_model.get_input_embeddings()
    handle = embeddings.register_forward_pre_hook(lambda _, inputs: found.append(len(inputs[0])))
    yield found
    handle.remove()


# -- the numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("batch_tokens", [1, 2000])
def test_numbers_are_those_of_eager_attention_alone_and_in_a_batch(
    name, batch_tokens, chat_tokenizer
):
    model = Model.wrap(language_model(name), chat_tokenizer, name=name)
    given = five()
    scored = score_traces(given, model, batch_tokens=batch_tokens, control=QUIET)
    assert [one.id for one in scored] == [one.id for one in given]
    for one, before in zip(scored, given, strict=True):
        check(model, one, before)
        assert one.metadata["model"] == name
        assert not before.metadata
    assert not scored.problems


def test_a_model_without_chat_format_reads_plain_text(llama):
    model = Model.wrap(llama, tokenizer(), name="plain")
    given = five()[:2]
    for one, before in zip(score_traces(given, model, control=QUIET), given, strict=True):
        check(model, one, before)


def test_several_traces_share_a_pass(model, sizes):
    score_traces([trace(number % 2) for number in range(4)], model, batch_tokens=10_000)
    assert sizes == [4]


def test_rows_can_be_kept_and_topk_left_out(model):
    (one,) = score_traces(
        trace(2), model, settings=StandInSettings(keep_rows=True, keep_topk=False), control=QUIET
    )
    expected = by_definition(model, trace(2))
    np.testing.assert_allclose(one.metadata["unit_attention"], expected.rows, atol=1e-5)
    assert "unit_topk" not in one.metadata
    assert evidence(one).attention.query_tokens == tuple(one.metadata["answer_tokens"])


def test_the_evidence_is_what_the_app_scores(model):
    (one,) = score_traces([trace(0)], model, control=QUIET)
    found = evidence(one)
    assert found.kind == "units"
    expected = by_definition(model, trace(0))
    np.testing.assert_allclose(
        found.attention.span_mass([unit.spans for unit in found.units]), expected.mass, atol=1e-5
    )
    assert [unit.tokens for unit in found.units] == expected.counts


def by_question(model: Model, one: Trace, question: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Mass and top-k of the question's rows, from transformers' eager attention of the prompt."""
    import torch

    from explorer.models._text.prompts import INSTRUCTION

    content = "Facts:\n" + "".join(f"- {edge.hyperedge}\n" for edge in one.hyperedges)
    if model.tokenizer.chat_template:
        text = f"<s>[system] {INSTRUCTION}\n[user] {content}\nQuestion: {question}\n[assistant] "
    else:
        text = f"<s>{INSTRUCTION}\n\n{content}\nQuestion: {question.strip()}\nAnswer:"
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    offsets = encoded["offset_mapping"]

    def places(start: int, stop: int) -> list[int]:
        return [place for place, (a, b) in enumerate(offsets) if a < stop and b > start]

    begin = text.index("Question: ") + len("Question: ")
    rows = places(begin, begin + len(question.strip()))  # white space at its end is no word of it
    twin = copy.deepcopy(model.torch_model)
    twin.set_attn_implementation("eager")
    with torch.no_grad():
        outputs = twin(input_ids=torch.tensor([encoded["input_ids"]]), output_attentions=True)
    mean = torch.cat(outputs.attentions).numpy()[:, :, rows].mean(axis=2)  # (layers, heads, keys)
    masses, tops, cursor = [], [], text.index("Facts:")
    for edge in one.hyperedges:
        start = text.index(f"- {edge.hyperedge}\n", cursor) + 2
        cursor = start + len(edge.hyperedge)
        inside = mean[..., places(start, cursor)]
        masses.append(inside.sum(axis=-1))
        tops.append(np.sort(inside, axis=-1)[..., -3:].mean(axis=-1))
    return np.stack(masses, axis=-1), np.stack(tops, axis=-1), len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["llama", "mistral", "gpt2"])
@pytest.mark.parametrize("batch_tokens", [1, 2000])
@pytest.mark.parametrize("chat", [CHAT, None])
def test_question_rows_and_a_question_without_content(name, batch_tokens, chat):
    model = Model.wrap(
        language_model(name), tokenizer(chat_template=chat) if chat else tokenizer(), name
    )
    given = five()
    scored = score_traces(
        given,
        model,
        settings=StandInSettings(rows=("answer", "question"), content_free=True),
        batch_tokens=batch_tokens,
        control=QUIET,
    )
    assert not scored.problems
    for one, before in zip(scored, given, strict=True):
        check(model, one, before)
        for field, question in (("question", before.query), ("content_free", "N/A")):
            mass, top, n_rows = by_question(model, before, question)
            np.testing.assert_allclose(one.metadata[f"{field}_attention"], mass, atol=1e-5)
            np.testing.assert_allclose(one.metadata[f"{field}_topk"], top, atol=1e-5)
            assert one.metadata[f"{field}_rows"] == n_rows


def test_question_and_answer_come_from_one_pass(model, sizes):
    score_traces(trace(0), model, settings=QUESTION_TOO, control=QUIET)
    assert sizes == [1]
    score_traces(trace(0), model, settings=StandInSettings(content_free=True), control=QUIET)
    assert sizes == [1, 1, 1]


def test_question_rows_beside_answer_rows_that_are_kept_apart(model):
    apart = StandInSettings(rows=("answer", "question"), keep_rows=True, keep_topk=False)
    (one,) = score_traces(trace(2), model, settings=apart, control=QUIET)
    np.testing.assert_allclose(
        one.metadata["unit_attention"], by_definition(model, trace(2)).rows, atol=1e-5
    )
    mass, _, _ = by_question(model, trace(2), trace(2).query)
    np.testing.assert_allclose(one.metadata["question_attention"], mass, atol=1e-5)
    assert "question_topk" not in one.metadata


def test_other_rows_are_other_numbers_so_the_file_is_read_anew(model, tmp_path, sizes):
    path = tmp_path / "scored.jsonl"
    score_traces(five(), model, path=path, batch_tokens=1, control=QUIET)
    options = {"settings": QUESTION_TOO, "path": path, "batch_tokens": 1, "control": QUIET}
    sizes.clear()
    (first, *_) = score_traces(five(), model, **options)
    assert len(sizes) == 5
    mass, _, _ = by_question(model, five()[0], five()[0].query)
    np.testing.assert_allclose(np.array(first.metadata["question_attention"]), mass, atol=1e-5)
    sizes.clear()
    score_traces(five(), model, **options)
    assert not sizes
    (again, *_) = score_traces(load_traces(path), model, overwrite=True, control=QUIET)
    assert "question_attention" not in again.metadata


def test_a_pair_of_model_and_tokenizer_is_a_model(llama, chat_tokenizer):
    (one,) = score_traces([trace(0)], (llama, chat_tokenizer), control=QUIET)
    assert one.metadata["model"] == "LlamaForCausalLM"


def test_an_encoder_decoder_is_read_by_its_cross_attention(chat_tokenizer):
    import torch

    model = Model.wrap(language_model("t5", spread=None), tokenizer(), name="t5")
    given = [trace(number) for number in range(3)]
    for one, before in zip(score_traces(given, model, control=QUIET), given, strict=True):
        alone = model.read(before.query, [e.hyperedge for e in before.hyperedges], before.answer)
        np.testing.assert_allclose(
            one.metadata["unit_attention"], alone.attention.array.mean(axis=2), atol=1e-5
        )
        ids = model.tokenizer(before.answer, add_special_tokens=False)["input_ids"]
        prompt = model.tokenizer(alone.prompt)["input_ids"]
        with torch.no_grad():
            logits = model.torch_model(
                input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[1, *ids[:-1]]])
            ).logits[0]
        logs = torch.log_softmax(logits.double(), dim=-1)[torch.arange(len(ids)), ids]
        assert one.metadata["answer_logprob"] == pytest.approx(float(logs.sum()), abs=1e-3)
    for settings in (QUESTION_TOO, StandInSettings(content_free=True)):
        with pytest.raises(ModelCapabilityError, match="does not read the question"):
            score_traces(given, model, settings=settings, control=QUIET)


def test_an_encoder_is_refused(chat_tokenizer):
    with pytest.raises(ModelCapabilityError, match="encoder"):
        score_traces([trace(0)], (tiny_model(TINY_ENCODER), chat_tokenizer), control=QUIET)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": 3}, "name of a model"),
        ({"batch_tokens": 0}, "batch_tokens"),
        ({"settings": {"generate": True}}, "must be a StandInSettings, but it is a dict"),
    ],
)
def test_options_that_are_none_are_refused(model, options, words):
    with pytest.raises(InputError, match=words):
        score_traces([trace(0)], **{"model": model, "control": QUIET, **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": ("question",)}, "always kept"),
        ({"rows": ("answer", "facts")}, "facts"),
        ({"rows": 3}, "got 3"),
        ({"max_new_tokens": 0}, "at least 1, but it is 0"),
        ({"max_new_tokens": 2.5}, "at least 1, but it is 2.5"),
        ({"max_new_tokens": True}, "at least 1, but it is True"),
    ],
)
def test_settings_of_a_stand_in_are_checked(options, words):
    with pytest.raises(InputError, match=words):
        StandInSettings(**options)


def test_keywords_of_the_last_release_give_the_settings_with_a_warning(model):
    with (
        pytest.warns(DeprecationWarning, match=r"\(rows=, keep_rows=\) is now .*StandInSettings"),
        pytest.warns(DeprecationWarning, match=r"\(progress=\) is now .*control=RunControl"),
    ):
        (old,) = score_traces(
            trace(2), model, rows=("answer", "question"), keep_rows=True, progress=False
        )
    apart = StandInSettings(rows=("answer", "question"), keep_rows=True)
    (new,) = score_traces(trace(2), model, settings=apart, control=QUIET)
    assert old.metadata["stand_in"] == new.metadata["stand_in"]
    for name in ("unit_attention", "unit_topk", "question_attention"):
        np.testing.assert_array_equal(old.metadata[name], new.metadata[name])


def test_what_is_no_trace_is_refused(model):
    with pytest.raises(TraceError, match="class Trace"):
        score_traces([{"id": "a"}], model, control=QUIET)
    assert len(score_traces([], model, control=QUIET)) == 0


# -- what a trace brings, and what it lacks --------------------------------------------------------


def test_evidence_is_passed_through_unless_it_shall_be_replaced(model):
    direct = trace(0, metadata={"hyperedge_attention": {"h0": 0.5}, "model": "gpt-9", "cost": 3})
    (same,) = score_traces([direct], model, control=QUIET)
    assert same == direct
    (scored,) = score_traces([direct], model, overwrite=True, control=QUIET)
    check(model, scored, trace(0))
    assert evidence(scored).kind == "units"
    assert "hyperedge_attention" not in scored.metadata
    assert scored.metadata["cost"] == 3
    assert scored.metadata["stand_in"]["model_before"] == "gpt-9"


def test_no_model_is_loaded_when_nothing_is_to_be_read():
    direct = trace(0, metadata={"hyperedge_attention": {"h0": 0.5}})
    assert list(score_traces([direct], "no such model", control=QUIET)) == [direct]


def test_traces_that_cannot_be_read_are_named_and_the_others_go_on(model):
    long = trace(1, metadata={"kept": True})
    long.hyperedges = [Hyperedge("long", "Dijon " * 900)]
    mute = trace(2)
    mute.answer = " "
    bare = trace(3)
    bare.hyperedges = []
    blank = trace(4)
    blank.hyperedges = [Hyperedge("a", " "), Hyperedge("b", "")]
    half = trace(5)
    half.query = "half a character \ud800"
    given = [trace(0), long, mute, bare, blank, half]
    scored = score_traces(given, model, control=QUIET)
    check(model, scored[0], trace(0))
    assert [one.id for one in scored] == [f"t{number}" for number in range(6)]
    for one, words in zip(
        scored[1:],
        ["has room for 512", "generate=True", "no hyperedges", "has text", "lone surrogate"],
        strict=True,
    ):
        (problem,) = [one_ for one_ in scored.problems if f"'{one.id}'" in one_.message]
        assert words in problem.message
        assert problem.loaded
        assert words in one.metadata["stand_in"]["problem"]
        assert "unit_attention" not in one.metadata
    assert scored[1].metadata["kept"]


def test_a_hyperedge_without_text_is_not_scored(model):
    given = trace(0)
    given.hyperedges.insert(1, Hyperedge("none", " "))
    (one,) = score_traces([given], model, control=QUIET)
    assert one.metadata["unit_tokens"][1] == 0
    assert "none" in one.metadata["stand_in"]["notes"][0]
    assert np.isnan(one.metadata["unit_topk"][..., 1]).all()
    found = evidence(one)
    assert [unit.unknown for unit in found.units] == [False, True, False, False]


def test_an_answer_is_written_when_asked_for(model):
    mute = trace(0)
    mute.answer = ""
    (one,) = score_traces(
        [mute], model, settings=StandInSettings(generate=True, max_new_tokens=5), control=QUIET
    )
    reading = model.read(mute.query, [edge.hyperedge for edge in mute.hyperedges], max_new_tokens=5)
    assert one.answer == reading.answer
    assert one.metadata["stand_in"]["generated"]
    np.testing.assert_allclose(
        one.metadata["unit_attention"], reading.attention.array.mean(axis=2), atol=1e-5
    )


def test_traces_of_one_id_get_names_of_their_own(model):
    scored = score_traces([trace(0), trace(0), trace(0)], model, control=QUIET)
    assert [one.id for one in scored] == ["t0", "t0#2", "t0#3"]
    assert "used before" in scored.problems[0].message


def test_of_a_batch_that_fails_the_others_are_read_alone(model, monkeypatch):
    forward = model.torch_model.forward
    odd = model.tokenizer("?", add_special_tokens=False)["input_ids"][0]

    def failing(*args, **kwargs):
        if (kwargs["input_ids"] == odd).any():
            raise RuntimeError("out of memory")
        return forward(*args, **kwargs)

    given = [trace(0), trace(1), trace(2)]
    given[2].query += "?"
    monkeypatch.setattr(model.torch_model, "forward", failing)
    scored = score_traces(given, model, batch_tokens=10_000, control=QUIET)
    assert ["unit_attention" in one.metadata for one in scored] == [True, True, False]
    assert "RuntimeError: out of memory" in scored.problems[0].message


def test_attention_that_overflows_is_a_problem(llama, chat_tokenizer):
    import torch

    broken = copy.deepcopy(llama)
    with torch.no_grad():
        broken.model.layers[1].self_attn.q_proj.weight.fill_(float("nan"))
    scored = score_traces([trace(0)], (broken, chat_tokenizer), control=QUIET)
    assert "not a number" in scored.problems[0].message


# -- progress and stopping -------------------------------------------------------------------------


def test_progress_tells_how_far_it_is_and_each_trace_is_handed_over(model):
    told, seen = [], []
    score_traces(
        five(),
        model,
        batch_tokens=1,
        control=RunControl(told.append),
        on_trace=lambda one: seen.append(one.id),
    )
    assert [one.fraction for one in told] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert told[0].message == "tiny is reading trace 1 of 5 ..."
    assert "left" in told[1].message
    assert sorted(seen) == [f"t{number}" for number in range(5)]


def test_a_bar_is_shown_where_somebody_watches(model, monkeypatch, capsys):
    monkeypatch.setattr("explorer.rag._scoring.job_progress._watched", lambda: True)
    score_traces(five(), model)
    assert "5/5" in capsys.readouterr().err
    score_traces(five(), model, control=QUIET)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 1 s"), (75, "about 75 s"), (600, "about 10 min"), (9000, "about 2.5 h")],
)
def test_the_time_that_is_left_is_written_for_people(seconds, words):
    assert _duration(seconds) == words


def test_it_stops_within_a_pass_and_keeps_what_is_done(model, tmp_path):
    cancel = threading.Event()
    done: list[str] = []
    layers = []

    def stop(one):
        done.append(one.id)
        if len(done) == 2:
            handle = model.torch_model.model.layers[0].register_forward_pre_hook(
                lambda *_: cancel.set()
            )
            layers.append(handle)
            layers.append(
                model.torch_model.model.layers[2].register_forward_pre_hook(
                    lambda *_: pytest.fail("it ran on")
                )
            )

    with pytest.raises(ScoringCancelled) as stopped:
        score_traces(
            five(), model, batch_tokens=1, control=RunControl(silent, cancel), on_trace=stop
        )
    for handle in layers:
        handle.remove()
    assert isinstance(stopped.value, Cancelled)
    assert sorted(one.id for one in stopped.value.traces) == sorted(done)
    assert len(done) == 2
    for one in stopped.value.traces:
        check(model, one, five()[int(one.id[1:])])


def test_a_stop_before_the_start_is_heard(model, tmp_path):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ScoringCancelled):
        score_traces(five(), model, path=tmp_path / "a.jsonl", control=RunControl(silent, cancel))
    assert not (tmp_path / "a.jsonl").exists()


# -- the file --------------------------------------------------------------------------------------


def test_the_file_is_the_result(model, tmp_path):
    path = tmp_path / "scored.jsonl"
    given = [*five(), trace(7, metadata={"hyperedge_attention": {"h0": 0.5}})]
    given[3].answer = ""
    scored = score_traces(given, model, path=path, batch_tokens=300, control=QUIET)
    loaded = load_traces(path)
    for traces in (scored, loaded):
        assert [one.id for one in traces] == [one.id for one in given]
        for place in (0, 1, 2, 4):
            check(model, traces[place], given[place])
        assert traces[5].metadata == given[5].metadata
    assert "generate=True" in scored.problems[0].message
    assert not list(tmp_path.glob(".*"))


def test_it_goes_on_where_it_stopped(model, tmp_path, sizes):
    path = tmp_path / "scored.jsonl"
    cancel = threading.Event()
    with pytest.raises(ScoringCancelled) as stopped:
        score_traces(
            five(),
            model,
            path=path,
            batch_tokens=1,
            on_trace=lambda _: cancel.set(),
            control=RunControl(silent, cancel),
        )
    assert len(stopped.value.traces) == len(load_traces(path)) == 1
    sizes.clear()
    scored = score_traces(five(), model, path=path, batch_tokens=1, control=QUIET)
    assert sizes == [1] * 4
    assert [one.id for one in scored] == [f"t{number}" for number in range(5)]
    before = path.read_bytes()
    score_traces(five(), model, path=path, control=QUIET)
    assert (len(sizes), path.read_bytes()) == (4, before)


@pytest.mark.parametrize("left", [1, 9, 300, -1])
def test_half_a_line_at_the_end_is_taken_away(model, tmp_path, sizes, left):
    path = tmp_path / "scored.jsonl"
    score_traces(five(), model, path=path, batch_tokens=1, control=QUIET)
    whole = path.read_bytes()
    *lines, last = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, last[:left]]))
    sizes.clear()
    score_traces(five(), model, path=path, batch_tokens=1, control=QUIET)
    assert sizes == [1]
    assert path.read_bytes() == whole


def test_a_file_that_holds_only_half_a_line_is_begun_anew(model, tmp_path):
    path = tmp_path / "scored.jsonl"
    path.write_bytes(b'{"id":"t0","que')
    assert len(score_traces(five(), model, path=path, control=QUIET)) == 5


def test_a_trace_that_has_changed_is_scored_anew(model, tmp_path, sizes):
    path = tmp_path / "scored.jsonl"
    score_traces(five(), model, path=path, control=QUIET)
    given = five()
    given[1].answer = "in Dijon"
    given[2].hyperedges[0].label = True
    given[3].metadata["hyperedge_attention"] = {"h0": 0.1}
    sizes.clear()
    scored = score_traces(given, model, path=path, batch_tokens=1, control=QUIET)
    assert sizes == [1, 1]
    check(model, scored[1], given[1])
    assert scored[2].hyperedges[0].label is True
    assert "unit_attention" not in scored[3].metadata
    assert [one.id for one in load_traces(path)] == [one.id for one in given]


def test_what_failed_is_tried_again(model, tmp_path):
    path = tmp_path / "scored.jsonl"
    given = five()
    given[1].answer = ""
    score_traces(given, model, path=path, control=QUIET)
    again = score_traces(
        given,
        model,
        path=path,
        settings=StandInSettings(generate=True, max_new_tokens=4),
        control=QUIET,
    )
    assert again[1].answer
    assert [one.id for one in again] == [one.id for one in given]
    assert not again.problems


def test_more_traces_than_before_are_added(model, tmp_path, sizes):
    path = tmp_path / "scored.jsonl"
    score_traces(five()[:2], model, path=path, control=QUIET)
    sizes.clear()
    assert len(score_traces(five(), model, path=path, batch_tokens=1, control=QUIET)) == 5
    assert len(sizes) == 3


def test_a_file_of_something_else_is_refused_and_left_alone(model, llama, chat_tokenizer, tmp_path):
    import torch

    path = tmp_path / "scored.jsonl"
    score_traces(five(), model, path=path, control=QUIET)
    contents = path.read_bytes()
    trained = copy.deepcopy(llama)
    with torch.no_grad():
        trained.lm_head.weight += 0.01
    other = Model.wrap(trained, chat_tokenizer, name="tiny")
    for traces, reader, words in [
        (five(), other, "other weights"),
        (five()[:2], model, "which is not given"),
    ]:
        with pytest.raises(TraceError, match=words):
            score_traces(traces, reader, path=path, control=QUIET)
        assert path.read_bytes() == contents
    for text in ("id,query\n1,a\n", '[{"id": "t0"}]', '{"id": "t0", "query": "q"', "\n", "[\n"):
        path.write_text(text)
        if text.startswith("{"):
            continue
        with pytest.raises(TraceError, match="was not written by it"):
            score_traces(five(), model, path=path, control=QUIET)
        assert path.read_text() == text
    with pytest.raises(TraceError, match="folder"):
        score_traces(five(), model, path=tmp_path, control=QUIET)
    with pytest.raises(TraceError, match="folder"):
        score_traces(five(), model, path=tmp_path / "none" / "a.jsonl", control=QUIET)


def test_the_traces_own_file_is_refused(model, tmp_path):
    path = tmp_path / "traces.jsonl"
    save_traces(five(), path)
    contents = path.read_bytes()
    with pytest.raises(TraceError, match="come from"):
        score_traces(load_traces(path), model, path=path, control=QUIET)
    with pytest.raises(TraceError, match="before it was scored"):
        score_traces(five(), model, path=path, control=QUIET)
    assert path.read_bytes() == contents


def test_labels_stay_with_the_traces(model, tmp_path):
    path = tmp_path / "traces.jsonl"
    save_traces(five(), path)
    traces = load_traces(path)
    traces.label(0, "h0", True)
    scored = score_traces(traces, model, control=QUIET)
    assert scored[0].hyperedges[0].label is True
    scored.label(1, "h0", False)
    assert load_traces(path)[1].hyperedges[0].label is False
    filed = score_traces(traces, model, path=tmp_path / "scored.jsonl", control=QUIET)
    assert [one.hyperedges[0].label for one in filed[:2]] == [True, False]


def test_a_file_that_vanishes_meanwhile_is_told(model, tmp_path):
    path = tmp_path / "scored.jsonl"
    with pytest.raises(TraceError, match="removed or cut"):
        score_traces(
            five(),
            model,
            path=path,
            batch_tokens=1,
            control=QUIET,
            on_trace=lambda _: path.unlink(missing_ok=True),
        )


def test_array_files_come_along(model, tmp_path):
    np.savez(tmp_path / "arrays.npz", direct=np.array([0.1, 0.2, 0.3], dtype=np.float32))
    save_traces(
        [trace(0, metadata={"hyperedge_attention": {"file": "arrays.npz", "key": "direct"}})],
        tmp_path / "traces.jsonl",
    )
    folder = tmp_path / "scored"
    folder.mkdir()
    given = [*load_traces(tmp_path / "traces.jsonl"), trace(1)]
    scored = score_traces(given, model, path=folder / "scored.jsonl", control=QUIET)
    assert evidence(scored[0]).kind == "direct"
    check(model, scored[1], trace(1))


def test_metadata_that_json_cannot_hold_is_told(model, tmp_path):
    odd = trace(0, metadata={"when": object()})
    scored = score_traces([odd, trace(1)], model, path=tmp_path / "a.jsonl", control=QUIET)
    assert [one.id for one in scored] == ["t1"]
    assert "is not in a.jsonl" in scored.problems[0].message


def test_numbers_in_the_file_have_six_digits():
    one = trace(0, metadata={"unit_attention": np.array([1 / 3, np.nan, 1e-9]), "stand_in": {}})
    assert b'"unit_attention":[0.333333,null,1e-9]' in scored_line(one)


@pytest.mark.packaged_model
def test_the_packaged_model_reads_alone_and_in_a_batch_alike():
    from explorer.examples import example_traces

    given = list(example_traces()[:4])
    alone = score_traces(given, overwrite=True, batch_tokens=1, control=QUIET)
    together = score_traces(given, overwrite=True, batch_tokens=4000, control=QUIET)
    for one, other, recorded in zip(alone, together, given, strict=True):
        assert one.metadata["model"] == "SmolLM2-135M-Instruct"
        for name in ("unit_attention", "unit_topk"):
            np.testing.assert_allclose(one.metadata[name], other.metadata[name], atol=1e-5)
        assert one.metadata["answer_logprob"] == pytest.approx(
            other.metadata["answer_logprob"], abs=1e-3
        )
        # What is packaged was recorded by Model.read, as float16.
        kept = evidence(recorded).attention
        spans = [[(unit, unit + 1)] for unit in range(len(recorded.hyperedges))]
        np.testing.assert_allclose(one.metadata["unit_attention"], kept.span_mass(spans), atol=1e-3)
