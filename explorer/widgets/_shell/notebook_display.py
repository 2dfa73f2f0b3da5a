"""The app as the output of a notebook cell, with a still picture for readers without a kernel."""

from __future__ import annotations

from typing import Any

from explorer.widgets._shell.export import still_picture
from explorer.widgets._state import ExplorerState


def show_in_notebook(state: ExplorerState, bundle: Any) -> None:
    """Display a mime bundle of the app, followed by a still picture as soon as there is one."""
    from IPython.display import display

    display(bundle, raw=True)
    still = still_picture(state)
    handle = display(_output(still), raw=True, display_id=True)
    if still is None and handle is not None:
        _show_later(state, handle)


def _show_later(state: ExplorerState, handle: Any) -> None:
    """Update the output with the still picture once there is a table."""

    def look(_: Any) -> None:
        still = still_picture(state)
        if still is not None:
            state.unobserve(look, names="table")
            handle.update(_output(still), raw=True)

    state.observe(look, names="table")


def _output(still: str | None) -> dict[str, str]:
    return {"text/html": still or "", "text/plain": ""}
