"""The weights over all traces, as the traces tab and the thresholds tab show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures._graph.weight_lines import weight_lines_spec
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import weights_controller
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    from explorer.rag._weights.weight_trajectory import Trajectory

_MOST_LINES = 8


def weights_spec(state: ExplorerState, width: int) -> dict[str, Any] | None:
    """Return the figure of the weights that moved most, and of what is pinned; None without any."""
    moves: Trajectory | None = state.trajectory
    if moves is None:
        return None
    scene: TraceScene | None = state.trace_scene
    keep = None if scene is None else _moving(moves, scene.index + 1, selected_unit(state))
    lines = moves.lines(moves.most_moved(_MOST_LINES, keep))
    return weight_lines_spec(lines, moves.band(), width=width, selected=keep)


def of_what(state: ExplorerState, traces: int) -> str:
    """Say which traces the weights are over, and what feedback moves them."""
    first = min(traces, weights_controller.MOST_TRACES)
    which = f"the first {first:,} of {traces:,}" if first < traces else f"{first:,}"
    threshold = getattr(state, state.threshold_name)
    said = f"Weights over {which} traces, feedback by {state.method} at {threshold:.3g}."
    moves: Trajectory | None = state.trajectory
    unknown = 0 if moves is None else int(np.isnan(moves.feedback).sum())
    if moves is not None and unknown:
        said += f" {unknown:,} of {len(moves.feedback):,} scores are unknown and move nothing."
    return said


def _moving(moves: Trajectory, step: int, unit: str | None) -> int | None:
    """Number of the hyperedge that a unit of this trace is, over all traces."""
    order = moves.order
    rows = np.flatnonzero(order.steps == step)
    return next((int(order.hyperedges[row]) for row in rows if order.units[row] == unit), None)
