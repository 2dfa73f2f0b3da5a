"""A set of heads in the app: what it scores, where it is seen, and how it is taken away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from explorer.errors import InputError
from explorer.feedback import HeadCombination
from explorer.rag import FeedbackExtractor
from explorer.run_control import Progress, RunControl
from explorer.traces import Hyperedge, Trace
from explorer.validation import (
    CrossValidation,
    Recommendation,
    Resampling,
    calibrate,
    judge,
    sweep,
)
from explorer.widgets._attention.head_set_text import listed
from explorer.widgets._explorer import Explorer
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._shell.export import python_of
from explorer.widgets._state import HEAD_SET_OVERRIDES

from ...support.app_driver import AppDriver
from ...support.call_counter import count_calls

pytestmark = pytest.mark.slow

LAYERS, HEADS, UNITS = 3, 2, 4
JUDGING = "explorer.widgets._thresholds.controller.analyse_threshold"
FIELDS = {
    "answer": "unit_attention",
    "question": "question_attention",
    "content_free": "content_free_attention",
}
SET = {
    "terms": [["question", 1, 0, 2.0], ["answer", 2, 1, -0.5], ["answer", 1, 0, 0.25]],
    "intercept": -0.5,
    "content_free": True,
}
ONE = {"terms": [["answer", 1, 1, 1.5]]}


def trace(name: str, readings: Sequence[str] = tuple(FIELDS), seed: int = 0) -> Trace:
    rng = np.random.default_rng(seed)
    edges = [Hyperedge(f"h{i}", f"Fact {i} of {name}.", label=bool(i % 2)) for i in range(UNITS)]
    found = {FIELDS[reading]: rng.random((LAYERS, HEADS, UNITS)) / 9 for reading in readings}
    return Trace(name, "What is so?", edges, "This is so.", {**found, "unit_tokens": [5] * UNITS})


@pytest.fixture
def app() -> Explorer:
    traces = [trace(name, seed=seed) for seed, name in enumerate("abc")]
    return Explorer.from_traces(traces, layer=1, head=0, threshold=0.4)


Scored = tuple[list[float], list[float], list[str]]


def explained(app: Explorer, **more: object) -> Scored:
    config = {"method": "attention", "attention_threshold": app.threshold, **more}
    table = asyncio.run(FeedbackExtractor(config=config).explain(app.traces[app.trace]))
    return table["score"].tolist(), table["feedback"].tolist(), table["verdict"].tolist()


def shown(app: Explorer) -> Scored:
    table = app.feedback
    return table["score"].tolist(), table["feedback"].tolist(), table["verdict"].tolist()


def test_feedback_is_that_of_the_extractor(app: Explorer) -> None:
    page = AppDriver(app)
    plain = shown(app)
    app.heads = SET
    assert app.heads == HeadCombination.of(SET)
    for number in range(3):
        app.trace = number
        assert shown(app) == explained(app, heads=SET)
        assert shown(app) != plain
    # By hand, for the last trace: z is the mass less the content-free mass, standardised.
    metadata = app.traces[2].metadata
    total = np.full(UNITS, -0.5)
    for rows, layer, head, weight in SET["terms"]:
        mass = metadata[FIELDS[rows]] - metadata["content_free_attention"]
        total += weight * (mass[layer, head] - mass[layer, head].mean()) / mass[layer, head].std()
    assert app.feedback["score"].tolist() == pytest.approx(1 / (1 + np.exp(-total)), rel=1e-5)
    cards = page.cards["cards"]
    assert [card["score"] for card in cards] == shown(app)[0]
    assert [card["verdict"] for card in cards] == shown(app)[2]
    assert page.plots["trace_bars"].meta["units"] == ["h0", "h1", "h2", "h3"]
    used = shown(app)[2].count("used")
    said = page.sentence
    assert said.startswith(f"set of 2 heads: {used} of 4 hyperedges count as used")
    app.heads = None
    app.trace = 0
    assert shown(app) == plain == explained(app, layer=1, head=0)


def test_the_threshold_goes_on_to_count(app: Explorer) -> None:
    page = AppDriver(app)
    app.heads = SET
    scores = shown(app)[0]
    app.threshold = 0.001
    assert shown(app)[0] == scores
    assert set(shown(app)[2]) == {"used"}
    assert shown(app) == explained(app, heads=SET)
    app.selection = {"kind": "unit", "name": "h1"}
    assert page.sentence.startswith(f"set of 2 heads: h1 scores {scores[1]:.3f}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer", 2), ("layer", 1), ("layer", None), ("head", 1), ("head", 0), ("head", -2),
        ("reduction", "mass"), ("reduction", "mean"), ("normalisation", "lift"),
        ("normalisation", "raw"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tab", ["traces", "thresholds"])
def test_what_it_is_in_the_place_of_takes_it_away(
    app: Explorer, tab: str, name: str, value: object
) -> None:
    app.tab = tab
    app.heads = SET
    setattr(app, name, value)  # the same value again is a choice as well
    assert app.heads is None
    settings = {"layer": 1, "head": 0} | {name: value % 2 if value == -2 else value}
    assert shown(app) == explained(app, **settings)


def test_gestures_take_it_away(app: Explorer) -> None:
    page = AppDriver(app)
    selector = page.head_selector
    app.heads = SET
    page.choose_head(1, 0)
    assert app.heads is None
    app.heads = SET
    selector.press("set", name="heads", value=None)
    assert app.heads is None
    app.heads = SET
    app.tab = "thresholds"
    page.plots["heads"].click(y=1, x=0)
    assert (app.heads, app.layer, app.head) == (None, 1, 0)
    app.heads = SET
    with pytest.raises(InputError):
        app.layer = 7
    assert app.heads is not None  # nothing was chosen
    app.trace = 1  # nor here
    app.threshold = 0.2
    app.method = "citation"
    assert app.heads is not None


def test_the_code_tab_knows_no_sets(app: Explorer) -> None:
    attention = np.full((2, 2, 4, 4), 0.25)
    code = Explorer.from_attention(attention, ["a", "b", "c", "d"], layer=0, heads=ONE)
    before = Explorer.from_attention(attention, ["a", "b", "c", "d"], layer=0)
    assert code.feedback["score"].tolist() == before.feedback["score"].tolist()
    assert AppDriver(code).head_selector["set"] is None
    assert not AppDriver(code).toolbar["of_set"]
    code.layer = 1
    code.reduction = "mass"
    assert code.heads == HeadCombination.of(ONE)


def test_it_is_seen_beside_the_grid(app: Explorer) -> None:
    page = AppDriver(app)
    assert page.head_selector["set"] is None
    app.heads = SET
    seen = page.head_selector["set"]
    assert seen["name"] == "set of 2 heads"
    assert seen["title"].splitlines() == [
        "layer 1, head 0, question rows: +2",
        "layer 2, head 1, answer rows: -0.5",
        "layer 1, head 0, answer rows: +0.25",
        "minus the attention of a content-free question",
    ]
    # The size of a head's weights over all rows, against the largest: 2.25 and 0.5.
    assert seen["cells"] == [[1, 0, 1.0], [2, 1, pytest.approx(0.5 / 2.25, abs=1e-3)]]
    assert seen["caption"] == "heatmap: layer 1, head 0"
    assert page.toolbar["of_set"]
    app.heads = None
    assert page.head_selector["set"] is None
    assert not page.toolbar["of_set"]


def test_names_and_lists_stay_short() -> None:
    many = HeadCombination.of({"terms": [["answer", layer, 0, layer / 10] for layer in range(20)]})
    assert many.name == "set of 20 heads"
    lines = listed(many).splitlines()
    assert lines[0] == "layer 19, head 0, answer rows: +1.9"
    assert lines[-1] == "and 12 weaker"
    assert HeadCombination.of(ONE).name == "layer 1, head 1, answer rows"


@pytest.mark.parametrize(
    ("readings", "words"),
    [
        (("answer", "content_free"), "need the reading 'question'"),
        (("answer", "question"), "need the reading 'content_free'"),
        ((), "no attention head by head"),
    ],
)
def test_a_trace_without_the_readings_is_unknown_and_says_why(
    readings: tuple[str, ...], words: str
) -> None:
    app = Explorer.from_traces([trace("poor", readings), trace("rich")], heads=SET, threshold=0.4)
    page = AppDriver(app)
    table = app.feedback
    assert table["score"].isna().all()
    assert table["feedback"].isna().all()
    assert set(table["verdict"]) == {"unknown"}
    assert all(words in row[0].message for row in table["diagnostics"])
    cards = page.cards
    assert {card["verdict"] for card in cards["cards"]} == {"unknown"}
    assert cards["offer"]["actions"]
    assert app.error is None
    app.trace = 1
    assert shown(app) == explained(app, heads=SET)
    assert page.cards["offer"] is None


def test_heads_that_the_model_does_not_have_are_told() -> None:
    app = Explorer.from_traces([trace("a")], heads={"terms": [["answer", 9, 0, 1.0]]})
    page = AppDriver(app)
    assert set(app.feedback["verdict"]) == {"unknown"}
    assert "no layer 9, head 0" in app.feedback["diagnostics"][0][0].message
    assert "no layer 9" in page.sentence
    assert app.error is None


def test_given_scores_have_no_heads() -> None:
    given = Trace("g", "q", [Hyperedge("h0", "A fact.")], "a", {"hyperedge_attention": {"h0": 0.5}})
    app = Explorer.from_traces([given], heads=ONE)
    assert app.feedback["verdict"].tolist() == ["unknown"]
    app.heads = None
    assert app.feedback["score"].tolist() == pytest.approx([0.5])


@pytest.mark.parametrize(
    "value",
    [
        "12 heads",
        {"terms": []},
        {"terms": [["answer", 0, 0, float("nan")]]},
        {"terms": [["both", 0, 0, 1.0]]},
        {"terms": [["answer", -1, 0, 1.0]]},
        {"terms": [["answer", 0, 0, 1.0]], "slope": 2},
        {"layer": 3},
        7,
    ],
)
def test_what_is_no_set_is_refused(app: Explorer, value: object) -> None:
    app.heads = ONE
    with pytest.raises(InputError):
        app.heads = value
    assert app.heads == HeadCombination.of(ONE)
    with pytest.raises(InputError):
        Explorer.from_traces([trace("a")], heads=value)


def test_other_methods_take_their_attention_from_it(app: Explorer) -> None:
    app.heads = SET
    app.method, app.compare = "ensemble", True
    app.wait()
    expected = asyncio.run(
        FeedbackExtractor(
            config={"method": "ensemble", "attention_threshold": 0.4, "heads": SET}
        ).explain(app.traces[0])
    )
    assert app.feedback["attention"].tolist() == expected["attention"].tolist()
    assert app.comparison["attention"].tolist() == expected["attention"].tolist()


def test_the_lab_and_the_weights_follow(app: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    page = AppDriver(app)
    app.tab = "thresholds"
    plain = app.sweep
    app.heads = SET
    app.wait()
    config = {"method": "attention", "heads": SET}
    table = asyncio.run(FeedbackExtractor(config=config).explain_traces(app.traces))
    judged = judge(app.traces, table)
    pd.testing.assert_frame_equal(app.sweep, sweep(judged).table)
    assert not app.sweep.equals(plain)
    # Of three traces no ROC-AUC is said.
    assert page.figures["judged"] == "set of 2 heads. 12 labelled hyperedges of 3 traces, 6 used."
    assert "set of 2 heads" in page.sentence
    # An equal set is the same: nothing is judged anew.
    judgements = count_calls(monkeypatch, JUDGING)
    app.heads = HeadCombination.of(json.loads(json.dumps(app.heads.to_dict())))
    assert len(judgements) == 0
    app.heads = ONE
    app.wait()
    assert len(judgements) == 1
    app.tab, app.weight_view = "traces", "weights"
    app.wait()
    moves = app.trajectory.feedback.tolist()
    app.heads = SET
    app.wait()
    assert app.trajectory.feedback.tolist() != moves


def test_settings_and_python_show_it_again(app: Explorer) -> None:
    app.heads = SET
    settings = json.loads(json.dumps(app.settings()))
    again = Explorer(traces=app.traces, **settings)
    assert again.heads == app.heads
    assert (again.layer, again.head, again.reduction) == (1, 0, "mean")
    assert shown(again) == shown(app)
    names = {"traces": app.traces}
    code = python_of(app).replace("from_traces(", "from_traces(traces, ")
    exec(code.replace("Explorer.from", "again = Explorer.from"), names)  # noqa: S102 - as copied
    assert shown(names["again"]) == shown(app)
    app.heads = None
    assert "heads" not in python_of(app)
    assert app.settings()["heads"] is None


def test_the_config_of_a_set_is_handed_out(app: Explorer) -> None:
    page = AppDriver(app)
    app.tab = "thresholds"
    app.heads = SET
    page.figures.press("export", what="json")
    page.figures.press("export", what="python")
    config = json.loads(page.downloads[0]["text"])
    assert config["heads"] == app.heads.to_dict()
    assert not {"layer", "head", "reduction", "normalisation"} & set(config)
    names: dict = {}
    exec(page.downloads[1]["text"], names)  # noqa: S102 - what the user is given to run
    table = asyncio.run(names["extractor"].explain(app.traces[0]))
    assert table["score"].tolist() == shown(app)[0]
    assert names["config"] == config


@pytest.fixture(scope="module")
def recommended() -> tuple[list[Trace], Recommendation]:
    """The question's rows of layer 1, head 0 look at what is labelled used."""
    traces = [trace(f"t{seed}", seed=seed) for seed in range(24)]
    for one in traces:
        labels = np.array([edge.label for edge in one.hyperedges])
        one.metadata["question_attention"][1, 0] = (
            one.metadata["content_free_attention"][1, 0] + 0.2 * labels
        )
    return traces, calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )


