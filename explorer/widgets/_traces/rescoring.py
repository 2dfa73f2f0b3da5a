"""Which traces a model may read again: those that a stand-in has read, and nobody else."""

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
"""So many traces say whether more readings can be had; a larger file is not read for it."""


def read_by_stand_in(trace: Trace) -> bool:
    """Whether all the attention of a trace is what a stand-in paid, which another may pay anew."""
    known = {name for name, value in trace.metadata.items() if value is not None}
    mark = trace.metadata.get("stand_in")
    return (
        isinstance(mark, Mapping)
        and not mark.get("problem")
        and _RECORDED in known
        and not known & _OWN
    )


def lacking(trace: Trace, rows: Sequence[RowGroup], *, content_free: bool) -> list[str]:
    """Return which of the wanted readings a trace does not bring."""
    names = [*(name for name in rows if name != "answer"), *([CONTENT_FREE] * content_free)]
    return [name for name in names if trace.metadata.get(f"{name}_attention") is None]


def more_can_be_had(traces: TraceSet) -> list[str]:
    """Return the readings that some of the first traces lack, and a stand-in could add."""
    found: set[str] = set()
    for trace in islice(traces, _LOOKED_AT):
        if read_by_stand_in(trace):
            found.update(lacking(trace, ("question",), content_free=True))
    return [name for name in ("question", CONTENT_FREE) if name in found]


def to_be_read(
    traces: TraceSet,
    model: str,
    rows: Sequence[RowGroup],
    only: Collection[int] | None,
    *,
    content_free: bool,
) -> TraceSet:
    """Return the traces that bring no attention, and those of a stand-in that brings less.

    Less is a wanted reading that is missing, or the attention of another model.
    """
    from explorer.rag._scoring.stand_in import brings_attention

    def wanted(trace: Trace) -> bool:
        if not brings_attention(trace):
            return True
        less = lacking(trace, rows, content_free=content_free)
        other = trace.metadata.get("model") != model
        return read_by_stand_in(trace) and bool(less or other)

    places = range(len(traces)) if only is None else sorted(only)
    return TraceSet([trace for trace in (traces[place] for place in places) if wanted(trace)])


def rows_are_kept(traces: TraceSet) -> bool:
    """Whether the answer's rows of the first trace with attention were kept apart."""
    for trace in traces:
        if trace.metadata.get(_RECORDED) is not None:
            try:
                return array_of(trace, _RECORDED).ndim == 4
            except ExplorerError:
                return False
    return False


def same_reader(one: Trace, other: Trace) -> bool:
    """Whether two traces were read by one model, answer and hyperedges being the same."""
    return (
        one.metadata.get("model") == other.metadata.get("model")
        and one.answer == other.answer
        and [edge.hyperedge for edge in one.hyperedges]
        == [edge.hyperedge for edge in other.hyperedges]
    )
