"""The scores of all traces: worked out once for whoever asks, remembered, and stopped."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.errors import Cancelled, InputError
from explorer.rag import FeedbackExtractor
from explorer.rag._weights.weight_trajectory import weight_trajectory
from explorer.reporting._analysis.final_weights import final_weights
from explorer.traces import Hyperedge, Trace
from explorer.validation import head_scores, judge, quality_map
from explorer.widgets._explorer import Explorer
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._traces._feedback import weights_controller
from explorer.widgets._traces._feedback.scores_controller import score_settings_of

from ....support.app_driver import AppDriver, until
from ....support.call_counter import count_calls

ROOM = "explorer.widgets._thresholds"


def layered(name: str, labels: list[bool], seed: int, answer: str = "This is so.") -> Trace:
    """A trace with given attention mass in 3 layers of 2 heads."""
    edges = [
        Hyperedge(f"{name}-{i}", f"Fact {i} of {name}.", label=label)
        for i, label in enumerate(labels)
    ]
    mass = np.random.default_rng(seed).uniform(0.01, 0.12, (3, 2, 1, len(labels)))
    found = {"unit_attention": mass, "unit_tokens": [4] * len(labels), "answer_tokens": ["This"]}
    return Trace(name, "What is so?", edges, answer, found)


def traces() -> list[Trace]:
    return [
        layered("a", [True, False, False], 1),
        layered("b", [True, True, False, False], 2, "Fact 1 of b, or so."),
        layered("c", [False, True], 3),
    ]


class Count:
    """How often all traces were explained by the chosen method, or judged in every head.

    What other methods say of the same traces, for agreement, is asked for apart.
    """

    def __init__(self) -> None:
        self.explained: list[int] = []
        self.headed = 0
        self.method = "attention"


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    counted = Count()
    explain, heads = FeedbackExtractor.explain_traces, head_scores

    async def explain_traces(self: Any, given: Any, **settings: Any) -> pd.DataFrame:
        if self.config.method == counted.method:
            counted.explained.append(len(given))
        return await explain(self, given, **settings)

    def all_heads(*given: Any, **settings: Any) -> Any:
        counted.headed += 1
        return heads(*given, **settings)

    monkeypatch.setattr(FeedbackExtractor, "explain_traces", explain_traces)
    monkeypatch.setattr("explorer.validation.head_scores", all_heads)
    return counted


def test_one_run_serves_the_judgement_and_the_weights_of_both_tabs(count: Count) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", layer=1, head=0, threshold=0.01)
    page = AppDriver(app)
    assert page.figures["there"]
    assert app.trajectory is not None
    app.tab, app.weight_view = "traces", "weights"
    page.label("a-1", True)
    app.tab = "thresholds"
    app.threshold = 0.02
    app.reference_threshold = 0.3
    app.update_strategy = "additive"
    assert count.explained == [3]
    assert sum(page.counts) == 9
    assert page.counts[0] + page.counts[2] == 5


@pytest.mark.slow
def test_going_back_to_a_head_is_instant_and_few_are_remembered(
    count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", layer=0, head=0, threshold=0.01)
    page = AppDriver(app)
    first, baselines = app.sweep, repr(page.plots["dots"].figure["data"])
    app.head = 1
    assert not app.sweep.equals(first)
    assert repr(page.plots["dots"].figure["data"]) != baselines
    with monkeypatch.context() as watched:
        judged = count_calls(watched, f"{ROOM}.controller.analyse_threshold")
        compared = count_calls(watched, f"{ROOM}.baselines_controller.compare_with_baselines")
        app.head = 0
        assert judged == compared == []
    pd.testing.assert_frame_equal(app.sweep, first)
    assert repr(page.plots["dots"].figure["data"]) == baselines
    assert "layer 0, head 0" in page.figures["judged"]
    assert count.explained == [3, 3]
    app.layer = 1
    app.layer = 2
    app.head = 1  # the fifth: what was asked for longest ago, layer 0 with head 1, makes room
    assert count.explained == [3] * 5
    app.head = 0
    app.layer = 0
    assert count.explained == [3] * 5
    app.head = 1
    assert count.explained == [3] * 6


def test_a_drag_scores_nothing_anew_whatever_the_method(count: Count) -> None:
    count.method = "citation"
    app = Explorer.from_traces(traces(), tab="thresholds", layer=0, head=0, method="citation")
    assert count.explained == [3]
    for value in (0.2, 0.5, 0.9):
        app.citation_threshold = value
        extractor = FeedbackExtractor(config={"method": "citation", "citation_threshold": value})
        explained = asyncio.run(extractor.explain_traces(app.traces))
        assert app.trajectory.feedback == pytest.approx(explained["feedback"].to_numpy())
        count.explained.pop()
    app.head = 1  # no score of this method's
    assert count.explained == [3]
    assert len(np.unique(app.trajectory.feedback)) > 1


def test_nothing_is_scored_where_nobody_looks(count: Count) -> None:
    app = Explorer.from_traces(traces(), layer=0, head=0)
    app.head, app.threshold, app.method = 1, 0.02, "citation"
    app.quality = "f1"
    assert count.explained == []
    assert count.headed == 0
    assert app.trajectory is None
    app.method = "attention"
    app.tab = "thresholds"
    assert (count.explained, count.headed) == ([3], 1)
    app.tab = "code"
    app.head = 0
    app.threshold = 0.05
    assert (count.explained, count.headed) == ([3], 1)


def test_the_weights_of_many_traces_are_those_of_the_first(
    count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_controller, "MOST_TRACES", 2)
    app = Explorer.from_traces(traces(), layer=0, head=0, weight_view="weights")
    assert set(count.explained) == {2}
    assert app.trajectory.order.traces == ("a", "b")
    before = app.trajectory.weights
    count.explained.clear()
    app.tab = "thresholds"
    assert count.explained == [3]
    app.tab = "traces"
    app.head = 1
    app.tab = "thresholds"
    app.tab = "traces"
    app.head = 0
    assert app.trajectory.order.traces == ("a", "b")
    assert np.array_equal(app.trajectory.weights, before)
    assert count.explained == [3, 2, 3]


def test_the_trajectory_is_that_of_the_updater_at_this_threshold() -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", layer=2, head=1, threshold=0.015)
    page = AppDriver(app)
    for strategy, threshold in (("ema", 0.015), ("additive", 0.015), ("multiplicative", 0.02)):
        app.update_strategy, app.threshold = strategy, threshold
        config = {"method": "attention", "layer": 2, "head": 1, "attention_threshold": threshold}
        explained = asyncio.run(FeedbackExtractor(config=config).explain_traces(app.traces))
        expected = weight_trajectory(explained, {"strategy": strategy})["weight"].to_numpy()
        assert app.trajectory.weights == pytest.approx(expected)
        lines = page.plots["weight_lines"].figure["data"]
        ends = sorted(line["y"][-1] for line in lines if str(line["name"]).startswith("line "))
        assert set(np.round(ends, 9)) <= set(np.round(app.trajectory.final(), 9))
        # By hand: every hyperedge occurs once, so its row is its end.
        labels = np.array([e.label for t in app.traces for e in t.hyperedges])
        shown = page.weight_moves.content
        assert shown["strategy"] == strategy
        used, others = expected[labels].mean(), expected[~labels].mean()
        ends = final_weights(app.trajectory, judge(app.traces, explained))
        assert (ends.used, ends.not_used) == pytest.approx((used, others))
        assert f"labelled used end at {used:.3f} on average" in shown["message"]
        assert shown["message"].endswith("higher." if used > others else "lower.")


@pytest.mark.slow
def test_the_map_is_judged_by_another_measure_without_scoring_again(count: Count) -> None:
    app = Explorer.from_traces(traces(), tab="thresholds", layer=0, head=0, threshold=0.01)
    page = AppDriver(app)
    assert count.headed == 1
    heads = head_scores(app.traces)
    prevalence = 4 / 9
    chances = {"auc": 0.5, "average_precision": prevalence, "f1": 2 * prevalence / (1 + prevalence)}
    words = {"auc": "ROC-AUC", "average_precision": "avg. precision", "f1": "best F1"}
    for measure in ("average_precision", "f1", "auc", "f1"):
        app.quality = measure
        drawn = page.plots["heads"].values
        assert np.array_equal(drawn, quality_map(heads, measure), equal_nan=True)
        notes = [note["text"] for note in page.plots["heads"].figure["layout"]["annotations"]]
        assert words[measure] in notes
        assert f"{chances[measure]:.3f} chance" in notes
        assert page.head_measure["measure"] == measure
    assert count.headed == 1
    assert app.settings()["quality"] == "f1"
    assert Explorer(**app.settings()).quality == "f1"
    page.head_measure.press("set", name="quality", value="auc")
    assert app.quality == "auc"
    with pytest.raises(InputError, match="quality must be one of 'auc', 'average_precision', 'f1'"):
        app.quality = "accuracy"


def test_what_is_stopped_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    explain = FeedbackExtractor.explain_traces
    begun, slow, runs = threading.Event(), threading.Event(), []

    async def explain_traces(self: Any, given: Any, **settings: Any) -> pd.DataFrame:
        if self.config.method != "attention":  # for agreement
            return await explain(self, given, **settings)
        runs.append(self.config.head)
        if slow.is_set():
            begun.set()
            assert settings["control"].cancel.wait(30)
            raise Cancelled("Stopped.")
        return await explain(self, given, **settings)

    monkeypatch.setattr(FeedbackExtractor, "explain_traces", explain_traces)

    async def main() -> None:
        app = Explorer.from_traces(traces(), tab="thresholds", layer=0, head=0, threshold=0.01)
        page = AppDriver(app)
        await until(lambda: not page.jobs and app.trajectory is not None)
        before, judged = app.sweep, page.figures["judged"]
        slow.set()
        app.head = 1
        assert await asyncio.to_thread(begun.wait, 30)
        assert page.is_dimmed("scores")
        app.cancel()
        assert app.wait(30)
        assert not page.is_dimmed("scores")
        assert app.sweep.equals(before)
        assert page.figures["judged"] == judged
        assert app.error is None
        slow.clear()
        app.threshold = 0.02  # a drag is no wish to score after all
        await asyncio.sleep(0.2)
        assert runs == [0, 1]
        app.head = 0
        app.head = 1
        await until(lambda: page.figures["judged"] != judged)
        assert runs == [0, 1, 1]
        app.close()

    asyncio.run(asyncio.wait_for(main(), 120))


def test_leaving_the_tab_ends_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def explain_traces(_: Any, __: Any, **settings: Any) -> pd.DataFrame:
        begun.set()
        if settings["control"].cancel.wait(30):
            ended.set()
        raise Cancelled("Stopped.")

    monkeypatch.setattr(FeedbackExtractor, "explain_traces", explain_traces)

    async def main() -> None:
        app = Explorer.from_traces(traces(), tab="thresholds", layer=0, head=0)
        page = AppDriver(app)
        assert await asyncio.to_thread(begun.wait, 30)
        app.tab = "traces"
        assert await asyncio.to_thread(ended.wait, 30)
        assert "scores" not in page.jobs
        app.close()

    asyncio.run(asyncio.wait_for(main(), 120))


def test_scores_depend_on_a_threshold_only_in_mixtures() -> None:
    config = {
        "attention_threshold": 0.1,
        "citation_threshold": 0.8,
        "layer": 3,
        "reduction": "mean",
    }
    assert dict(score_settings_of({"method": "attention", **config})) == {
        "method": "attention", "layer": 3, "reduction": "mean"
    }  # fmt: skip
    assert dict(score_settings_of({"method": "citation", **config})) == {"method": "citation"}
    assert dict(score_settings_of({"method": "ensemble", **config})) == {
        "method": "ensemble", **config
    }  # fmt: skip


def test_what_follows_runs_once_for_many_changes_and_sees_the_newest() -> None:
    seen: list[int] = []
    latest = 0

    async def main() -> None:
        nonlocal latest
        soon = Debouncer(lambda: seen.append(latest), delay=0.01)
        for number in range(5):
            latest = number
            soon.ask()
        assert seen == []
        await asyncio.sleep(0.05)
        assert seen == [4]
        soon.ask()
        soon.close()
        await asyncio.sleep(0.05)
        assert seen == [4]

    asyncio.run(main())
    Debouncer(lambda: seen.append(-1)).ask()  # a script has no loop to wait on
    assert seen == [4, -1]