PLAIN = {
    "method": "attention", "layer": 1, "head": 1, "reduction": "mass", "normalisation": "share",
    "top_k": 3, "attention_threshold": 0.25,
}  # fmt: skip
OF_HEADS = {"method": "attention", "heads": SET, "attention_threshold": 0.37}


@pytest.fixture
def recommend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Explorer, Recommendation], None]:
    """Press the button, and get this recommendation."""

    def press(app: Explorer, found: Recommendation) -> None:
        page = AppDriver(app)
        monkeypatch.setattr("explorer.validation.calibrate", lambda *_, **__: found)
        page.figures.press("recommend")
        app.wait()

    return press


@pytest.mark.parametrize("config", [None, PLAIN, OF_HEADS])
def test_what_is_recommended_can_be_shown_and_handed_out(
    recommended: tuple[list[Trace], Recommendation],
    recommend: Callable[[Explorer, Recommendation], None],
    config: dict | None,
) -> None:
    traces, found = recommended
    found = found if config is None else replace(found, config=config)
    app = Explorer.from_traces(traces, tab="thresholds", layer=2, head=0, heads=ONE)
    page = AppDriver(app)
    app.method = "citation"
    recommend(app, found)
    assert page.figures["recommended"]["accepted"]
    page.figures.press("take")
    app.wait()
    assert app.error is None
    assert (app.method, app.threshold) == ("attention", found.config["attention_threshold"])
    if "heads" in found.config:
        assert app.heads == HeadCombination.of(found.config["heads"])
        assert (app.layer, app.head) == (2, 0)
    else:
        assert app.heads is None
        shown_there = (app.layer, app.head, app.reduction, app.normalisation)
        assert shown_there == tuple(found.config[name] for name in HEAD_SET_OVERRIDES)
    table = asyncio.run(FeedbackExtractor(config=found.config).explain_traces(traces))
    pd.testing.assert_frame_equal(app.sweep, sweep(judge(traces, table)).table)
    assert shown(app) == explained(app, **found.config)

    for what in ("recommended_python", "python", "recommended_json", "json"):
        page.figures.press("export", what=what)
    for file in page.downloads[:2]:
        names: dict = {}
        exec(file["text"], names)  # noqa: S102 - what the user is given to run
        again = asyncio.run(names["extractor"].explain_traces(traces))
        assert again["feedback"].tolist() == table["feedback"].tolist()
    configs = [json.loads(file["text"]) for file in page.downloads[2:]]
    for written in (configs[0]["config"], configs[1]):
        again = asyncio.run(FeedbackExtractor(config=written).explain_traces(traces))
        assert again["feedback"].tolist() == table["feedback"].tolist()


