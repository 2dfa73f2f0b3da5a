"""A drag in the traces and thresholds tabs draws what is quick at once, and the rest once later."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from explorer import Explorer
from explorer.traces import Hyperedge, Trace

from ...support.app_driver import AppDriver
from ...support.call_counter import calls_in_the_package, count_calls

MOST_CALLS = 900
FOLDER = "explorer.widgets._thresholds"


def trace(name: str, n_hyperedges: int, seed: int) -> Trace:
    """A trace with given attention mass in 3 layers of 2 heads, labelled."""
    random = np.random.default_rng(seed)
    edges = [
        Hyperedge(f"{name}-{i}", f"Fact {i} of {name}.", label=bool(random.random() < 0.3))
        for i in range(n_hyperedges)
    ]
    found = {
        "unit_attention": random.uniform(0.01, 0.12, (3, 2, 1, n_hyperedges)),
        "unit_tokens": [4] * n_hyperedges,
        "answer_tokens": ["This"],
    }
    return Trace(name, "What is so?", edges, "This is so.", found)


async def settled(app: Explorer) -> None:
    """Let the app do what follows later, until nothing is under way."""
    for _ in range(5):
        await asyncio.sleep(0.1)
        app.wait(60)


@pytest.mark.parametrize(
    ("tab", "plot", "sizes"),
    [("traces", "trace_bars", [60]), ("thresholds", "histogram", [20, 20, 20])],
)
def test_a_drag_calls_few_functions(tab: str, plot: str, sizes: list[int]) -> None:
    async def main() -> None:
        traces = [trace(f"t{i}", size, i) for i, size in enumerate(sizes)]
        app = Explorer.from_traces(traces, tab=tab, layer=1, head=0, threshold=0.05)
        await settled(app)
        page = AppDriver(app)
        bars = page.plots[plot]
        for threshold in (0.06, 0.07):
            bars.drag(threshold)
            await settled(app)
        calls = calls_in_the_package(lambda: bars.drag(0.08))
        assert app.threshold == 0.08
        assert 0 < calls <= MOST_CALLS
        app.close()

    asyncio.run(asyncio.wait_for(main(), 300))


def test_a_drag_works_out_its_outcome_once_and_what_does_not_depend_on_it_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Explorer.from_traces(
        [trace("a", 20, 1), trace("b", 20, 2)], tab="thresholds", layer=1, head=0, threshold=0.05
    )
    page = AppDriver(app)
    outcomes = count_calls(monkeypatch, f"{FOLDER}.controller.outcome_at")
    others = [
        count_calls(monkeypatch, f"{FOLDER}.{name}")
        for name in (
            "controller.analyse_threshold",
            "controller.ablation_cost",
            "baselines_controller.compare_with_baselines",
            "agreement_controller.own_scores",
            "panel_contents.selection_warning",
        )
    ]
    scored = count_calls(monkeypatch, "explorer.rag.FeedbackExtractor.explain_traces")
    for threshold in (0.06, 0.07, 0.08):
        page.plots["histogram"].drag(threshold)
    assert app.threshold == 0.08
    assert len(outcomes) == 3
    assert [len(calls) for calls in others] == [0, 0, 0, 0, 0]
    assert scored == []
