"""What it takes to measure causal use where it is not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from explorer.errors import EvidenceError
from explorer.traces import Trace
from explorer.validation._ablation.ablation_record import MARK, ablation_of


class AblationCost(NamedTuple):
    """Numbers of traces and prompts that an ablation of the loaded traces takes.

    Attributes
    ----------
    traces, prompts
        Traces to ablate, and prompts that a model reads for them: with all hyperedges, with none,
        and without each.
    failed
        How many of these failed in an earlier run.
    unmeasurable
        Traces without an answer or without text, which are passed over.
    measured
        Traces that are ablated already.
    """

    traces: int
    prompts: int
    failed: int
    unmeasurable: int
    measured: int


def prompts_of(trace: Trace) -> int:
    """Return how many prompts `ablate` reads of a trace; 0 if nothing can be measured."""
    texts = sum(bool(edge.hyperedge.strip()) for edge in trace.hyperedges)
    if not texts or not trace.answer.strip():
        return 0
    return 2 if texts == 1 else texts + 2


def is_measured(trace: Trace) -> bool:
    """Return whether causal use of a trace is known for the texts that it has now."""
    try:
        return ablation_of(trace) is not None
    except EvidenceError:  # not written by `ablate`: measured anew
        return False


def ablation_cost(traces: Iterable[Trace]) -> AblationCost:
    """Count what is still to be measured."""
    n_traces = prompts = failed = unmeasurable = measured = 0
    for trace in traces:
        needed = prompts_of(trace)
        if is_measured(trace):
            measured += 1
        elif not needed:
            unmeasurable += 1
        else:
            n_traces += 1
            prompts += needed
            mark = trace.metadata.get(MARK)
            failed += isinstance(mark, Mapping) and "problem" in mark
    return AblationCost(n_traces, prompts, failed, unmeasurable, measured)
