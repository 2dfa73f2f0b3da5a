"""How well scores rank the used units first, independent of any threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer._extras import require_extra
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import measurable, table_notes
from explorer.validation._data.truth import TruthKind
from explorer.validation._metrics.roc_auc import auc_by_group
from explorer.validation._statistics.bootstrap import (
    Floats,
    Interval,
    bins_by_trace,
    drawn_traces,
    interval,
    joined_samples,
    mean_interval,
)
from explorer.validation._statistics.resampling import Resampling

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Ranking:
    """How well scores rank.

    Attributes
    ----------
    auc : Interval
        Area under the ROC curve of all units of all traces: how often a used unit scores above one
        that is not used, ties counting half. 0.5 is chance.
    average_precision : Interval
        Mean, over the used units, of the precision at the score of each; chance is `prevalence`.
    within_trace_auc : Interval
        Mean over the traces of the AUC among their own units, which does not depend on differences
        in level between traces. Traces with units of one class are left out.
    prevalence : float
        Share of used units.
    units, positives, traces, unknown : int
        Numbers of units, of used units, of their traces, and of further units without a score.
    traces_within : int
        Traces with units of both classes.
    truth : str
    notes : tuple of Diagnostic
    """

    auc: Interval
    average_precision: Interval
    within_trace_auc: Interval
    prevalence: float
    units: int
    positives: int
    traces: int
    unknown: int
    traces_within: int
    truth: TruthKind
    notes: tuple[Diagnostic, ...]


class RankSamples(NamedTuple):
    """AUC and average precision of all units, and in bootstrap samples; float64 (samples,)."""

    auc: float
    average_precision: float
    auc_samples: Floats
    average_precision_samples: Floats


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def rank(judged: LabelledScores, *, resampling: Resampling | None = None) -> Ranking:
    """Measure how well scores rank; see `Ranking`.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out.
    resampling
        How bootstrap samples of traces are drawn.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or only units of one class.

    Notes
    -----
    AUC as in Hanley and McNeil 1982, average precision as by
    `sklearn.metrics.average_precision_score`; tied scores count as reached together.
    """
    drawing = Resampling.of(resampling)
    known = measurable(judged)
    pooled = rank_samples(known, drawing)
    within = within_trace_auc(known)
    return Ranking(
        interval(pooled.auc, pooled.auc_samples),
        interval(pooled.average_precision, pooled.average_precision_samples),
        mean_interval(within, drawing),
        known.prevalence,
        len(known),
        known.positives,
        known.n_traces,
        len(judged) - len(known),
        int((~np.isnan(within)).sum()),
        known.truth,
        table_notes(known, judged),
    )


def rank_samples(known: LabelledScores, resampling: Resampling) -> RankSamples:
    """Compute AUC and average precision of all units, and for bootstrap samples of traces.

    `known` has no NaN. Two rankings of the same traces with the same resampling see the same
    samples, so that their values can be subtracted. A sample with units of one class is NaN; one
    trace has no samples.
    """
    bins = _RankBins.of(known)
    auc, precision = bins.figures(np.ones((known.n_traces, 1)))
    drawn = [
        bins.figures(draws)
        for draws in (
            drawn_traces(known.n_traces, resampling, width=bins.n_bins)
            if known.n_traces > 1
            else ()
        )
    ]
    return RankSamples(
        float(auc[0]),
        float(precision[0]),
        joined_samples([aucs for aucs, _ in drawn]),
        joined_samples([precisions for _, precisions in drawn]),
    )


class _RankBins:
    """Counts of units by their place among the used ones, to rank weighted traces.

    A ranking depends only on the order of the two classes, so units between two neighbouring scores
    of used units can be counted together. With the K distinct scores of used units in descending
    order, bin 2j counts the other units between score j - 1 and score j, bin 2j + 1 those tied with
    score j, and the last K bins the used units.
    """

    def __init__(self, counted: Any, k: int) -> None:
        self._counted = counted
        self._k = k
        self.n_bins = 3 * k + 1

    @classmethod
    def of(cls, known: LabelledScores) -> _RankBins:
        used = known.labels
        scores = known.scores
        distinct, place = np.unique(-scores[used], return_inverse=True)  # descending scores
        k = len(distinct)
        bins = np.empty(len(scores), dtype=np.int64)
        bins[used] = place + 2 * k + 1
        above = np.searchsorted(distinct, -scores[~used], side="left")
        tied = np.searchsorted(distinct, -scores[~used], side="right") > above
        bins[~used] = 2 * above + tied
        return cls(bins_by_trace(bins, known.groups, 3 * k + 1, known.n_traces), k)

    def figures(self, draws: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return AUC and average precision for each column of draws (traces, samples)."""
        counts = self._counted @ draws
        k = self._k
        others, used = counts[: 2 * k + 1], counts[2 * k + 1 :]
        passed = np.cumsum(others, axis=0)
        total, all_used = passed[-1], used.sum(axis=0, dtype=np.float64)
        reached = passed[1::2]  # other units at or above each used score
        tied = others[1::2]
        with np.errstate(divide="ignore", invalid="ignore"):
            won = (used * (total - reached + tied / 2)).sum(axis=0, dtype=np.float64)
            auc = won / (all_used * total)
            hits = np.cumsum(used, axis=0)
            precision = np.where(used > 0, used * (hits / (hits + reached)), 0)
            average = precision.sum(axis=0, dtype=np.float64) / all_used
        missing = (all_used == 0) | (total == 0)
        return np.where(missing, np.nan, auc), np.where(missing, np.nan, average)


