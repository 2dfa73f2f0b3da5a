"""A region of the app: a place on the page that draws what it is told and reports gestures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import anywidget
import ipywidgets
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
    """What travels between a region and the page; a plain model, which cannot go deaf.

    An anywidget model gives up on the kernel when its module takes two seconds to import (see
    `explorer.widgets._plot.page_channel`), so nothing that changes is kept on one.
    """

    content = t.Dict().tag(sync=True)
    """Everything the region draws."""
    document = t.Dict().tag(sync=True)
    """What is large and changes seldom: the lines of the code, with a serial."""
    source = t.Unicode().tag(sync=True)
    """The code, for the editor."""
    tint = t.Bytes(b"").tag(sync=True)
    """Colour index of every token, one byte each; for the grid of heads a float32 each."""
    palette = t.Dict().tag(sync=True)
    """The attention scale as 256 colours for each theme, ``{"light": [...], "dark": [...]}``."""


def sendable(content: Any) -> Any:
    """Return content with every half of a surrogate pair replaced: it has no UTF-8 and no sound."""
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode("utf-8")
    if isinstance(content, dict):
        return {sendable(key): sendable(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [sendable(item) for item in content]
    return content


class PanelPart(anywidget.AnyWidget):
    """A region drawn in the page from one dictionary.

    Parameters
    ----------
    asset
        Name of the region's module under ``assets/``, without suffix.
    styled
        Whether this region brings the app's style sheet (one of them must).

    Notes
    -----
    Gestures arrive as messages ``{"kind": ...}``; `on` says what answers which. A message that
    carries ``ack`` is acknowledged when its handler has returned, so that the page never has
    more than one of a kind under way.
    """

    wire_id = t.Unicode().tag(sync=True)
    """Model id of the region's wire (for the page)."""

    _esm = t.Unicode("").tag(sync=True)
    _css = t.Unicode("").tag(sync=True)

    def __init__(self, asset: str, *, styled: bool = False) -> None:
        self._handlers: dict[str, Handler] = {}
        self.wire = CommModel()
        # With the first message: a model that has gone deaf would never learn it later.
        super().__init__(
            _esm=_module(asset),
            _css=stylesheet() if styled else "",
            wire_id=self.wire.model_id,
        )
        self.wire.on_msg(self._receive)

    def on(self, kind: str, handler: Handler) -> None:
        """Let `handler(message, buffers)` answer messages of this kind."""
        self._handlers[kind] = handler

    def show(self, **content: Any) -> None:
        """Draw this content; nothing is sent when nothing changed."""
        if content != self.wire.content:
            self.wire.content = sendable(content)

    def show_document(self, **document: Any) -> None:
        """Draw this large content, which changes seldom."""
        self.wire.document = sendable(document)

    def paint(self, colour_scale: str) -> None:
        """Use this attention scale."""
        palette = {
            "name": colour_scale,
            "light": colours.lookup_table(colour_scale, "light"),
            "dark": colours.lookup_table(colour_scale, "dark"),
        }
        if palette != self.wire.palette:
            self.wire.palette = palette

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message to the region's views."""
        self.wire.send(dict(message))

    def close(self) -> None:
        """Take the region off every page."""
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
