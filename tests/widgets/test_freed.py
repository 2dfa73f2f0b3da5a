"""A closed app is freed: no file is watched for it, no library of the page holds it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

from explorer import Explorer
from explorer.traces import Hyperedge, Trace
from explorer.widgets._base.panel_part import PanelPart
from explorer.widgets._plot.plot import Plot


def widgets_of(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_of(child)


def test_a_closed_app_and_everything_in_it_is_freed():
    edges = [Hyperedge(f"h{i}", f"Fact {i}.", label=i == 0) for i in range(3)]
    scores = {"hyperedge_attention": {"h0": 0.5, "h1": 0.2, "h2": 0.05}}
    app = Explorer.from_traces([Trace("a", "What?", edges, "This.", scores)], threshold=0.18)
    for tab in ("thresholds", "code", "traces"):
        app.tab = tab
    widgets = list(widgets_of(app))
    assert sum(isinstance(widget, Plot) for widget in widgets) >= 10
    assert sum(isinstance(widget, PanelPart) for widget in widgets) >= 10
    alive = [(type(widget).__name__, weakref.ref(widget)) for widget in widgets]
    app.close()
    del app, widgets
    gc.collect()
    assert [name for name, widget in alive if widget() is not None] == []
