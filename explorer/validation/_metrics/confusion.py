"""Metrics of calls, from any number of confusion matrices at once.

A unit is *called used* if its score reaches the threshold. tp: called used, is used. fp: called
used, is not. fn: used, but not called so. tn: neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.rag._extraction.method_comparison import kappa_terms
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import check_scores
from explorer.validation._statistics.bootstrap import Floats

Metric = Literal["precision", "recall", "f1", "mcc", "youden", "kappa", "coverage"]


class Confusion(NamedTuple):
    """A confusion matrix; its entries are numbers, or arrays of one shape."""

    tp: Any
    fp: Any
    fn: Any
    tn: Any

    @classmethod
    def of_calls(cls, tp: Any, calls: Any, positives: Any, units: Any) -> Confusion:
        """Make one from the numbers of true positives, calls, used units and units."""
        fp, fn = calls - tp, positives - tp
        return cls(tp, fp, fn, units - positives - fp)


@dataclass(frozen=True)
class MetricDefinition:
    """A metric.

    Attributes
    ----------
    name
        Its name in tables and figures: "F1".
    meaning
        What it says, in a few words.
    formula
        Numerator and denominator from (tp, fp, fn, tn), all float64.
    """

    name: str
    meaning: str
    formula: Callable[[Floats, Floats, Floats, Floats], tuple[Floats, Floats]]


def _mcc(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> tuple[Floats, Floats]:
    # A root of each factor: the product of four margins of 10^6 units would lose its digits.
    margins = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    return tp * tn - fp * fn, margins


METRICS: Mapping[Metric, MetricDefinition] = {
    "precision": MetricDefinition(
        "precision",
        "share of the hyperedges called used that are used",
        lambda tp, fp, _fn, _tn: (tp, tp + fp),
    ),
    "recall": MetricDefinition(
        "recall",
        "share of the used hyperedges that are called used",
        lambda tp, _fp, fn, _tn: (tp, tp + fn),
    ),
    "f1": MetricDefinition(
        "F1",
        "harmonic mean of precision and recall",
        lambda tp, fp, fn, _tn: (2 * tp, 2 * tp + fp + fn),
    ),
    "mcc": MetricDefinition(
        "MCC",
        "correlation of calls and labels (Matthews 1975), from -1 to 1; 0 is chance",
        _mcc,
    ),
    "youden": MetricDefinition(
        "Youden J",
        "recall plus specificity minus 1 (Youden 1950); 0 is chance",
        lambda tp, fp, fn, tn: (tp * tn - fp * fn, (tp + fn) * (tn + fp)),
    ),
    "kappa": MetricDefinition(
        "kappa",
        "agreement of calls and labels beyond chance (Cohen 1960); 0 is chance",
        kappa_terms,
    ),
    "coverage": MetricDefinition(
        "coverage",
        "share of all hyperedges that are called used",
        lambda tp, fp, fn, tn: (tp + fp, tp + fp + fn + tn),
    ),
}
"""Every metric by key. All are at most 1; larger is better for all but coverage."""


def metric_value(metric: Metric, confusion: Confusion) -> Floats:
    """Compute a metric.

    Parameters
    ----------
    metric
        One of `METRICS`.
    confusion
        Counts, numbers or arrays of one shape.

    Returns
    -------
    ndarray of float64
        NaN where the metric is 0/0: precision without calls, recall without used units, MCC,
        Youden's J and kappa if a class or a call does not occur. (scikit-learn returns 0 in these
        cases, for some with a warning.)
    """
    tp, fp, fn, tn = (np.asarray(one, dtype=np.float64) for one in confusion)
    above, below = METRICS[metric].formula(tp, fp, fn, tn)
    value = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=value, where=below != 0)
    return value


def check_metric(metric: object, among: Any = Metric) -> Any:
    """Return the key of a metric.

    Raises
    ------
    InputError
        It is not one of `among`, a Literal.
    """
    names = get_args(among)
    if metric not in names:
        raise InputError(f"There is no metric {metric!r} here. Choose one of {', '.join(names)}.")
    return metric


def reaches(scores: Any, threshold: float) -> NDArray[np.bool_]:
    """Return which scores reach a threshold.

    Scores are compared in float32, the precision of attention; a score equal to the threshold
    reaches it. The calls are those of `explorer.feedback.FeedbackPolicy` in a feedback table. NaN
    reaches no threshold.
    """
    called: NDArray[np.bool_] = np.asarray(scores, dtype=np.float32) >= np.float32(threshold)
    return called


def check_threshold(threshold: object) -> float:
    """Return a threshold; raise InputError if it is not a finite number."""
    if not isinstance(threshold, int | float | np.number) or not np.isfinite(threshold):
        raise InputError(f"A threshold must be a finite number, not {threshold!r}.")
    return float(threshold)


def confusion_at(judged: LabelledScores, threshold: float) -> Confusion:
    """Confusion matrix at one threshold, without units whose score is unknown.

    Raises
    ------
    InputError
        The threshold is not a finite number.
    """
    threshold = check_threshold(threshold)
    known = ~np.isnan(check_scores(judged).scores)
    called = reaches(judged.scores, threshold)
    labels = judged.labels
    return Confusion.of_calls(
        int((called & labels).sum()),
        int(called.sum()),
        int((labels & known).sum()),
        int(known.sum()),
    )
