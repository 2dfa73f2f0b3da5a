"""Two runs over the same traces: which calls flipped, and how far figures moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ValidationError
from explorer.validation import METRICS, Interval, Resampling, call_agreement
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._statistics.bootstrap import (
    drawn_traces,
    interval,
    joined_samples,
)

if TYPE_CHECKING:
    import pandas as pd

_NOTHING = Interval(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class RunDifference:
    """The difference of two runs.

    Attributes
    ----------
    traces, hyperedges
        Numbers of those in both runs.
    only_first, only_second
        Number of hyperedges in one run alone.
    flips
        Hyperedges whose call differs: trace, unit, text, label, and score and verdict of both.
    figures
        For each figure: value in the first run, in the second, and the change with its paired 95 %
        bootstrap interval over traces.
    kappa
        Agreement of the calls of both runs beyond chance.
    """

    traces: int
    hyperedges: int
    only_first: int
    only_second: int
    flips: list[dict[str, Any]]
    figures: list[dict[str, Any]]
    kappa: Interval


def compare_runs(
    first: pd.DataFrame,
    second: pd.DataFrame,
    labels: dict[tuple[str, str], bool],
    resampling: Resampling,
) -> RunDifference:
    """Compare the tables of two runs.

    Parameters
    ----------
    first, second
        From `FeedbackExtractor.explain_traces`, joined by the ids of trace and hyperedge.
    labels
        Ground truth by trace and hyperedge, where it is known.
    resampling
        How bootstrap samples of traces are drawn; both runs see the same samples.

    Raises
    ------
    ValidationError
        The runs have no hyperedge in common.
    """
    before, after = _by_id(first), _by_id(second)
    common = [key for key in before if key in after]
    if not common:
        raise ValidationError(
            "The two runs have no hyperedge in common: their ids of traces or hyperedges differ. "
            "Give two runs over the same traces."
        )
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(trace, len(numbers)) for trace, _ in common])
    calls, other_calls = _calls(before, common), _calls(after, common)
    scores, other_scores = _scores(before, common), _scores(after, common)
    known = ~(np.isnan(calls) | np.isnan(other_calls))
    changed = known & (calls != other_calls)
    figures = [
        _mean_change("score", scores, other_scores, groups, resampling),
        _mean_change("called used", calls, other_calls, groups, resampling),
        _mean_change("flipped", np.zeros(len(common)), _where(changed, known), groups, resampling),
    ]
    truth = np.array([labels.get(key) is not None for key in common]) & known
    if truth.any():
        given = np.array([bool(labels.get(key)) for key in common])
        figures += _metric_changes([calls, other_calls], given, groups, truth, resampling)
    return RunDifference(
        traces=len(numbers),
        hyperedges=len(common),
        only_first=len(before) - len(common),
        only_second=len(after) - len(common),
        flips=[
            _flip(key, before[key], after[key], labels)
            for key, flipped in zip(common, changed, strict=True)
            if flipped
        ],
        figures=figures,
        kappa=call_agreement(calls, other_calls, groups, resampling=resampling).kappa,
    )


def _by_id(table: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    columns = ["trace", "unit", "text", "score", "verdict"]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table[columns].to_dict("records"):
        rows.setdefault((row["trace"], row["unit"]), {name: row[name] for name in columns})
    return rows


def _calls(
    table: dict[tuple[str, str], dict[str, Any]], keys: list[tuple[str, str]]
) -> NDArray[np.float64]:
    """Return 1 for used, 0 for not used, NaN for unknown."""
    verdicts = [table[key]["verdict"] for key in keys]
    known = {"used": 1.0, "unknown": np.nan}
    return np.array([known.get(str(verdict), 0.0) for verdict in verdicts])


def _scores(
    table: dict[tuple[str, str], dict[str, Any]], keys: list[tuple[str, str]]
) -> NDArray[np.float64]:
    return np.array([table[key]["score"] for key in keys], dtype=np.float64)


def _where(changed: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(known, changed.astype(np.float64), np.nan)


def _flip(
    key: tuple[str, str],
    before: dict[str, Any],
    after: dict[str, Any],
    labels: dict[tuple[str, str], bool],
) -> dict[str, Any]:
    return {
        "trace": key[0],
        "unit": key[1],
        "text": before["text"],
        "label": labels.get(key),
        "first_score": before["score"],
        "second_score": after["score"],
        "first": before["verdict"],
        "second": after["verdict"],
    }


def _mean_change(
    name: str,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    groups: NDArray[np.intp],
    resampling: Resampling,
) -> dict[str, Any]:
    """Return the means over hyperedges with a value in both runs, and their change."""
    known = ~(np.isnan(first) | np.isnan(second))
    if not known.any():
        return _row(name, np.nan, np.nan, _NOTHING)
    _, trace = np.unique(groups[known], return_inverse=True)
    n_traces = int(trace.max()) + 1
    counts = np.bincount(trace, minlength=n_traces).astype(np.float64)
    sums = np.bincount(trace, (second - first)[known], minlength=n_traces)
    value = float((second - first)[known].mean())
    samples = []
    if n_traces > 1:
        for drawn in drawn_traces(n_traces, resampling):
            draws = drawn.astype(np.float64)
            samples.append((sums @ draws) / (counts @ draws))
    change = interval(value, joined_samples(samples))
    return _row(name, float(first[known].mean()), float(second[known].mean()), change)


def _metric_changes(
    calls: list[NDArray[np.float64]],
    labels: NDArray[np.bool_],
    groups: NDArray[np.intp],
    chosen: NDArray[np.bool_],
    resampling: Resampling,
) -> list[dict[str, Any]]:
    _, trace = np.unique(groups[chosen], return_inverse=True)
    n_traces = int(trace.max()) + 1
    counts = [counts_by_trace(run[chosen] > 0.5, labels[chosen], trace, n_traces) for run in calls]
    rows = []
    for metric in METRICS:
        (one, first), (two, second) = (
            sampled_metric(metric, [count], resampling) for count in counts
        )
        rows.append(_row(metric, one, two, interval(two - one, second - first)))
    return rows


def _row(name: str, first: float, second: float, change: Interval) -> dict[str, Any]:
    return {
        "figure": name,
        "first": first,
        "second": second,
        "change": change.value,
        "low": change.low,
        "high": change.high,
    }
