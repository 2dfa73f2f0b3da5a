"""Ablation: its numbers against prompts written by hand, its file, its surrogate."""

from __future__ import annotations

import copy
import json
import re
import threading
from itertools import product
from typing import Any

import numpy as np
import pytest

from explorer.errors import (
    EvidenceError,
    InputError,
    ModelCapabilityError,
    ShapeError,
    TraceError,
)
from explorer.models import Model
from explorer.models._running.answer_scorer import AnswerScorer
from explorer.rag._scoring.trace_scoring import ScoringCancelled, score_traces
from explorer.run_control import RunControl, silent
from explorer.traces import Hyperedge, Trace, load_traces, save_traces
from explorer.validation import AblationSettings
from explorer.validation._ablation.ablation import ablate
from explorer.validation._ablation.ablation_record import Ablation, ablation_of
from explorer.validation._ablation.prompt_masks import random_masks, reading_order, without_each
from explorer.validation._ablation.surrogate import fit_surrogate, logit

from ...support.tiny_models import TINY_ENCODER, language_model, tiny_model
from ...support.tiny_tokenizers import (
    ANSWERS,
    BRACKET_CHAT,
    FACTS,
    FACTS_AND_ANSWERS,
    byte_level_tokenizer,
)

pytestmark = pytest.mark.slow

CHAT = BRACKET_CHAT
ARCHITECTURES = ("llama", "mistral", "gpt2")


def tokenizer(chat: str | None = CHAT) -> Any:
    options = {"chat_template": chat} if chat else {}
    return byte_level_tokenizer(FACTS_AND_ANSWERS, 330, **options)


def made(name: str, chat: str | None = CHAT) -> Model:
    return Model.wrap(language_model(name), tokenizer(chat), name=name)


@pytest.fixture(scope="module")
def model() -> Model:
    return made("llama")


@pytest.fixture
def passes(model: Model) -> Any:
    """How many passes the model made."""
    found: list[int] = []
    embeddings = model.torch_model.get_input_embeddings()
    handle = embeddings.register_forward_pre_hook(lambda _, inputs: found.append(len(inputs[0])))
    yield found
    handle.remove()


def trace(number: int, n_facts: int = 3, **fields: Any) -> Trace:
    edges = [Hyperedge(f"h{place}", FACTS[place]) for place in range(n_facts)]
    return Trace(f"t{number}", f"where {number}", edges, ANSWERS[number % 4], **fields)


def four() -> list[Trace]:
    return [trace(number, 1 + number) for number in range(4)]


def by_definition(model: Model, facts: list[str], query: str, answer: str) -> float:
    """Log-probability of an answer after a prompt written by hand, in one plain pass."""
    import torch

    from explorer.models._text.prompts import INSTRUCTION

    content = "Facts:\n" + "".join(f"- {fact}\n" for fact in facts) + f"\nQuestion: {query}"
    if model.tokenizer.chat_template:
        text = f"<s>[system] {INSTRUCTION}\n[user] {content}\n[assistant] {answer}"
    else:
        text = f"<s>{INSTRUCTION}\n\n{content}\nAnswer: {answer}"
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, begin = encoded["input_ids"], len(text) - len(answer)
    twin = copy.deepcopy(model.torch_model)  # without the hooks that count passes
    for part in twin.modules():
        part._forward_pre_hooks.clear()
    with torch.no_grad():
        logits = twin(input_ids=torch.tensor([ids])).logits[0].double()
    logs = torch.log_softmax(logits, dim=-1)
    places = [place for place, (_, stop) in enumerate(encoded["offset_mapping"]) if stop > begin]
    return float(sum(logs[place - 1, ids[place]] for place in places))


