"""How many traces of a file have labels, answers, scores and attention."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Self

from explorer.traces import Trace, TraceSet
from explorer.traces._evidence import direct_scores
from explorer.traces._evidence.evidence_finder import PRECEDENCE

MOST_COUNTED = 5_000
"""Number of traces that are looked at."""
MOST_READ = 500
"""Number of traces that are looked at where each must be read from the disk for it."""


@dataclass(frozen=True)
class FileCounts:
    """What the first traces of a file bring.

    Attributes
    ----------
    traces, counted
        Number of traces, and of those that were looked at, from the first on.
    hyperedges, labelled
        Their hyperedges, and how many of these are labelled.
    answers, attention, scores
        How many of them have an answer, attention, and one score for each hyperedge.
    """

    traces: int
    counted: int
    hyperedges: int = 0
    labelled: int = 0
    answers: int = 0
    attention: int = 0
    scores: int = 0

    @property
    def has_unlabelled(self) -> bool:
        """Whether there may be hyperedges without a label."""
        return self.labelled < self.hyperedges or self.counted < self.traces

    @classmethod
    def of(cls, traces: TraceSet) -> Self:
        """Return the counts of a set of traces."""
        most = MOST_READ if traces.is_on_disk else MOST_COUNTED
        looked_at = min(len(traces), most)
        found = [_counted(trace) for trace in islice(traces, looked_at)]
        return cls(len(traces), looked_at, *(map(sum, zip(*found, strict=True)) if found else ()))


def labelled_in(traces: Iterable[Trace]) -> int:
    """Return the number of labelled hyperedges of some traces."""
    return sum(edge.label is not None for trace in traces for edge in trace.hyperedges)


def _counted(trace: Trace) -> tuple[int, int, int, int, int]:
    kinds = [
        reader.needs
        for reader in PRECEDENCE
        if all(trace.metadata.get(name) is not None for name in reader.needs)
    ]
    scores = bool(kinds) and kinds[0] == direct_scores.NEEDS
    return (
        len(trace.hyperedges),
        labelled_in([trace]),
        bool(trace.answer.strip()),
        bool(kinds) and not scores,
        scores,
    )
