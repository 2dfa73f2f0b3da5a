"""Parts of a panel that the page draws from one dictionary; they send gestures back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import ipywidgets
import msgspec
import traitlets as t

from explorer.errors import InputError
from explorer.figures import colours
from explorer.widgets._plot.page_channel import asset, library_id
from explorer.widgets._protocol.gestures import check_gesture

Handler = Callable[[Mapping[str, Any], list[memoryview]], None]


class CommModel(ipywidgets.Widget):
    """Carries contents and messages between a part and the page.

    A plain ipywidgets model: an anywidget model stops listening to the kernel when its module takes
    more than two seconds to import (see `explorer.widgets._plot.page_channel`), so nothing that
    changes is kept on one.
    """

    content = t.Dict().tag(sync=True)
    """Everything the part draws: see `explorer.widgets._protocol.contents`."""
    texts = t.Dict().tag(sync=True)
    """The words that never change."""
    document = t.Dict().tag(sync=True)
    """Large content that seldom changes: the lines of the code, with a serial."""
    source = t.Unicode().tag(sync=True)
    """The code, for the editor."""
    tint = t.Bytes(b"").tag(sync=True)
    """Colour index of every token, one byte each; for the grid of heads a float32 each."""
    palette = t.Dict().tag(sync=True)
    """The attention scale as 256 colours for each theme, ``{"light": [...], "dark": [...]}``."""


def sendable(content: Any) -> Any:
    """Return content as JSON gives it back, with every lone surrogate replaced: it has no UTF-8."""
    try:
        return msgspec.json.decode(msgspec.json.encode(content))
    except (UnicodeEncodeError, TypeError):  # a lone surrogate, or a number of NumPy
        return _repaired(content)


def _repaired(content: Any) -> Any:
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode("utf-8")
    if isinstance(content, dict):
        return {_repaired(key): _repaired(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_repaired(item) for item in content]
    return content


class PanelPart(anywidget.AnyWidget):
    """A widget that the page draws from one dictionary.

    Parameters
    ----------
    name
        Name of the part: one of `frontend/src/panels/index.ts`.
    texts
        Its words that never change.
    styled
        Whether it brings the app's style sheet. One part of an app must.

    Attributes
    ----------
    refused
        Called with an `InputError` when the page sends a gesture that this version does not know.

    Notes
    -----
    The page sends gestures as messages ``{"kind": ...}``; `on` sets the handler of a kind. A
    message that carries ``ack`` is acknowledged when its handler has returned, so that the page
    waits with the next one of that kind.
    """

    part = t.Unicode(read_only=True).tag(sync=True)
    """Name of the part (for the page)."""

    channel_id = t.Unicode(read_only=True).tag(sync=True)
    """Model id of the part's `CommModel` (for the page)."""

    library_id = t.Unicode(read_only=True).tag(sync=True)
    """Model id of the shared drawing library (for the page)."""

    # A text, never a path: anywidget would watch the file and keep every instance alive.
    _esm = t.Unicode("").tag(sync=True)
    _css = t.Unicode("").tag(sync=True)

    def __init__(
        self, name: str, texts: Mapping[str, Any] | None = None, *, styled: bool = False
    ) -> None:
        self._handlers: dict[str, Handler] = {}
        self.refused: Callable[[InputError], None] = _raise
        # Before the widget itself: a page learns of models in the order they are made.
        library, self.wire = library_id(), CommModel(texts=dict(texts or {}))
        # All in the first message: an anywidget model may stop listening after it.
        self.set_trait("part", name)
        self.set_trait("channel_id", self.wire.model_id)
        self.set_trait("library_id", library)
        super().__init__(_esm=asset("widget.js"), _css=asset("explorer.css") if styled else "")
        self.wire.on_msg(self._receive)

    def on(self, kind: str, handler: Handler) -> None:
        """Call `handler(message, buffers)` for messages of this kind."""
        self._handlers[kind] = handler

    def show(self, **content: Any) -> None:
        """Draw this content. Nothing is sent when it equals the content in view."""
        made = sendable(content)
        if made != self.wire.content:
            self.wire.content = made

    def show_document(self, **document: Any) -> None:
        """Draw this large content, which seldom changes."""
        self.wire.document = sendable(document)

    def paint(self, colour_scale: str) -> None:
        """Send the colours of this attention scale."""
        if self.wire.palette.get("name") == colour_scale:
            return
        self.wire.palette = {
            "name": colour_scale,
            "light": colours.lookup_table(colour_scale, "light"),
            "dark": colours.lookup_table(colour_scale, "dark"),
        }

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message to the views on the page."""
        self.wire.send(dict(message))

    def close(self) -> None:
        """Remove the part from every page."""
        self.wire.close()
        super().close()

    def _receive(self, _: Any, message: Mapping[str, Any], buffers: list[memoryview]) -> None:
        try:
            try:
                kind = check_gesture(self.part, message)
            except InputError as error:
                self.refused(error)
                return
            handler = self._handlers.get(kind)
            if handler is not None:
                handler(message, buffers)
        finally:
            if "ack" in message:
                self.wire.send({"kind": "acknowledged", "ack": message["ack"]})


def _raise(error: InputError) -> None:
    raise error
