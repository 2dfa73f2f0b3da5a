"""The driver of the app reads what the page is sent, and fails where a page could do nothing."""

from __future__ import annotations

import pytest

from explorer import Explorer
from explorer.traces import Hyperedge, Trace

from .app_driver import PANELS, PLOTS, AppDriver


@pytest.fixture
def page() -> AppDriver:
    edges = [Hyperedge(f"h{i}", f"Fact {i}.", label=i == 0) for i in range(3)]
    scores = {"hyperedge_attention": {"h0": 0.5, "h1": 0.2, "h2": 0.05}}
    traces = [Trace("a", "What?", edges, "This.", scores)]
    return AppDriver(Explorer.from_traces(traces, threshold=0.18))


def test_every_panel_and_plot_is_found_once_its_tab_was_open(page: AppDriver) -> None:
    with pytest.raises(LookupError, match="open the tab"):
        page.panel("figures")
    for tab in ("code", "thresholds"):
        page.open(tab)
    assert len({page.panel(name).model.model_id for name in PANELS}) == len(PANELS)
    assert len({page.plots[name].plot.model_id for name in PLOTS}) == len(PLOTS)


def test_gestures_reach_the_app(page: AppDriver) -> None:
    page.open("thresholds")
    assert page.app.tab == "thresholds"
    assert page.counts == [1, 1, 0, 1]
    page.plots["histogram"].drag(0.3)
    assert page.app.threshold == page.plots["curves"].line == 0.3
    assert page.counts == [1, 0, 0, 2]
    page.figures.press("export", what="json")
    assert page.downloads[0]["name"] == "feedback_config.json"


def test_what_a_handler_raises_is_raised_here(page: AppDriver) -> None:
    page.cards.model.on_msg(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        page.cards.press("unpin")
