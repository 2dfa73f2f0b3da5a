"""The unit, spans and query rows that a pinned token, cell or unit selects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import Unit
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._state import ExplorerState


def selected_unit(state: ExplorerState) -> str | None:
    """Return the name of the unit that is pinned, or that the pinned token belongs to."""
    chosen, scene = state.selection, state.scene
    if chosen is None or scene is None:
        return None
    if chosen["kind"] == "unit":
        return str(chosen["name"])
    if not isinstance(scene, CodeScene):
        return None
    token = chosen.get("index", chosen.get("key"))
    for unit in scene.units(state.unit_kind):
        if any(start <= token < stop for start, stop in unit.spans):
            return unit.name
    return None


def unit_spans(units: Sequence[Unit], name: str | None) -> tuple[tuple[int, int], ...]:
    """Return the spans of the unit of this name; empty if there is no such unit."""
    return next((unit.spans for unit in units if unit.name == name), ())


def pinned_rows(state: ExplorerState, scene: CodeScene) -> NDArray[np.intp]:
    """Return the query rows that the bars of the code tab average over."""
    chosen = state.selection
    if chosen is not None and chosen["kind"] == "token" and state.direction == "row":
        return np.array([chosen["index"]])
    if chosen is not None and chosen["kind"] == "cell":
        return np.array([chosen["query"]])
    return scene.rows


def pinned_column(state: ExplorerState) -> int | None:
    """Return the token whose column the bars show: the pinned one, where "looked at by" is on."""
    chosen = state.selection
    if chosen is None or chosen["kind"] != "token" or state.direction == "row":
        return None
    return int(chosen["index"])