def test_a_search_that_was_stopped_goes_on(
    recommended: tuple[list[Trace], Recommendation], monkeypatch: pytest.MonkeyPatch
) -> None:
    traces, _ = recommended
    app = Explorer.from_traces(traces, tab="thresholds", layer=2, head=0)
    page = AppDriver(app)
    told: list[str] = []

    def stop_in_the_third_fold(progress: Progress) -> None:
        told.append(progress.message)
        if "2 of 10" in progress.message:
            page.figures.press("cancel_recommend")

    def follow(heard: Callable[[Progress], None]) -> None:
        control = property(lambda job: RunControl(heard, job.cancel))
        monkeypatch.setattr(Job, "control", control)

    follow(stop_in_the_third_fold)
    page.figures.press("recommend")
    assert page.figures["recommended"] is None
    assert app.error is None
    told.clear()
    follow(lambda progress: told.append(progress.message))
    page.figures.press("recommend")
    assert next(words for words in told if "of 10" in words).endswith("2 of 10")
    page.figures.press("export", what="recommended_json")
    chosen = json.loads(page.downloads[0]["text"])
    assert chosen["config"] == json.loads(calibrate(traces).to_json())["config"]
    told.clear()
    app.traces.label(0, "h0", not app.traces[0].hyperedges[0].label)
    page.figures.press("recommend")
    assert next(words for words in told if "of 10" in words).endswith(
        "0 of 10"
    )  # other labels: what was found says nothing of them


