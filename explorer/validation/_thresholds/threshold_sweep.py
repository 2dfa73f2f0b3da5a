"""Counts, metrics and their intervals at many thresholds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer.errors import InputError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import check_scores, measurable, table_notes
from explorer.validation._data.truth import TruthKind
from explorer.validation._metrics.confusion import (
    METRICS,
    Confusion,
    Metric,
    check_metric,
    check_threshold,
    metric_value,
    reaches,
)
from explorer.validation._statistics.bootstrap import (
    Floats,
    bins_by_trace,
    drawn_traces,
    percentiles,
)
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.threshold_grid import Spacing, threshold_grid

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("tp", "fp", "fn", "tn")


class BestInSweep(NamedTuple):
    """The threshold at which a metric is best, and the metric there with its interval."""

    threshold: float
    value: float
    low: float
    high: float


class Plateau(NamedTuple):
    """The thresholds around the best at which a metric stays within `tolerance` of it."""

    low: float
    high: float
    best: float
    value: float
    tolerance: float


@dataclass(frozen=True, eq=False)
class Sweep:
    """The result of `sweep`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each threshold, ascending: ``threshold``; ``tp``, ``fp``, ``fn``, ``tn`` and
        ``changed_calls`` (int64); each of `METRICS` (float64, NaN for 0/0) with its bounds
        ``<metric>_low`` and ``<metric>_high``. ``attrs["truth"]`` is the kind of truth.
    truth : str
        The same.
    units, positives, traces, unknown : int
        Numbers of units, of used units, of their traces, and of further units without a score.
    samples, seed : int
        Of the bootstrap; 0 samples give no intervals.
    notes : tuple of Diagnostic
    """

    table: pd.DataFrame
    truth: TruthKind
    units: int
    positives: int
    traces: int
    unknown: int
    samples: int
    seed: int
    notes: tuple[Diagnostic, ...]

    def best(self, metric: Metric = "f1") -> BestInSweep:
        """Return where a metric is largest; of several thresholds the highest.

        The metric is that of the labels which choose the threshold, so it is optimistic: see
        `cross_validated_threshold`.

        Raises
        ------
        InputError
            There is no such metric.
        """
        check_metric(metric)
        values = self.table[metric].to_numpy()
        place = _last_best(values)
        if place is None:
            return BestInSweep(np.nan, np.nan, np.nan, np.nan)
        row = self.table.iloc[place]
        return BestInSweep(
            float(row["threshold"]),
            float(row[metric]),
            float(row[f"{metric}_low"]),
            float(row[f"{metric}_high"]),
        )

    def plateau(self, metric: Metric = "f1", tolerance: float = 0.02) -> Plateau:
        """Return the unbroken range of thresholds around the best within `tolerance` of it.

        On a wide plateau the exact threshold does not matter.

        Raises
        ------
        InputError
            There is no such metric, or the tolerance is negative.
        """
        check_metric(metric)
        if not isinstance(tolerance, int | float | np.number) or not tolerance >= 0:
            raise InputError(f"The tolerance must be 0 or more, but it is {tolerance!r}.")
        values = self.table[metric].to_numpy()
        place = _last_best(values)
        if place is None:
            return Plateau(np.nan, np.nan, np.nan, np.nan, tolerance)
        # A difference of exactly the tolerance counts as within it, despite rounding.
        near = np.nan_to_num(values, nan=-np.inf) >= values[place] - tolerance - 1e-12
        low = high = place
        while low and near[low - 1]:
            low -= 1
        while high + 1 < len(near) and near[high + 1]:
            high += 1
        thresholds = self.table["threshold"].to_numpy()
        return Plateau(
            float(thresholds[low]),
            float(thresholds[high]),
            float(thresholds[place]),
            float(values[place]),
            tolerance,
        )


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def sweep(
    judged: LabelledScores,
    thresholds: int | Sequence[float] | NDArray[Any] = 500,
    *,
    spacing: Spacing = "quantiles",
    reference: float | None = None,
    resampling: Resampling | None = None,
) -> Sweep:
    """Measure the calls at many thresholds.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out and counted.
    thresholds
        The thresholds, or about how many.
    spacing
        Where a number of thresholds lie: at quantiles of the scores (at every score if there are
        fewer), or evenly between the smallest and the largest score, or evenly in the logarithm
        between the smallest positive and the largest.
    reference
        ``changed_calls`` counts the units whose call differs from that at this threshold. If left
        out, from that at the previous threshold, so it counts the scores between the two.
    resampling
        How bootstrap samples of traces are drawn.

    Returns
    -------
    Sweep
        With 95 % bootstrap intervals over traces. Samples in which a metric is 0/0 are left out of
        its interval; the bounds are NaN if most are.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or only units of one class.
    InputError
        A threshold is not a finite number, or an argument is not valid.
    """
    import pandas as pd

    drawing = Resampling.of(resampling)
    known = measurable(judged)
    grid = threshold_grid(known.scores, thresholds, spacing)
    n = len(grid)
    # Bin j holds the scores that reach j thresholds.
    bins = np.searchsorted(grid, known.scores.astype(np.float32), side="right")
    both = bins + known.labels * (n + 1)
    columns: dict[str, Any] = {"threshold": grid.astype(np.float64)}
    whole = _confusion(np.bincount(both, minlength=2 * n + 2)[:, None])
    columns |= {name: counts[:, 0] for name, counts in zip(COUNTS, whole, strict=True)}
    calls = columns["tp"] + columns["fp"]
    if reference is None:
        columns["changed_calls"] = np.abs(np.diff(calls, prepend=calls[:1]))
    else:
        called = int(reaches(known.scores, check_threshold(reference)).sum())
        columns["changed_calls"] = np.abs(calls - called)
    drawn: dict[Metric, list[Floats]] = {metric: [] for metric in METRICS}
    if known.n_traces > 1:
        counted = bins_by_trace(both, known.groups, 2 * n + 2, known.n_traces)
        for draws in drawn_traces(known.n_traces, drawing, width=4 * n):
            confusion = _confusion(counted @ draws)
            for metric, values in drawn.items():
                values.append(metric_value(metric, confusion))
    for metric, values in drawn.items():
        columns[metric] = metric_value(metric, whole)[:, 0]
        low, high = percentiles(np.concatenate(values, axis=1) if values else np.empty((n, 0)))
        defined = ~np.isnan(columns[metric])
        columns[f"{metric}_low"] = np.where(defined, low, np.nan)
        columns[f"{metric}_high"] = np.where(defined, high, np.nan)
    table = pd.DataFrame(columns)
    table.attrs["truth"] = known.truth
    return Sweep(
        table,
        known.truth,
        len(known),
        known.positives,
        known.n_traces,
        len(judged) - len(known),
        drawing.samples,
        drawing.seed,
        table_notes(known, judged),
    )


def changed_units(judged: LabelledScores, one: float, other: float) -> pd.DataFrame:
    """The units whose call differs between two thresholds.

    Parameters
    ----------
    judged : LabelledScores
    one, other : float
        Thresholds in [0, 1].

    Returns
    -------
    pandas.DataFrame
        In the order of the units: ``trace``, ``unit`` (str), ``place`` among the units (int64),
        ``score`` (float64), ``label`` (bool), and the calls ``at_one`` and ``at_other`` (bool).
        ``attrs["truth"]``.

    Raises
    ------
    InputError
        `judged` is not a `LabelledScores`, or a threshold is not in [0, 1].
    """
    import pandas as pd

    from explorer.feedback._feedback_table import text_column

    first = reaches(check_scores(judged).scores, check_threshold(one))
    second = reaches(judged.scores, check_threshold(other))
    places = np.flatnonzero(first != second)
    table = pd.DataFrame(
        {
            "trace": text_column([judged.traces[judged.groups[place]] for place in places]),
            "unit": text_column([judged.units[place] for place in places]),
            "place": places.astype(np.int64),
            "score": judged.scores[places],
            "label": judged.labels[places],
            "at_one": first[places],
            "at_other": second[places],
        }
    )
    table.attrs["truth"] = judged.truth
    return table


def _confusion(counts: Any) -> Confusion:
    """Return the confusion (thresholds, samples) from counts (2 x (thresholds + 1), samples).

    The units that reach threshold j are those in the bins above j.
    """
    classes = counts.reshape(2, -1, counts.shape[-1])
    above = np.cumsum(classes[:, ::-1], axis=1)[:, ::-1]
    (fp, tp), (negatives, positives) = above[:, 1:], above[:, :1]
    return Confusion(tp, fp, positives - tp, negatives - fp)


def _last_best(values: Floats) -> int | None:
    if np.isnan(values).all():
        return None
    return int(len(values) - 1 - np.nanargmax(values[::-1]))
