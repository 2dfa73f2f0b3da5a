"""How good calls are: figures of a table of confusion, for any number of tables at once.

A unit is *called used* when its score reaches the threshold. tp are units called used that are,
fp those called used that are not, fn the used ones that were missed, tn the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.rag._extraction.method_comparison import kappa_terms
from explorer.validation._data.labelled_scores import LabelledScores, check_scores

Metric = Literal["precision", "recall", "f1", "mcc", "youden", "kappa", "coverage"]
Objective = Literal["f1", "mcc", "youden", "kappa"]

Floats = NDArray[np.float64]


class Confusion(NamedTuple):
    """How many units were called what; numbers, or arrays of one shape."""

    tp: Any
    fp: Any
    fn: Any
    tn: Any

    @classmethod
    def of_calls(cls, tp: Any, calls: Any, positives: Any, units: Any) -> Confusion:
        """From the true calls, all calls, all that are used, and all there are."""
        fp, fn = calls - tp, positives - tp
        return cls(tp, fp, fn, units - positives - fp)


@dataclass(frozen=True)
class _Figure:
    """One metric: what it says, and its formula from (tp, fp, fn, tn) float64."""

    meaning: str
    of: Callable[[Floats, Floats, Floats, Floats], tuple[Floats, Floats]]


def _mcc(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> tuple[Floats, Floats]:
    # One root for each: the product of all four margins of 10^6 units leaves no digits.
    margins = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    return tp * tn - fp * fn, margins


METRICS: Mapping[Metric, _Figure] = {
    "precision": _Figure(
        "share of the units called used that are",
        lambda tp, fp, _fn, _tn: (tp, tp + fp),
    ),
    "recall": _Figure(
        "share of the used units that are called so",
        lambda tp, _fp, fn, _tn: (tp, tp + fn),
    ),
    "f1": _Figure(
        "harmonic mean of precision and recall",
        lambda tp, fp, fn, _tn: (2 * tp, 2 * tp + fp + fn),
    ),
    "mcc": _Figure("correlation of calls and labels (Matthews 1975)", _mcc),
    "youden": _Figure(
        "recall plus specificity minus 1 (Youden 1950)",
        lambda tp, fp, fn, tn: (tp * tn - fp * fn, (tp + fn) * (tn + fp)),
    ),
    "kappa": _Figure(
        "agreement of calls and labels beyond chance (Cohen 1960)",
        kappa_terms,
    ),
    "coverage": _Figure(
        "share of all units that are called used",
        lambda tp, fp, fn, tn: (tp + fp, tp + fp + fn + tn),
    ),
}
"""Every metric by name. All are at most 1, and more is better for all but coverage."""


def metric_value(metric: Metric, confusion: Confusion) -> Floats:
    """Work a metric out.

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
        Youden's J and kappa where a class or a call is missing. (scikit-learn gives 0 in these
        places, with a warning for some.)
    """
    tp, fp, fn, tn = (np.asarray(one, dtype=np.float64) for one in confusion)
    above, below = METRICS[metric].of(tp, fp, fn, tn)
    found = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=found, where=below != 0)
    return found


def check_metric(metric: object, among: Any = Metric) -> Any:
    """Return a metric's name.

    Raises
    ------
    InputError
        It is none of `among`, a Literal.
    """
    names = get_args(among)
    if metric not in names:
        raise InputError(f"There is no metric {metric!r} here. Choose one of {', '.join(names)}.")
    return metric


def reaches(scores: Any, threshold: float) -> NDArray[np.bool_]:
    """Which scores reach a threshold: equal counts, in float32, the precision of attention.

    The same calls as `explorer.feedback.FeedbackPolicy` makes within a feedback table. NaN never
    reaches any.
    """
    called: NDArray[np.bool_] = np.asarray(scores, dtype=np.float32) >= np.float32(threshold)
    return called


def check_threshold(threshold: object) -> float:
    """Return a threshold; InputError when it is no finite number."""
    if not isinstance(threshold, int | float | np.number) or not np.isfinite(threshold):
        raise InputError(f"A threshold must be a finite number, not {threshold!r}.")
    return float(threshold)


def confusion_at(judged: LabelledScores, threshold: float) -> Confusion:
    """Count the calls at one threshold; units whose score is unknown are left out.

    Raises
    ------
    InputError
        The threshold is no finite number.
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
