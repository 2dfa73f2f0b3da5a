"""A plot that is drawn from a whole figure again and again, and sends only what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from explorer.widgets._plot.plot import Plot


class IncrementalPlot:
    """Draws figures, as the dictionaries that `explorer.figures` makes, in one `Plot`."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self._figure: dict[str, Any] | None = None

    def draw(self, figure: dict[str, Any]) -> None:
        """Show this figure; where only arrays differ from the last one, send those alone."""
        before, self._figure = self._figure, figure
        changes = None if before is None else _changed_arrays(before, figure)
        if changes is None:
            self.plot.height = int(figure["layout"]["height"])
            self.plot.figure = figure
            return
        with self.plot.batch():
            for trace, arrays in changes.items():
                self.plot.restyle(trace, **arrays)
        self.plot.drawn = figure


class WidePlot:
    """A plot that is laid out anew when the page changes its width."""

    def __init__(self, name: str, again: Callable[[], None]) -> None:
        self.plot = Plot(name=name, height=160, pin_on_click=False)
        self.plot.layout.display = "none"
        self._figure: dict[str, Any] | None = None
        self._spec = IncrementalPlot(self.plot)
        self._again = again
        self._width = 0
        self.plot.observe(self._resized, "width")

    @property
    def figure(self) -> dict[str, Any] | None:
        """The figure as last drawn."""
        return self._figure

    def show(self, shown: bool) -> None:
        """Show the plot on the page, or hide it."""
        self.plot.layout.display = "" if shown else "none"

    def draw(self, figure: dict[str, Any]) -> None:
        """Show this figure."""
        self._width = self.plot.width
        self._figure = figure
        self._spec.draw(figure)

    def _resized(self, change: Mapping[str, Any]) -> None:
        if abs(change["new"] - self._width) > 24:
            self._again()


def _changed_arrays(
    before: dict[str, Any], after: dict[str, Any]
) -> dict[int, dict[str, Any]] | None:
    """Return what to change in each trace to get from one figure to the other.

    None if the figures differ in more than values of their traces.
    """
    layouts = [{k: v for k, v in f["layout"].items() if k != "meta"} for f in (before, after)]
    if not _same(*layouts) or len(before["data"]) != len(after["data"]):
        return None
    changes: dict[int, dict[str, Any]] = {}
    for number, (old, new) in enumerate(zip(before["data"], after["data"], strict=True)):
        if old.keys() != new.keys():
            return None
        changed: dict[str, Any] = {}
        for name in _differing(old, new):
            value = new[name]
            if not isinstance(value, dict):
                changed[name] = value
                continue
            was = old[name] if isinstance(old[name], dict) else {}
            missing = {inner: None for inner in value if inner not in was}
            for inner in _differing(missing | was, value):
                changed[f"{name}_{inner}"] = value[inner]
        if changed:
            changes[number] = changed
    return changes


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names whose values differ; all names of `new` must be in `old`."""
    names = []
    # Nearly all of a figure is as it was: it is compared without a call for each part.
    for name, value in new.items():
        was = old[name]
        if was is value:
            continue
        if isinstance(was, np.ndarray) and isinstance(value, np.ndarray):
            same = np.array_equal(was, value, equal_nan=was.dtype.kind == value.dtype.kind == "f")
        else:
            try:
                same = was == value or _same(was, value)
            except ValueError:  # an array is inside
                same = _same(was, value)
        if not same:
            names.append(name)
    return names


def _same(first: Any, second: Any) -> bool:
    """Return whether two parts of figures are equal, arrays by their values and NaN to NaN."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        one, two = np.asarray(first), np.asarray(second)
        numbers = one.dtype.kind == "f" and two.dtype.kind == "f"
        return np.array_equal(one, two, equal_nan=numbers)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and not _differing(first, second)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return bool(first == second)
