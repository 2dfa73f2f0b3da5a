"""RAG traces: the record, the native reader and writer, and the evidence that traces bring."""

from __future__ import annotations

from explorer.traces.finding import evidence
from explorer.traces.kinds import Evidence
from explorer.traces.loading import iter_traces, load_traces, parse_traces
from explorer.traces.matching import Match
from explorer.traces.readings import head_readings
from explorer.traces.record import Hyperedge, Trace, TraceProblem, TraceSet
from explorer.traces.writing import save_traces

__all__ = [
    "Evidence",
    "Hyperedge",
    "Match",
    "Trace",
    "TraceProblem",
    "TraceSet",
    "evidence",
    "head_readings",
    "iter_traces",
    "load_traces",
    "parse_traces",
    "save_traces",
]
