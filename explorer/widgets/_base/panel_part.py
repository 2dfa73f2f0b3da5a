"""Parts of a panel that the page draws from one dictionary; they send gestures back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import anywidget
import ipywidgets
import msgspec
import traitlets as t

from explorer.figures import colours
from explorer.widgets._plot.page_channel import ASSETS

Handler = Callable[[Mapping[str, Any], list[memoryview]], None]


@cache
def _module(name: str) -> str:
    kit = (ASSETS / "kit.js").read_text(encoding="utf-8")
    return kit + (ASSETS / f"{name}.js").read_text(encoding="utf-8")


@cache
def stylesheet() -> str:
    """Return the app's style sheet."""
    return (ASSETS / "explorer.css").read_text(encoding="utf-8")


class CommModel(ipywidgets.Widget):
    """Carries contents and messages between a part and the page.

    A plain ipywidgets model: an anywidget model stops listening to the kernel when its module takes
    more than two seconds to import (see `explorer.widgets._plot.page_channel`), so nothing that
    changes is kept on one.
    """

    content = t.Dict().tag(sync=True)
    """Everything the part draws."""
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
    asset
        Name of its module under ``assets/``, without suffix.
    styled
        Whether it brings the app's style sheet. One part of an app must.

    Notes
    -----
    The page sends gestures as messages ``{"kind": ...}``; `on` sets the handler of a kind. A
    message that carries ``ack`` is acknowledged when its handler has returned, so that the page
    waits with the next one of that kind.
    """

    wire_id = t.Unicode().tag(sync=True)
    """Model id of the part's `CommModel` (for the page)."""

    _esm = t.Unicode("").tag(sync=True)
    _css = t.Unicode("").tag(sync=True)

    def __init__(self, asset: str, *, styled: bool = False) -> None:
        self._handlers: dict[str, Handler] = {}
        self.wire = CommModel()
        # All in the first message: an anywidget model may stop listening after it.
        super().__init__(
            _esm=_module(asset),
            _css=stylesheet() if styled else "",
            wire_id=self.wire.model_id,
        )
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
            handler = self._handlers.get(str(message.get("kind")))
            if handler is not None:
                handler(message, buffers)
        finally:
            if "ack" in message:
                self.wire.send({"ack": message["ack"]})
