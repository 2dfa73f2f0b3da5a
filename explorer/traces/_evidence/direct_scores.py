"""Evidence: one score for every hyperedge, computed by the system that wrote the trace."""

from __future__ import annotations

import numpy as np

from explorer.attention import DenseAttention
from explorer.errors import EvidenceError
from explorer.feedback import Diagnostic
from explorer.traces._evidence.evidence_arrays import array_of, is_reference, single_precision
from explorer.traces._evidence.evidence_map import Evidence, build_map, column_units
from explorer.traces._model.trace import Trace

NEEDS = ("hyperedge_attention",)


def read(trace: Trace) -> Evidence:
    """Return the evidence of ``hyperedge_attention``: scores by hyperedge id, or a list in order.

    A hyperedge that the mapping lacks scores 0; a score that is not a number is NaN. Both have a
    diagnostic. The map has one layer, one head, one row, and one key column for each hyperedge.

    Raises
    ------
    EvidenceError
        The value has another form, or the list another length than the hyperedges.
    """
    value = trace.metadata["hyperedge_attention"]
    notes: list[tuple[Diagnostic, ...]] = [() for _ in trace.hyperedges]
    whole: tuple[Diagnostic, ...] = ()
    scores = np.zeros(len(trace.hyperedges))
    if isinstance(value, dict) and not is_reference(value):
        given = {str(name): score for name, score in value.items()}
        for place, edge in enumerate(trace.hyperedges):
            if edge.id in given:
                scores[place], notes[place] = _number(given[edge.id], edge.id)
            else:
                notes[place] = (_missing(edge.id),)
        ids = {edge.id for edge in trace.hyperedges}
        unknown = [name for name in given if name not in ids]
        if unknown:
            shown = ", ".join(unknown[:3]) + (" ..." if len(unknown) > 3 else "")
            whole = (
                Diagnostic(
                    "unknown-hyperedge",
                    f"There are scores for {len(unknown)} ids that no hyperedge of this trace "
                    f"has: {shown}.",
                ),
            )
    else:
        listed = array_of(trace, "hyperedge_attention")
        if listed.shape != (len(trace.hyperedges),):
            raise EvidenceError(
                f"`hyperedge_attention` of trace {trace.id} has shape {listed.shape}, but there "
                f"are {len(trace.hyperedges)} hyperedges; give one score for each, in order."
            )
        scores = listed.astype(np.float64)
    attention = build_map(
        trace,
        "hyperedge_attention",
        lambda: DenseAttention(
            single_precision(scores)[None, :], tokens=[edge.id for edge in trace.hyperedges]
        ),
    )
    return Evidence("direct", attention, column_units(trace, notes), diagnostics=whole)


def _missing(name: str) -> Diagnostic:
    """Return the diagnostic of a hyperedge without a score."""
    return Diagnostic("missing-score", f"The trace gives no score for {name}; it counts as 0.")


def _number(value: object, name: str) -> tuple[float, tuple[Diagnostic, ...]]:
    """Return a score as a float; NaN with a diagnostic if it is not a number."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # a tensor or an array of one number
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        try:
            return float(value), ()
        except OverflowError:
            pass
    if value is None:
        return float("nan"), ()
    return float("nan"), (
        Diagnostic("not-a-number", f"The score of {name} is {str(value)[:40]!r}, not a number."),
    )
