"""The threshold at which a metric is largest, tested on traces that did not choose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from explorer._deprecation import old_parameters
from explorer._number_format import three_digits
from explorer.errors import ShapeError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores, number_array
from explorer.validation._data.score_checks import measurable, table_notes
from explorer.validation._data.truth import TRUTH_WORDS, TruthKind
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.confusion import Confusion, metric_value, reaches
from explorer.validation._metrics.objective import Objective, ObjectiveKind
from explorer.validation._statistics.bootstrap import Floats, Interval, interval
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.cross_validation import CrossValidation, trace_folds

if TYPE_CHECKING:
    import pandas as pd

_REPEATS = 10

_DIGITS = 3
"""Digits of a threshold, as numbers are shown."""

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
    objective : Objective
        What the threshold was chosen for.
    threshold : float
        Chosen on all labels: the one to use.
    in_sample : float
        The figure of the objective at `threshold` on the labels that chose it; optimistic.
    held_out : Interval
        The figure of calls on held-out traces, those of all folds together, mean over the repeats:
        what to expect on new traces. The interval resamples traces with their calls; it does not
        include the variation from choosing on other traces.
    held_out_floor : Interval or None
        The same for the metric with a floor, such as the recall of "precision at a recall of 0.8":
        on other traces it is not the floor itself. None if the objective has no floor.
    samples : ndarray of float64, shape (samples,)
        The bootstrap samples of `held_out`. Those of other scores of the same traces, drawn in the
        same way, are paired with them.
    optimism : float
        `in_sample` minus `held_out`, or for a cost the other way round.
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

    objective: Objective
    threshold: float
    in_sample: float
    held_out: Interval
    held_out_floor: Interval | None
    samples: Floats
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

    @property
    def metric(self) -> ObjectiveKind:
        """Name of the metric, or ``"cost"``."""
        return self.objective.kind


def best_threshold(
    scores: Any, labels: Any, metric: Objective | ObjectiveKind = "f1"
) -> BestThreshold:
    """Return the threshold that suits an objective best.

    Parameters
    ----------
    scores
        Float (units,); NaN is left out.
    labels
        Bool (units,).
    metric
        The metric to maximise, or an `Objective`. Of several thresholds with the same value the
        highest is returned.

    Returns
    -------
    BestThreshold
        Halfway between the lowest score that is called used and the next lower one, rounded to
        three digits, or to as many as separate the two: what is shown and what is exported make the
        same calls. If there is no lower score, the lowest one itself, rounded likewise.
        `value` is the figure of the objective. NaN if it is nowhere defined.

    Raises
    ------
    InputError, ShapeError
        There is no such metric, the scores are not numeric, or the two differ in length.
    ValidationError
        No threshold reaches the floor of the objective; the message names the largest value.

    Examples
    --------
    >>> best_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True])
    BestThreshold(threshold=0.4, value=1.0)
    """
    goal = Objective.of(metric)
    found, missed = _best(scores, labels, goal)
    if missed is not None and goal.floor is not None:
        other, least = goal.floor
        reached = "is not defined here" if np.isnan(missed) else f"is {three_digits(missed)}"
        raise ValidationError(
            f"No threshold reaches a {other} of {three_digits(least)}: the largest {reached}. Ask "
            "for less."
        )
    return found


def nearest_threshold(scores: Any, labels: Any, objective: Objective) -> BestThreshold:
    """Return the `best_threshold`; that of the largest value of the floor's metric if none is met.

    For the folds of a cross-validation: what some traces reach, others may just miss.
    """
    return _best(scores, labels, objective)[0]


def _best(scores: Any, labels: Any, goal: Objective) -> tuple[BestThreshold, float | None]:
    """Return the best threshold; and the largest value of the floor's metric if that is missed."""
    known, truth = number_array("scores", scores), np.asarray(labels, dtype=bool)
    if known.ndim != 1 or known.shape != truth.shape:
        raise ShapeError(
            "Scores and labels must be lists of one length, but they have shapes "
            f"{known.shape} and {truth.shape}."
        )
    mask = ~np.isnan(known)
    known, truth = known[mask], truth[mask]
    nothing = BestThreshold(np.nan, np.nan)
    if not len(known):
        return nothing, None
    order = np.argsort(-known, kind="stable")
    down = known[order]
    single = down.astype(np.float32)  # the precision in which scores and thresholds are compared
    last = np.flatnonzero(np.r_[single[1:] != single[:-1], True])
    hits = np.cumsum(truth[order])[last]
    confusion = Confusion.of_calls(hits, last + 1, int(truth.sum()), len(known))
    merits, missed = goal.merit(confusion), None
    if goal.floor is not None and not goal.is_met(confusion).any():
        merits = metric_value(goal.floor[0], confusion)
        missed = float("nan") if np.isnan(merits).all() else float(np.nanmax(merits))
    if np.isnan(merits).all():
        return nothing, missed
    place = int(np.nanargmax(merits))
    value = float(goal.value(Confusion(*(part[place] for part in confusion))))
    lowest = float(down[last[place]])
    if place + 1 == len(last):
        return BestThreshold(shortest_between(-np.inf, lowest), value), missed
    # Scores tied in float32 may differ in float64: the threshold must separate both.
    below = float(down[last[place] + 1])
    return BestThreshold(shortest_between(below, lowest), value), missed