def check(model: Model, ablated: Trace, given: Trace) -> None:
    """Every number of an ablation against a pass of its own."""
    found = ablation_of(ablated)
    assert found is not None
    facts = [edge.hyperedge for edge in given.hyperedges]

    def logprob(kept: Any) -> float:
        first_few = [fact for fact, stays in zip(facts, kept, strict=True) if stays]
        return by_definition(model, first_few, given.query, given.answer)

    full = logprob([True] * len(facts))
    assert found.full_logprob == pytest.approx(full, abs=1e-4)
    assert found.none_logprob == pytest.approx(logprob([False] * len(facts)), abs=1e-4)
    effects = [full - logprob([j != i for j in range(len(facts))]) for i in range(len(facts))]
    np.testing.assert_allclose(found.effects, effects, atol=2e-4)
    np.testing.assert_allclose(
        found.mask_logprobs, [logprob(mask) for mask in found.masks], atol=1e-4
    )
    assert (ablated.id, ablated.answer, ablated.hyperedges) == (
        given.id,
        given.answer,
        given.hyperedges,
    )


# -- the numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("chat", [CHAT, None])
@pytest.mark.parametrize("batch_tokens", [1, None])
def test_numbers_are_those_of_separate_passes(name, chat, batch_tokens):
    model = made(name, chat)
    given = four()
    found = ablate(
        given,
        model,
        settings=AblationSettings(masks=5),
        batch_tokens=batch_tokens,
        control=RunControl(progress=silent),
    )
    assert not found.problems
    for one, before in zip(found, given, strict=True):
        check(model, one, before)
        assert not before.metadata
        assert ablation_of(one).notes == ()
        assert ablation_of(one).model == name


def test_sets_are_left_out_together(model):
    (found,) = ablate(
        trace(2, 4),
        model,
        settings=AblationSettings(sets={"t2": [{"h0", "h2"}, ["h3"], []], "t9": [{"x"}]}),
        control=RunControl(progress=silent),
    )
    ablation = ablation_of(found)
    asked = ("where 2", ANSWERS[2])
    full = by_definition(model, FACTS, *asked)
    expected = [full - by_definition(model, [FACTS[1], FACTS[3]], *asked)]
    expected += [full - by_definition(model, FACTS[:3], *asked), 0]
    np.testing.assert_allclose(ablation.set_drops, expected, atol=2e-4)
    assert [set(one) for one in ablation.sets] == [{"h0", "h2"}, {"h3"}, set()]
    assert ablation.set_drops[1] == pytest.approx(ablation.effects[3])


def test_an_encoder_decoder_is_read_prompt_by_prompt():
    import torch

    from explorer.models._text.prompts import fact_prompt

    model = Model.wrap(language_model("t5", spread=None), tokenizer(None), name="t5")
    (one,) = ablate(trace(1), model, control=RunControl(progress=silent))
    found = ablation_of(one)
    assert "encoder, which looks ahead" in found.notes[0]
    answer = model.tokenizer(ANSWERS[1], add_special_tokens=False)["input_ids"]

    def logprob(facts: list[str]) -> float:
        prompt = model.tokenizer(fact_prompt(model.tokenizer, "where 1", facts).text)["input_ids"]
        with torch.no_grad():
            logits = model.torch_model(
                input_ids=torch.tensor([prompt]),
                decoder_input_ids=torch.tensor([[1, *answer[:-1]]]),
            ).logits[0]
        logs = torch.log_softmax(logits.double(), dim=-1)
        return float(logs[torch.arange(len(answer)), answer].sum())

    full = logprob(FACTS[:3])
    assert found.full_logprob == pytest.approx(full, abs=1e-4)
    effects = [full - logprob([f for f in FACTS[:3] if f != fact]) for fact in FACTS[:3]]
    np.testing.assert_allclose(found.effects, effects, atol=2e-4)


def test_a_hyperedge_without_text_is_never_left_out(model):
    given = trace(0)
    given.hyperedges.insert(1, Hyperedge("none", " "))
    (one,) = ablate(
        given, model, settings=AblationSettings(masks=6), control=RunControl(progress=silent)
    )
    found = ablation_of(one)
    assert np.isnan(found.effects).tolist() == [False, True, False, False]
    assert np.isnan(found.surrogate.weights).tolist() == [False, True, False, False]
    assert found.masks[:, 1].all()
    assert "none" in found.notes[0]
    facts = [FACTS[0], "", FACTS[2]]
    without_second = by_definition(model, facts, given.query, given.answer)
    assert found.effects[2] == pytest.approx(found.full_logprob - without_second, abs=2e-4)


