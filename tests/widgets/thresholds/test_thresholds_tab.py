"""The thresholds tab: judged by the labels, moved by hand, and what it says where it cannot."""

from __future__ import annotations

import asyncio
import json
import threading
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from explorer.errors import InputError, ValidationError
from explorer.examples import example_recommendation
from explorer.rag import FeedbackExtractor
from explorer.reporting._analysis.number_text import interval
from explorer.traces import Hyperedge, Trace
from explorer.validation import (
    Objective,
    best_threshold,
    confusion_at,
    head_scores,
    judge,
    nested_head,
    quality_map,
    rank,
    sweep,
)
from explorer.widgets._explorer import Explorer
from explorer.widgets._jobs.job_runner import JobRunner
from explorer.widgets._thresholds import baselines_controller, controller

from ...support.app_driver import AppDriver
from ..scored_traces import scored_trace


@pytest.fixture
def app() -> Explorer:
    traces = [
        scored_trace("a", [0.5, 0.2, 0.05], [True, False, False]),
        scored_trace("b", [0.3, 0.15, 0.02, 0.4], [True, True, False, None]),
    ]
    return Explorer.from_traces(traces, tab="thresholds", threshold=0.18)


def test_counts_and_figures_at_the_threshold(app: Explorer) -> None:
    page = AppDriver(app)
    shown = page.figures.content
    # Called at 0.18: 0.5 and 0.3 (used), 0.2 (not). Missed: 0.15. The one without a label is out.
    assert shown["counts"] == [2, 1, 1, 2]
    figures = {label: value for label, _, value, _, _ in shown["rows"]}
    assert figures["precision"] == "0.667"
    assert figures["recall"] == "0.667"
    assert figures["F1"] == "0.667"
    assert figures["Youden J"] == "0.333"
    # (2 * 2 - 1 * 1) / sqrt(3 * 3 * 3 * 3)
    assert figures["MCC"] == "0.333"
    assert "6 labelled hyperedges of 2 traces, 3 used" in shown["judged"]
    assert "3 of 6 labelled hyperedges count as used" in page.sentence


@pytest.mark.slow
def test_values_are_those_of_validation() -> None:
    app = Explorer.from_traces(tab="thresholds", layer=21, head=4, threshold=0.0015)
    page = AppDriver(app)
    config = {"method": "attention", "layer": 21, "head": 4}
    traces = app.traces
    judged = judge(traces, asyncio.run(FeedbackExtractor(config=config).explain_traces(traces)))
    assert page.counts == list(confusion_at(judged, 0.0015))
    expected = sweep(judged).table
    assert np.array_equal(app.sweep.to_numpy(), expected.to_numpy(), equal_nan=True)
    assert f"ROC-AUC {interval(*rank(judged).auc)}" in page.figures["judged"]
    quality = quality_map(head_scores(traces))
    assert np.array_equal(page.plots["heads"].values, quality, equal_nan=True)
    assert page.plots["heads"].meta["layers"] == quality.shape[0] == 30
    assert app.error is None


