"""The app: one state object, panels that observe it, and the `Explorer` that holds them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.widgets.explorer import Explorer
    from explorer.widgets.plot import Plot

__all__ = ["Explorer", "Plot"]

_HOME = {"Explorer": "explorer.widgets.explorer", "Plot": "explorer.widgets.plot"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
