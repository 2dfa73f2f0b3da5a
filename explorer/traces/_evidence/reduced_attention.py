"""Evidence: recorded attention that was reduced to one column for every hyperedge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.attention import UnitAttention
from explorer.errors import EvidenceError
from explorer.feedback import Diagnostic
from explorer.traces._evidence.evidence_arrays import array_of, is_reference
from explorer.traces._evidence.evidence_map import (
    Evidence,
    build_map,
    column_units,
    text_list,
    whole_number,
)
from explorer.traces._model.trace import Trace

NEEDS = ("unit_attention",)


def read(trace: Trace) -> Evidence:
    """Read ``unit_attention``, the mass that each hyperedge received in every layer and head.

    Its shape is ``(layers, heads, units)``, or ``(layers, heads, rows, units)`` with the answer's
    rows apart; units are the hyperedges in order. ``unit_topk`` ``(layers, heads, units)`` is the
    mean of the ``unit_topk_k`` (default 3) largest column attentions, ``unit_tokens`` the tokens
    of every unit, or how many it has, and ``answer_tokens`` names the rows.

    Raises
    ------
    EvidenceError
        An array has another shape.
    """
    n_units = len(trace.hyperedges)
    mass = array_of(trace, "unit_attention")
    if mass.ndim not in (3, 4) or mass.shape[-1] != n_units or 0 in mass.shape:
        raise EvidenceError(
            f"`unit_attention` of trace {trace.id} has shape {mass.shape}; expected (layers, "
            f"heads, {n_units}) or (layers, heads, rows, {n_units}), one column for each hyperedge."
        )
    topk = None
    if trace.metadata.get("unit_topk") is not None:
        topk = array_of(trace, "unit_topk")
        if topk.shape != (*mass.shape[:2], n_units):
            raise EvidenceError(
                f"`unit_topk` of trace {trace.id} has shape {topk.shape}; expected "
                f"{(*mass.shape[:2], n_units)}, as `unit_attention` has."
            )
    k = whole_number(trace.metadata.get("unit_topk_k", 3))
    if k is None or k < 1:
        raise EvidenceError(f"`unit_topk_k` of trace {trace.id} must be a whole number from 1.")
    row_tokens = text_list(trace.metadata.get("answer_tokens"))
    if mass.ndim == 3 or (row_tokens is not None and len(row_tokens) != mass.shape[2]):
        row_tokens = None
    attention = build_map(
        trace,
        "unit_attention",
        lambda: UnitAttention(
            mass, [edge.id for edge in trace.hyperedges], topk=topk, row_tokens=row_tokens, k=k
        ),
    )
    counts = token_counts(trace)
    units = column_units(trace, [() for _ in trace.hyperedges])
    if counts is None:
        message = (
            "The trace does not say how many tokens each hyperedge has (`unit_tokens`), so the "
            "mean reduction is the same as the mass."
        )
        return Evidence(
            "units", attention, units, diagnostics=(Diagnostic("no-unit-tokens", message),)
        )
    units = [
        # A unit that was cut from the prompt has no tokens, and its attention is unknown.
        replace(unit, tokens=count) if count else replace(unit, tokens=0, spans=(), unknown=True)
        for unit, count in zip(units, counts, strict=True)
    ]
    return Evidence("units", attention, units)


def token_counts(trace: Trace) -> list[int] | None:
    """Return how many tokens each hyperedge has, from counts or from the tokens themselves.

    None for a trace without `unit_tokens`.

    Raises
    ------
    EvidenceError
        There is not one count for each hyperedge.
    """
    value: Any = trace.metadata.get("unit_tokens")
    if value is None:
        return None
    if is_reference(value) or isinstance(value, np.ndarray):
        value = array_of(trace, "unit_tokens").tolist()
    counts: list[int | None] = []
    if isinstance(value, list | tuple):
        counts = [
            len(item) if isinstance(item, list | tuple) else whole_number(item) for item in value
        ]
    known = [count for count in counts if count is not None and count >= 0]
    if len(known) != len(counts) or len(known) != len(trace.hyperedges):
        raise EvidenceError(
            f"`unit_tokens` of trace {trace.id} must give, for each of its {len(trace.hyperedges)} "
            "hyperedges, the list of its tokens or how many there are."
        )
    return known
