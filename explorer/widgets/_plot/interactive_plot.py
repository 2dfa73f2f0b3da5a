"""What a reader can do with a plot: drag its line, pin, zoom, point; and what the page reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from explorer.errors import InputError
from explorer.widgets._plot.page_channel import Channel, asset, library_id
from explorer.widgets._plot.texts import PLOT
from explorer.widgets._protocol.gestures import checked_kind
from explorer.widgets._protocol.plot_messages import PLOT_GESTURES

ExactRows = Callable[[list[int]], Mapping[int, npt.ArrayLike]]

# What the page reports under these names is set as it is.
_REPORTED: Final = frozenset({"hovered", "clicked"})


class InteractivePlot(anywidget.AnyWidget):
    """The part of a plot that a reader works with; `Plot` adds the figure.

    Parameters
    ----------
    height, name, on_exact
        See `Plot`.
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
        self, *, height: int, name: str, on_exact: ExactRows | None, **kwargs: Any
    ) -> None:
        # Both before the widget itself: a page learns of models in the order they are made.
        library, self._channel = library_id(), Channel(texts=PLOT)
        self._line_options: dict[str, Any] = {"axis": "x", "name": "threshold"}
        self._on_exact = on_exact
        self._from_page = False
        self._zoom_request = 0
        # Part of the first message: this model may be deaf to a second one (see `channel`).
        self.set_trait("channel_id", self._channel.model_id)
        self.set_trait("library_id", library)
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

    @property
    def channel(self) -> Channel:
        """The model that carries what the page draws."""
        return self._channel

    # ---- what the figure adds

    def _note_drawn(self, serial: int) -> None:
        """Take note that the page has drawn everything up to a serial."""
        raise NotImplementedError

    def _exact_serial(self) -> int | None:
        """Return the serial of the heatmap that `on_exact` knows; None while a newer one waits."""
        raise NotImplementedError

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
                self._note_drawn(content["serial"])
            elif kind == "width":
                self.set_trait("width", content["width"])
            elif kind in _REPORTED:
                self.set_trait(kind, value)
            elif kind == "line":
                # Where the line stands goes with what follows from it, as one message.
                with self._channel.hold_sync():
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
        serial = self._exact_serial()
        if self._on_exact is None or serial is None:
            return
        try:
            found = self._on_exact(rows)
        except Exception as error:  # noqa: BLE001 - the page must hear of it, whatever it is
            self.set_trait("error", f"The true values could not be read: {error}")
            return
        rows = [row for row in rows if row in found]
        self._channel.send(
            {"kind": "exact", "rows": rows, "serial": serial},
            buffers=[np.asarray(found[row], dtype="<f4").tobytes() for row in rows],
        )

    def close(self) -> None:
        """Take the plot off every page for good."""
        self._channel.close()
        super().close()
