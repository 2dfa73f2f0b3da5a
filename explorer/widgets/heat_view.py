"""A heatmap that follows the focus: whole when short, by level of detail when long."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.figures import colours, heatmap
from explorer.widgets.buffers import max_pool
from explorer.widgets.plot import Plot
from explorer.widgets.state import ExplorerState

LARGEST_SIDE = 512
"""Most cells along each side of what is sent to the page."""

_WEIGHTS_AT_ONCE = 1 << 24

Boundaries = Sequence[tuple[int, int, str]]


class HeatView:
    """Shows a window of a map; a zoom fetches the window at a finer level of detail."""

    def __init__(self, state: ExplorerState, name: str, height: int = 472) -> None:
        self.state = state
        self.plot = Plot(
            name=name,
            height=height,
            on_exact=self._exact,
            pin_on_click=False,
            _dom_classes=("ex-heat",),
        )
        self.widget = self.plot
        self.on_pick: Callable[[int, int], None] = lambda _query, _key: None
        self._key: Hashable = None
        self._map: Hashable = None
        self._rows = self._columns = np.arange(0)
        self._source: tuple[AttentionMap, int | None, int | None] | None = None
        self._window = (0, 0, 0, 0)
        self._block = (1, 1)
        self._shown: NDArray[np.float32] = np.zeros((1, 1), dtype=np.float32)
        self.plot.observe(self._zoomed, "zoom")
        self.plot.observe(self._clicked, "clicked")

    def show(
        self,
        source: tuple[AttentionMap, int | None, int | None],
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        *,
        key: Hashable,
        row_labels: Sequence[str],
        column_labels: Sequence[str],
        pinned: tuple[int | None, int | None] = (None, None),
        boundaries: Boundaries = (),
        marked: Sequence[tuple[int, int]] = (),
        titles: tuple[str, str] = ("query", "key"),
    ) -> None:
        """Draw rows x columns of a map. The axes are only rebuilt when `key` changes.

        `boundaries` and `marked` count the columns shown.
        """
        same_map = key == self._map
        self._map = key
        key = (key, self.state.colour_scale, self.state.scaling, tuple(marked))
        whole_new = key != self._key
        self._source = source
        self._rows, self._columns = rows, columns
        if whole_new:
            self._key = key
            if not same_map:
                self._window = (0, len(rows), 0, len(columns))
        shown = self._weights()
        if whole_new or not np.array_equal(shown, self._shown, equal_nan=True):
            self._shown = shown
            with self.plot.batch():
                if whole_new:
                    self.plot.figure = self._figure(
                        row_labels, column_labels, boundaries, marked, titles
                    )
                    if not same_map:
                        self.plot.zoom = None
                self._send()
        self.plot.selected_row = _place(rows, pinned[0])
        self.plot.selected_column = _place(columns, pinned[1])

    def _figure(
        self,
        row_labels: Sequence[str],
        column_labels: Sequence[str],
        boundaries: Boundaries,
        marked: Sequence[tuple[int, int]],
        titles: tuple[str, str],
    ) -> Any:
        figure = heatmap(
            np.zeros((len(row_labels), len(column_labels)), dtype=np.float32),
            row_labels,
            column_labels,
            colorscale=self.state.colour_scale or None,
            scaling=self.state.scaling,  # type: ignore[arg-type]
            zmax=1.0,
            boundaries=boundaries,
            marked=marked,
            hover_tokens=False,
            height=self.plot.height,
            width=self.plot.width or 700,
        )
        # The page keeps its zoom while this stays the same.
        figure.layout.uirevision = str(hash(self._map))
        figure.layout.yaxis.title.text, figure.layout.xaxis.title.text = titles
        return figure

    def _send(self) -> None:
        first_row, _, first_column, _ = self._window
        rows, columns = self._block
        # The colour range is the same for every head: equal colours are equal weights.
        self.plot.restyle_heatmap(
            colours.scaled(self._shown, self.state.scaling),  # type: ignore[arg-type]
            zmin=0.0,
            zmax=1.0,
            x0=first_column + (columns - 1) / 2,
            dx=columns,
            y0=first_row + (rows - 1) / 2,
            dy=rows,
        )

    def _weights(self) -> NDArray[np.float32]:
        """Weights of the window, max-pooled to at most LARGEST_SIDE cells a side."""
        if self._source is None:
            return np.zeros((1, 1), dtype=np.float32)
        attention, layer, head = self._source
        r0, r1, c0, c1 = self._window
        rows, columns = self._rows[r0:r1], self._columns[c0:c1]
        self._block = block = (
            max(1, math.ceil(len(rows) / LARGEST_SIDE)),
            max(1, math.ceil(len(columns) / LARGEST_SIDE)),
        )
        per_turn = max(1, _WEIGHTS_AT_ONCE // max(1, len(columns)) // block[0]) * block[0]
        pieces = [
            max_pool(
                attention.weights(layer, head, rows=rows[at : at + per_turn], columns=columns),
                *block,
            )
            for at in range(0, len(rows), per_turn)
        ]
        pooled: NDArray[np.float32] = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        return pooled

    def _zoomed(self, change: Mapping[str, Any]) -> None:
        if max(len(self._rows), len(self._columns)) <= LARGEST_SIDE or self._source is None:
            return
        zoom = change["new"]
        if zoom is None:
            window = (0, len(self._rows), 0, len(self._columns))
        else:
            x0, x1, y0, y1 = zoom
            window = (*_cells(y0, y1, len(self._rows)), *_cells(x0, x1, len(self._columns)))
        if window != self._window:
            self._window = window
            self._shown = self._weights()
            self._send()

    def _clicked(self, change: Mapping[str, Any]) -> None:
        clicked = change["new"]
        if not clicked or "row" not in clicked:
            return
        row = self._window[0] + int(clicked["row"]) * self._block[0]
        column = self._window[2] + int(clicked["column"]) * self._block[1]
        if 0 <= row < len(self._rows) and 0 <= column < len(self._columns):
            self.on_pick(int(self._rows[row]), int(self._columns[column]))

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