def test_old_scores_keep_their_own_threshold_while_others_are_under_way(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = AppDriver(app)
    app.threshold, app.citation_threshold = 0.02, 0.6
    before = page.counts, page.measures
    monkeypatch.setattr(JobRunner, "start", lambda *_, **__: None)
    app.method = "citation"
    assert (page.counts, page.measures) == before
    assert page.plots["histogram"].line == 0.02


def test_dragging_sets_the_threshold_of_the_method(app: Explorer) -> None:
    page = AppDriver(app)
    page.plots["histogram"].drag(0.1)
    assert app.threshold == 0.1
    assert page.counts == [3, 1, 0, 2]
    assert page.plots["curves"].line == page.plots["histogram"].line == 0.1
    app.method = "citation"
    app.wait()
    page.plots["histogram"].drag(0.4)
    assert (app.threshold, app.citation_threshold) == (0.1, 0.4)
    assert page.plots["histogram"].line == 0.4


def test_a_move_of_the_line_scores_nothing_anew(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = AppDriver(app)
    go_on, begun = held_back(monkeypatch, "analyse_threshold")
    go_on.set()
    app.threshold = 0.01
    assert begun == []
    app.threshold = 0.15
    assert begun == []
    assert page.counts == [3, 1, 0, 2]


@pytest.mark.slow
def test_a_click_on_the_map_chooses_that_head_everywhere() -> None:
    app = Explorer.from_traces(tab="thresholds", layer=21, threshold=0.0015, method="citation")
    page = AppDriver(app)
    assert page.plots["heads"].figure is not None
    page.plots["heads"].click(y=8, x=2)
    assert (app.method, app.layer, app.head) == ("attention", 8, 2)
    heads = head_scores(app.traces)
    pd.testing.assert_frame_equal(app.sweep, sweep(heads.at(8, 2)).table, rtol=1e-5)
    page.plots["heads"].click(y=99, x=2)
    page.plots["heads"].report("clicked", value=None)
    assert (app.layer, app.head) == (8, 2)


def test_changed_calls_open_the_trace_with_the_unit_pinned(app: Explorer) -> None:
    page = AppDriver(app)
    app.reference_threshold = 0.35
    meta = page.plots["changes"].meta
    # From 0.35 to 0.18: 0.2 of a and 0.3 of b; the nearest to 0.18 comes first.
    assert list(zip(meta["traces"], meta["units"], strict=True)) == [("a", "h1"), ("b", "h0")]
    page.plots["changes"].click(index=5)
    assert app.tab == "thresholds"
    page.plots["changes"].click(index=1)
    assert (app.tab, app.trace) == ("traces", 1)
    assert app.selection == {"kind": "unit", "name": "h0"}
    app.tab = "thresholds"
    page.between.press("here")
    assert app.reference_threshold == app.threshold
    # Between equal thresholds no call changes: no empty table.
    assert page.plots["changes"].plot.layout.display == "none"


@pytest.mark.parametrize(
    ("labels", "words"),
    [([None, None], "No labelled hyperedge"), ([True, True], "All 2 labelled hyperedges")],
)
def test_without_two_kinds_of_labels_it_says_what_to_do(
    labels: list[bool | None], words: str
) -> None:
    app = Explorer.from_traces(
        [scored_trace("a", [0.5, 0.2], labels)], tab="thresholds", threshold=0.1
    )
    page = AppDriver(app)
    shown = page.figures.content
    assert shown["refused"].startswith(words)
    assert not shown["there"]
    assert app.error is None
    assert app.sweep is None
    assert not page.plots["histogram"].shown
    # Two clicks in the traces tab, and there is something to judge.
    app.tab = "traces"
    page.label("h0", True)
    page.label("h1", False)
    app.tab = "thresholds"
    shown = page.figures.content
    assert shown["refused"] == ""
    assert shown["counts"] == [1, 1, 0, 0]
    assert page.plots["histogram"].shown


def test_a_new_label_judges_anew(app: Explorer) -> None:
    page = AppDriver(app)
    app.tab = "traces"
    app.trace = "b"
    page.label("h3", False)
    app.tab = "thresholds"
    assert page.counts == [2, 2, 1, 2]


def test_a_mixture_has_no_one_threshold(app: Explorer) -> None:
    page = AppDriver(app)
    app.method = "hybrid"
    assert "no single threshold" in page.figures["refused"]
    app.method = "attention"
    assert page.figures["refused"] == ""
    assert page.counts == [2, 1, 1, 2]


def test_baselines_are_beside_it_and_few_labels_are_told(app: Explorer) -> None:
    page = AppDriver(app)
    names = ["lexical-overlap", "word-overlap", "length", "position", "random"]
    answer = page.answer
    assert answer["kind"] == "few"
    assert "Label 18 more traces" in answer["sentence"]
    assert "at least 7 more that are used and 7 more that are not used" in answer["sentence"]
    assert answer["figures"] == []
    assert answer["action"]["kind"] == "label"
    assert page.plots["dots"].meta["methods"][1:] == names


def test_the_config_can_be_taken_away(app: Explorer) -> None:
    page = AppDriver(app)
    page.figures.press("export", what="json")
    page.figures.press("export", what="python")
    config = json.loads(page.downloads[0]["text"])
    assert FeedbackExtractor(config=config).config.attention_threshold == 0.18
    names: dict = {}
    exec(page.downloads[1]["text"], names)  # noqa: S102 - what the user is given to run
    assert names["config"] == config
    assert names["extractor"].config == FeedbackExtractor(config=config).config


def test_a_recommendation_that_is_refused_says_why(app: Explorer) -> None:
    page = AppDriver(app)
    page.figures.press("recommend")
    app.wait()
    shown = page.figures["recommended"]
    assert shown["message"].startswith("Nothing is recommended.")
    assert not shown["accepted"]
    assert app.error is None


@pytest.mark.slow
def test_settings_and_python_show_the_tab_again(app: Explorer) -> None:
    app.reference_threshold = 0.25
    assert app.settings()["reference_threshold"] == 0.25
    again = Explorer(**app.settings())
    assert (again.tab, again.reference_threshold) == ("thresholds", 0.25)
    from explorer.widgets._shell.export import python_of

    assert "tab='thresholds'" in python_of(app)
    with pytest.raises(InputError, match="reference threshold"):
        app.reference_threshold = 2


def test_a_file_without_traces_leaves_nothing_of_the_last(app: Explorer) -> None:
    page = AppDriver(app)
    app.traces = []
    assert app.sweep is None
    assert "No traces are loaded" in page.figures["refused"]
    app.traces = [scored_trace("c", [0.5, 0.2], [True, False])]
    assert page.counts == [1, 1, 0, 0]
    assert app.error is None


def of_heads(number: int, attention: np.ndarray, text: str = "Fact") -> Trace:
    edges = [Hyperedge(f"h{i}", f"{text} {i} of {number}.", label=i == 0) for i in range(3)]
    return Trace(f"t{number}", "What is so?", edges, "This.", {"unit_attention": attention})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_set_of_heads_over_attention_that_is_no_number_says_that_nothing_is_known(
    value: float,
) -> None:
    traces = [of_heads(number, np.full((2, 3, 3), value)) for number in range(3)]
    app = Explorer.from_traces(traces, tab="thresholds")
    page = AppDriver(app)
    app.heads = {"terms": [["answer", 1, 2, 1.0]]}
    assert app.error is None
    assert "has a score" in page.figures["refused"]
    app.tab = "traces"
    assert "no scores" in page.sentence


def test_half_a_surrogate_pair_in_a_text_is_no_reason_to_stop() -> None:
    odd = "\ud800"
    edges = [Hyperedge(f"h{odd}{i}", f"Fact {i}{odd}", label=i == 0) for i in range(3)]
    scores = {edge.id: 0.2 * i for i, edge in enumerate(edges)}
    traces = [
        Trace(f"{odd}{number}", odd, edges, odd, {"hyperedge_attention": scores})
        for number in range(2)
    ]
    app = Explorer.from_traces(traces, tab="thresholds", threshold=0.1)
    page = AppDriver(app)
    assert app.error is None
    assert sum(page.counts) == 6
    assert app.trajectory is not None
    page.figures.press("report")
    assert "<!doctype html>" in page.downloads[0]["text"]


def test_what_labels_recommended_is_not_shown_when_they_changed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    traces = [of_heads(number, random.random((2, 3, 3))) for number in range(4)]

    async def main() -> None:
        app = Explorer.from_traces(traces, tab="thresholds")
        app.wait()
        page, loaded = AppDriver(app), app.traces
        begun, go_on = threading.Event(), threading.Event()

        def slow(*_: object, **__: object) -> ValidationError:
            begun.set()
            go_on.wait(20)
            return ValidationError("chosen by the labels of before")

        monkeypatch.setattr("explorer.validation.calibrate", slow)
        page.figures.press("recommend")
        assert begun.wait(20)
        loaded.label("t0", "h1", True)
        assert "recommend" not in page.jobs
        assert "Labels changed while" in app.error
        go_on.set()
        app.wait()
        assert page.figures["recommended"] is None
        app.close()

    asyncio.run(main())


def held_back(
    monkeypatch: pytest.MonkeyPatch, name: str, module: ModuleType = controller
) -> tuple[threading.Event, list[str]]:
    """Let a function that a module of the tab calls by this name wait for the event."""
    go_on, begun = threading.Event(), []
    real = getattr(module, name)

    def slow(*given: object, **more: object) -> object:
        begun.append(name)
        go_on.wait(20)
        return real(*given, **more)

    monkeypatch.setattr(module, name, slow)
    return go_on, begun


def test_judging_under_way_is_left_when_the_traces_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        go_on, begun = held_back(monkeypatch, "analyse_threshold")
        app = Explorer.from_traces([scored_trace("a", [0.5, 0.2], [True, False])], tab="thresholds")
        page = AppDriver(app)
        while not begun:
            app.wait(0)
            await asyncio.sleep(0.01)
        app.traces = []
        go_on.set()
        app.wait()
        assert app.sweep is None
        assert not page.figures["there"]
        assert not page.plots["heads"].shown
        assert "No traces are loaded" in page.figures["refused"]
        app.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_baselines_of_scores_that_are_judged_no_more_stay_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        go_on, begun = held_back(monkeypatch, "compare_with_baselines", baselines_controller)
        app = Explorer.from_traces([scored_trace("a", [0.5, 0.2], [True, False])], tab="thresholds")
        page = AppDriver(app)
        while not begun:
            app.wait(0)
            await asyncio.sleep(0.01)
        app.method = "hybrid"
        go_on.set()
        app.wait()
        assert app.sweep is None
        assert not page.plots["dots"].shown
        assert page.baselines["hidden"]
        app.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_traces_that_go_with_their_table_first_are_no_error(app: Explorer) -> None:
    page = AppDriver(app)
    app.method = "citation"
    app.wait()
    app.traces = []
    assert app.error is None
    assert page.sentence == "Nothing to evaluate yet."


@pytest.mark.slow
def test_labels_given_in_a_cell_or_in_another_app_are_followed(app: Explorer) -> None:
    page = AppDriver(app)
    traces = app.traces
    other = Explorer.from_traces(traces, tab="thresholds", threshold=0.18)
    other_page = AppDriver(other)
    other_page.figures.press("recommend")
    assert other_page.figures["recommended"] is not None
    page.open("traces")
    page.label("h1", True)
    page.open("thresholds")
    # a/h1 has 0.2: it is no longer a false positive.
    for one in (page, other_page):
        assert one.counts == [3, 0, 1, 2]
        assert one.app.trace_scene.trace.hyperedges[1].label is True
    assert other_page.figures["recommended"]["outdated"] == "Labels changed since: search again."
    traces.label("b", "h3", False)
    shown = other_page.figures
    assert shown["counts"] == [3, 1, 1, 2]
    other.close()
    traces.label("b", "h3", True)
    assert shown["counts"] == [3, 1, 1, 2]
    assert page.counts == [4, 0, 1, 2]


@pytest.mark.slow
def test_labels_of_another_thread_arrive_on_the_thread_of_the_app() -> None:
    async def main() -> None:
        app = Explorer.from_traces([scored_trace("a", [0.5, 0.2], [True, False])], tab="thresholds")
        app.wait()
        seen: list[int] = []
        page = AppDriver(app)
        app.observe(lambda _: seen.append(threading.get_ident()), names="trace_scene")
        await asyncio.to_thread(app.traces.label, "a", "h1", True)
        app.wait()
        assert seen == [threading.get_ident()]
        assert "All 2 labelled hyperedges" in page.figures["refused"]
        app.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_agreement_is_that_of_the_scores_in_view_while_others_are_under_way(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = AppDriver(app)
    app.wait()
    before = page.agreement.content
    assert not before["hidden"]
    with monkeypatch.context() as held:
        held.setattr(JobRunner, "start", lambda *_, **__: None)
        app.reduction = "mass"
        app.citation_threshold = 0.3
        shown = page.agreement.content
        assert not shown["hidden"]
        assert shown["rows"][0][0] == "citation at 0.300"
    app.reduction = "mean"
    assert page.agreement.content == shown


def test_agreement_is_worked_out_for_other_traces(app: Explorer) -> None:
    page = AppDriver(app)
    app.traces = [scored_trace("c", [0.5, 0.2, 0.1], [True, False, None])]
    shown = page.agreement.content
    assert not shown["hidden"]
    assert "of 3 calls are equal" in shown["rows"][0][3]


def unscored(n: int = 22) -> list[Trace]:
    """Labelled traces without attention."""
    edges = [Hyperedge(f"h{i}", f"Fact {i} of the valve.", label=i == 0) for i in range(3)]
    return [Trace(f"t{number}", "Which?", edges, "The valve.") for number in range(n)]


def test_labels_without_attention_offer_to_record_it(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Explorer.from_traces(unscored(), tab="thresholds")
    page = AppDriver(app)
    shown = page.figures.content
    assert shown["refused"].startswith("No hyperedge has a score by attention")
    # Everything is labelled: labelling more is no way out.
    assert shown["can_label"] is False
    assert shown["offer"]["kind"] == "record_all"
    assert shown["offer"]["action"] == "record attention on all 22 traces"
    # 76 characters a trace, four a token: 22 x 19 tokens at 400 a second.
    assert "about 1 s" in shown["offer"]["text"]
    asked: list[bool] = []
    monkeypatch.setattr(app._session.stand_in, "record_all", lambda: asked.append(True))  # noqa: SLF001
    page.figures.press("record_all")
    assert asked == [True]


def test_ablation_is_not_offered_where_nothing_can_be_judged_by_it() -> None:
    app = Explorer.from_traces(unscored(), tab="thresholds", truth="ablation")
    page = AppDriver(app)
    offer = page.figures["offer"]
    assert offer is None or offer["kind"] == "record_all"
    # The words give scores, so causal use can judge them.
    app.method = "lexical"
    app.wait()
    assert page.figures["offer"]["kind"] == "measure"
    assert "110 prompts of 22 traces" in page.figures["offer"]["text"]


def given_scores(n: int = 24) -> list[Trace]:
    random = np.random.default_rng(1)
    traces = []
    for number in range(n):
        labels = [bool(one) for one in random.random(5) < 0.4]
        scores = np.clip(random.normal(0.3, 0.1, 5) + 0.2 * np.array(labels), 0, 1).round(3)
        edges = [
            Hyperedge(f"h{i}", " ".join(["word"] * (i + 2)), label=label)
            for i, label in enumerate(labels)
        ]
        found = {f"h{i}": float(score) for i, score in enumerate(scores)}
        traces.append(Trace(f"t{number}", "?", edges, "So.", {"hyperedge_attention": found}))
    return traces


def test_given_scores_have_lengths_in_words_a_name_and_no_map_of_one_cell() -> None:
    """They counted as one token each, so length bias was switched off without a word."""
    app = Explorer.from_traces(given_scores(), tab="thresholds")
    page = AppDriver(app)
    judged = judge(
        app.traces,
        asyncio.run(FeedbackExtractor(config={"method": "attention"}).explain_traces(app.traces)),
    )
    assert judged.length_in == "words"
    assert judged.lengths[:5].tolist() == [2, 3, 4, 5, 6]
    assert head_scores(app.traces).length_in == "words"
    assert page.figures["judged"].startswith("the given scores. 120 labelled hyperedges")
    assert not page.plots["heads"].shown
    assert page.head_measure["hidden"]
    bias = json.dumps(page.plots["bias"].figure["layout"], default=str)
    assert "length in words" in bias
    page_text = str(app._session.report.page())  # noqa: SLF001
    assert "the scores that the traces give" in page_text
    assert "mean over all layers" not in page_text
    assert "so there is no layer or head" in page_text


def test_an_old_analysis_is_dimmed_and_not_exported(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = AppDriver(app)
    assert not page.figures["old"]
    monkeypatch.setattr(JobRunner, "start", lambda *_, **__: None)
    app.traces = given_scores()
    assert page.figures["old"]
    assert page.answer["old"]
    assert page.is_dimmed("scores")
    assert "labelled hyperedges count as used" not in page.sentence


def test_the_answer_is_used_and_undone() -> None:
    app = Explorer.from_traces(given_scores(), tab="thresholds", threshold=0.9)
    page = AppDriver(app)
    assert page.answer["kind"] == "set"
    judged = judge(app.traces, {t.id: t.metadata["hyperedge_attention"] for t in app.traces})
    best = best_threshold(judged.scores, judged.labels)
    page.answer.press("use")
    assert app.threshold == best.threshold
    app.wait()
    assert page.answer["kind"] == "keep"
    assert page.answer["undo"] == "back to the given scores at 0.900 (Esc)"
    page.answer.press("undo")
    assert app.threshold == 0.9
    assert page.answer["undo"] == ""


def test_an_objective_moves_the_threshold_and_bad_numbers_are_told() -> None:
    app = Explorer.from_traces(given_scores(), tab="thresholds", threshold=0.9)
    page = AppDriver(app)
    app.objective = "cost"
    app.cost_ratio = 4
    app.wait()
    judged = judge(app.traces, {t.id: t.metadata["hyperedge_attention"] for t in app.traces})
    best = best_threshold(judged.scores, judged.labels, Objective("cost", cost_ratio=4))
    assert page.answer["number"]["value"] == 4
    assert f"to {best.threshold:.3f}" in page.answer["sentence"]
    page.answer.press("set", name="cost_ratio", value=-1)
    assert app.cost_ratio == 4
    assert "a number above 0" in app.error
    app.objective = "recall"
    app.least_precision = 1.0
    app.wait()
    if page.answer["kind"] == "none":
        assert "No threshold reaches a precision of 1.00" in page.answer["sentence"]
    with pytest.raises(InputError, match="at most 1"):
        app.least_precision = 1.5


def test_what_was_picked_after_the_labels_were_seen_is_said() -> None:
    app = Explorer.from_traces(tab="thresholds", layer=21, threshold=0.0015)
    page = AppDriver(app)
    assert "picked" not in page.answer["held_out"]
    app.layer, app.head = 8, 0
    app.wait()
    said = page.answer["held_out"]
    assert "layer and head were picked after the labels were seen" in said
    nested = nested_head(head_scores(app.traces))
    assert f"F1 {nested.held_out.value:.2f}" in said
    assert f"ROC-AUC {nested.auc:.3f}" in said


def test_the_questions_with_most_errors_are_listed_and_opened(app: Explorer) -> None:
    page = AppDriver(app)
    shown = page.questions.content
    # At 0.18: of a h1 is wrongly called, of b h1 is missed.
    assert shown["summary"].startswith(
        "At this threshold 0 of 2 questions end with nothing called used, 0 with everything; "
        "0 are entirely right."
    )
    errors = [(row["id"], row["errors"]) for row in shown["rows"]]
    assert errors == [("b", "missed 1 of 2"), ("a", "1 wrong")]
    page.questions.press("open", trace=shown["rows"][0]["trace"])
    assert (app.tab, app.trace) == ("traces", 1)


def test_an_exported_config_says_what_its_threshold_is_best_for() -> None:
    app = Explorer.from_traces(given_scores(), tab="thresholds", threshold=0.9)
    page = AppDriver(app)
    page.figures.press("export", what="json")
    assert "another is best for F1" in json.loads(page.downloads[0]["text"])["note"]
    page.answer.press("use")
    app.wait()
    page.figures.press("export", what="json")
    config = json.loads(page.downloads[1]["text"])
    assert "best for F1 by 24 traces; expect F1 on new traces" in config["note"]
    extractor = FeedbackExtractor(config=config)
    assert extractor.config.attention_threshold == app.threshold
    # The number is as short as it reads.
    assert len(str(config["attention_threshold"])) <= 5


def test_what_was_found_is_kept_for_its_truth_and_crossed_out_when_labels_change() -> None:
    """It was lost without a word; with many heads a search takes minutes."""
    app = Explorer.from_traces(given_scores(), tab="thresholds")
    page = AppDriver(app)
    page.figures.press("recommend")
    app.wait()
    found = page.figures["recommended"]["message"]
    app.truth = "ablation"
    app.wait()
    assert page.figures["recommended"] is None
    app.truth = "labels"
    app.wait()
    assert page.figures["recommended"]["message"] == found
    assert page.figures["recommended"]["outdated"] == ""
    app.objective = "cost"
    app.wait()
    assert page.figures["recommended"] is None
    app.objective = "f1"
    app.wait()
    app.traces.label("t0", "h0", not app.traces[0].hyperedges[0].label)
    app.wait()
    shown = page.figures["recommended"]
    assert shown["message"] == found
    assert shown["outdated"] == "Labels changed since: search again."
    assert shown["accepted"] is False
    page.figures.press("recommend")
    app.wait()
    assert page.figures["recommended"]["outdated"] == ""
    app.traces = given_scores(20)
    app.wait()
    assert page.figures["recommended"] is None


def test_every_method_has_a_reference_of_its_own(app: Explorer) -> None:
    """The overlap of words was compared with the 0.1 of attention."""
    page = AppDriver(app)
    app.reference_threshold = 0.35
    app.method = "lexical"
    app.wait()
    assert app.reference_threshold == 0.2
    assert page.between["reference"] == 0.2
    app.reference_threshold = 0.25
    app.method = "attention"
    app.wait()
    assert app.reference_threshold == 0.35
    app.method = "lexical"
    app.wait()
    assert app.reference_threshold == 0.25


def test_packaged_heads_are_judged_by_those_that_were_chosen_without_the_trace() -> None:
    """One fold's heads scored every trace: F1 0.91 "on new traces", where 0.76 was held out."""
    app = Explorer.from_traces()
    page = AppDriver(app)
    page.open("thresholds")
    app.wait()
    held = example_recommendation().held_out
    tp, _, _, tn = page.counts
    assert tp + tn == held.right
    assert page.measures["F1"] == f"{held.f1:.3f}"
    # At a threshold that other traces chose, not at the packaged one.
    assert float(page.answer["figures"][1][0]) == pytest.approx(held.f1, abs=0.02)
    assert "the whole choice is held out" in page.answer["held_out"]
    assert page.figures["judged"].startswith("packaged heads. 528 labelled hyperedges")
    # Another trace has other heads, and the figures are the same.
    before = app.sweep
    app.trace = 30
    app.wait()
    pd.testing.assert_frame_equal(app.sweep, before)
    assert "picked" not in page.answer["held_out"]
    # Without the packaged heads they are those of the chosen layer.
    app.heads = None
    app.wait()
    assert not page.figures["judged"].startswith("packaged heads")
