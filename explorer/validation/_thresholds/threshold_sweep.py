"""What every threshold would give: counts, metrics and their intervals, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import (
    LabelledScores,
    Truth,
    check_scores,
    measurable,
    table_notes,
)
from explorer.validation._metrics.confusion import (
    METRICS,
    Confusion,
    Floats,
    Metric,
    check_metric,
    check_threshold,
    metric_value,
    reaches,
)
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    bins_by_trace,
    check_samples,
    drawn_traces,
    percentiles,
)

if TYPE_CHECKING:
    import pandas as pd

Spacing = Literal["quantiles", "log", "linear"]

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
    """What `sweep` found.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each threshold, upwards: ``threshold``; ``tp``, ``fp``, ``fn``, ``tn`` and
        ``flips`` (int64); each of `METRICS` (float64, NaN where 0/0) with its bounds
        ``<metric>_low`` and ``<metric>_high``. ``attrs["truth"]`` says what the labels are.
    truth : str
        The same.
    units, positives, traces, unknown : int
        How many units were judged, how many of them are used, from how many traces, and how many
        more have no score.
    samples, seed : int
        Of the bootstrap; no samples are no intervals.
    notes : tuple of Diagnostic
    """

    table: pd.DataFrame
    truth: Truth
    units: int
    positives: int
    traces: int
    unknown: int
    samples: int
    seed: int
    notes: tuple[Diagnostic, ...]

    def best(self, metric: Metric = "f1") -> BestInSweep:
        """Return where a metric is largest; of several thresholds the highest.

        The metric was looked up on the same labels, so it is better than it will be on others:
        see `cross_validated_threshold`.

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

        A wide plateau means that the exact threshold does not matter.

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
        # A difference of exactly the tolerance is within it, whatever its last bit.
        near = np.nan_to_num(values, nan=-np.inf) >= values[place] - tolerance - 1e-12
        low = high = place
        while low and near[low - 1]:
            low -= 1
        while high + 1 < len(near) and near[high + 1]:
            high += 1
        of = self.table["threshold"].to_numpy()
        return Plateau(
            float(of[low]), float(of[high]), float(of[place]), float(values[place]), tolerance
        )


def sweep(
    judged: LabelledScores,
    thresholds: int | Sequence[float] | NDArray[Any] = 500,
    *,
    spacing: Spacing = "quantiles",
    reference: float | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Sweep:
    """Judge many thresholds at once.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out and counted.
    thresholds
        The thresholds, or about how many to look at.
    spacing
        Where those lie: at quantiles of the scores (at every score, where there are no more than
        asked for), or evenly between the smallest and the largest score, or evenly in the logarithm
        between the smallest positive and the largest.
    reference
        ``flips`` counts the units whose call differs from that at this threshold; left out, from
        that at the threshold before, so that it says how many scores lie between the two.
    samples, seed
        Bootstrap samples (0 for no intervals) and where their generator starts.

    Returns
    -------
    Sweep
        With percentile intervals of 95 %, drawn by trace. A sample in which a metric is 0/0 says
        nothing of it; where most are like this the bounds are NaN.

    Raises
    ------
    ValidationError
        There is no label, no score, or one class only.
    InputError
        A threshold is no finite number, or an argument is wrong.
    """
    import pandas as pd

    samples = check_samples(samples)
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
        columns["flips"] = np.abs(np.diff(calls, prepend=calls[:1]))
    else:
        columns["flips"] = np.abs(
            calls - int(reaches(known.scores, check_threshold(reference)).sum())
        )
    drawn: dict[Metric, list[Floats]] = {metric: [] for metric in METRICS}
    if known.n_traces > 1:
        counted = bins_by_trace(both, known.groups, 2 * n + 2, known.n_traces)
        for draws in drawn_traces(known.n_traces, samples, seed, width=4 * n):
            confusion = _confusion(counted @ draws)
            for metric, found in drawn.items():
                found.append(metric_value(metric, confusion))
    for metric, found in drawn.items():
        columns[metric] = metric_value(metric, whole)[:, 0]
        low, high = percentiles(np.concatenate(found, axis=1) if found else np.empty((n, 0)))
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
        samples,
        seed,
        table_notes(known, judged),
    )


def flipped(judged: LabelledScores, one: float, other: float) -> pd.DataFrame:
    """The units that are called used at one of two thresholds and not at the other.

    Returns
    -------
    pandas.DataFrame
        In the order of the units: ``trace``, ``unit`` (str), ``place`` among the judged units
        (int64), ``score`` (float64), ``label`` (bool), and the calls ``at_one`` and ``at_other``
        (bool).
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


def threshold_grid(
    scores: Floats, thresholds: int | Sequence[float] | NDArray[Any], spacing: Spacing = "quantiles"
) -> NDArray[np.float32]:
    """Thresholds to look at, upwards, float32; see `sweep`. `scores` are known."""
    if isinstance(thresholds, bool) or (
        isinstance(thresholds, int | np.integer) and thresholds < 1
    ):
        raise InputError(f"At least one threshold is needed, not {thresholds!r}.")
    if not isinstance(thresholds, int | np.integer):
        try:
            grid = np.asarray(thresholds, dtype=np.float64)
        except (TypeError, ValueError):
            grid = np.array(np.nan)
        if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all():
            raise InputError("`thresholds` must be how many, or a list of finite numbers.")
        return np.sort(grid.astype(np.float32))
    ordered = np.sort(scores.astype(np.float32))
    least, most = ordered[0], ordered[-1]
    if spacing == "quantiles":
        distinct = np.unique(ordered)
        if len(distinct) <= thresholds:
            return distinct
        places = np.linspace(0, len(ordered) - 1, int(thresholds)).round().astype(np.intp)
        return np.unique(ordered[places])
    if spacing == "linear":
        return np.unique(np.linspace(least, most, int(thresholds), dtype=np.float32))
    if spacing != "log":
        raise InputError(f"`spacing` is quantiles, log or linear, not {spacing!r}.")
    if most <= 0:
        raise InputError("No score is above 0, so thresholds cannot be spaced by logarithm.")
    least = ordered[np.searchsorted(ordered, 0, side="right")]
    grid = np.geomspace(least, most, int(thresholds), dtype=np.float64).astype(np.float32)
    return np.unique(np.clip(grid, least, most))


def _confusion(counts: Any) -> Confusion:
    """From counts (2 classes x (thresholds + 1) bins, samples) to confusion (thresholds, samples).

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