def test_hyperedges_that_say_the_same_have_one_effect(model):
    given = trace(0)
    given.hyperedges = [
        Hyperedge("a", FACTS[0]),
        Hyperedge("b", FACTS[1]),
        Hyperedge("c", FACTS[1]),
    ]
    (one,) = ablate(given, model, control=RunControl(progress=silent))
    check(model, one, given)
    assert ablation_of(one).effects[1] == ablation_of(one).effects[2]


def test_the_model_answers_where_nobody_has(model):
    mute = trace(0)
    mute.answer = ""
    (one,) = ablate(
        mute,
        model,
        settings=AblationSettings(generate=True, max_new_tokens=4),
        control=RunControl(progress=silent),
    )
    assert one.answer
    assert ablation_of(one).generated
    answered = trace(0)
    answered.answer = one.answer
    check(model, one, answered)


@pytest.mark.packaged_model
def test_the_packaged_model_gives_the_numbers_of_separate_passes():
    import torch

    from explorer import load_model
    from explorer.models._text.prompt_encoding import encode_given_answer
    from explorer.models._text.prompts import fact_prompt

    model = load_model("SmolLM2-135M-Instruct")
    given = Trace(
        "q",
        "Where was the designer of the tower born?",
        [Hyperedge(f"h{place}", fact) for place, fact in enumerate(FACTS)],
        "Dijon",
    )
    (one,) = ablate(
        given, model, settings=AblationSettings(masks=8), control=RunControl(progress=silent)
    )
    found = ablation_of(one)
    assert found.notes == ()
    masks = np.concatenate([np.ones((1, 4), dtype=bool), without_each(4), found.masks])
    expected = []
    for mask in masks:
        facts = [fact for fact, stays in zip(FACTS, mask, strict=True) if stays]
        prompt = fact_prompt(model.tokenizer, given.query, facts)
        sequence = encode_given_answer(model, prompt, "Dijon")
        with torch.no_grad():
            logits = model.torch_model(input_ids=torch.tensor(sequence.ids)[None]).logits[0]
        logs = torch.log_softmax(logits.double(), dim=-1)
        expected.append(float(logs[sequence.rows, sequence.answer_ids].sum()))
    assert found.full_logprob == pytest.approx(expected[0], abs=1e-4)
    np.testing.assert_allclose(found.effects, expected[0] - np.array(expected[1:5]), atol=1e-4)
    np.testing.assert_allclose(found.mask_logprobs, expected[5:], atol=1e-4)
    assert int(np.argmax(found.effects)) == 1  # the only fact that says it


@pytest.mark.packaged_model
def test_the_page_on_ablation_runs(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_traces([trace(1)], "traces.jsonl")
    page = (repository / "docs" / "ablation.md").read_text("utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    exec(compile(block, "docs/ablation.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.startswith("-")
    fields = set(Ablation.__dataclass_fields__)
    assert {name for name in fields if f"`{name}`" not in page} == set()


# -- masks -----------------------------------------------------------------------------------------


def test_every_subset_comes_once_where_there_are_few():
    masks = random_masks(np.array([True, False, True]), 4, np.random.default_rng(0))
    expected = [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0]]
    assert masks.astype(int).tolist() == expected
    assert random_masks(np.ones(3, dtype=bool), 0, np.random.default_rng(0)).shape == (0, 3)


def test_random_masks_keep_half_and_come_again():
    free = np.ones(10, dtype=bool)
    masks = random_masks(free, 1000, np.random.default_rng(5))
    assert masks.shape == (1000, 10)
    assert abs(masks.mean() - 0.5) < 0.02  # four standard errors
    again = random_masks(free, 1000, np.random.default_rng(5))
    assert (masks == again).all()


def test_prompts_are_read_in_the_order_of_what_they_share():
    masks = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=bool)
    unique, places = reading_order(masks)
    assert unique.astype(int).tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]]
    assert (unique[places] == masks).all()
    assert without_each(2).tolist() == [[False, True], [True, False]]


