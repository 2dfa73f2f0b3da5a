"""Under the bars: the entities of the open trace, or the weights over all traces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from explorer.figures._graph.entity_graph import entities_figure_spec
from explorer.traces import Hyperedge
from explorer.widgets._attention.bars_view import MOST_BARS
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._base.panel import Panel
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._jobs.progress_text import under_way
from explorer.widgets._session import Session
from explorer.widgets._state import UPDATE_STRATEGIES, ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces._feedback.clickable_plot import ClickablePlot
from explorer.widgets._traces._feedback.scores_controller import ScoresController
from explorer.widgets._traces._feedback.weights_controller import WeightsController
from explorer.widgets._traces._feedback.weights_view import weights_sentence, weights_spec
from explorer.widgets._traces.scene import TraceScene

_WIDTH = 560
"""Width of the plot before the page has reported it."""
_ENTITIES_HEIGHT = 380


class WeightsPanel(Panel):
    """Draws the entities of the open trace, or how weights change over all traces."""

    TAB = "traces"
    session: Session

    def __init__(self, state: ExplorerState, session: Session, pick: Callable[[str], None]) -> None:
        super().__init__(state, session)
        self.weights = self.part(
            "weights",
            texts.PAGE_TEXTS["weights"],
            {"cancel": lambda _: self._cancel(), "rise": lambda _: self._let_rise()},
        )
        self.plot = ClickablePlot(texts.PLOTS["entities"], self._draw, pick)
        self.widgets = [self.weights, self.keep(self.plot.plot)]
        self.draw_on(
            self._draw_entities, "weight_view", "trace_scene", "selection", "update_strategy",
            "weights_can_rise",
        )  # fmt: skip
        # Entities are slow to place: they follow a drag, once for many moves.
        self._later = Debouncer(self._draw_later)
        self.draw_on(self._later.ask, "table")
        self.draw_on(self._draw_weights, "weight_view", "trajectory", "trace_scene", "selection")
        self.draw_on(
            self._show_choices,
            "weight_view", "update_strategy", "weights_can_rise", "method", "table", "trace_scene",
            "trajectory",
        )  # fmt: skip
        self.draw_on(self._show_choices, "reports", of=session.jobs)
        self.begin()

    def close(self) -> None:
        """Take the panel off every page."""
        self._later.close()
        super().close()

    @property
    def _scene(self) -> TraceScene | None:
        """The open trace; None if it has no hyperedges to draw."""
        scene: TraceScene | None = self.state.trace_scene
        return scene if scene is not None and scene.trace.hyperedges else None

    def _draw(self) -> None:
        self._draw_entities()
        self._draw_weights()

    def _draw_later(self) -> None:
        if self.in_front:
            self._draw_entities()

    def _draw_entities(self) -> None:
        if self.state.weight_view == "entities":
            scene = self._scene
            self._show(None if scene is None else self._entities(scene))

    def _draw_weights(self) -> None:
        if self.state.weight_view == "weights":
            width = self.plot.plot.width or _WIDTH
            self._show(None if self._scene is None else weights_spec(self.state, width))

    def _show(self, figure: dict[str, Any] | None) -> None:
        self.plot.show(figure is not None)
        if figure is not None:
            self.plot.draw(figure)

    def _entities(self, scene: TraceScene) -> dict[str, Any]:
        from explorer.rag import with_entities

        edges, table = scene.trace.hyperedges, self.state.table
        feedback, verdicts = [float("nan")] * len(edges), ["unknown"] * len(edges)
        scores = [-1.0] * len(edges)
        if table is not None and table["unit"].tolist() == [edge.id for edge in edges]:
            feedback, verdicts = table["feedback"].tolist(), table["verdict"].tolist()
            scores = table["score"].fillna(-1.0).tolist()
        if len(edges) > MOST_BARS:
            # Those that the bars show: more cannot be told apart.
            kept = sorted(np.argsort(np.negative(scores), kind="stable")[:MOST_BARS].tolist())
            edges = [edges[place] for place in kept]
            feedback = [feedback[place] for place in kept]
            verdicts = [verdicts[place] for place in kept]
        return entities_figure_spec(
            with_entities(edges),
            feedback,
            _weights_after(edges, feedback, self.state.weight_settings),
            verdicts=verdicts,
            selected=selected_unit(self.state),
            width=self.plot.plot.width or _WIDTH,
            height=_ENTITIES_HEIGHT,
        )

    def _show_choices(self) -> None:
        state, reports = self.state, self.session.jobs.reports
        report = reports.get(WeightsController.JOB) or reports.get(ScoresController.JOB)
        made_by = None if state.table is None else state.table.attrs.get("method", "attention")
        old = made_by not in (None, state.method)
        (self.plot.plot.add_class if old else self.plot.plot.remove_class)("ex-stale")
        traces = self.session.traces.loaded
        if report is not None:
            message = under_way(report.message)
        elif state.weight_view == "weights" and traces is not None:
            message = weights_sentence(state, len(traces))
        elif self._has_guessed_entities:
            message = texts.GUESSED_ENTITIES
        else:
            message = ""
        self.weights.show(
            rise=texts.weights_rise(can_rise=state.weights_can_rise, strategy=state.update_strategy)
            if state.weight_view == "weights"
            else None,
            hidden=self._scene is None,
            view=state.weight_view,
            strategy=state.update_strategy,
            strategies=[[name, name] for name in UPDATE_STRATEGIES],
            busy=report is not None,
            message=message,
        )

    @property
    def _has_guessed_entities(self) -> bool:
        """Whether entities in view were found in texts, since the file names none."""
        scene = self._scene
        edges = [] if scene is None else scene.trace.hyperedges
        return self.state.weight_view == "entities" and any(not edge.entities for edge in edges)

    def _let_rise(self) -> None:
        with self.state.batch():
            can_rise = not self.state.weights_can_rise
            self.state.weights_can_rise = can_rise
            self.state.update_strategy = "additive" if can_rise else "ema"

    def _cancel(self) -> None:
        for job in (ScoresController.JOB, WeightsController.JOB):
            self.session.cancel(job)


def _weights_after(
    edges: Sequence[Hyperedge], feedback: Sequence[float], settings: Mapping[str, Any]
) -> list[float]:
    """Return the weight of each hyperedge after this trace, from its own weight or from 1."""
    from explorer.rag._weights.update_order import update_order
    from explorer.rag._weights.weight_trajectory import follow_weights

    rows = [("", edge.id, signal) for edge, signal in zip(edges, feedback, strict=True)]
    start = {}
    for edge in edges:
        brought = edge.extra.get("dynamic_weight", edge.extra.get("weight"))
        if isinstance(brought, int | float) and not isinstance(brought, bool) and brought >= 0:
            start[edge.id] = float(brought)
    order, signals = update_order(rows, "id")
    moves = follow_weights(order, signals, settings, start=start)
    return [float(moves.final()[number]) for number in order.hyperedges]
