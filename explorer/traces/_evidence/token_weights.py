"""Evidence: attention per context token, and the tokens of each hyperedge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from explorer.attention import DenseAttention
from explorer.errors import EvidenceError
from explorer.feedback import Diagnostic
from explorer.traces._evidence.evidence_arrays import array_of, is_reference, single_precision
from explorer.traces._evidence.evidence_map import (
    Evidence,
    build_map,
    position_unit,
    text_list,
    whole_number,
)
from explorer.traces._model.trace import Hyperedge, Trace

NEEDS = ("attention_weights", "context_mapping")

_FARTHEST = 2**22
"""Larger positions, beyond four million, are mistakes that would fill the memory with zeros."""


def read(trace: Trace) -> Evidence:
    """Return the evidence of ``attention_weights`` and ``context_mapping``.

    Weights are a mapping from position to weight, or a list; the mapping gives positions for each
    hyperedge id. Keys may be integers or their digits. A position without a weight counts 0. The
    map has one layer, one head, one row, and a key column for every position.

    Raises
    ------
    EvidenceError
        One of the two has another form.
    """
    mapping = trace.metadata["context_mapping"]
    if not isinstance(mapping, dict) or is_reference(mapping):
        raise EvidenceError(
            f"`context_mapping` of trace {trace.id} must map hyperedge ids to lists of positions."
        )
    weights, given, whole = _weights(trace)
    by_id = {str(name): positions for name, positions in mapping.items()}
    found = [_positions(edge, by_id, given) for edge in trace.hyperedges]
    size = max([len(weights), 1, *(places[-1] + 1 for places, _ in found if places)])
    row = np.zeros((1, size))
    row[0, : len(weights)] = weights
    tokens = text_list(trace.metadata.get("tokens"))
    attention = build_map(
        trace,
        "attention_weights",
        lambda: DenseAttention(
            single_precision(row), tokens=tokens if tokens and len(tokens) == size else None
        ),
    )
    units = [
        position_unit(edge.id, edge.hyperedge, places, notes)
        for edge, (places, notes) in zip(trace.hyperedges, found, strict=True)
    ]
    return Evidence("token-weights", attention, units, diagnostics=whole)


def _weights(
    trace: Trace,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], tuple[Diagnostic, ...]]:
    """Return the weight of every position, a mask of positions with a weight, and diagnostics."""
    value = trace.metadata["attention_weights"]
    if not isinstance(value, dict) or is_reference(value):
        listed = array_of(trace, "attention_weights")
        if listed.ndim != 1:
            raise EvidenceError(
                f"`attention_weights` of trace {trace.id} has {listed.ndim} dimensions; it holds "
                "one weight for each token. A whole matrix belongs under `attention_matrix`."
            )
        return listed.astype(np.float64), np.ones(len(listed), dtype=bool), ()
    known: dict[int, float] = {}
    odd: list[str] = []
    for key, weight in value.items():
        place = whole_number(key)
        if place is None or not 0 <= place < _FARTHEST:
            odd.append(str(key)[:20])
            continue
        try:
            known[place] = float(weight) if not isinstance(weight, str | bool) else float("nan")
        except (TypeError, ValueError, OverflowError):
            known[place] = float("nan")
    weights = np.zeros(max(known, default=-1) + 1)
    given = np.zeros(len(weights), dtype=bool)
    places = np.fromiter(known, dtype=np.intp, count=len(known))
    weights[places] = np.fromiter(known.values(), dtype=np.float64, count=len(known))
    given[places] = True
    if not odd:
        return weights, given, ()
    shown = ", ".join(odd[:3]) + (" ..." if len(odd) > 3 else "")
    message = f"{len(odd)} keys of `attention_weights` are not token positions and were left out: "
    return weights, given, (Diagnostic("bad-position", f"{message}{shown}."),)


def _positions(
    edge: Hyperedge, by_id: dict[str, object], given: npt.NDArray[np.bool_]
) -> tuple[list[int], list[Diagnostic]]:
    """Return the sorted positions of a hyperedge, and diagnostics of them."""
    if edge.id not in by_id:
        note = f"`context_mapping` does not contain {edge.id}; it counts as 0."
        return [], [Diagnostic("unmapped-hyperedge", note)]
    listed = by_id[edge.id]
    if hasattr(listed, "tolist"):  # an array or a tensor
        listed = listed.tolist()
    if not isinstance(listed, list | tuple | range | set | frozenset):
        note = f"`context_mapping` of {edge.id} must be a list of token positions."
        return [], [Diagnostic("bad-position", note)]
    numbers = [whole_number(item) for item in listed]
    places = sorted({place for place in numbers if place is not None and 0 <= place < _FARTHEST})
    notes = []
    if not numbers:
        note = f"`context_mapping` of {edge.id} is empty: no token belongs to this hyperedge."
        notes.append(Diagnostic("empty-mapping", note))
    if odd := sum(place is None or not 0 <= place < _FARTHEST for place in numbers):
        note = f"{odd} entries of `context_mapping` for {edge.id} are not token positions."
        notes.append(Diagnostic("bad-position", note))
    if absent := sum(place >= len(given) or not given[place] for place in places):
        note = f"{absent} of {len(places)} tokens of {edge.id} have no weight; they count as 0."
        notes.append(Diagnostic("missing-position", note))
    return places, notes