def within_trace_auc(known: LabelledScores) -> Floats:
    """Return the AUC among the units of each trace; float64 (traces,), NaN for one class.

    `known` has no NaN.
    """
    return auc_by_group(known.scores, known.labels, known.groups, known.n_traces)


def roc(judged: LabelledScores) -> pd.DataFrame:
    """ROC curve, by `sklearn.metrics.roc_curve`.

    Returns
    -------
    pandas.DataFrame
        ``threshold``, ``false_positive_rate``, ``true_positive_rate`` (float64), by descending
        threshold. The first threshold is infinite: nothing is called used. Points on a straight
        line between others are left out. ``attrs``: ``truth`` and ``prevalence``.

    Raises
    ------
    ValidationError
        As `rank`.
    """
    require_extra("validation", "A ROC curve")
    import pandas as pd
    from sklearn.metrics import roc_curve

    known = measurable(judged)
    false, true, thresholds = roc_curve(known.labels, known.scores)
    table = pd.DataFrame(
        {"threshold": thresholds, "false_positive_rate": false, "true_positive_rate": true}
    )
    table.attrs |= {"truth": known.truth, "prevalence": known.prevalence}
    return table


def precision_recall(judged: LabelledScores) -> pd.DataFrame:
    """Precision-recall curve, by `sklearn.metrics.precision_recall_curve`.

    Returns
    -------
    pandas.DataFrame
        ``threshold``, ``precision``, ``recall`` (float64), by ascending threshold. ``attrs``:
        ``truth``, and ``prevalence``, the precision of chance at any recall.

    Raises
    ------
    ValidationError
        As `rank`.
    """
    require_extra("validation", "A precision-recall curve")
    import pandas as pd
    from sklearn.metrics import precision_recall_curve

    known = measurable(judged)
    precision, recall, thresholds = precision_recall_curve(
        known.labels, known.scores, drop_intermediate=True
    )
    # scikit-learn adds a last point, precision 1 at recall 0, that belongs to no threshold.
    table = pd.DataFrame(
        {"threshold": thresholds, "precision": precision[:-1], "recall": recall[:-1]}
    )
    table.attrs |= {"truth": known.truth, "prevalence": known.prevalence}
    return table
