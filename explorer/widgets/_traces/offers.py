"""What is missing in the open trace, and the buttons that help, as the page takes them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorer.traces import Trace
from explorer.widgets._jobs.job_runner import JobReport
from explorer.widgets._jobs.progress_text import under_way
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces._file import texts as file_texts
from explorer.widgets._traces.recording_controller import RecordingController
from explorer.widgets._traces.rescoring import missing_in, recorded_by_stand_in
from explorer.widgets._traces.scene import TraceScene
from explorer.widgets._traces.stand_in_controller import StandInController

if TYPE_CHECKING:
    import pandas as pd

Offer = dict[str, Any]
"""``text``, and ``actions`` as lists of gesture, text and title."""

RECORDING_JOBS = (RecordingController.JOB, StandInController.JOB)


def recording_offer(reports: Mapping[str, JobReport]) -> Offer | None:
    """Return how far a model is with reading, and a button to stop it; None when none reads."""
    for job in RECORDING_JOBS:
        report = reports.get(job)
        if report is not None:
            text = under_way(report.message, report.fraction)
            return {"text": text, "actions": [[f"cancel_{job}", *texts.CANCEL]]}
    return None


def trace_offer(
    state: ExplorerState,
    scene: TraceScene,
    table: pd.DataFrame | None,
    traces: int,
    *,
    labelled: bool = False,
) -> Offer | None:
    """Return what is missing in a trace and what helps; None if nothing is.

    Parameters
    ----------
    state
        The method, threshold and head set in use.
    scene
        The open trace.
    table
        Its feedback table; None while there is none.
    traces
        Number of loaded traces.
    labelled
        Whether some of their hyperedges are labelled.
    """
    if not scene.trace.hyperedges:
        return {"text": texts.NO_HYPEREDGES, "actions": []}
    if state.method != "attention":
        return None
    if scene.attention is None:
        return _attention_offer(scene.trace, traces)
    if state.heads is not None:
        offer = _head_set_offer(scene, table)
        if offer is not None:
            return offer
    largest = _largest_below(state, table)
    if largest is None:
        return None
    actions = [["auto", *file_texts.AUTO]] if state.threshold_mode != "auto" else []
    if labelled:
        actions.append(["by_labels", *file_texts.BY_LABELS])
    text = texts.out_of_reach(state.threshold, largest, _typical_tokens(state, scene))
    return {"text": text, "actions": actions}


def _largest_below(state: ExplorerState, table: pd.DataFrame | None) -> float | None:
    """Return the largest score of a trace; None if there is none or it reaches the threshold."""
    scores = [] if table is None else [s for s in table["score"].tolist() if not math.isnan(s)]
    if not scores or max(scores) <= 0 or max(scores) >= state.threshold:
        return None
    return float(max(scores))


def _typical_tokens(state: ExplorerState, scene: TraceScene) -> int | None:
    """Return the median number of tokens whose attention a score is the mean of."""
    averaged = state.heads is None and (state.reduction, state.normalisation) == ("mean", "raw")
    if not averaged or scene.evidence.kind == "direct":
        return None
    return int(statistics.median_low([unit.tokens for unit in scene.evidence.units])) or None


def _attention_offer(trace: Trace, traces: int) -> Offer:
    if not trace.answer.strip():
        return {"text": texts.NO_ANSWER, "actions": [["record", *texts.ANSWER]]}
    every = [["record_all", *texts.record_all(traces)]] if traces > 1 else []
    actions = [["record", *texts.RECORD], *every, ["by_text", *texts.BY_TEXT]]
    return {"text": texts.NO_ATTENTION, "actions": actions}


def _head_set_offer(scene: TraceScene, table: pd.DataFrame | None) -> Offer | None:
    """Return what helps where the head set cannot score a trace; None where it can."""
    if table is None or not table.attrs["notes"] or not table["score"].isna().all():
        return None
    missing = missing_in(scene.trace, ("question",), content_free=True)
    again = bool(missing) and recorded_by_stand_in(scene.trace)
    return {
        "text": table.attrs["notes"][0].message,
        "actions": [
            *([["read_again", *texts.RECORD_AGAIN]] if again else []),
            ["leave_heads", *texts.LEAVE_HEADS],
        ],
    }
