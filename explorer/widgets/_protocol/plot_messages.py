"""What travels between a plot and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypedDict

from explorer.widgets._protocol.gestures import Gesture

# From the kernel: the traits of a plot's channel. A buffer is bytes or a memory view.


class Cells(TypedDict):
    """A heatmap on a uniform grid: one byte a cell, and where the cells lie."""

    rows: int
    columns: int
    codes: Any
    zmin: float
    zmax: float
    x0: float
    dx: float
    y0: float
    dy: float


class AxisLabels(TypedDict, total=False):
    """Tokens along the axes; an axis without them keeps the labels that it has."""

    x: list[str] | None
    y: list[str] | None


class FigureMessage(TypedDict):
    """A whole figure, its arrays encoded."""

    serial: int
    data: list[dict[str, Any]]
    layout: dict[str, Any]


class HeatmapMessage(Cells):
    """Newer numbers of the first heatmap."""

    serial: int
    labels: AxisLabels


class ArrayChange(TypedDict):
    """One attribute of one trace that differs from the figure, and the change that made it so."""

    trace: int
    path: str
    serial: int
    value: Any


class ArraysMessage(TypedDict):
    """Every difference from the figure. A page that drew a serial needs only what is newer."""

    serial: int
    changes: list[ArrayChange]


class LineMarks(TypedDict):
    """The line that can be dragged."""

    value: float | None
    axis: Literal["x", "y"]
    name: str
    minimum: NotRequired[float | None]
    maximum: NotRequired[float | None]
    step: NotRequired[float | None]


class Zoom(TypedDict):
    """The window that was asked for, and which request that was."""

    n: int
    window: tuple[float, float, float, float] | None


class Marks(TypedDict):
    """Small things that are drawn over a figure, and how it is shown."""

    height: int
    name: str
    line: LineMarks
    row: int | None
    column: int | None
    columns: list[tuple[int, int]]
    pin: bool
    exact: bool
    zoom: Zoom


# From the page.


class Drawn(Gesture):
    """Everything up to a serial is drawn."""

    serial: int
    width: int


class Width(Gesture):
    """The plot has another width."""

    width: int


class PageError(Gesture):
    """Something went wrong on the page; an empty text: no more."""

    value: str


class MoveLine(Gesture):
    """The line is moved."""

    value: float


class PointAt(Gesture):
    """The pointer is on something, or clicks it; None: no more."""

    value: dict[str, Any] | None


class ZoomTo(Gesture):
    """Another window of the axes is in view; None: everything."""

    value: tuple[float, float, float, float] | None


class PinCell(Gesture):
    """A cell of the heatmap is pinned, row and column; None: no more."""

    value: tuple[int, int] | None


class AskExact(Gesture):
    """The true values of rows are wanted."""

    rows: list[int]


PLOT_GESTURES: Final[Mapping[str, type]] = {
    "drawn": Drawn,
    "width": Width,
    "error": PageError,
    "line": MoveLine,
    "hovered": PointAt,
    "clicked": PointAt,
    "zoom": ZoomTo,
    "pin": PinCell,
    "exact": AskExact,
}
"""What a plot reports, by kind."""

PLOT_TRAITS: Final[Mapping[str, type]] = {
    "figure": FigureMessage,
    "labels": AxisLabels,
    "heatmap": HeatmapMessage,
    "arrays": ArraysMessage,
    "marks": Marks,
}
"""What a plot is sent."""
