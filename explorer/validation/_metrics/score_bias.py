"""Bias of a score towards the position or the length of a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer._deprecation import old_parameters
from explorer.errors import InputError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import check_scores, table_notes
from explorer.validation._data.truth import TruthKind
from explorer.validation._statistics.bootstrap import (
    Interval,
    bins_by_trace,
    drawn_traces,
    percentiles,
)
from explorer.validation._statistics.causal_measures import spearman, spearman_by_trace
from explorer.validation._statistics.number_checks import check_count
from explorer.validation._statistics.resampling import Resampling

if TYPE_CHECKING:
    import pandas as pd

Against = Literal["position", "length"]


@dataclass(frozen=True, eq=False)
class Bias:
    """Mean score by position or length.

    Attributes
    ----------
    against : {"position", "length"}
    table : pandas.DataFrame
        One row for each bin: ``low`` and ``high`` (smallest and largest position or length),
        ``middle`` (their mean over the units), ``units`` (int64), ``score`` (mean) with a 95 %
        bootstrap interval over traces in ``score_low`` and ``score_high``, and ``used``, the share
        of units labelled used: a score may follow position because the truth does.
        ``attrs["truth"]``.
    spearman : Interval
        Rank correlation of score and position or length within each trace, mean over traces.
    pooled : float
        The same over all units of all traces.
    counted_in : str
        Unit of the lengths; empty for positions.
    truth : str
    notes : tuple of Diagnostic
    """

    against: Against
    table: pd.DataFrame
    spearman: Interval
    pooled: float
    counted_in: str
    truth: TruthKind
    notes: tuple[Diagnostic, ...]


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def bias(
    judged: LabelledScores,
    against: Against = "position",
    *,
    bins: int = 10,
    resampling: Resampling | None = None,
) -> Bias:
    """Compare scores with position or length.

    Parameters
    ----------
    judged
        Scores; labels of one class are enough.
    against
        ``"position"`` in the trace, from 0 for the first to 1 for the last, or ``"length"``.
    bins
        Largest number of bins, of about as many units each; equal values stay together.
    resampling
        How bootstrap samples of traces are drawn.

    Raises
    ------
    ValidationError
        No unit has both a score and a known position or length.
    InputError
        An argument is not valid.
    """
    import pandas as pd

    if against not in ("position", "length"):
        raise InputError(f"Scores can be compared with position or length, not {against!r}.")
    bins = check_count("bins", bins, 1)
    drawing = Resampling.of(resampling)
    check_scores(judged)
    values = judged.positions if against == "position" else judged.lengths
    known = judged.subset(~np.isnan(values)).known()
    if not len(known):
        raise ValidationError(
            f"No labelled unit has both a score and a {against}, so nothing can be compared."
        )
    values = known.positions if against == "position" else known.lengths
    edges = np.unique(values)
    if len(edges) > bins:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:], method="lower"))
    bin_of = np.searchsorted(edges, values, side="left")
    # Equal values share a bin, so some bins may be empty: number the others anew.
    _, bin_of = np.unique(bin_of, return_inverse=True)
    n_bins = int(bin_of.max()) + 1
    units = np.bincount(bin_of)
    counts = bins_by_trace(bin_of, known.groups, n_bins, known.n_traces)
    sums = bins_by_trace(bin_of, known.groups, n_bins, known.n_traces, known.scores)
    drawn = []
    for draws in drawn_traces(known.n_traces, drawing) if known.n_traces > 1 else ():
        total, count = sums @ draws.astype(np.float64), (counts @ draws).astype(np.float64)
        mean = np.full(total.shape, np.nan)
        np.divide(total, count, out=mean, where=count > 0)
        drawn.append(mean)
    low, high = percentiles(np.concatenate(drawn, axis=1) if drawn else np.empty((n_bins, 0)))
    table = pd.DataFrame(
        {
            "low": [float(values[bin_of == number].min()) for number in range(n_bins)],
            "high": [float(values[bin_of == number].max()) for number in range(n_bins)],
            "middle": np.bincount(bin_of, values) / units,
            "units": units.astype(np.int64),
            "score": np.bincount(bin_of, known.scores) / units,
            "score_low": low,
            "score_high": high,
            "used": np.bincount(bin_of, known.labels) / units,
        }
    )
    table.attrs["truth"] = known.truth
    within = spearman_by_trace(known.scores, values, known.groups, resampling=drawing)
    return Bias(
        against,
        table,
        within.mean,
        spearman(known.scores, values),
        known.length_in if against == "length" else "",
        known.truth,
        table_notes(known, judged),
    )
