"""Feedback bars with a threshold line to drag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.feedback import FeedbackPolicy
from explorer.figures.bars import feedback_bars_spec
from explorer.widgets.plot import Plot
from explorer.widgets.scoring import selected_unit
from explorer.widgets.state import ExplorerState

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
        self._figure: dict[str, Any] | None = None
        self.plot.observe(self._dragged, "line")
        self.plot.observe(self._resized, "width")
        self.plot.observe(self._clicked, "clicked")

    def show(
        self, table: pd.DataFrame | None, labels: Mapping[str, bool | None] | None = None
    ) -> None:
        """Draw this table."""
        if table is None:
            return
        self._shown = (table, labels)
        self._drawn_width = self.plot.width
        shown = _largest(table)
        figure = feedback_bars_spec(
            shown,
            FeedbackPolicy(threshold=self.state.threshold),
            labels=None if labels is None else [labels.get(name) for name in shown["unit"]],
            sort=self.state.bar_order,  # type: ignore[arg-type]
            axis=self.state.threshold_scale,  # type: ignore[arg-type]
            width=self.plot.width or 700,
            threshold_line=False,
            selected=selected_unit(self.state),
        )
        self._draw(figure)
        low = 1e-4 if self.state.threshold_scale == "log" else 0.0
        self.plot.set_line(
            "x", max(low, self.state.threshold), minimum=low, maximum=1.0, name="threshold"
        )

    def _draw(self, figure: dict[str, Any]) -> None:
        before, self._figure = self._figure, figure
        self._units = list(figure["layout"]["meta"]["units"])
        changes = None if before is None else _changed_arrays(before, figure)
        if changes is not None:
            with self.plot.batch():
                for trace, arrays in changes.items():
                    self.plot.restyle(trace, **arrays)
            return
        self.plot.height = int(figure["layout"]["height"])
        self.plot.figure = figure

    def _resized(self, change: Mapping[str, Any]) -> None:
        # How much of a text fits is decided when the figure is made.
        if self._shown is not None and abs(change["new"] - self._drawn_width) > 24:
            self.show(*self._shown)

    def _dragged(self, change: Mapping[str, Any]) -> None:
        value = change["new"]
        if value is None or value == self.state.threshold:
            return
        if self.state.threshold_scale == "log" and value <= 1e-4 >= self.state.threshold:
            return
        self.state.threshold = min(1.0, max(0.0, float(value)))

    def _clicked(self, change: Mapping[str, Any]) -> None:
        clicked = change["new"]
        index = (clicked or {}).get("index")
        if isinstance(index, int) and 0 <= index < len(self._units):
            self.on_pick(self._units[index])


def _changed_arrays(
    before: dict[str, Any], after: dict[str, Any]
) -> dict[int, dict[str, Any]] | None:
    """What to change in each trace to get from one figure to the other; None for a new figure."""
    layouts = [{k: v for k, v in f["layout"].items() if k != "meta"} for f in (before, after)]
    if layouts[0] != layouts[1] or len(before["data"]) != len(after["data"]):
        return None
    changes: dict[int, dict[str, Any]] = {}
    for number, (old, new) in enumerate(zip(before["data"], after["data"], strict=True)):
        if old.keys() != new.keys():
            return None
        changed: dict[str, Any] = {}
        for name, value in new.items():
            if _same(old[name], value):
                continue
            if not isinstance(value, dict):
                changed[name] = value
                continue
            for inner, part in value.items():
                if not _same(old[name].get(inner), part):
                    changed[f"{name}_{inner}"] = part
        if changed:
            changes[number] = changed
    return changes


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return np.array_equal(first, second, equal_nan=True)
    return bool(first == second)


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    if len(table) <= MOST_BARS:
        return table
    kept = table["score"].fillna(-1.0).nlargest(MOST_BARS).index
    shown = table.loc[table.index.isin(kept)]
    shown.attrs = {
        **table.attrs,
        "reachable": tuple(
            limit
            for limit, keep in zip(table.attrs["reachable"], table.index.isin(kept), strict=True)
            if keep
        ),
    }
    return shown
