"""Whether a score follows where a unit stands, or how long it is, in place of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.errors import InputError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import (
    LabelledScores,
    Truth,
    check_scores,
    table_notes,
)
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    Interval,
    bins_by_trace,
    check_count,
    check_samples,
    drawn_traces,
    percentiles,
)
from explorer.validation._statistics.causal_measures import spearman, spearman_by_trace

if TYPE_CHECKING:
    import pandas as pd

Against = Literal["position", "length"]


@dataclass(frozen=True, eq=False)
class Bias:
    """A score against position or length.

    Attributes
    ----------
    against : {"position", "length"}
    table : pandas.DataFrame
        One row for each bin: ``low`` and ``high`` (the smallest and largest position or length in
        it), ``middle`` (their mean over the units), ``units`` (int64), ``score`` (mean) with
        ``score_low`` and ``score_high`` drawn by trace, and ``used``, the share of units that are
        labelled so: a score may follow position because the truth does. ``attrs["truth"]``.
    spearman : Interval
        Rank correlation of score and position or length within each trace, and its mean.
    pooled : float
        The same over all units of all traces together.
    counted_in : str
        Unit of lengths; empty for positions.
    truth : str
    notes : tuple of Diagnostic
    """

    against: Against
    table: pd.DataFrame
    spearman: Interval
    pooled: float
    counted_in: str
    truth: Truth
    notes: tuple[Diagnostic, ...]


def bias(
    judged: LabelledScores,
    against: Against = "position",
    *,
    bins: int = 10,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Bias:
    """Hold scores against position or length.

    Parameters
    ----------
    judged
        Scores; labels of one class will do.
    against
        ``"position"`` in the trace, 0 the first and 1 the last, or ``"length"``.
    bins
        At most so many, of about as many units each; values that are equal stay together.
    samples, seed
        Bootstrap samples of traces, and where they start.

    Raises
    ------
    ValidationError
        No unit has both a score and a known position or length.
    InputError
        An argument is wrong.
    """
    import pandas as pd

    if against not in ("position", "length"):
        raise InputError(f"Scores can be held against position or length, not {against!r}.")
    bins = check_count("bins", bins, 1)
    samples = check_samples(samples)
    check_scores(judged)
    values = judged.positions if against == "position" else judged.lengths
    known = judged.of(~np.isnan(values)).known()
    if not len(known):
        raise ValidationError(
            f"No labelled unit has both a score and a {against}, so nothing can be compared."
        )
    values = known.positions if against == "position" else known.lengths
    edges = np.unique(values)
    if len(edges) > bins:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:], method="lower"))
    of = np.searchsorted(edges, values, side="left")
    # Equal values stay together, so bins are numbered anew without the empty ones.
    _, of = np.unique(of, return_inverse=True)
    n_bins = int(of.max()) + 1
    units = np.bincount(of)
    counts = bins_by_trace(of, known.groups, n_bins, known.n_traces)
    sums = bins_by_trace(of, known.groups, n_bins, known.n_traces, known.scores)
    drawn = []
    for draws in drawn_traces(known.n_traces, samples, seed) if known.n_traces > 1 else ():
        total, count = sums @ draws.astype(np.float64), (counts @ draws).astype(np.float64)
        mean = np.full(total.shape, np.nan)
        np.divide(total, count, out=mean, where=count > 0)
        drawn.append(mean)
    low, high = percentiles(np.concatenate(drawn, axis=1) if drawn else np.empty((n_bins, 0)))
    table = pd.DataFrame(
        {
            "low": [float(values[of == one].min()) for one in range(n_bins)],
            "high": [float(values[of == one].max()) for one in range(n_bins)],
            "middle": np.bincount(of, values) / units,
            "units": units.astype(np.int64),
            "score": np.bincount(of, known.scores) / units,
            "score_low": low,
            "score_high": high,
            "used": np.bincount(of, known.labels) / units,
        }
    )
    table.attrs["truth"] = known.truth
    within = spearman_by_trace(known.scores, values, known.groups, samples=samples, seed=seed)
    return Bias(
        against,
        table,
        within.mean,
        spearman(known.scores, values),
        known.length_in if against == "length" else "",
        known.truth,
        table_notes(known, judged),
    )