def test_masks_of_a_trace_do_not_depend_on_its_neighbours(model):
    given = [trace(0, 4), trace(1, 4)]
    both = ablate(
        given, model, settings=AblationSettings(masks=6), control=RunControl(progress=silent)
    )
    (alone,) = ablate(
        given[1], model, settings=AblationSettings(masks=6), control=RunControl(progress=silent)
    )
    (other,) = ablate(
        given[1],
        model,
        settings=AblationSettings(masks=6, seed=1),
        control=RunControl(progress=silent),
    )
    masks = [ablation_of(one).masks.tolist() for one in (both[0], both[1], alone, other)]
    assert masks[1] == masks[2]
    assert masks[1] not in (masks[0], masks[3])


# -- the surrogate ---------------------------------------------------------------------------------


def _all_masks(n_units: int) -> np.ndarray:
    return np.array(list(product([0, 1], repeat=n_units)), dtype=bool)


def test_the_surrogate_is_the_soft_threshold_where_masks_are_orthogonal():
    """Over all subsets the standardised masks are orthogonal: the Lasso has a closed form."""
    masks = _all_masks(4)
    random = np.random.default_rng(1)
    logprobs = -8 + masks @ [3.0, 0.4, 0, -1.0] + 0.1 * random.normal(size=16)
    n_tokens, alpha = 5, 0.03
    found = fit_surrogate(masks, logprobs, n_tokens, alpha=alpha)
    p = np.exp(logprobs)
    y = np.log(p / (1 - p)) / n_tokens
    z = 2.0 * masks - 1
    slopes = z.T @ (y - y.mean()) / 16
    slopes = np.sign(slopes) * np.maximum(np.abs(slopes) - alpha, 0)
    np.testing.assert_allclose(found.weights, 2 * slopes * n_tokens, atol=1e-6)
    none = (y.mean() - slopes.sum()) * n_tokens  # z is -1 everywhere
    assert found.intercept == pytest.approx(none, abs=1e-6)
    assert found.weights[2] == 0
    assert found.alpha == alpha
    assert found.held_out > 0.8


def test_the_penalty_can_be_chosen_by_cross_validation():
    masks = _all_masks(5)
    logprobs = -9 + masks @ [4.0, 0, 0, 0, 2.0]
    found = fit_surrogate(masks, logprobs, 3, alpha=None)
    np.testing.assert_allclose(found.weights, [4, 0, 0, 0, 2], atol=0.3)
    assert 0 < found.alpha < 1


def test_masks_that_change_nothing_have_no_weight():
    found = fit_surrogate(np.ones((12, 3), dtype=bool), np.full(12, -2.0), 1)
    assert not found.weights.any()
    assert found.intercept == pytest.approx(np.log(np.exp(-2) / (1 - np.exp(-2))))
    assert np.isnan(found.held_out)
    assert np.isnan(fit_surrogate(_all_masks(2), [-1, -2, -3, -4], 1).held_out)


def test_the_logit_of_a_logprob():
    np.testing.assert_allclose(logit([np.log(0.5), np.log(0.9)]), [0, np.log(9)], atol=1e-12)
    assert logit([-800.0])[0] == pytest.approx(-800)
    assert np.isfinite(logit([0.0])).all()


@pytest.mark.parametrize(
    ("masks", "logprobs", "options", "error"),
    [
        (np.ones((3, 2)), [-1.0, -2.0], {}, ShapeError),
        (np.ones((0, 2)), [], {}, InputError),
        (np.ones((2, 2)), [-1.0, np.nan], {}, InputError),
        (np.ones((4, 2)), [-1.0, -2.0, -1, -1], {"alpha": None}, InputError),
    ],
)
def test_a_surrogate_of_nothing_is_refused(masks, logprobs, options, error):
    with pytest.raises(error):
        fit_surrogate(masks, logprobs, 1, **options)


