"""Figures of labelled traces as plain values: metrics with intervals, a recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from explorer.errors import InputError, ValidationError
from explorer.validation import METRICS, Interval, LabelledScores, Recommendation, Resampling
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.confusion import Metric, reaches
from explorer.validation._statistics.bootstrap import interval


def recommendation_figures(chosen: Recommendation) -> dict[str, Any]:
    """Return a recommendation, accepted or not, as plain values."""
    return {
        "accepted": chosen.accepted,
        "refusal": chosen.refusal or None,
        "choice": chosen.choice,
        "config": chosen.config,
        "metric": chosen.metric,
        "threshold": chosen.threshold,
        "held_out": chosen.held_out._asdict(),
        "in_sample": chosen.in_sample,
        "traces": chosen.traces,
        "units": chosen.units,
        "positives": chosen.positives,
        "truth": chosen.truth,
        "notes": [note.message for note in chosen.notes],
    }


def metric_intervals(
    judged: LabelledScores, threshold: float, resampling: Resampling
) -> dict[Metric, Interval]:
    """Return every metric of the calls at a threshold, with its interval over traces.

    Raises
    ------
    ValidationError
        No labelled hyperedge has a score.
    """
    known = judged.known()
    if not len(known):
        raise ValidationError(
            "No labelled hyperedge has a score. `attention-explorer score` adds attention to the "
            "traces, or another --method may fit."
        )
    counts = counts_by_trace(
        reaches(known.scores, threshold), known.labels, known.groups, known.n_traces
    )
    return {metric: interval(*sampled_metric(metric, [counts], resampling)) for metric in METRICS}


def requirements(given: list[str]) -> dict[Metric, float]:
    """Return the figures that are required, from texts such as ``"f1=0.6"``.

    Raises
    ------
    InputError
        A text has another form, or there is no such metric.
    """
    found: dict[Metric, float] = {}
    for text in given:
        name, equals, value = text.partition("=")
        metric = name.strip().lower()
        try:
            number = float(value)
        except ValueError:
            number = np.nan
        if metric not in METRICS or not equals or not np.isfinite(number):
            raise InputError(
                f"--fail-under takes METRIC=NUMBER, such as f1=0.6, but it is {text!r:.60}. The "
                f"metrics are {', '.join(METRICS)}."
            )
        found[cast("Metric", metric)] = number
    return found


def gate_rows(
    figures: Mapping[Metric, Interval], required: Mapping[Metric, float], *, lower_bound: bool
) -> list[dict[str, Any]]:
    """Return a row for each metric: value, interval, requirement and whether it is met.

    Parameters
    ----------
    lower_bound
        Compare the lower bound of the interval instead of the value. An unknown figure fails.
    """
    rows = []
    for metric, found in figures.items():
        compared = found.low if lower_bound else found.value
        least = required.get(metric)
        passed = None if least is None else bool(compared >= least)
        row = {"metric": metric, **found._asdict(), "required": least, "passed": passed}
        rows.append(row)
    return rows
