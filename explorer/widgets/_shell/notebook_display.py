"""The app as the output of a notebook cell, with a still picture for readers without a kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from explorer.widgets._shell.saved_view import still_picture
from explorer.widgets._state import ExplorerState

_IDLE_S = 3.0
"""A picture takes a quarter of a second, so it waits until the view has rested."""
_IN_PICTURE = (
    "table",
    "focus",
    "selection",
    "direction",
    "scaling",
    "colour_scale",
    "colour_range",
    "hide_sink",
)


def show_in_notebook(state: ExplorerState, bundle: Any) -> None:
    """Display a mime bundle of the app, followed by a still picture of the latest view.

    A saved notebook has the view that was in front a few seconds before.
    """
    from IPython.display import display

    display(bundle, raw=True)
    still = still_picture(state)
    handle = display(_output(still), raw=True, display_id=True)
    if handle is not None:
        LatestStill(state, lambda html: handle.update(_output(html), raw=True), empty=still is None)


class LatestStill:
    """Keeps the still picture of an output in step with the view, once the view rests.

    Parameters
    ----------
    state
        The state whose view it is.
    update
        Shows another picture, given as HTML.
    empty
        Whether there is no picture yet: then the first comes as soon as there is a table.
    """

    def __init__(self, state: ExplorerState, update: Callable[[str], None], *, empty: bool) -> None:
        self._state, self._update, self._empty = state, update, empty
        self._timer: asyncio.TimerHandle | None = None
        state.observe(self._changed, names=list(_IN_PICTURE))

    def _changed(self, _: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._empty:
            self._draw()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # a script, without a page
        self._timer = loop.call_later(_IDLE_S, self._draw)

    def _draw(self) -> None:
        self._timer = None
        still = still_picture(self._state)
        if still is not None:
            self._empty = False
            self._update(still)


def _output(still: str | None) -> dict[str, str]:
    return {"text/html": still or "", "text/plain": ""}