def test_the_surrogate_is_kept_with_the_trace(model):
    (one,) = ablate(
        trace(3, 4), model, settings=AblationSettings(masks=16), control=RunControl(progress=silent)
    )
    found = ablation_of(one)
    again = fit_surrogate(found.masks, found.mask_logprobs, found.answer_tokens)
    np.testing.assert_allclose(found.surrogate.weights, again.weights, atol=1e-5)
    assert found.surrogate.intercept == pytest.approx(again.intercept, abs=1e-5)
    assert found.surrogate.held_out == pytest.approx(again.held_out, abs=1e-5)
    (few,) = ablate(
        trace(3, 4),
        model,
        settings=AblationSettings(masks=6, alpha=None),
        control=RunControl(progress=silent),
    )
    assert ablation_of(few).surrogate is None
    assert "at least 10" in ablation_of(few).notes[-1]


# -- what is kept ----------------------------------------------------------------------------------


def test_it_is_saved_and_read_again(model, tmp_path):
    found = ablate(
        four(),
        model,
        settings=AblationSettings(masks=4, sets={"t1": [{"h0"}]}),
        control=RunControl(progress=silent),
    )
    save_traces(found, tmp_path / "a.jsonl")
    for one, before in zip(load_traces(tmp_path / "a.jsonl"), found, strict=True):
        loaded, kept = ablation_of(one), ablation_of(before)
        np.testing.assert_array_equal(loaded.effects, kept.effects)
        np.testing.assert_array_equal(loaded.masks, kept.masks)
        np.testing.assert_array_equal(loaded.set_drops, kept.set_drops)
        assert loaded.surrogate.alpha == kept.surrogate.alpha
        assert json.dumps(one.metadata["ablation"])  # plain JSON


def test_a_trace_that_has_changed_has_no_ablation(model):
    assert ablation_of(trace(0)) is None
    (one,) = ablate(trace(0), model, control=RunControl(progress=silent))
    one.hyperedges[0].label = True
    assert ablation_of(one) is not None
    one.answer = "somewhere else"
    assert ablation_of(one) is None


@pytest.mark.parametrize(
    "damage",
    [
        {"full_logprob": "much"},
        {"full_logprob": float("nan")},
        {"answer_tokens": 0},
        {"leave_one_out": [0.1]},
        {"masks": [[1]]},
        {"masks": [1]},
    ],
)
def test_what_ablate_did_not_write_is_refused(model, damage):
    (one,) = ablate(
        trace(0), model, settings=AblationSettings(masks=2), control=RunControl(progress=silent)
    )
    one.metadata["ablation"] |= damage
    with pytest.raises(EvidenceError, match="not written by ablate"):
        ablation_of(one)
    one.metadata["ablation"] = "yes"
    with pytest.raises(EvidenceError, match="not written by ablate"):
        ablation_of(one)
    (again,) = ablate(one, model, control=RunControl(progress=silent))
    check(model, again, trace(0))


def test_attention_and_ablation_live_side_by_side(model):
    (with_scores,) = score_traces(trace(1), model, control=RunControl(silent))
    (both,) = ablate(with_scores, model, control=RunControl(progress=silent))
    assert "unit_attention" in both.metadata
    (again,) = score_traces(both, model, overwrite=True, control=RunControl(silent))
    check(model, again, trace(1))


def test_what_is_done_is_passed_through(model, passes):
    found = ablate(four(), model, control=RunControl(progress=silent))
    before = len(passes)
    again = ablate(found, model, control=RunControl(progress=silent))
    assert len(passes) == before
    assert list(again) == list(found)
    ablate(found, model, settings=AblationSettings(masks=2), control=RunControl(progress=silent))
    assert len(passes) > before


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"masks": -1}, "masks"),
        ({"masks": True}, "masks"),
        ({"masks": 2.5}, "masks"),
        ({"seed": -1}, "seed"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": True}, "alpha"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"sets": [{"h0"}]}, "sets must map"),
        ({"sets": {"t0": "h0"}}, "sets must map"),
        ({"sets": {"t0": ["h0"]}}, "sets must map"),
    ],
)
def test_settings_that_are_not_valid_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        AblationSettings(**options)


