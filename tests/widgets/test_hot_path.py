"""The hot path: what a drag, a pin and a new figure cost in calls, scorings and bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer import Explorer
from explorer.feedback import HeadCombination, HeadTerm
from explorer.feedback import _feedback_table as feedback_table
from explorer.traces import Hyperedge, Trace
from explorer.widgets._attention.bars_view import MOST_BARS

from ..support.app_driver import AppDriver, PlotDriver, until
from ..support.call_counter import calls_in_the_package, count_calls
from ..support.sent_messages import SentMessage, SentMessages

TOKENS = 512


def causal(n_tokens: int) -> np.ndarray:
    """Random causal attention, float32 (2, 2, tokens, tokens), whose rows sum to 1."""
    random = np.random.default_rng(0)
    weights = np.tril(random.random((2, 2, n_tokens, n_tokens), dtype=np.float32) ** 6)
    return weights / weights.sum(-1, keepdims=True)


def code_app(n_tokens: int, **traits: Any) -> Explorer:
    """An app over a map of so many tokens, each a unit."""
    tokens = [f" word{i}" for i in range(n_tokens)]
    shown = {"layer": 0, "head": 0, "hide_sink": True, **traits}
    return Explorer.from_attention(causal(n_tokens), tokens, **shown)


def trace_app(n_hyperedges: int, **traits: Any) -> Explorer:
    """An app over a trace with a direct score for each hyperedge."""
    scores = np.random.default_rng(0).random(n_hyperedges) ** 3
    edges = [Hyperedge(f"h{i}", f"Fact {i}.", label=i % 3 == 0) for i in range(n_hyperedges)]
    found = {edge.id: float(score) for edge, score in zip(edges, scores, strict=True)}
    trace = Trace("t", "Why?", edges, "So.", {"hyperedge_attention": found})
    return Explorer.from_traces([trace], **traits)


def drags(plot: PlotDriver, thresholds: list[float]) -> None:
    """Drag the line to one threshold after another, each drawn before the next."""
    for threshold in thresholds:
        plot.drag(threshold)
        plot.settle()


TWENTY = [0.004 * 1.2**i for i in range(20)]


@pytest.mark.parametrize(
    ("made", "bars"),
    [(lambda: code_app(60), "code_bars"), (lambda: trace_app(60), "trace_bars")],
)
def test_a_moved_threshold_scores_nothing(
    made: Callable[[], Explorer], bars: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = made()
    plot = AppDriver(app).plots[bars]
    scored = count_calls(monkeypatch, "explorer.feedback._feedback_table.unit_scores")
    bounded = count_calls(monkeypatch, "explorer.feedback._feedback_table.reachable_scores")
    drags(plot, TWENTY)
    assert app.threshold == TWENTY[-1]
    assert (len(scored), len(bounded)) == (0, 0)
    app.reduction = "mass"  # what scores depend on
    assert len(scored) == 1


def test_a_moved_threshold_scores_nothing_by_a_set_of_heads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edges = [Hyperedge(f"h{i}", f"Fact {i}.") for i in range(4)]
    weights = np.random.default_rng(0).random((2, 2, 3, 4)).tolist()
    brought = {"unit_attention": np.mean(weights, axis=2).tolist(), "unit_tokens": [3, 4, 2, 5]}
    trace = Trace("t", "Why?", edges, "So.", brought)
    heads = HeadCombination([HeadTerm("answer", 1, 0, 1.0)])
    app = Explorer.from_traces([trace], heads=heads)
    table = app.feedback
    assert table is not None
    assert table["score"].notna().all()
    plot = AppDriver(app).plots["trace_bars"]
    read = count_calls(monkeypatch, "explorer.rag._methods.attention_feedback.head_readings")
    drags(plot, TWENTY)
    assert read == []


def test_a_drag_calls_few_functions() -> None:
    app = code_app(60, threshold=0.01)
    plot = AppDriver(app).plots["code_bars"]
    drags(plot, TWENTY[:5])
    calls = calls_in_the_package(lambda: plot.drag(0.0123))
    assert app.threshold == 0.0123
    assert 0 < calls <= 900


def test_what_follows_a_threshold_is_what_a_new_figure_has() -> None:
    """Arrays that are changed in place lead to the same figure as drawing all of it."""
    app = code_app(60)
    plot = AppDriver(app).plots["code_bars"]
    drags(plot, TWENTY)
    app.head = 1
    app.selection = {"kind": "unit", "name": "7"}
    other = code_app(60, threshold=TWENTY[-1])
    other.head = 1
    other.selection = {"kind": "unit", "name": "7"}
    changed, drawn = plot.figure, AppDriver(other).plots["code_bars"].figure
    for one, two in zip(changed["data"], drawn["data"], strict=True):
        assert one.keys() == two.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(value, two[name])


def sizes(sent: list[SentMessage]) -> int:
    return sum(message.size for message in sent)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> SentMessages:
    return SentMessages(monkeypatch)


@pytest.mark.parametrize(
    "selection", [{"kind": "unit", "name": "100"}, {"kind": "cell", "query": 300, "key": 100}]
)
def test_a_pin_sends_marks_and_no_cells(sent: SentMessages, selection: dict[str, Any]) -> None:
    app = code_app(TOKENS)
    page = AppDriver(app)
    heatmap, bars = page.plots["code_heatmap"], page.plots["code_bars"]
    heatmap.settle()
    bars.settle()
    with sent.during() as messages:
        app.selection = selection
        if selection["kind"] == "cell":
            # The bars are those of the row of the cell: the scores of all units are others.
            bars_changed = [m for m in messages if "arrays" in m.traits]
            assert len(bars_changed) <= 1
    heat = [message for message in messages if {"figure", "heatmap"} & set(message.traits)]
    assert heat == []
    if selection["kind"] == "unit":
        assert heatmap.marks["columns"] == [[99, 100]]  # the sink is hidden
        assert sizes(messages) <= 4_000
    else:
        assert (heatmap.marks["row"], heatmap.marks["column"]) == (300, 99)


@pytest.mark.parametrize("width", [640, 1400])
def test_another_head_sends_no_new_figure_although_it_shows_other_units(
    sent: SentMessages, width: int
) -> None:
    weights = causal(100)
    weights[0, 0, :, 50:] *= 0.01  # head 0 shows the long tokens, head 1 the short ones
    weights[0, 1, :, :50] *= 0.01
    tokens = [" " + "w" * (25 if i < 50 else 2) for i in range(100)]
    app = Explorer.from_attention(weights, tokens, layer=0, head=0, hide_sink=True)
    page = AppDriver(app)
    heatmap, bars = page.plots["code_heatmap"], page.plots["code_bars"]
    heatmap.settle(width)
    bars.settle(width)
    units, layout = bars.meta["units"], _without_meta(bars.figure["layout"])
    before = bars.channel.figure
    with sent.during() as messages:
        app.head = 1
    assert len(units) == MOST_BARS
    assert bars.meta["units"] != units
    assert _without_meta(bars.figure["layout"]) == layout
    assert bars.channel.figure is before
    plots = [message for message in messages if {"figure", "heatmap", "arrays"} & {*message.traits}]
    assert [message.traits for message in plots] == [("heatmap",), ("arrays",)]


def test_heatmap_and_bars_of_a_head_leave_together_and_the_rest_later(
    sent: SentMessages, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def change() -> None:
        app = code_app(100)
        page = AppDriver(app)
        heatmap, bars, code = page.plots["code_heatmap"], page.plots["code_bars"], page.code
        heatmap.settle()
        bars.settle()
        await until(lambda: page.head_selector["head"] == 0)
        tint, serial, seen = code.model.tint, heatmap.serial, []
        measure = feedback_table.unit_scores

        def measured(*arguments: Any) -> Any:
            seen.append(heatmap.serial)
            return measure(*arguments)

        monkeypatch.setattr(feedback_table, "unit_scores", measured)
        with sent.during() as messages:
            app.head = 1  # what has left now did so before anything else could run
        assert [message.traits for message in messages] == [("heatmap",), ("arrays",)]
        assert seen == [serial]  # no work lies between the two: the heatmap waits for the scores
        assert (page.head_selector["head"], code.model.tint) == (0, tint)
        heatmap.settle()
        bars.settle()
        with sent.during() as rest:
            await until(lambda: page.head_selector["head"] == 1 and code.model.tint != tint)
        assert not {"figure", "heatmap", "arrays"} & {name for one in rest for name in one.traits}

    asyncio.run(change())


def test_a_dragged_line_and_its_bars_are_one_message(sent: SentMessages) -> None:
    async def change() -> None:
        page = AppDriver(code_app(100, threshold=0.01))
        bars = page.plots["code_bars"]
        bars.settle()
        with sent.during() as messages:
            bars.drag(0.02)  # what follows a moment later is not in it
        assert [message.traits for message in messages] == [("arrays", "marks")]
        assert bars.marks["line"]["value"] == 0.02

    asyncio.run(change())


def test_a_head_and_a_threshold_compare_no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    app = code_app(60)
    compared = count_calls(monkeypatch, "pandas.DataFrame.__eq__")
    tables = [app.feedback]
    app.head = 1
    tables.append(app.feedback)
    app.threshold = 0.02
    tables.append(app.feedback)
    assert len(compared) == 0
    assert len({id(table) for table in tables}) == 3


def _without_meta(layout: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in layout.items() if name != "meta"}


def test_a_new_figure_is_sent_once(sent: SentMessages) -> None:
    app = code_app(TOKENS)
    heatmap = AppDriver(app).plots["code_heatmap"]
    heatmap.settle()
    with sent.during() as messages:
        app.scaling = "linear"
    (figure,) = [message for message in messages if {"figure", "heatmap"} & set(message.traits)]
    assert TOKENS * (TOKENS - 1) < figure.size <= 265_000
    (trace,) = heatmap.channel.figure["data"]
    codes = np.frombuffer(trace["cells"]["codes"], np.uint8).reshape(TOKENS, TOKENS - 1)
    expected = np.rint(causal(TOKENS)[0, 0, :, 1:] * 254)
    np.testing.assert_array_equal(codes, expected)