def shortest_between(below: float, lowest: float) -> float:
    """Return the point halfway between two scores, rounded to three digits or as many as it takes.

    `lowest` reaches it and `below` does not, compared in float32. It is `lowest` itself if the two
    are too close; and with `below` at minus infinity it is `lowest`, rounded.

    Examples
    --------
    >>> shortest_between(0.08182, 0.08191), shortest_between(0.08188, 0.08189)
    (0.0819, 0.081885)
    """
    # In single precision, so that the same scores of a file and of attention give one threshold.
    ends = float(np.float32(below)), float(np.float32(lowest))
    halfway = ends[1] if np.isinf(below) else sum(ends) / 2
    for digits in range(_DIGITS, 10):
        short = float(f"{halfway:.{digits}g}")
        if np.float32(below) < np.float32(short) <= np.float32(lowest):
            return short
    return lowest


@old_parameters(
    resampling=(Resampling, ("samples", "seed")),
    cross_validation=(CrossValidation, ("folds", "repeats", "min_traces", "min_positives")),
)
def cross_validated_threshold(
    judged: LabelledScores,
    metric: Objective | ObjectiveKind = "f1",
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
        The metric that the threshold maximises, or an `Objective`. Where the other folds do not
        reach its floor, they choose the threshold that comes nearest.
    cross_validation
        Folds, repeats (10 by default), and the smallest number of labels.
    resampling
        How bootstrap samples of traces are drawn for the interval of the held-out metric. The seed
        also decides the splits.

    Raises
    ------
    ValidationError
        There are too few traces, or too few units of one class, or the units of a class come from
        fewer traces than there are folds; the message says how many are missing. Or no threshold
        reaches the floor of the objective.
    InputError
        An argument is not valid.
    """
    import pandas as pd

    goal = Objective.of(metric)
    drawing, splitting = Resampling.of(resampling), CrossValidation.of(cross_validation)
    known = measurable(judged)
    splitting.check_enough(known)
    chosen = best_threshold(known.scores, known.labels, goal)
    rows = []
    counts = []
    for repeat in range(splitting.repeats or _REPEATS):
        called = np.zeros(len(known), dtype=bool)
        for fold, held in enumerate(trace_folds(known, splitting.folds, drawing.seed + repeat)):
            rest = ~held
            found = nearest_threshold(known.scores[rest], known.labels[rest], goal)
            called[held] = reaches(known.scores[held], found.threshold)
            confusion = _confusion(called[held], known.labels[held])
            rows.append(
                {
                    "repeat": repeat,
                    "fold": fold,
                    "threshold": found.threshold,
                    "in_sample": found.value,
                    "held_out": float(goal.value(confusion)),
                    "traces": len(np.unique(known.groups[held])),
                    "positives": int(known.labels[held].sum()),
                }
            )
        counts.append(counts_by_trace(called, known.labels, known.groups, known.n_traces))
    table = pd.DataFrame(rows)
    table.attrs["truth"] = known.truth
    value, samples = sampled_metric(goal.value, counts, drawing)
    held_out = interval(value, samples)
    floor = None
    if goal.floor is not None:
        floor = interval(*sampled_metric(goal.floor[0], counts, drawing))
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
        goal,
        chosen.threshold,
        chosen.value,
        held_out,
        floor,
        samples,
        (chosen.value - value) * (-1 if goal.kind == "cost" else 1),
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
