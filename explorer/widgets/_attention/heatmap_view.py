"""A heatmap that follows the focus: whole when short, by level of detail when long."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.figures import colours, heatmap
from explorer.figures._style.pooling import pool_blocks
from explorer.widgets._jobs.job_runner import Job, JobRunner
from explorer.widgets._plot.encoding import cells, quantise
from explorer.widgets._plot.plot import Plot
from explorer.widgets._state import ExplorerState

LARGEST_SIDE = 512
"""Most cells along each side of what is sent to the page."""

# About what a tenth of a second of softmax yields on two cores; more goes to a worker.
QUICK_WEIGHTS = 10_000_000
_WEIGHTS_AT_ONCE = 1 << 22
# Rows of so many cells stay in the cache of a processor while they are coloured.
_CELLS_AT_ONCE = 1 << 16

Boundaries = Sequence[tuple[int, int, str]]
Source = tuple[AttentionMap, int | None, int | None]
Window = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Picture:
    """What a heatmap shows.

    Parameters
    ----------
    source
        Attention map, layer and head.
    rows, columns
        Query rows and key columns, int (rows,) and (columns,).
    map_key
        Stays the same as long as rows and columns mean the same; the zoom is kept meanwhile.
    row_labels, column_labels
        Tokens of the rows and columns.
    boundaries, marked
        Named stretches, and selected ones, counted in the columns shown.
    titles
        Of the y axis and the x axis.
    window
        The part that is in view: first and last row, first and last column, half open.
    """

    source: Source
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    map_key: Hashable
    row_labels: Sequence[str]
    column_labels: Sequence[str]
    boundaries: Boundaries = ()
    marked: Sequence[tuple[int, int]] = ()
    titles: tuple[str, str] = ("query", "key")
    window: Window = (0, 0, 0, 0)

    @property
    def whole(self) -> Window:
        """The window that shows everything."""
        return (0, len(self.rows), 0, len(self.columns))

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns that share a cell."""
        r0, r1, c0, c1 = self.window
        return (
            max(1, math.ceil((r1 - r0) / LARGEST_SIDE)),
            max(1, math.ceil((c1 - c0) / LARGEST_SIDE)),
        )

    def same_weights(self, other: Picture) -> bool:
        """Whether another picture shows the same numbers."""
        return (self.source, self.map_key, self.window) == (
            other.source,
            other.map_key,
            other.window,
        )

    @property
    def cost(self) -> int:
        """Weights that have to be worked out: whole rows of every head that is averaged."""
        attention, layer, head = self.source
        heads = (attention.n_layers if layer is None else 1) * (
            attention.n_heads if head is None else 1
        )
        return heads * (self.window[1] - self.window[0]) * attention.n_keys

    def weights(self, job: Job | None = None) -> NDArray[np.float32]:
        """Weights of the window, max-pooled to at most LARGEST_SIDE cells a side."""
        attention, layer, head = self.source
        r0, r1, c0, c1 = self.window
        rows, columns, block = self.rows[r0:r1], self.columns[c0:c1], self.block
        step = max(1, _WEIGHTS_AT_ONCE // max(1, attention.n_keys) // block[0]) * block[0]
        pieces = []
        for at in range(0, len(rows), step):
            if job is not None:
                job.check()
                job.report("drawing the map", at / len(rows), None)
            part = attention.weights_view(layer, head, rows=rows[at : at + step], columns=columns)
            pieces.append(pool_blocks(part, *block))
        pooled: NDArray[np.float32] = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        return pooled


class HeatView:
    """Shows a picture; a zoom fetches its window at a finer level of detail.

    What takes long is worked out by a worker, and the old picture stays meanwhile.
    """

    def __init__(
        self,
        state: ExplorerState,
        runner: JobRunner,
        failed: Callable[[BaseException], None],
        *,
        name: str,
        height: int = 472,
    ) -> None:
        self.state = state
        self.runner = runner
        self.failed = failed
        self.plot = Plot(
            name=name,
            height=height,
            on_exact=self._exact,
            pin_on_click=False,
            _dom_classes=("ex-heat",),
        )
        self.on_pick: Callable[[int, int], None] = lambda _query, _key: None
        self._job = f"heat {id(self)}"
        self._picture: Picture | None = None
        self._coming: Picture | None = None
        self._figure_key: Hashable = None
        self._shown: NDArray[np.float32] = np.zeros((1, 1), dtype=np.float32)
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
        self.failed(error)

    def _draw(self, picture: Picture, shown: NDArray[np.float32]) -> None:
        before, self._picture = self._picture, picture
        key = (
            picture.map_key,
            self.state.colour_scale,
            self.state.scaling,
            self.plot.height,
        )
        new_figure, self._figure_key = key != self._figure_key, key
        moved = before is None or before.window != picture.window
        if not (new_figure or moved) and np.array_equal(shown, self._shown, equal_nan=True):
            return
        self._shown = shown
        codes = _colour_codes(shown, self.state.scaling)
        if not new_figure:
            x0, dx, y0, dy = _grid(picture)
            self.plot.restyle_heatmap(codes, zmin=0.0, zmax=1.0, x0=x0, dx=dx, y0=y0, dy=dy)
            return
        with self.plot.batch():
            self.plot.figure = self._figure(picture, codes)
            if before is None or before.map_key != picture.map_key:
                self.plot.zoom = None

    def _figure(self, picture: Picture, codes: NDArray[np.uint8]) -> Any:
        shape = (len(picture.row_labels), len(picture.column_labels))
        figure = heatmap(
            np.broadcast_to(np.float32(0), shape),
            picture.row_labels,
            picture.column_labels,
            colorscale=self.state.colour_scale or None,
            scaling=self.state.scaling,  # type: ignore[arg-type]
            zmax=1.0,
            boundaries=picture.boundaries,
            hover_tokens=False,
            height=self.plot.height,
            width=self.plot.width or 700,
        )
        # The colour range is the same for every head: equal colours are equal weights.
        drawn = figure.data[0].to_plotly_json()
        for name in ("z", "x0", "dx", "y0", "dy"):
            del drawn[name]
        drawn["cells"] = cells(codes, 0.0, 1.0, *_grid(picture))
        # The page keeps its zoom while this stays the same.
        figure.layout.uirevision = str(hash(picture.map_key))
        figure.layout.yaxis.title.text, figure.layout.xaxis.title.text = picture.titles
        return {"data": [drawn], "layout": figure.layout.to_plotly_json()}

    def _zoomed(self, change: Mapping[str, Any]) -> None:
        picture = self._picture
        if picture is None or max(len(picture.rows), len(picture.columns)) <= LARGEST_SIDE:
            return
        zoom = change["new"]
        window = picture.whole
        if zoom is not None:
            x0, x1, y0, y1 = zoom
            window = (*_cells(y0, y1, len(picture.rows)), *_cells(x0, x1, len(picture.columns)))
        if window != picture.window:
            self._fetch(replace(picture, window=window))

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


class _Grid(NamedTuple):
    """Centre of the first cell, and size of a cell, along the axes of rows and columns."""

    x0: float
    dx: float
    y0: float
    dy: float


def _grid(picture: Picture) -> _Grid:
    r0, _, c0, _ = picture.window
    rows, columns = picture.block
    return _Grid(c0 + (columns - 1) / 2, columns, r0 + (rows - 1) / 2, rows)


def _colour_codes(weights: NDArray[np.float32], scaling: str) -> NDArray[np.uint8]:
    """Return weights as one byte a cell, some rows at a time: no second map of floats is made."""
    codes = np.empty(weights.shape, dtype=np.uint8)
    step = max(1, _CELLS_AT_ONCE // max(1, weights.shape[1]))
    for at in range(0, len(weights), step):
        part = colours.scaled(weights[at : at + step], scaling)  # type: ignore[arg-type]
        codes[at : at + step] = quantise(part, 0.0, 1.0)
    return codes


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
