"""Texts of a plot."""

from __future__ import annotations

from typing import Final

PLOT: Final = {
    "loading": "Loading the drawing library…",
    "not_started": "This plot could not be started: {reason}. Run its cell again.",
    "not_drawn": "This figure could not be drawn: {reason}.",
    "unknown_type": (
        "traces of type “{type}” are not drawn here; use a cartesian one such as bar, scatter or "
        "heatmap"
    ),
    "approximate": "≈ ",
    "largest": "largest",
    "key": "key",
    "query": "query",
    "weight": "weight",
    "see_all": "see all",
}
