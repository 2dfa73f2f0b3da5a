"""A heatmap that follows the focus: whole when short, by level of detail when long."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures import heatmap
from explorer.widgets._attention.heatmap_picture import (
    LARGEST_SIDE,
    Picture,
    colour_codes,
    end_of_colours,
)
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._plot.encoding import cells
from explorer.widgets._plot.plot import Plot
from explorer.widgets._state import ExplorerState

# About what a tenth of a second of softmax yields on two cores; more goes to a worker.
QUICK_WEIGHTS = 10_000_000

# Cells stand for the numbers, and answer the pointer themselves.
_NOT_SENT = ("z", "x0", "dx", "y0", "dy", "hovertemplate", "hoverongaps")
# The page thins the labels of an axis, and paints it in the colours of its theme.
_SET_BY_THE_PAGE = (
    "tickmode", "tickvals", "ticktext", "color", "gridcolor", "linecolor", "tickcolor",
)  # fmt: skip


class HeatView:
    """Shows a picture; a zoom fetches its window at a finer level of detail.

    What takes long is worked out by a worker, and the old picture stays meanwhile.
    """

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        *,
        name: str,
        height: int = 472,
    ) -> None:
        self.state = state
        self.jobs = jobs
        self.runner = jobs.runner
        self.plot = Plot(
            name=name,
            height=height,
            on_exact=self._exact,
            pin_on_click=False,
            _dom_classes=("ex-heat",),
        )
        self.on_pick: Callable[[int, int], None] = lambda _query, _key: None
        self._job = f"heatmap {id(self)}"
        self._picture: Picture | None = None
        self._coming: Picture | None = None
        self._figure_key: Hashable = None
        self._shown: NDArray[np.float32] = np.zeros((1, 1), dtype=np.float32)
        self._codes: NDArray[np.uint8] = np.zeros((1, 1), dtype=np.uint8)
        self.plot.observe(self._zoomed, "zoom")
        self.plot.observe(self._clicked, "clicked")

    def show(self, picture: Picture, pinned: tuple[int | None, int | None] = (None, None)) -> None:
        """Draw a picture, with the row and column of these tokens pinned."""
        before = self._picture
        same_map = before is not None and before.map_key == picture.map_key
        window = before.window if before is not None and same_map else picture.whole
        self._fetch(replace(picture, window=window))
        row, column = _place(picture.rows, pinned[0]), _place(picture.columns, pinned[1])
        self.plot.mark(row, column, picture.marked)

    def _fetch(self, picture: Picture) -> None:
        coming = self._coming if self.runner.running(self._job) else None
        if coming is not None and picture.same_weights(coming):
            self._coming = picture  # only marks differ from what is being worked out
            return
        self.runner.cancel(self._job)
        self._coming = None
        if self._picture is not None and picture.same_weights(self._picture):
            self._draw(picture, self._shown)
        elif picture.cost <= QUICK_WEIGHTS:
            self._draw(picture, picture.weights())
        else:
            self._coming = picture
            self.runner.start(
                self._job,
                picture.weights,
                done=self._arrived,
                failed=self._failed,
                message="drawing the map",
            )

    def _arrived(self, shown: NDArray[np.float32]) -> None:
        picture, self._coming = self._coming, None
        if picture is not None:
            self._draw(picture, shown)

    def _failed(self, error: BaseException) -> None:
        self._coming = None
        self.jobs.tell(error)

    def _draw(self, picture: Picture, shown: NDArray[np.float32]) -> None:
        before, self._picture = self._picture, picture
        end = 1.0
        if self.state.colour_range == "window":
            end = end_of_colours(shown, picture, self.plot.zoom)
        key = (
            end,
            picture.map_key,
            self.state.colour_scale,
            self.state.scaling,
            self.plot.height,
        )
        new_figure, self._figure_key = key != self._figure_key, key
        moved = before is None or before.window != picture.window
        if not (new_figure or moved) and shown is self._shown:
            return  # only marks differ
        codes, last = colour_codes(shown, self.state.scaling, end), self._codes
        same = not (new_figure or moved) and np.array_equal(codes, last)
        # Floats only where it matters: those that may be NaN are compared through copies.
        if same and np.array_equal(shown, self._shown, equal_nan=True):
            return
        self._shown, self._codes = shown, codes
        if not new_figure:
            x0, dx, y0, dy = picture.grid
            self.plot.restyle_heatmap(codes, zmin=0.0, zmax=1.0, x0=x0, dx=dx, y0=y0, dy=dy)
            return
        with self.plot.batch():
            self.plot.figure = self._figure(picture, codes, end)
            if before is None or before.map_key != picture.map_key:
                self.plot.zoom = None

    def _figure(self, picture: Picture, codes: NDArray[np.uint8], end: float) -> Any:
        shape = (len(picture.row_labels), len(picture.column_labels))
        figure = heatmap(
            np.broadcast_to(np.float32(0), shape),
            picture.row_labels,
            picture.column_labels,
            colorscale=self.state.colour_scale or None,
            scaling=self.state.scaling,  # type: ignore[arg-type]
            zmax=end,
            boundaries=picture.boundaries,
            hover_tokens=False,
            height=self.plot.height,
            width=self.plot.width or 700,
        )
        # With the end at 1, equal colours are equal weights in every head.
        drawn = figure.data[0].to_plotly_json()
        for name in _NOT_SENT:
            drawn.pop(name, None)
        drawn["cells"] = cells(codes, 0.0, 1.0, *picture.grid)
        # The page keeps its zoom while this stays the same.
        figure.layout.uirevision = str(hash(picture.map_key))
        figure.layout.yaxis.title.text, figure.layout.xaxis.title.text = picture.titles
        layout = figure.layout.to_plotly_json()
        for axis in (layout["xaxis"], layout["yaxis"]):
            for name in _SET_BY_THE_PAGE:
                axis.pop(name, None)
        del layout["hoverlabel"]
        return {"data": [drawn], "layout": layout}

    def _zoomed(self, change: Mapping[str, Any]) -> None:
        picture = self._picture
        if picture is None:
            return
        if max(len(picture.rows), len(picture.columns)) <= LARGEST_SIDE:
            if self.state.colour_range == "window":
                self._draw(picture, self._shown)
            return
        zoom = change["new"]
        window = picture.whole
        if zoom is not None:
            x0, x1, y0, y1 = zoom
            window = (*_cells(y0, y1, len(picture.rows)), *_cells(x0, x1, len(picture.columns)))
        if window != picture.window:
            self._fetch(replace(picture, window=window))

    def row_at(self, y: float) -> int | None:
        """Return the token of the row at this place of the axis; None without a picture."""
        if self._picture is None:
            return None
        rows = self._picture.rows
        return int(rows[min(len(rows) - 1, max(0, math.ceil(y)))])

    def _clicked(self, change: Mapping[str, Any]) -> None:
        clicked, picture = change["new"], self._picture
        if not clicked or "row" not in clicked or picture is None:
            return
        row = picture.window[0] + int(clicked["row"]) * picture.block[0]
        column = picture.window[2] + int(clicked["column"]) * picture.block[1]
        if 0 <= row < len(picture.rows) and 0 <= column < len(picture.columns):
            self.on_pick(int(picture.rows[row]), int(picture.columns[column]))

    def _exact(self, rows: list[int]) -> dict[int, NDArray[np.float32]]:
        return {row: self._shown[row] for row in rows if 0 <= row < len(self._shown)}


def _cells(start: float, stop: float, count: int) -> tuple[int, int]:
    low, high = sorted((start, stop))
    first = min(max(0, math.floor(low + 0.5)), count - 1)
    return first, max(first + 1, min(count, math.ceil(high + 0.5)))


def _place(positions: NDArray[np.intp], token: int | None) -> int | None:
    """Return where a token stands in the picture; None when it is hidden or nothing is pinned."""
    if token is None:
        return None
    found = np.flatnonzero(positions == token)
    return int(found[0]) if found.size else None