def test_arguments_that_are_not_valid_are_refused(model):
    quiet = RunControl(progress=silent)
    with pytest.raises(InputError, match="batch_tokens"):
        ablate(trace(0), model, batch_tokens=0, control=quiet)
    with pytest.raises(InputError, match="name of a model"):
        ablate(trace(0), 3, control=quiet)
    with pytest.raises(InputError, match="AblationSettings"):
        ablate(trace(0), model, settings={"masks": 3}, control=quiet)


def test_a_path_that_is_none_is_refused(model):
    with pytest.raises(TraceError, match="give the path of a file"):
        ablate(trace(0), model, path="a\0b.jsonl", control=RunControl(progress=silent))


def test_an_encoder_is_refused():
    with pytest.raises(ModelCapabilityError, match="encoder"):
        ablate(
            trace(0), (tiny_model(TINY_ENCODER), tokenizer()), control=RunControl(progress=silent)
        )


def test_traces_that_cannot_be_ablated_are_named_and_the_others_go_on(model):
    mute, bare, blank, long = trace(1), trace(2), trace(3), trace(4)
    mute.answer = " "
    bare.hyperedges = []
    blank.hyperedges = [Hyperedge("a", " ")]
    long.hyperedges = [Hyperedge("long", "Dijon " * 900)]
    given = [trace(0), mute, bare, blank, long, trace(5)]
    found = ablate(
        given,
        model,
        settings=AblationSettings(sets={"t5": [{"absent"}]}),
        control=RunControl(progress=silent),
    )
    check(model, found[0], trace(0))
    words = ["generate=True", "no hyperedges", "has text", "has room for 512", "'absent'"]
    for one, reason in zip(found[1:], words, strict=True):
        (problem,) = [
            first_few for first_few in found.problems if f"'{one.id}'" in first_few.message
        ]
        assert "was not ablated" in problem.message
        assert reason in problem.message
        assert reason in one.metadata["ablation"]["problem"]
        assert ablation_of(one) is None


def test_probabilities_that_overflow_are_a_problem(model):
    import torch

    broken = copy.deepcopy(model.torch_model)
    with torch.no_grad():
        broken.model.layers[1].self_attn.q_proj.weight.fill_(float("nan"))
    found = ablate(trace(0), (broken, model.tokenizer), control=RunControl(progress=silent))
    assert "not a number" in found.problems[0].message


# -- progress, stopping, the file ------------------------------------------------------------------


def test_progress_tells_how_far_it_is_within_a_trace_too(model):
    told, seen = [], []
    ablate(
        four()[2:],
        model,
        batch_tokens=1,
        control=RunControl(progress=told.append),
        on_trace=lambda one: seen.append(one.id),
    )
    fractions = [one.fraction for one in told]
    # Three facts: five prompts; four facts: six. Each begins with a report, and ends at 1.
    within = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.58, 0.67, 0.75, 0.83, 0.92, 1]
    assert fractions == within
    assert {one.stage for one in told} == {"ablating"}
    assert told[0].message == "llama is ablating trace 1 of 2 ..."
    assert "left" in told[1].message
    assert seen == ["t2", "t3"]


def test_it_stops_within_a_pass_and_goes_on_where_it_was(model, tmp_path, passes):
    path = tmp_path / "a.jsonl"
    cancel = threading.Event()
    handles = []

    def stop(_: Trace) -> None:
        first, _, last = model.torch_model.model.layers
        handles.append(first.register_forward_pre_hook(lambda *_: cancel.set()))
        handles.append(last.register_forward_pre_hook(lambda *_: pytest.fail("it ran on")))

    with pytest.raises(ScoringCancelled, match=r"Ablation was stopped\. 1 traces") as stopped:
        ablate(
            four(),
            model,
            path=path,
            control=RunControl(progress=silent, cancel=cancel),
            on_trace=stop,
        )
    for handle in handles:
        handle.remove()
    assert len(stopped.value.traces) == len(load_traces(path)) == 1
    check(model, stopped.value.traces[0], four()[0])
    done = []
    found = ablate(
        four(),
        model,
        path=path,
        control=RunControl(progress=silent),
        on_trace=lambda one: done.append(one.id),
    )
    assert done == ["t1", "t2", "t3"]
    for one, before in zip(found, four(), strict=True):
        check(model, one, before)
    contents, count = path.read_bytes(), len(passes)
    ablate(four(), model, path=path, control=RunControl(progress=silent))
    assert (path.read_bytes(), len(passes)) == (contents, count)


