"""Feedback bars with a threshold line to drag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.bars_figure import BarsFigure, put_attribute
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._attention.threshold_line import threshold_line
from explorer.widgets._code.texts import SHORT_VERDICTS
from explorer.widgets._plot.plot import Plot
from explorer.widgets._state import ExplorerState

if TYPE_CHECKING:
    import pandas as pd

MOST_BARS = 40
"""More bars than this are too many to look at; the highest scores are shown."""


class BarsView:
    """Shows a feedback table as bars; the line is the threshold of the state."""

    DRAWN_BY = frozenset({"table", "threshold_scale", "bar_order", "selection"})

    def __init__(self, state: ExplorerState, name: str) -> None:
        self.state = state
        self.plot = Plot(name=name, height=120, pin_on_click=False, _dom_classes=("ex-bars",))
        self.widget = self.plot
        self.on_pick: Callable[[str], None] = lambda _name: None
        self._units: list[str] = []
        self._shown: tuple[pd.DataFrame, Mapping[str, bool | None] | None] | None = None
        self._drawn_width = 0
        self._key: tuple[object, ...] = ()
        self._figure: dict[str, Any] = {}
        self._drawn: dict[tuple[int, str], Any] = {}
        self._line = threshold_line(state, None)
        self.plot.observe(self._dragged, "line")
        self.plot.observe(self._resized, "width")
        self.plot.observe(self._clicked, "clicked")

    def show(
        self, table: pd.DataFrame | None, labels: Mapping[str, bool | None] | None = None
    ) -> None:
        """Draw this table; where the units stay, send only what differs from the last one."""
        if table is None:
            return
        self._shown = (table, labels)
        self._drawn_width = self.plot.width
        # What the table was made with: the chosen method's own may still be under way.
        self._line = threshold_line(self.state, table)
        threshold, name, scale = self._line
        bars = BarsFigure(
            table,
            labels,
            sort=self.state.bar_order,  # type: ignore[arg-type]
            axis=scale,  # type: ignore[arg-type]
            width=self.plot.width or 700,
            threshold_line=name is None,
            most=MOST_BARS,
            words=SHORT_VERDICTS if self.state.tab == "code" else None,
        )
        self._draw(bars, FeedbackPolicy(threshold=threshold), selected_unit(self.state))
        if name is None:
            self.plot.set_line("x", None)
            return
        low = 1e-4 if scale == "log" else 0.0
        self.plot.set_line("x", max(low, threshold), minimum=low, maximum=1.0, name="threshold")

    def _draw(self, bars: BarsFigure, policy: FeedbackPolicy, selected: str | None) -> None:
        before, self._drawn = self._drawn, bars.attributes(policy, selected)
        self._units = bars.rows.names
        # A threshold that is a shape is part of the figure.
        key = (*bars.key, None if self._line.name is not None else policy.threshold)
        if key != self._key:
            self._key = key
            self._figure = bars.spec(policy, selected)
            self.plot.height = int(self._figure["layout"]["height"])
            self.plot.figure = self._figure
            return
        self._figure["layout"]["meta"]["units"] = self._units
        with self.plot.batch():
            for (trace, attribute), values in self._drawn.items():
                if not _same(values, before[trace, attribute]):
                    put_attribute(self._figure["data"][trace], attribute, values)
                    self.plot.restyle(trace, **{attribute.replace(".", "_"): values})

    def _resized(self, change: Mapping[str, Any]) -> None:
        # How much of a text fits is decided when the figure is made.
        if self._shown is not None and abs(change["new"] - self._drawn_width) > 24:
            self.show(*self._shown)

    def _dragged(self, change: Mapping[str, Any]) -> None:
        value, name = change["new"], self._line.name
        if value is None or name is None:
            return
        threshold = getattr(self.state, name)
        if value == threshold:
            return
        if self._line.scale == "log" and value <= 1e-4 >= threshold:
            return
        setattr(self.state, name, min(1.0, max(0.0, float(value))))

    def _clicked(self, change: Mapping[str, Any]) -> None:
        clicked = change["new"]
        index = (clicked or {}).get("index")
        if isinstance(index, int) and 0 <= index < len(self._units):
            self.on_pick(self._units[index])


def _same(values: Any, others: Any) -> bool:
    if isinstance(values, np.ndarray):
        return np.array_equal(values, others)
    return bool(values == others)
