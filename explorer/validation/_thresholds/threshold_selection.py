"""The threshold at which a metric is largest, tested on traces that did not choose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from explorer._deprecation import old_parameters
from explorer._number_format import three_digits
from explorer.errors import ShapeError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores, number_array
from explorer.validation._data.score_checks import measurable, table_notes
from explorer.validation._data.truth import TRUTH_WORDS, TruthKind
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.confusion import (
    Confusion,
    Objective,
    check_metric,
    metric_value,
    reaches,
)
from explorer.validation._statistics.bootstrap import Interval, interval
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.cross_validation import CrossValidation, trace_folds

if TYPE_CHECKING:
    import pandas as pd

_REPEATS = 10

_UNSTABLE = 0.1
"""Share of calls that depend on the choice of traces before a note says so."""


class BestThreshold(NamedTuple):
    """A threshold, and its metric on the labels that chose it."""

    threshold: float
    value: float


@dataclass(frozen=True, eq=False)
class ChosenThreshold:
    """The result of `cross_validated_threshold`.

    Attributes
    ----------
    metric : str
    threshold : float
        Chosen on all labels: the one to use.
    in_sample : float
        The metric at `threshold` on the labels that chose it; optimistic.
    held_out : Interval
        The metric of calls on held-out traces, those of all folds together, mean over the repeats:
        what to expect on new traces. The interval resamples traces with their calls; it does not
        include the variation from choosing on other traces.
    optimism : float
        `in_sample` minus `held_out`.
    folds : pandas.DataFrame
        For each repeat and fold: ``repeat``, ``fold``, ``threshold``, ``in_sample`` (on the traces
        that chose it), ``held_out`` (NaN for 0/0), ``traces`` and ``positives`` held out.
    low, high : float
        The smallest and the largest threshold chosen in any fold.
    calls_that_differ : float
        Share of units whose call differs between `low` and `high`: how much depends on the choice
        of labelled traces.
    traces, positives, units : int
    truth : str
    notes : tuple of Diagnostic
        ``"unstable-threshold"`` if more than a tenth of the calls differ.
    """

    metric: Objective
    threshold: float
    in_sample: float
    held_out: Interval
    optimism: float
    folds: pd.DataFrame
    low: float
    high: float
    calls_that_differ: float
    traces: int
    positives: int
    units: int
    truth: TruthKind
    notes: tuple[Diagnostic, ...]


def best_threshold(scores: Any, labels: Any, metric: Objective = "f1") -> BestThreshold:
    """Return the threshold at which a metric is largest.

    Parameters
    ----------
    scores
        Float (units,); NaN is left out.
    labels
        Bool (units,).
    metric
        The metric. Of several thresholds with the same value the highest is returned.

    Returns
    -------
    BestThreshold
        Halfway between the lowest score that is called used and the next lower one; the lowest
        score itself if there is none below. NaN if the metric is nowhere defined.

    Raises
    ------
    InputError, ShapeError
        There is no such metric, the scores are not numeric, or the two differ in length.

    Examples
    --------
    >>> best_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True])
    BestThreshold(threshold=0.4, value=1.0)
    """
    check_metric(metric, Objective)
    known, truth = number_array("scores", scores), np.asarray(labels, dtype=bool)
    if known.ndim != 1 or known.shape != truth.shape:
        raise ShapeError(
            "Scores and labels must be lists of one length, but they have shapes "
            f"{known.shape} and {truth.shape}."
        )
    mask = ~np.isnan(known)
    known, truth = known[mask], truth[mask]
    if not len(known):
        return BestThreshold(np.nan, np.nan)
    order = np.argsort(-known, kind="stable")
    down = known[order]
    single = down.astype(np.float32)  # the precision in which scores and thresholds are compared
    last = np.flatnonzero(np.r_[single[1:] != single[:-1], True])
    hits = np.cumsum(truth[order])[last]
    confusion = Confusion.of_calls(hits, last + 1, int(truth.sum()), len(known))
    values = metric_value(metric, confusion)
    if np.isnan(values).all():
        return BestThreshold(np.nan, np.nan)
    place = int(np.nanargmax(values))
    lowest = float(down[last[place]])
    threshold = lowest
    if place + 1 < len(last):
        # Scores tied in float32 may differ in float64: the halfway point must separate both.
        halfway = (lowest + float(down[last[place] + 1])) / 2
        below = np.float32(down[last[place] + 1])
        threshold = halfway if below < np.float32(halfway) <= np.float32(lowest) else lowest
    return BestThreshold(threshold, float(values[place]))


@old_parameters(
    resampling=(Resampling, ("samples", "seed")),
    cross_validation=(CrossValidation, ("folds", "repeats", "min_traces", "min_positives")),
)
def cross_validated_threshold(
    judged: LabelledScores,
    metric: Objective = "f1",
    *,
    cross_validation: CrossValidation | None = None,
    resampling: Resampling | None = None,
) -> ChosenThreshold:
    """Choose a threshold, and test the choice on traces that had no part in it.

    The traces are split into folds (`sklearn.model_selection.GroupKFold`); each fold is called with
    the threshold that the other folds choose; this is repeated with other splits.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out.
    metric
        The metric that the threshold maximises.
    cross_validation
        Folds, repeats (10 by default), and the smallest number of labels.
    resampling
        How bootstrap samples of traces are drawn for the interval of the held-out metric. The seed
        also decides the splits.

    Raises
    ------
    ValidationError
        There are too few traces, or too few units of one class, or the units of a class come from
        fewer traces than there are folds; the message says how many are missing.
    InputError
        An argument is not valid.
    """
    import pandas as pd

    check_metric(metric, Objective)
    drawing, splitting = Resampling.of(resampling), CrossValidation.of(cross_validation)
    known = measurable(judged)
    splitting.check_enough(known)
    chosen = best_threshold(known.scores, known.labels, metric)
    rows = []
    counts = []
    for repeat in range(splitting.repeats or _REPEATS):
        called = np.zeros(len(known), dtype=bool)
        for fold, held in enumerate(trace_folds(known, splitting.folds, drawing.seed + repeat)):
            rest = ~held
            found = best_threshold(known.scores[rest], known.labels[rest], metric)
            called[held] = reaches(known.scores[held], found.threshold)
            confusion = _confusion(called[held], known.labels[held])
            rows.append(
                {
                    "repeat": repeat,
                    "fold": fold,
                    "threshold": found.threshold,
                    "in_sample": found.value,
                    "held_out": float(metric_value(metric, confusion)),
                    "traces": len(np.unique(known.groups[held])),
                    "positives": int(known.labels[held].sum()),
                }
            )
        counts.append(counts_by_trace(called, known.labels, known.groups, known.n_traces))
    table = pd.DataFrame(rows)
    table.attrs["truth"] = known.truth
    held_out = interval(*sampled_metric(metric, counts, drawing))
    low, high = float(table["threshold"].min()), float(table["threshold"].max())
    differ = float((reaches(known.scores, low) & ~reaches(known.scores, high)).mean())
    notes = list(table_notes(known, judged))
    if differ > _UNSTABLE:
        message = (
            f"Other traces choose other thresholds, from {three_digits(low)} to "
            f"{three_digits(high)}, and {differ:.0%} of the calls depend on which. "
            f"{TRUTH_WORDS[known.truth].more} more traces before you rely on this one."
        )
        notes.append(Diagnostic("unstable-threshold", message))
    return ChosenThreshold(
        metric,
        chosen.threshold,
        chosen.value,
        held_out,
        chosen.value - held_out.value,
        table,
        low,
        high,
        differ,
        known.n_traces,
        known.positives,
        len(known),
        known.truth,
        tuple(notes),
    )


def _confusion(called: Any, labels: Any) -> Confusion:
    return Confusion.of_calls((called & labels).sum(), called.sum(), labels.sum(), len(labels))
