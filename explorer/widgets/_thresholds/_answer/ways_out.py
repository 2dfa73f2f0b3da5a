"""What can be done where nothing can be evaluated: the offers that stand beside the reason."""

from __future__ import annotations

from itertools import islice
from typing import Any

from explorer.traces import TraceSet
from explorer.widgets._jobs.progress_text import under_way
from explorer.widgets._session import Session
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.ablation_cost import AblationCost

_LOOKED_AT = 200
"""Traces whose texts are measured; the others count as equally long."""
_TOKEN = 4
"""Characters of a token, about."""
_SPEED = 400
"""Tokens a second that a small model reads on two processor cores, about."""

Offer = dict[str, Any]


def way_out(session: Session) -> Offer | None:
    """Return what can be done about the refusal in view, or how far it is; None if nothing."""
    return recording_offer(session) or ablation_offer(session)


def recording_offer(session: Session) -> Offer | None:
    """Return the offer to record attention, where no hyperedge has a score by attention."""
    thresholds, stand_in = session.thresholds, session.stand_in
    traces: TraceSet | None = thresholds.traces.loaded
    lacking = session.state.method == "attention" and thresholds.without_evidence
    if traces is None or not len(traces) or not thresholds.refused or not lacking:
        return None
    report = session.jobs.reports.get(stand_in.JOB)
    if report is not None:
        text = under_way(report.message, report.fraction)
        return {"text": text, "kind": "cancel_scoring", "action": texts.CANCEL}
    seconds = reading_seconds(traces)
    if not seconds:
        return None
    return {
        "text": texts.record_offer(session.ablation.model_name, seconds),
        "kind": "record_all",
        "action": texts.record_all(len(traces)),
    }


def reading_seconds(traces: TraceSet) -> float:
    """Return about how long a small model reads the traces; 0 if none has an answer to read.

    The length of the first traces stands for all. A token counts as four characters, and a second
    as 400 tokens: two processor cores and a model of 135 million parameters.
    """
    some = list(islice(traces, _LOOKED_AT))
    read = [
        len(trace.query) + len(trace.answer) + sum(len(edge.hyperedge) for edge in trace.hyperedges)
        for trace in some
        if trace.answer.strip()
    ]
    return sum(read) / _TOKEN / _SPEED * len(traces) / len(some) if read else 0.0


def ablation_offer(session: Session) -> Offer | None:
    """Return what it takes to measure causal use, or how far it is; None if nothing is offered.

    It is not offered where no hyperedge has a score: the measurement takes a prompt for each, and
    nothing could be judged by it.
    """
    ablation = session.ablation
    report = session.jobs.reports.get(ablation.JOB)
    if report is not None:
        text = under_way(report.message, report.fraction)
        return {"text": text, "kind": "stop", "action": texts.CANCEL}
    cost: AblationCost | None = session.thresholds.cost
    if cost is None or session.state.truth != "ablation" or not cost.traces:
        return None
    if not session.thresholds.scored:
        return None
    rest = bool(cost.measured)
    text = texts.unmeasured(
        ablation.model_name, cost.prompts, cost.traces, cost.failed, cost.unmeasurable, rest=rest
    )
    action = texts.MEASURE_REST if rest else texts.MEASURE
    return {"text": text, "kind": "measure", "action": action}