def test_what_has_changed_is_ablated_anew(model, tmp_path):
    path = tmp_path / "a.jsonl"
    ablate(four(), model, path=path, control=RunControl(progress=silent))
    given = four()
    given[1].answer = "in Dijon"
    given[2].hyperedges[0].label = True
    done = []
    found = ablate(
        given,
        model,
        path=path,
        control=RunControl(progress=silent),
        on_trace=lambda one: done.append(one.id),
    )
    assert done == ["t1", "t2"]
    for one, before in zip(found, given, strict=True):
        check(model, one, before)


def test_a_file_with_other_settings_is_not_overwritten(model, tmp_path):
    path = tmp_path / "a.jsonl"
    ablate(
        four(),
        model,
        settings=AblationSettings(masks=3),
        path=path,
        control=RunControl(progress=silent),
    )
    contents = path.read_bytes()
    for other in (
        {},
        {"masks": 4},
        {"masks": 3, "seed": 1},
        {"masks": 3, "sets": {"t1": [["h0"]]}},
    ):
        with pytest.raises(TraceError, match=r"ablated with other settings .* another path"):
            ablate(
                four(),
                model,
                settings=AblationSettings(**other),
                path=path,
                control=RunControl(progress=silent),
            )
    assert path.read_bytes() == contents
    again = ablate(
        four(),
        model,
        settings=AblationSettings(masks=3),
        path=path,
        control=RunControl(progress=silent),
    )
    assert [len(ablation_of(one).masks) for one in again] == [2, 3, 3, 3]


def test_one_hyperedge_is_left_out_as_none_is(model, passes):
    (one,) = ablate(
        trace(1, 1), model, settings=AblationSettings(masks=8), control=RunControl(progress=silent)
    )
    found = ablation_of(one)
    check(model, one, trace(1, 1))
    assert found.effects.tolist() == pytest.approx([found.full_logprob - found.none_logprob])
    assert found.masks.tolist() == [[True], [False]]
    assert np.isnan(found.surrogate.held_out)


def test_prompts_of_one_text_are_read_once(model, monkeypatch):
    read = []
    given = trace(0)
    for edge in given.hyperedges:
        edge.hyperedge = FACTS[1]
    reader = AnswerScorer.logprobs
    monkeypatch.setattr(
        AnswerScorer,
        "logprobs",
        lambda self, texts, *more, **by: (
            read.append(len(texts)) or reader(self, texts, *more, **by)
        ),
    )
    (one,) = ablate(
        given, model, settings=AblationSettings(masks=8), control=RunControl(progress=silent)
    )
    assert read == [4]  # three, two, one and none of them, in place of the eight subsets
    assert len(set(ablation_of(one).effects.tolist())) == 1
    check(model, one, given)


def test_a_file_of_something_else_is_refused(model, tmp_path):
    path = tmp_path / "scored.jsonl"
    score_traces(four(), model, path=path, control=RunControl(silent))
    contents = path.read_bytes()
    with pytest.raises(TraceError, match=r"ablate cannot continue .* before it was ablated"):
        ablate(four(), model, path=path, control=RunControl(progress=silent))
    ablated = tmp_path / "ablated.jsonl"
    ablate(load_traces(path), model, path=ablated, control=RunControl(progress=silent))
    assert path.read_bytes() == contents
    with pytest.raises(TraceError, match="come from"):
        ablate(load_traces(ablated), model, path=ablated, control=RunControl(progress=silent))
    with pytest.raises(TraceError, match="another model"):
        ablate(load_traces(path), made("gpt2"), path=ablated, control=RunControl(progress=silent))
    for one, before in zip(load_traces(ablated), four(), strict=True):
        check(model, one, before)
        assert "unit_attention" in one.metadata
