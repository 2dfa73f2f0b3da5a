"""`Plot`: a plotly figure on the page that changes fast and never stops answering.

plotly's own `FigureWidget` sends arrays as text, loads its library once a figure and goes deaf when
that takes long. `Plot` shows the same figures with plotly.js loaded once a page, numbers as raw
buffers and heatmap cells painted straight from one byte each.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import InputError
from explorer.widgets._plot import encoding
from explorer.widgets._plot.array_changes import ArrayChanges
from explorer.widgets._plot.interactive_plot import ExactRows, InteractivePlot
from explorer.widgets._plot.latest_only_queue import LatestOnlyQueue

__all__ = ["Plot"]


class Plot(InteractivePlot):
    """A plotly figure shown by plotly.js, for JupyterLab, Notebook and Voila.

    Parameters
    ----------
    figure
        `plotly.graph_objects.Figure` to show first, or None for an empty plot.
    height
        Height on the page in CSS pixels; the width follows the room there is.
    name
        Accessible name: what a screen reader says, such as "attention of layer 3, head 1".
    on_exact
        Called with a list of row numbers when the pointer is on heatmap cells; returns the true
        values of those rows of the heatmap as last drawn, float32 (columns,). Without it the
        tooltip shows the value that the colour stands for, marked as approximate.

    Notes
    -----
    Heatmaps on a uniform grid are painted by cells of one byte (255 levels) on a canvas behind
    plotly's axes: see `restyle_heatmap`. Where several cells share a screen pixel the largest
    shows. Tokens are text: labels from `x_labels` and `y_labels`, given to `restyle_heatmap` or in
    `figure.layout.meta`, are shown letter by letter, also when they look like HTML.

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> plot = Plot(go.Figure(go.Heatmap(z=[[0.1, 0.9]], zmin=0, zmax=1)), name="attention")
    >>> plot.restyle_heatmap([[0.7, 0.3]])
    """

    def __init__(
        self,
        figure: Any = None,
        *,
        height: int = 360,
        name: str = "plot",
        on_exact: ExactRows | None = None,
        **kwargs: Any,
    ) -> None:
        self._outbox = LatestOnlyQueue(self._send_changes)
        self._figure: Any = None
        self.drawn: Any = None
        """The figure as it looks now: `IncrementalPlot` changes arrays without setting `figure`."""
        self._cells: dict[str, Any] | None = None
        self._cells_serial = 0
        self._labels: dict[str, list[str]] = {}
        self._arrays = ArrayChanges()
        super().__init__(height=height, name=name, on_exact=on_exact, **kwargs)
        if figure is not None:
            self.figure = figure

    # ---- what is drawn

    @property
    def figure(self) -> Any:
        """The figure as last set; setting it draws it anew. Fast changes do not alter it."""
        return self._figure

    @figure.setter
    def figure(self, figure: Any) -> None:
        encoded = encoding.encode_figure(figure)
        meta = encoded["layout"].get("meta")
        meta = meta if isinstance(meta, dict) else {}
        labels = {letter: meta.pop(f"{letter}_labels", None) for letter in "xy"}
        self._figure = self.drawn = figure
        self._arrays.clear()
        self._labels = {}
        self._cells = next((t["cells"] for t in encoded["data"] if "cells" in t), None)
        self._outbox.put(figure=encoded, labels=labels, heatmap=None, arrays=None)

    def restyle_heatmap(
        self,
        z: npt.ArrayLike,
        *,
        zmin: float | None = None,
        zmax: float | None = None,
        x0: float = 0.0,
        dx: float = 1.0,
        y0: float = 0.0,
        dy: float = 1.0,
        x_labels: Sequence[str] | None = None,
        y_labels: Sequence[str] | None = None,
    ) -> None:
        """Put other numbers into the figure's first heatmap: one byte a cell travels, no more.

        Parameters
        ----------
        z
            Array (queries, keys) of reals, or of uint8 codes as `encoding.quantise` makes them. The
            shape may differ from the one before, as for the window of a long map.
        zmin, zmax
            Ends of the colour scale; None keeps those before.
        x0, dx, y0, dy
            Centre of the first cell and size of a cell, in axis units (tokens).
        x_labels, y_labels
            Tokens at positions 0, 1, 2 ... of the axes, as plain text; None keeps those before.

        Raises
        ------
        InputError
            When the figure has no heatmap that can be painted cell by cell.
        ShapeError
            When `z` is not two-dimensional.
        """
        if self._cells is None:
            raise InputError(
                "This figure has no heatmap on a uniform grid to put numbers into. "
                "Set `figure` to one that has."
            )
        lowest = self._cells["zmin"] if zmin is None else zmin
        highest = self._cells["zmax"] if zmax is None else zmax
        codes = encoding.quantise(z, lowest, highest)
        heatmap: dict[str, Any] = encoding.cells(codes, lowest, highest, x0, dx, y0, dy)
        for letter, labels in (("x", x_labels), ("y", y_labels)):
            if labels is not None:
                self._labels[letter] = [str(label) for label in labels]
        heatmap["labels"] = dict(self._labels)
        self._cells = heatmap
        self._outbox.put(heatmap=heatmap)

    def restyle(self, trace: int = 0, /, **arrays: Any) -> None:
        """Change attributes of one trace, such as the lengths and colours of bars.

        Parameters
        ----------
        trace
            Number of the trace in the figure.
        **arrays
            Attributes by plotly's names with `_` or `__` for the dot: `x`, `text`,
            `marker_color`, `error_x__array`. Their lengths should fit together.

        Examples
        --------
        >>> import plotly.graph_objects as go
        >>> plot = Plot(go.Figure(go.Bar(x=[0.2, 0.4], y=["line 1", "line 2"], orientation="h")))
        >>> plot.restyle(x=[0.3, 0.1], marker_color=["#3b6fb6", "#bbbbbb"])
        """
        number_of_traces = len(self._channel_data())
        if not 0 <= trace < number_of_traces:
            raise InputError(
                f"There is no trace {trace}: the figure has {number_of_traces}, counted from 0."
            )
        for name, value in arrays.items():
            path = name.replace("__", ".") if "__" in name else name.replace("_", ".")
            encoded = encoding.encode(np.asarray(value) if _is_numbers(value) else value)
            self._arrays.put(trace, path, encoded)
        self._outbox.put(arrays=self._arrays)

    def batch(self) -> AbstractContextManager[None]:
        """Draw everything changed inside the `with` at once: a new figure and its first numbers.

        Examples
        --------
        >>> plot = Plot()
        >>> with plot.batch():
        ...     plot.figure = {"data": [{"type": "heatmap", "z": np.zeros((2, 2))}]}
        ...     plot.restyle_heatmap([[0.1, 0.9], [0.8, 0.2]], zmin=0, zmax=1)
        """
        return self._outbox.batch()

    # ---- to the page

    def _channel_data(self) -> list[Any]:
        figure = self._outbox.waiting("figure") or self._channel.figure or {}
        return figure.get("data", [])  # type: ignore[no-any-return]

    def _send_changes(self, serial: int, changes: dict[str, Any]) -> None:
        if changes.keys() & {"figure", "heatmap"}:
            self._cells_serial = serial
        # Equal labels are not sent again, so they carry no serial.
        labels = {"labels": changes.pop("labels")} if "labels" in changes else {}
        self._channel.post(
            **labels, **{name: _message(part, serial) for name, part in changes.items()}
        )

    def _note_drawn(self, serial: int) -> None:
        self._outbox.drawn(serial)

    def _exact_serial(self) -> int | None:
        # A newer heatmap that still waits is what `on_exact` knows about; the page asks again.
        newer = self._outbox.waiting("heatmap") or self._outbox.waiting("figure")
        return None if newer else self._cells_serial

    def close(self) -> None:
        """Take the plot off every page for good."""
        self._outbox.close()
        super().close()


def _message(part: Any, serial: int) -> dict[str, Any] | None:
    """Return a change as the page gets it."""
    if isinstance(part, ArrayChanges):
        return dict(part.message(serial))
    return None if part is None else part | {"serial": serial}


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        issubclass(kind, int | float | np.number) and kind is not bool
        for kind in set(map(type, value))
    )
