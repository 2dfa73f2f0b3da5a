"""What a heatmap shows: weights, the window in view, tokens and marks; and its cells as bytes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.figures import colours
from explorer.figures._style.pooling import pool_blocks
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._plot.encoding import quantise

LARGEST_SIDE = 512
"""Most cells along each side of a heatmap that is sent to the page."""

_WEIGHTS_AT_ONCE = 1 << 22
# Rows of so many cells stay in the cache of a processor while they are coloured.
_CELLS_AT_ONCE = 1 << 14

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

    @property
    def grid(self) -> CellGrid:
        """Where the cells lie on the axes, which count rows and columns."""
        r0, _, c0, _ = self.window
        rows, columns = self.block
        return CellGrid(c0 + (columns - 1) / 2, columns, r0 + (rows - 1) / 2, rows)


class CellGrid(NamedTuple):
    """Centre of the first cell, and size of a cell, along the axes of columns and rows."""

    x0: float
    dx: float
    y0: float
    dy: float


def end_of_colours(
    shown: NDArray[np.float32], picture: Picture, zoom: Sequence[float] | None
) -> float:
    """Return the largest weight in the part of a map that is in view, rounded up to two digits.

    Parameters
    ----------
    shown
        The cells of the picture.
    picture
        What they show.
    zoom
        The part in view as x0, x1, y0, y1 in columns and rows; None for all.
    """
    part = shown
    if zoom is not None:
        grid = picture.grid
        columns = sorted((place - grid.x0) / grid.dx for place in zoom[:2])
        rows = sorted((place - grid.y0) / grid.dy for place in zoom[2:])
        (top, bottom), (left, right) = (
            (max(0, math.floor(low + 0.5)), max(1, math.ceil(high + 0.5)))
            for low, high in (rows, columns)
        )
        part = shown[top:bottom, left:right]
    known = part[np.isfinite(part)]
    largest = float(known.max(initial=0.0))
    if not 0.0 < largest < 1.0:
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(largest)) - 1)
    return min(1.0, math.ceil(largest / unit - 1e-4) * unit)


def colour_codes(weights: NDArray[np.float32], scaling: str, end: float = 1.0) -> NDArray[np.uint8]:
    """Return weights as one byte a cell, some rows at a time: no second map of floats is made.

    `end` is the weight at the end of the colour scale.
    """
    codes = np.empty(weights.shape, dtype=np.uint8)
    last = float(colours.scaled(end, scaling)) or 1.0  # type: ignore[arg-type]
    step = max(1, _CELLS_AT_ONCE // max(1, weights.shape[1]))
    for at in range(0, len(weights), step):
        part = colours.scaled(weights[at : at + step], scaling)  # type: ignore[arg-type]
        codes[at : at + step] = quantise(part, 0.0, last)
    return codes