def test_figures_that_flatter_say_so(
    recommended: tuple[list[Trace], Recommendation],
    recommend: Callable[[Explorer, Recommendation], None],
) -> None:
    traces, found = recommended
    app = Explorer.from_traces(traces, tab="thresholds", layer=2, head=0)
    page = AppDriver(app)
    answer, baselines = page.answer, page.baselines
    recommend(app, found)
    assert "optimistic" not in answer["held_out"]  # what is in view is something else
    assert "shares with question and answer" in baselines["message"]
    page.figures.press("take")
    app.wait()
    expected = f"{found.held_out.value:.2f} ({found.held_out.low:.2f} to {found.held_out.high:.2f})"
    assert f"F1 {expected}" in answer["held_out"]
    assert answer["figures"][1][0] == f"{found.held_out.value:.2f}"
    assert baselines["message"] == ""  # being ahead of the words is flattery too
    app.heads = SET
    app.wait()
    assert answer["held_out"].startswith("If the heads and weights were chosen on these labels")
    app.heads = None
    app.wait()
    assert "If the heads" not in answer["held_out"]


def test_what_is_refused_or_does_not_fit_is_not_shown(
    recommended: tuple[list[Trace], Recommendation],
    recommend: Callable[[Explorer, Recommendation], None],
) -> None:
    traces, found = recommended
    app = Explorer.from_traces(traces, tab="thresholds", layer=2, head=0)
    page = AppDriver(app)
    page.figures.press("take")  # nothing was recommended yet
    recommend(app, replace(found, refusal="No.", config=OF_HEADS))
    assert not page.figures["recommended"]["accepted"]
    page.figures.press("take")
    assert (app.heads, app.threshold, app.error) == (None, 0.1, None)
    recommend(app, replace(found, config={**PLAIN, "layer": 9}))
    page.figures.press("take")
    assert "layer must lie in 0 to 2" in app.error
    recommend(app, replace(found, config=OF_HEADS))
    page.figures.press("take")
    assert app.heads == HeadCombination.of(SET)


def test_no_trace_shows_the_table_of_another() -> None:
    bare = [trace(name, ()) for name in "ab"]
    for edge in bare[1].hyperedges:
        edge.id += "b"
    app = Explorer.from_traces([trace("rich"), *bare])
    app.trace = 1
    app.trace = 2
    assert app.feedback is None or app.feedback["unit"].tolist() == ["h0b", "h1b", "h2b", "h3b"]
    app.heads = ONE
    assert app.feedback["unit"].tolist() == ["h0b", "h1b", "h2b", "h3b"]
    app.trace = 1
    assert app.feedback["unit"].tolist() == ["h0", "h1", "h2", "h3"]
    assert set(app.feedback["verdict"]) == {"unknown"}
