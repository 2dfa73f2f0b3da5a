"""Which traces a model may read again: only those whose attention a stand-in has recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from explorer.errors import ExplorerError
from explorer.feedback._head_combination import CONTENT_FREE, RowGroup
from explorer.traces import Trace, TraceSet
from explorer.traces._evidence.evidence_arrays import array_of
from explorer.traces._evidence.evidence_finder import PRECEDENCE

_RECORDED = "unit_attention"
_OWN = frozenset(
    name for reader in PRECEDENCE if _RECORDED not in reader.needs for name in reader.needs
)
_LOOKED_AT = 200
"""Number of traces that `missing_signals` looks at, so that a large file is not read for it."""


def recorded_by_stand_in(trace: Trace) -> bool:
    """Return whether all attention of a trace comes from a stand-in, so that it may be replaced."""
    known = {name for name, value in trace.metadata.items() if value is not None}
    mark = trace.metadata.get("stand_in")
    return (
        isinstance(mark, Mapping)
        and not mark.get("problem")
        and _RECORDED in known
        and not known & _OWN
    )


def missing_in(trace: Trace, rows: Sequence[RowGroup], *, content_free: bool) -> list[str]:
    """Return which of the wanted signals a trace does not have."""
    names = [*(name for name in rows if name != "answer"), *([CONTENT_FREE] * content_free)]
    return [name for name in names if trace.metadata.get(f"{name}_attention") is None]


def missing_signals(traces: TraceSet) -> list[str]:
    """Return the signals that the first traces lack and a stand-in could still record."""
    found: set[str] = set()
    for trace in islice(traces, _LOOKED_AT):
        if recorded_by_stand_in(trace):
            found.update(missing_in(trace, ("question",), content_free=True))
    return [name for name in ("question", CONTENT_FREE) if name in found]


def traces_to_record(
    traces: TraceSet,
    model: str,
    rows: Sequence[RowGroup],
    only: Collection[int] | None,
    *,
    content_free: bool,
) -> TraceSet:
    """Return the traces without attention, and those of a stand-in with less than is wanted.

    Less is a signal that is missing, or the attention of another model.
    """
    from explorer.rag._scoring.stand_in import brings_attention

    def wanted(trace: Trace) -> bool:
        if not brings_attention(trace):
            return True
        missing = missing_in(trace, rows, content_free=content_free)
        other = trace.metadata.get("model") != model
        return recorded_by_stand_in(trace) and bool(missing or other)

    places = range(len(traces)) if only is None else sorted(only)
    return TraceSet([trace for trace in (traces[place] for place in places) if wanted(trace)])


def rows_are_kept(traces: TraceSet) -> bool:
    """Return whether the first trace with attention has a row for every token of the answer."""
    for trace in traces:
        if trace.metadata.get(_RECORDED) is not None:
            try:
                return array_of(trace, _RECORDED).ndim == 4
            except ExplorerError:
                return False
    return False


def same_recording(one: Trace, other: Trace) -> bool:
    """Return whether one model recorded both traces, with equal answers and hyperedges."""
    return (
        one.metadata.get("model") == other.metadata.get("model")
        and one.answer == other.answer
        and [edge.hyperedge for edge in one.hyperedges]
        == [edge.hyperedge for edge in other.hyperedges]
    )
