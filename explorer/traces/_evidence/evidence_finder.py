"""The evidence of a trace, by the first kind that is complete."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple, Protocol

from explorer.feedback import Diagnostic, Unit
from explorer.traces._evidence import (
    attention_matrix,
    direct_scores,
    reduced_attention,
    token_weights,
)
from explorer.traces._evidence.evidence_map import Evidence
from explorer.traces._model.trace import Trace


class _Read(Protocol):
    def __call__(self, trace: Trace) -> Evidence: ...


class _EvidenceReader(NamedTuple):
    """One kind of evidence: the metadata it needs, and the function that reads it."""

    needs: tuple[str, ...]
    read: _Read


PRECEDENCE = (
    _EvidenceReader(direct_scores.NEEDS, direct_scores.read),
    _EvidenceReader(token_weights.NEEDS, token_weights.read),
    _EvidenceReader(attention_matrix.NEEDS, attention_matrix.read),
    _EvidenceReader(reduced_attention.NEEDS, reduced_attention.read),
)
"""The kinds of evidence; the first that is complete in a trace is used.

Scores computed for the hyperedges come before attention that must still be mapped to them. Recorded
`unit_attention` is last because explorer adds it: it never hides what a system itself measured.
"""


def evidence(trace: Trace) -> Evidence:
    """Return the evidence of a trace, to score its hyperedges.

    Array files are opened here, not when the trace is loaded.

    Parameters
    ----------
    trace
        The trace.

    Returns
    -------
    Evidence
        With one unit for every hyperedge, in order. A trace without evidence has kind ``"none"``
        and a diagnostic, also about the missing half of a pair.

    Raises
    ------
    EvidenceError
        Evidence exists but cannot be used: a wrong shape, a missing array file, positions out of
        range. Less precise evidence is not used instead, since this would go unnoticed.

    Examples
    --------
    >>> from explorer.traces import Hyperedge, Trace
    >>> trace = Trace("t", "Which river is longest?", [Hyperedge("a", "The Nile is longest.")],
    ...               metadata={"hyperedge_attention": {"a": 0.45}})
    >>> evidence(trace).kind
    'direct'
    """
    if not trace.hyperedges:
        note = Diagnostic(
            "no-hyperedges", "The trace has no hyperedges, so there is nothing to score."
        )
        return Evidence("none", None, [], diagnostics=(note,))
    halves: list[Diagnostic] = []
    for reader in PRECEDENCE:
        lacking = [name for name in reader.needs if trace.metadata.get(name) is None]
        if not lacking:
            found = reader.read(trace)
            odd = () if found.attention is None else found.attention.notes
            return replace(
                found,
                units=_with_text_diagnostics(trace, found.units),
                diagnostics=(
                    *halves,
                    *found.diagnostics,
                    *(Diagnostic("odd-attention", note) for note in odd),
                ),
            )
        if len(lacking) < len(reader.needs):
            have = next(name for name in reader.needs if name not in lacking)
            message = f"The trace has `{have}` but no `{lacking[0]}`; neither can be used alone."
            halves.append(Diagnostic("half-evidence", message))
    note = Diagnostic(
        "no-attention",
        "The trace has no attention. A causal model can read it and record some.",
    )
    units = [Unit(edge.id, edge.hyperedge, (), 0, unknown=True) for edge in trace.hyperedges]
    return Evidence("none", None, _with_text_diagnostics(trace, units), diagnostics=(*halves, note))


def _with_text_diagnostics(trace: Trace, units: list[Unit]) -> list[Unit]:
    """Add the diagnostics of the hyperedges themselves, whatever the evidence."""
    return [
        replace(unit, diagnostics=(*unit.diagnostics, *notes)) if notes else unit
        for unit, notes in zip(units, hyperedge_diagnostics(trace), strict=True)
    ]


def hyperedge_diagnostics(trace: Trace) -> list[tuple[Diagnostic, ...]]:
    """Return diagnostics of each hyperedge itself: an id used twice, an empty text."""
    counts = Counter(edge.id for edge in trace.hyperedges)
    noted = []
    for edge in trace.hyperedges:
        notes = []
        if counts[edge.id] > 1:
            message = f"{counts[edge.id]} hyperedges of this trace have the id {edge.id}."
            notes.append(Diagnostic("duplicate-hyperedge-id", message))
        if not edge.hyperedge.strip():
            notes.append(Diagnostic("empty-hyperedge", f"The hyperedge {edge.id} has no text."))
        noted.append(tuple(notes))
    return noted
