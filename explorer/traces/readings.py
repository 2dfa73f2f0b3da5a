"""What a model's readings of a trace gave each hyperedge, head by head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError
from explorer.feedback.combination import CONTENT_FREE
from explorer.traces.arrays import array_of
from explorer.traces.record import Trace

_FIELDS = {
    "answer": "unit_attention",
    "question": "question_attention",
    CONTENT_FREE: "content_free_attention",
}


def head_readings(trace: Trace) -> dict[str, NDArray[np.float32]]:
    """Return the mass of every hyperedge in every head, by whose rows look.

    Parameters
    ----------
    trace
        As `score_traces` leaves it.

    Returns
    -------
    dict of str to ndarray of float32, shape (layers, heads, hyperedges)
        ``"answer"``, ``"question"`` and ``"content_free"``, those that the trace brings; rows
        that were kept apart are averaged.

    Raises
    ------
    EvidenceError
        An array has another shape, or the readings differ in layers and heads.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for name, field in _FIELDS.items():
        if trace.metadata.get(field) is None:
            continue
        mass = array_of(trace, field)
        if mass.ndim == 4:
            mass = mass.mean(axis=2)
        if mass.ndim != 3 or mass.shape[-1] != len(trace.hyperedges) or 0 in mass.shape:
            raise EvidenceError(
                f"`{field}` of trace {trace.id} has shape {mass.shape}; expected (layers, heads, "
                f"{len(trace.hyperedges)}), one column for each hyperedge."
            )
        found[name] = np.asarray(mass, dtype=np.float32)
    if len({mass.shape for mass in found.values()}) > 1:
        shapes = ", ".join(f"{_FIELDS[name]} {mass.shape}" for name, mass in found.items())
        raise EvidenceError(f"The readings of trace {trace.id} differ in shape: {shapes}.")
    return found
