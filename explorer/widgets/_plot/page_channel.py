"""What the page needs besides the widgets themselves: plain models that cannot go deaf.

An `anywidget` model stops listening to the kernel for good when its module is not imported within
two seconds, which a slow page with several figures reaches. The models here are plain ipywidgets
models without a module of their own, so that nothing can time out: a `Channel` carries everything
that changes, and the anywidget is only the place on the page where it is shown.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Final

import ipywidgets
import traitlets

from explorer.figures._style.plotly_js import PLOTLY_JS_VERSION, plotly_js
from explorer.widgets._plot.separate_page import SeparatePage

__all__ = ["PLOTLY_JS_VERSION", "Channel", "Library", "asset", "library_id"]

_ASSETS: Final = Path(__file__).parents[1] / "assets"


@cache
def asset(name: str) -> str:
    """Return the text of a bundle of the front end, such as ``"widget.js"``.

    The bundles are built from `frontend/`; see `docs/development.md`.
    """
    return (_ASSETS / name).read_text(encoding="utf-8")


class Library(ipywidgets.Widget):
    """plotly.js and our drawing code, sent to a page once and shared by every widget on it.

    Attributes
    ----------
    plotly
        The plotly.js bundle. Empty means "comes later": the page then waits for it.
    page
        Source of the module that draws plots and panels.
    release
        What the page keys its copy by, so that two kernels of different releases do not mix.
    """

    plotly = traitlets.Bytes().tag(sync=True)
    page = traitlets.Unicode().tag(sync=True)
    release = traitlets.Unicode().tag(sync=True)

    _shared: ClassVar[Library | None] = None

    @classmethod
    def shared(cls) -> Library:
        """Return the one library of this kernel; a closed one is replaced."""
        if cls._shared is None or cls._shared.comm is None:
            page = asset("page.js")
            digest = sha256(page.encode()).hexdigest()[:16]
            stamp = f"{version('plotly')}/{PLOTLY_JS_VERSION}/{digest}"
            cls._shared = cls(plotly=plotly_js(), page=page, release=stamp)
        return cls._shared


def library_id() -> str:
    """Return the model id of the drawing library for the widgets that this thread makes."""
    if SeparatePage.current() is not None:
        return SeparatePage.LIBRARY_ID
    return Library.shared().model_id  # type: ignore[no-any-return]


class Channel(ipywidgets.Widget):
    """Everything the page must know to draw one plot, complete at any moment.

    A view that comes late (a second display, a reloaded page) reads these traits and is up to date.

    Attributes
    ----------
    figure
        The whole figure, encoded, with its `serial`.
    labels
        Tokens along the axes of the figure. They seldom change when the figure does.
    heatmap
        The newest heatmap drawn into that figure, or None.
    arrays
        Arrays of single traces changed since that figure, each with its serial, or None.
    marks
        Threshold line, pinned cell, accessible name, height: small things.
    texts
        The words that never change.
    """

    figure = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    heatmap = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    arrays = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    marks = traitlets.Dict().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)

    def post(self, **changes: Any) -> None:
        """Set several traits and send them as one message."""
        with self.hold_sync():
            for name, value in changes.items():
                setattr(self, name, value)
