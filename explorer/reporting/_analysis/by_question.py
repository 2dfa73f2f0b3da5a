"""Calls at a threshold question by question: a pooled figure hides a question that gets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from explorer.reporting._analysis.threshold_analysis import ThresholdAnalysis


class QuestionCalls(NamedTuple):
    """The calls of one trace: how many units are judged, used, missed, and wrongly called used."""

    trace: str
    units: int
    used: int
    missed: int
    wrong: int


@dataclass(frozen=True)
class ByQuestion:
    """The calls of all traces at a threshold.

    Attributes
    ----------
    questions
        Number of traces with judged units.
    nothing, everything, right
        How many of them have no unit called used, have all called used, and have only right calls.
    worst
        The traces with most errors, misses first; none without an error.
    within, pooled
        ROC-AUC among the units of one trace, mean over the traces; and of all units together.
    """

    questions: int
    nothing: int
    everything: int
    right: int
    worst: tuple[QuestionCalls, ...]
    within: float
    pooled: float


def by_question(analysis: ThresholdAnalysis, threshold: float, most: int = 5) -> ByQuestion:
    """Count the calls of each trace; units without a score are left out.

    Parameters
    ----------
    analysis
        The judged scores.
    threshold
        Scores that reach it are called used.
    most
        Largest number of `worst` traces.
    """
    from explorer.validation._metrics.call_counts import counts_by_trace
    from explorer.validation._metrics.confusion import reaches

    known = analysis.judged.known()
    called = reaches(known.scores, threshold)
    hits, calls, used, units = counts_by_trace(
        called, known.labels, known.groups, known.n_traces
    ).astype(np.int64)
    missed, wrong = used - hits, calls - hits
    # By errors, then by misses; equal ones in the order of the file.
    order = np.lexsort((np.arange(len(units)), -missed, -(missed + wrong)))
    worst = tuple(
        QuestionCalls(
            known.traces[place],
            int(units[place]),
            int(used[place]),
            int(missed[place]),
            int(wrong[place]),
        )
        for place in order[:most].tolist()
        if missed[place] + wrong[place]
    )
    ranking = analysis.ranking
    return ByQuestion(
        len(units),
        int((calls == 0).sum()),
        int((calls == units).sum()),
        int((missed + wrong == 0).sum()),
        worst,
        ranking.within_trace_auc.value,
        ranking.auc.value,
    )
