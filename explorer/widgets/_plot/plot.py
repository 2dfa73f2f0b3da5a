"""`Plot`: a plotly figure on the page that changes fast and never stops answering.

plotly's own `FigureWidget` sends arrays as text, loads its library once a figure and goes deaf when
that takes long. `Plot` shows the same figures with plotly.js loaded once a page, numbers as raw
buffers and heatmap cells painted straight from one byte each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Literal

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from explorer.errors import InputError
from explorer.widgets._plot import encoding
from explorer.widgets._plot.array_changes import ArrayChanges
from explorer.widgets._plot.latest_only_queue import LatestOnlyQueue
from explorer.widgets._plot.page_channel import Channel, Library, asset
from explorer.widgets._plot.texts import PLOT
from explorer.widgets._protocol.gestures import checked_kind
from explorer.widgets._protocol.plot_messages import PLOT_GESTURES

__all__ = ["Plot"]

ExactRows = Callable[[list[int]], Mapping[int, npt.ArrayLike]]

# What the page reports under these names is set as it is.
_REPORTED: Final = frozenset({"hovered", "clicked"})


class Plot(anywidget.AnyWidget):
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

    # Texts, never paths: anywidget would watch the files and keep every instance alive.
    _esm = asset("widget.js")
    _css = asset("plot.css")

    part = traitlets.Unicode("plot", read_only=True).tag(sync=True)
    """What the widget shows (for the page)."""

    channel_id = traitlets.Unicode(read_only=True).tag(sync=True)
    """Model id of the channel that carries the figure (for the page)."""

    library_id = traitlets.Unicode(read_only=True).tag(sync=True)
    """Model id of the shared drawing library (for the page)."""

    height = traitlets.Int(360, min=40)
    """Height in CSS pixels. Default 360."""

    width = traitlets.Int(0, read_only=True)
    """Width in CSS pixels as last drawn; 0 before that."""

    name = traitlets.Unicode("plot")
    """Accessible name. Default "plot"."""

    line = traitlets.Float(None, allow_none=True)
    """Value of the draggable line, or None without one; follows the hand. See `set_line`."""

    clicked = traitlets.Dict(None, allow_none=True, read_only=True)
    """The last click: `trace`, `x` and `y` on the axes, and a running number `n`, so that clicking
    the same place twice is noticed twice. On a heatmap also `row` and `column` of the array as last
    drawn (`x` is `x0 + column * dx`) and the approximate `value`; otherwise the point's `index`."""

    hovered = traitlets.Dict(None, allow_none=True, read_only=True)
    """What the pointer is on, in the words of `clicked`, or None."""

    zoom: Any = traitlets.Tuple(None, allow_none=True)
    """Visible window `(x0, x1, y0, y1)` of the first axes after a zoom, None for all of it."""

    selected_row = traitlets.Int(None, allow_none=True)
    """Pinned position on the y axis (a token, also where the map is pooled), or None."""

    selected_column = traitlets.Int(None, allow_none=True)
    """Pinned position on the x axis, or None."""

    marked_columns: Any = traitlets.List()
    """Stretches of positions on the x axis that are framed: `(start, stop)`, half open. Default
    none."""

    pin_on_click = traitlets.Bool(True)
    """Whether a click on a heatmap cell pins it, and a second one lets it go. Default True."""

    ready = traitlets.Int(0, read_only=True)
    """Number of updates that a page has drawn so far."""

    error = traitlets.Unicode("", read_only=True)
    """What went wrong on the page, as shown there, or an empty text."""

    def __init__(
        self,
        figure: Any = None,
        *,
        height: int = 360,
        name: str = "plot",
        on_exact: ExactRows | None = None,
        **kwargs: Any,
    ) -> None:
        # Both before the widget itself: a page learns of models in the order they are made.
        library, self._channel = Library.shared(), Channel(texts=PLOT)
        self._outbox = LatestOnlyQueue(self._send_changes)
        self._figure: Any = None
        self.drawn: Any = None
        """The figure as it looks now: `IncrementalPlot` changes arrays without setting `figure`."""
        self._cells: dict[str, Any] | None = None
        self._cells_serial = 0
        self._labels: dict[str, list[str]] = {}
        self._arrays = ArrayChanges()
        self._line_options: dict[str, Any] = {"axis": "x", "name": "threshold"}
        self._on_exact = on_exact
        self._from_page = False
        self._zoom_request = 0
        # Part of the first message: this model may be deaf to a second one (see `channel`).
        self.set_trait("channel_id", self._channel.model_id)
        self.set_trait("library_id", library.model_id)
        super().__init__(height=height, name=name, **kwargs)
        self._channel.on_msg(self._receive)
        self.observe(
            self._post_marks,
            [
                "height",
                "name",
                "line",
                "selected_row",
                "selected_column",
                "marked_columns",
                "pin_on_click",
            ],
        )
        self.observe(self._ask_for_zoom, "zoom")
        self._post_marks()
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

    # ---- the line

    def set_line(
        self,
        axis: Literal["x", "y"],
        value: float | None,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
        step: float | None = None,
        name: str = "threshold",
    ) -> None:
        """Show a line across the plot that can be dragged, touched and moved by arrow keys.

        Parameters
        ----------
        axis
            The axis that `value` is read on: "x" for an upright line, "y" for a level one.
        value
            Where it stands, in axis units also on a log axis; None takes the line away.
        minimum, maximum
            How far it can be moved; None for the ends of the axis.
        step
            How far an arrow key moves it; None for a hundredth of the axis (on a log axis: of its
            decades).
        name
            What a screen reader calls it.

        Raises
        ------
        InputError
            When `axis` is neither "x" nor "y".
        """
        if axis not in ("x", "y"):
            raise InputError(f'A line stands on the axis "x" or "y"; got {axis!r}.')
        self._line_options = {
            "axis": axis, "minimum": minimum, "maximum": maximum, "step": step, "name": name
        }  # fmt: skip
        if self.line == value:
            self._post_marks()
        else:
            self.line = value

    def mark(
        self,
        row: int | None = None,
        column: int | None = None,
        columns: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Pin a row and a column, and frame stretches of columns, with one small message.

        Parameters
        ----------
        row, column
            Positions on the y and the x axis; None for no pin.
        columns
            Stretches of positions on the x axis, half open.
        """
        with self._channel.hold_sync():
            self.selected_row, self.selected_column = row, column
            self.marked_columns = list(columns)

    # ---- exact values

    @property
    def on_exact(self) -> ExactRows | None:
        """The function that returns true values for tooltips: rows -> {row: float32 (keys,)}."""
        return self._on_exact

    @on_exact.setter
    def on_exact(self, function: ExactRows | None) -> None:
        self._on_exact = function
        self._post_marks()

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

    def _post_marks(self, change: Any = None) -> None:
        self._channel.marks = {
            "height": self.height,
            "name": self.name,
            "line": {"value": self.line, **self._line_options},
            "row": self.selected_row,
            "column": self.selected_column,
            "columns": [[start, stop] for start, stop in self.marked_columns],
            "pin": self.pin_on_click,
            "exact": self._on_exact is not None,
            "zoom": {"n": self._zoom_request, "window": self.zoom},
        }

    def _ask_for_zoom(self, change: Any) -> None:
        if not self._from_page:
            self._zoom_request += 1
            self._post_marks()

    # ---- from the page

    def _receive(self, _: Any, content: dict[str, Any], __: Any) -> None:
        value = content.get("value")
        self._from_page = True
        try:
            kind = checked_kind(PLOT_GESTURES, "a plot", content)
            if kind == "drawn":
                self.set_trait("ready", self.ready + 1)
                self.set_trait("width", content["width"])
                self._outbox.drawn(content["serial"])
            elif kind == "width":
                self.set_trait("width", content["width"])
            elif kind in _REPORTED:
                self.set_trait(kind, value)
            elif kind == "line":
                self.line = float(content["value"])
            elif kind == "zoom":
                self.zoom = None if value is None else tuple(float(v) for v in value)
            elif kind == "pin":
                with self.hold_trait_notifications():
                    self.selected_row, self.selected_column = value or (None, None)
            elif kind == "error":
                self.set_trait("error", content["value"])
            elif kind == "exact":
                self._answer_exact(content["rows"])
        except InputError as error:
            self.set_trait("error", str(error))
        finally:
            self._from_page = False
            if "ack" in content:
                self._channel.send({"kind": "acknowledged", "ack": content["ack"]})

    def _answer_exact(self, rows: list[int]) -> None:
        # A newer heatmap that still waits is what `on_exact` knows about; the page asks again.
        newer = self._outbox.waiting("heatmap") or self._outbox.waiting("figure")
        if self._on_exact is None or newer:
            return
        try:
            found = self._on_exact(rows)
        except Exception as error:  # noqa: BLE001 - the page must hear of it, whatever it is
            self.set_trait("error", f"The true values could not be read: {error}")
            return
        rows = [row for row in rows if row in found]
        self._channel.send(
            {"kind": "exact", "rows": rows, "serial": self._cells_serial},
            buffers=[np.asarray(found[row], dtype="<f4").tobytes() for row in rows],
        )

    def close(self) -> None:
        """Take the plot off every page for good."""
        self._outbox.close()
        self._channel.close()
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
