"""Feedback of the open trace: by one method as bars, or by several side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.figures._feedback.method_bars import methods_spec
from explorer.widgets._attention.bars_view import MOST_BARS, BarsView
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._base.panel import Panel
from explorer.widgets._jobs.progress_text import under_way
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces._feedback.clickable_plot import ClickablePlot
from explorer.widgets._traces._feedback.methods_controller import MethodsController
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 560
"""Width of the plot before the page has reported it."""


class MethodsPanel(Panel):
    """Chooses the method of feedback and draws its bars."""

    TAB = "traces"
    session: Session

    def __init__(self, state: ExplorerState, session: Session, pick: Callable[[str], None]) -> None:
        super().__init__(state, session)
        self.methods = self.part("methods", texts.PAGE_TEXTS["methods"])
        self.bars = BarsView(state, name=texts.PLOTS["bars"])
        self.bars.on_pick = pick
        self.comparison = ClickablePlot(texts.PLOTS["methods"], self._draw_comparison, pick)
        self.widgets = [self.methods, self.keep(self.bars.plot), self.keep(self.comparison.plot)]
        self.draw_on(self._draw_bars, *BarsView.DRAWN_BY, "comparison", "compare", "trace_scene")
        self.draw_on(self._draw_comparison, "comparison", "selection", "bar_order", "trace_scene")
        self.draw_on(self._show_methods, "method", "compare", "comparison", "table", "trace_scene")
        self.draw_on(self._show_methods, "reports", of=session.jobs)
        self.begin()

    @property
    def _labels(self) -> dict[str, bool | None]:
        scene: TraceScene | None = self.state.trace_scene
        return {} if scene is None else {e.id: e.label for e in scene.trace.hyperedges}

    @property
    def _comparing(self) -> bool:
        return bool(self.state.compare and self.state.comparison is not None)

    def _draw_bars(self) -> None:
        table = self.state.table
        shown = table is not None and not self._comparing
        self.bars.plot.layout.display = "" if shown else "none"
        if shown:
            self.bars.show(table, self._labels)

    def _draw_comparison(self) -> None:
        self.comparison.show(self._comparing)
        if not self._comparing:
            return
        from explorer.rag import agreement

        compared: pd.DataFrame = self.state.comparison
        self.comparison.draw(
            methods_spec(
                compared,
                agreement(compared),
                labels=self._labels,
                sort=self.state.bar_order,
                width=self.comparison.plot.width or _WIDTH,
                selected=selected_unit(self.state),
            )
        )

    def _about_bars(self) -> str:
        table = self.state.table
        if self._comparing:
            return texts.COMPARED_METHODS
        if table is None or len(table) <= MOST_BARS:
            return ""
        return texts.bars_shown(MOST_BARS, len(table))

    def _show_methods(self) -> None:
        state = self.state
        scene: TraceScene | None = state.trace_scene
        available = {
            "attention": scene is not None and scene.attention is not None,
            "logprobs": scene is not None and scene.trace.metadata.get("logprobs") is not None,
        }
        report = self.session.jobs.reports.get(MethodsController.JOB)
        made_by = None if state.table is None else state.table.attrs.get("method", "attention")
        # Bars of another method are dimmed until those of the chosen one are there.
        old = made_by not in (None, state.method)
        (self.bars.plot.add_class if old else self.bars.plot.remove_class)("ex-stale")
        self.methods.show(
            hidden=scene is None or not scene.trace.hyperedges,
            method=state.method,
            compare=state.compare,
            methods=[
                [name, name, title, available.get(name, True)]
                for name, title in texts.METHODS.items()
            ],
            message=self._about_bars() if report is None else under_way(report.message),
        )
