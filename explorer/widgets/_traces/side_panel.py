"""The right half of the traces tab: methods, feedback bars, and what becomes of the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np

from explorer.figures._feedback.method_bars import methods_spec
from explorer.figures._graph.entity_graph import entities_figure_spec
from explorer.traces import Hyperedge
from explorer.widgets._attention.bars_view import MOST_BARS, BarsView
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._base.panel_part import PanelPart
from explorer.widgets._plot.incremental_plot import WidePlot
from explorer.widgets._session import Session
from explorer.widgets._state import UPDATE_STRATEGIES, ExplorerState
from explorer.widgets._thresholds import scores_controller
from explorer.widgets._traces import methods_controller, weights_controller
from explorer.widgets._traces.scene import TraceScene
from explorer.widgets._traces.weights_view import of_what, weights_spec

if TYPE_CHECKING:
    import pandas as pd

METHODS = (
    ("attention", "Where the reader of the answer looked"),
    ("embedding", "How similar each hyperedge is to the answer"),
    ("citation", "Whether the answer repeats the hyperedge"),
    ("hybrid", "Citation where it is clear, else embedding"),
    ("logprobs", "Log-probabilities of the answer's words: an approximation"),
    ("ensemble", "Attention, embedding and citation together"),
)
_WIDTH = 560  # before the page has said how wide a plot is
_ENTITIES_HEIGHT = 380
_BARS = BarsView.DRAWN_BY | {"comparison", "compare", "trace_scene"}
_WEIGHTS = frozenset({"trajectory", "selection", "trace_scene"})
_WORDS = frozenset(
    {
        "method",
        "compare",
        "comparison",
        "weight_view",
        "update_strategy",
        "table",
        "trace_scene",
        "trajectory",
    }
)
_ENTITIES = frozenset({"table", "trace_scene", "selection"})


class SidePanel:
    """Binds the state to the right half of the traces tab."""

    def __init__(self, state: ExplorerState, session: Session, pick: Callable[[str], None]) -> None:
        self.state = state
        self.session = session
        self._pick = pick
        self.methods = PanelPart("methods")
        self.bars = BarsView(state, name="Feedback bars, one a hyperedge")
        self.bars.on_pick = pick
        self.sides = _Drawn("Feedback by every method, side by side", self._draw_sides)
        self.weights = PanelPart("weights")
        self.under = _Drawn("Entities of the hyperedges", self._draw_under)
        self.widget = ipywidgets.Box(
            [self.methods, self.bars.plot, self.sides.plot, self.weights, self.under.plot]
        )
        self.widget.add_class("ex-side")
        self.methods.on("set", session.set_from_page)
        self.weights.on("set", session.set_from_page)
        self.weights.on("cancel", lambda *_: self._cancel_weights())
        for drawn in (self.sides, self.under):
            drawn.plot.observe(lambda change, drawn=drawn: self._clicked(drawn), "clicked")
        state.observe(self._changed)
        session.jobs.observe(lambda _: self._show_regions(), names="reports")
        self.redraw()

    def close(self) -> None:
        """Take the panel off every page."""
        self.session.weights.close()
        for part in (
            self.methods,
            self.bars.plot,
            self.sides.plot,
            self.weights,
            self.under.plot,
            self.widget,
        ):
            part.layout.close()
            part.close()

    # following the state

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.tab != "traces":
            return
        if self.state.batching:
            self.state.after_batch(self.redraw)
            return
        name = change["name"]
        if name == "tab":
            self.redraw()
            return
        if name in _BARS:
            self._draw_bars()
        if name in ("comparison", "selection", "bar_order", "trace_scene"):
            self._draw_sides()
        drawn_by = _WEIGHTS if self.state.weight_view == "weights" else _ENTITIES
        if name in drawn_by or name == "weight_view":
            self._draw_under()
        if name in _WORDS:
            self._show_regions()

    def redraw(self) -> None:
        """Draw everything anew."""
        if self.state.tab == "traces":
            self._draw_bars()
            self._draw_sides()
            self._draw_under()
            self._show_regions()

    # bars

    @property
    def _labels(self) -> dict[str, bool | None]:
        scene: TraceScene | None = self.state.trace_scene
        return {} if scene is None else {e.id: e.label for e in scene.trace.hyperedges}

    def _draw_bars(self) -> None:
        table = self.state.table
        shown = table is not None and not self._comparing
        self.bars.plot.layout.display = "" if shown else "none"
        if shown:
            self.bars.show(table, self._labels)

    @property
    def _comparing(self) -> bool:
        return bool(self.state.compare and self.state.comparison is not None)

    def _draw_sides(self) -> None:
        self.sides.plot.layout.display = "" if self._comparing else "none"
        if not self._comparing:
            return
        from explorer.rag import agreement

        compared: pd.DataFrame = self.state.comparison
        figure = methods_spec(
            compared,
            agreement(compared),
            labels=self._labels,
            sort=self.state.bar_order,
            width=self.sides.plot.width or _WIDTH,
            selected=selected_unit(self.state),
        )
        self.sides.draw(figure)

    # weights

    def _draw_under(self) -> None:
        scene: TraceScene | None = self.state.trace_scene
        width = self.under.plot.width or _WIDTH
        figure = None
        if scene is not None and scene.trace.hyperedges:
            if self.state.weight_view == "entities":
                figure = self._entities(scene, width)
            else:
                figure = weights_spec(self.state, width)
        self.under.plot.layout.display = "none" if figure is None else ""
        if figure is not None:
            self.under.draw(figure)

    def _entities(self, scene: TraceScene, width: int) -> dict[str, Any]:
        edges, table = scene.trace.hyperedges, self.state.table
        from explorer.rag import with_entities

        feedback, verdicts = [float("nan")] * len(edges), ["unknown"] * len(edges)
        scores = [-1.0] * len(edges)
        if table is not None and table["unit"].tolist() == [edge.id for edge in edges]:
            feedback, verdicts = table["feedback"].tolist(), table["verdict"].tolist()
            scores = table["score"].fillna(-1.0).tolist()
        if len(edges) > MOST_BARS:
            # The same as in the bars: more cannot be told apart.
            kept = sorted(np.argsort(np.negative(scores), kind="stable")[:MOST_BARS].tolist())
            edges = [edges[place] for place in kept]
            feedback = [feedback[place] for place in kept]
            verdicts = [verdicts[place] for place in kept]
        return entities_figure_spec(
            with_entities(edges),
            feedback,
            _weights_after(edges, feedback, self.state.update_strategy),
            verdicts=verdicts,
            selected=selected_unit(self.state),
            width=width,
            height=_ENTITIES_HEIGHT,
        )

    # words and gestures

    def _show_regions(self) -> None:
        state, reports = self.state, self.session.jobs.reports
        scene: TraceScene | None = state.trace_scene
        empty = scene is None or not scene.trace.hyperedges
        there = {
            "attention": scene is not None and scene.attention is not None,
            "logprobs": scene is not None and scene.trace.metadata.get("logprobs") is not None,
        }
        working = reports.get(methods_controller.LANE)
        made_by = None if state.table is None else state.table.attrs.get("method", "attention")
        for part in (self.bars.plot, self.under.plot):
            # What is still another method's is seen to be old.
            (part.remove_class if made_by in (None, state.method) else part.add_class)("ex-stale")
        said = "" if working is None else _under_way(working.message)
        self.methods.show(
            hidden=empty,
            method=state.method,
            compare=state.compare,
            methods=[[name, name, title, there.get(name, True)] for name, title in METHODS],
            said=said,
        )
        moving = reports.get(weights_controller.LANE) or reports.get(scores_controller.LANE)
        self.weights.show(
            hidden=empty,
            view=state.weight_view,
            strategy=state.update_strategy,
            strategies=[[name, name] for name in UPDATE_STRATEGIES],
            busy=moving is not None,
            said=self._weights_said() if moving is None else _under_way(moving.message),
        )

    def _weights_said(self) -> str:
        state, traces = self.state, self.session.traces.loaded
        if state.weight_view != "weights" or traces is None:
            return ""
        return of_what(state, len(traces))

    def _cancel_weights(self) -> None:
        for lane in (scores_controller.LANE, weights_controller.LANE):
            self.session.cancel(lane)

    def _clicked(self, drawn: _Drawn) -> None:
        unit, scene = drawn.clicked_unit(), self.state.trace_scene
        if unit is not None and scene is not None and unit in scene.unit_names():
            self._pick(unit)


def _under_way(message: str) -> str:
    return f"{message.rstrip(' .…')} …"


class _Drawn(WidePlot):
    """A plot whose units can be clicked."""

    def clicked_unit(self) -> str | None:
        """Return the unit that was clicked; None where it was something else."""
        clicked, figure = self.plot.clicked or {}, self.figure
        index, trace = clicked.get("index"), clicked.get("trace")
        if figure is None or not isinstance(index, int) or not isinstance(trace, int):
            return None
        units = figure["layout"]["meta"].get("units", ())
        about_entities = str(figure["data"][trace].get("name", "")).startswith("entity")
        return str(units[index]) if index < len(units) and not about_entities else None


def _weights_after(
    edges: Sequence[Hyperedge], feedback: Sequence[float], strategy: str
) -> list[float]:
    """The weight of each hyperedge after this trace: from the one it brings, or 1."""
    from explorer.rag._weights.update_order import update_order
    from explorer.rag._weights.weight_trajectory import follow_weights

    rows = [("", edge.id, signal) for edge, signal in zip(edges, feedback, strict=True)]
    start = {}
    for edge in edges:
        brought = edge.extra.get("dynamic_weight", edge.extra.get("weight"))
        if isinstance(brought, int | float) and not isinstance(brought, bool) and brought >= 0:
            start[edge.id] = float(brought)
    order, signals = update_order(rows, "id")
    moves = follow_weights(order, signals, {"strategy": strategy}, start=start)
    return [float(moves.final()[number]) for number in order.hyperedges]
