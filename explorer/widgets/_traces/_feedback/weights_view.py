"""The weights over all traces, as the traces tab and the thresholds tab show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures._graph.weight_lines import weight_lines_spec
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces._feedback import weights_controller
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    from explorer.rag._weights.trajectory import Trajectory

_MOST_LINES = 8


def weights_spec(state: ExplorerState, width: int) -> dict[str, Any] | None:
    """Return the figure of the weights that changed most and of the pinned one, or None."""
    moves: Trajectory | None = state.trajectory
    if moves is None:
        return None
    scene: TraceScene | None = state.trace_scene
    keep = None if scene is None else _number_of(moves, scene.index + 1, selected_unit(state))
    lines = moves.lines(moves.most_moved(_MOST_LINES, keep))
    return weight_lines_spec(lines, moves.band(), width=width, selected=keep)


def weights_sentence(state: ExplorerState, traces: int) -> str:
    """Say which traces the weights are computed from, and with which feedback."""
    moves: Trajectory | None = state.trajectory
    return texts.weights_of(
        state.method,
        getattr(state, state.threshold_name),
        min(traces, weights_controller.MOST_TRACES),
        traces,
        0 if moves is None else len(moves.feedback),
        0 if moves is None else int(np.isnan(moves.feedback).sum()),
    )


def _number_of(moves: Trajectory, step: int, unit: str | None) -> int | None:
    """Return the number that the hyperedge of a unit of this trace has over all traces."""
    order = moves.order
    rows = np.flatnonzero(order.steps == step)
    return next((int(order.hyperedges[row]) for row in rows if order.units[row] == unit), None)
