"""The thresholds tab judged by causal use: said in words, measured on request, stopped halfway."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from explorer import validation
from explorer.errors import InputError
from explorer.rag import FeedbackExtractor
from explorer.rag._scoring.scoring_job import ScoringCancelled
from explorer.traces import Hyperedge, Trace, TraceProblem, TraceSet, load_traces, save_traces
from explorer.validation import judge, sweep
from explorer.validation._ablation.ablation_record import ablation_of, texts_digest
from explorer.widgets._explorer import Explorer
from explorer.widgets._jobs.job_runner import JobRunner
from explorer.widgets._shell.export import python_of

from ...support.app_driver import AppDriver


def trace(name: str, scores: list[float], effects: list[float] | None = None) -> Trace:
    edges = [Hyperedge(f"h{i}", f"Fact {i} of {name}.") for i in range(len(scores))]
    found = {f"h{i}": score for i, score in enumerate(scores)}
    made = Trace(name, "What is so?", edges, "This is so.", {"hyperedge_attention": found})
    return made if effects is None else with_effects(made, effects)


def with_effects(given: Trace, effects: list[float]) -> Trace:
    mark = {
        "model": "reader", "reader": "r", "trace": "-", "texts": texts_digest(given),
        "settings": "-", "answer_tokens": 3, "full_logprob": -1.0, "none_logprob": -9.0,
        "leave_one_out": effects,
    }  # fmt: skip
    return Trace(
        given.id, given.query, given.hyperedges, given.answer, given.metadata | {"ablation": mark}
    )


EFFECTS = {"a": [2.0, 0.1, -0.4], "b": [1.0, 0.9, 0.0, 0.2]}
SCORES = {"a": [0.5, 0.2, 0.05], "b": [0.3, 0.15, 0.02, 0.4]}


def traces(*measured: str) -> list[Trace]:
    return [trace(name, SCORES[name], EFFECTS[name] if name in measured else None) for name in "ab"]


@pytest.fixture
def ablating(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """In place of a model: effects that are known beforehand; says which traces were asked for."""
    asked: list[list[str]] = []

    def ablate(some: Any, model: Any, **settings: Any) -> TraceSet:
        asked.append([one.id for one in some])
        found = [with_effects(one, EFFECTS[one.id]) for one in some]
        for one in found:
            settings["on_trace"](one)
            if settings["control"].cancel.is_set():
                raise ScoringCancelled(TraceSet(found[:1]), "Ablation")
        return TraceSet(found)

    monkeypatch.setattr(validation, "ablate", ablate, raising=False)
    monkeypatch.setattr(
        "explorer.widgets._jobs.model_controller.ModelController.of", lambda self, name, job: name
    )
    return asked


def shown(app: Explorer) -> Any:
    return AppDriver(app).figures.content


def test_everything_is_judged_by_ablation_and_says_so() -> None:
    app = Explorer.from_traces(traces("a", "b"), tab="thresholds", threshold=0.18, truth="ablation")
    page = AppDriver(app)
    # Used by ablation are a/h0, b/h0, b/h1; called at 0.18 a/h0, a/h1, b/h0, b/h3.
    assert shown(app)["counts"] == [2, 2, 1, 2]
    assert shown(app)["columns"] == ["used by ablation", "not used by ablation"]
    assert "7 ablated hyperedges of 2 traces, 3 used" in shown(app)["judged"]
    assert "causal use" in [code for code, _ in shown(app)["notes"]]
    assert shown(app)["offer"] is None
    assert app.sweep.attrs["truth"] == "ablation"
    assert "4 of 7 ablated hyperedges" in page.sentence
    assert "3 are used by ablation, and 2 of them are found" in page.sentence
    for name in ("histogram", "curves", "ranks"):
        assert "judged by ablation" in json.dumps(page.plots[name].figure["layout"], default=str)
    assert app.error is None


@pytest.mark.slow
def test_the_least_drop_is_another_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Explorer.from_traces(
        traces("a", "b"), tab="thresholds", threshold=0.18, truth="ablation", least_drop=0.95
    )
    page = AppDriver(app)
    assert shown(app)["counts"] == [2, 2, 0, 3]
    said = dict(shown(app)["notes"])["causal use"]
    assert "0.95 or more" in said
    quality = app._session.head_map.map.values  # noqa: SLF001 - one cell is not drawn
    page.figures.press("set", name="least_drop", value=0.15)
    assert shown(app)["counts"] == [3, 1, 1, 2]
    assert shown(app)["least_drop"] == 0.15
    assert app._session.head_map.map.values[0, 0] != quality[0, 0]  # noqa: SLF001
    for wrong in (0, -1, float("nan"), "much", None, True):
        with pytest.raises(InputError, match="least_drop"):
            app.least_drop = wrong
    assert app.least_drop == 0.15
    assert "least_drop=0.15" in python_of(app)
    page.figures.press("report")
    written = page.downloads[0]["text"]
    assert "0.15 or more" in written
    assert "judged by ablation" in written
    # By labels it plays no part, and starts nothing.
    app.truth = "labels"
    monkeypatch.setattr(JobRunner, "start", lambda _, name, *__, **___: pytest.fail(name))
    app.least_drop = 2.0


def test_labels_and_ablation_are_a_click_apart_and_never_mixed() -> None:
    given = traces("a", "b")
    for one in given:
        for edge, label in zip(one.hyperedges, [False, True, True, True], strict=False):
            edge.label = label
    app = Explorer.from_traces(given, tab="thresholds", threshold=0.18)
    page = AppDriver(app)
    by_labels = sweep(judge(given, SCORES)).table
    pd.testing.assert_frame_equal(app.sweep, by_labels)
    assert shown(app)["columns"] == ["labelled used", "labelled not used"]
    page.figures.press("set", name="truth", value="ablation")
    assert app.truth == "ablation"
    pd.testing.assert_frame_equal(app.sweep, sweep(judge(given, SCORES, "ablation")).table)
    for name in ("ranks", "dots"):
        assert "judged by ablation" in json.dumps(page.plots[name].figure["layout"], default=str)
    app.truth = "labels"
    pd.testing.assert_frame_equal(app.sweep, by_labels)
    assert shown(app)["columns"] == ["labelled used", "labelled not used"]


def test_what_is_not_measured_is_offered_with_its_cost(ablating: list[list[str]]) -> None:
    given = traces()
    given.append(Trace("mute", "What?", [Hyperedge("h", "fact")], ""))
    app = Explorer.from_traces(given, tab="thresholds", truth="ablation", threshold=0.18)
    page = AppDriver(app)
    offer = shown(app)["offer"]
    assert not shown(app)["there"]
    assert not shown(app)["can_label"]
    # Five prompts for three hyperedges, six for four.
    assert "would read 11 prompts of 2 traces." in offer["text"]
    assert "11 prompts" in offer["text"]
    assert "1 trace without an answer will be skipped." in offer["text"]
    assert (offer["kind"], offer["action"]) == ("measure", "measure causal use")
    page.figures.press("measure")
    assert ablating == [["a", "b"]]
    assert shown(app)["counts"] == [2, 2, 1, 2]
    assert shown(app)["offer"] is None
    assert [ablation_of(one) is not None for one in app.traces] == [True, True, False]
    assert app.error is None


def test_only_what_is_lacking_is_measured(ablating: list[list[str]]) -> None:
    app = Explorer.from_traces(traces("a"), tab="thresholds", truth="ablation", threshold=0.18)
    page = AppDriver(app)
    assert shown(app)["there"]
    assert "Not measured yet for 1 trace:" in shown(app)["offer"]["text"]
    assert shown(app)["offer"]["action"] == "measure the rest"
    before = app.traces[0].metadata["ablation"]
    page.figures.press("measure")
    assert ablating == [["b"]]
    assert app.traces[0].metadata["ablation"] == before
    assert "7 ablated hyperedges of 2 traces" in shown(app)["judged"]


def test_what_is_done_is_kept_when_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", truth="ablation", threshold=0.18)
    page = AppDriver(app)

    def ablate(some: Any, model: Any, **settings: Any) -> TraceSet:
        settings["on_trace"](with_effects(some[0], EFFECTS["a"]))
        page.figures.press("stop")
        assert settings["control"].cancel.is_set()
        raise ScoringCancelled(TraceSet([some[0]]), "Ablation")

    monkeypatch.setattr(validation, "ablate", ablate, raising=False)
    monkeypatch.setattr(
        "explorer.widgets._jobs.model_controller.ModelController.of", lambda self, name, job: name
    )
    page.figures.press("measure")
    assert [ablation_of(one) is not None for one in app.traces] == [True, False]
    assert "3 ablated hyperedges of 1 trace, 1 used" in shown(app)["judged"]
    assert shown(app)["offer"]["action"] == "measure the rest"
    assert app.error is None


def test_what_could_not_be_measured_says_why_and_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", truth="ablation")
    page = AppDriver(app)

    def ablate(some: Any, model: Any, **settings: Any) -> TraceSet:
        mark = {"model": model, "reader": "r", "trace": "-", "problem": "It is too long."}
        failed = [
            Trace(o.id, o.query, o.hyperedges, o.answer, o.metadata | {"ablation": mark})
            for o in some
        ]
        return TraceSet(failed, None, [TraceProblem(1, "the trace 'a' was not ablated", True)])

    monkeypatch.setattr(validation, "ablate", ablate, raising=False)
    monkeypatch.setattr(
        "explorer.widgets._jobs.model_controller.ModelController.of", lambda self, name, job: name
    )
    page.figures.press("measure")
    assert "2 failed earlier." in shown(app)["offer"]["text"]
    assert "was not ablated" in str(app.traces.problems[0])
    assert not shown(app)["there"]


def test_attention_that_is_read_anew_keeps_what_was_measured(
    ablating: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", truth="ablation")
    page = AppDriver(app)
    page.figures.press("measure")
    page.open("traces")
    read: list[Trace] = []

    def score_traces(some: Any, model: Any, **settings: Any) -> TraceSet:
        settings["on_trace"](read[-1])
        return TraceSet(read[-1:])

    monkeypatch.setattr("explorer.rag.score_traces", score_traces)
    monkeypatch.setattr(
        "explorer.widgets._jobs.model_controller.ModelController.of",
        lambda self, name, job: SimpleNamespace(name=name, kind="causal"),
    )
    # The model reads the first trace as it was before it was measured.
    read.append(trace("a", [0.9, 0.8, 0.7]))
    page.cards.press("record_all")
    assert ablation_of(app.traces[0]) is not None
    assert app.traces[0].metadata["hyperedge_attention"]["h0"] == 0.9
    # Other texts are another trace.
    other = trace("a", [0.9, 0.8, 0.7])
    other.answer = "That is so."
    read.append(other)
    page.cards.press("record_all")
    assert app.error is None
    assert app.traces[0].answer == "That is so."
    assert ablation_of(app.traces[0]) is None


def test_measured_traces_can_be_saved(ablating: list[list[str]], tmp_path: Any) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", truth="ablation")
    page = AppDriver(app)
    page.figures.press("measure")
    save_traces(app.traces, tmp_path / "measured.jsonl")
    again = Explorer.from_traces(
        tmp_path / "measured.jsonl", tab="thresholds", truth="ablation", threshold=0.18
    )
    assert shown(again)["counts"] == [2, 2, 1, 2]
    assert len(load_traces(tmp_path / "measured.jsonl")) == 2


def test_the_truth_is_a_setting_like_others() -> None:
    app = Explorer.from_traces(traces("a", "b"), tab="thresholds")
    with pytest.raises(InputError, match="truth must be one of 'labels', 'ablation'"):
        app.truth = "agreement"
    app.truth = "ablation"
    assert "truth='ablation'" in python_of(app)


def test_agreement_with_other_methods_is_told_as_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    given = traces("a", "b")
    given[0].answer = "Fact 0 of a."
    app = Explorer.from_traces(given, tab="thresholds", threshold=0.18, citation_threshold=0.5)
    assert AppDriver(app).agreement["hidden"]  # no labels: nothing is judged
    app = Explorer.from_traces(
        [with_effects(one, EFFECTS[one.id]) for one in given],
        tab="thresholds", threshold=0.18, citation_threshold=0.9, truth="ablation",
    )  # fmt: skip
    page = AppDriver(app)
    explained = asyncio.run(FeedbackExtractor(config={"method": "citation"}).explain_traces(given))
    cited = explained["score"].to_numpy() >= 0.9
    called = [score >= 0.18 for name in "ab" for score in SCORES[name]]
    ((named, kappa, bounds, same),) = page.agreement["rows"]
    assert named == "citation at 0.900"
    assert float(kappa) == pytest.approx(cohen_kappa_score(called, cited), abs=1e-3)
    assert " to " in bounds
    equal = np.mean(cited == np.array(called))
    assert same == f"{cited.sum()} called used; {equal:.0%} of 7 calls are equal"
    # Another threshold of either is other calls; nothing is scored anew.
    monkeypatch.setattr(FeedbackExtractor, "explain_traces", lambda *_, **__: pytest.fail("scored"))
    app.citation_threshold = 0.0
    app.threshold = 0.0
    ((_, kappa, _, same),) = page.agreement["rows"]
    assert (kappa, same) == ("not defined", "7 called used; 100% of 7 calls are equal")
    monkeypatch.undo()
    # A method is not compared with itself.
    app.method = "citation"
    assert page.agreement["rows"] == []
