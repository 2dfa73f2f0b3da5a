"""How well scores rank the used units before the others, whatever the threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores, Truth, measurable, table_notes
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    Floats,
    Interval,
    bins_by_trace,
    check_samples,
    drawn_traces,
    interval,
    mean_interval,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Ranking:
    """How well scores rank.

    Attributes
    ----------
    auc : Interval
        Area under the ROC curve, all units of all traces pooled: how often a used unit scores above
        one that is not, a tie counting half. 0.5 is chance.
    average_precision : Interval
        Mean, over the used units, of the precision at each one's score; chance is `prevalence`.
    within_trace_auc : Interval
        Mean over the traces of the AUC among their own units: what is left when traces differ in
        level. Traces with units of one class say nothing.
    prevalence : float
        Share of units that are used.
    units, positives, traces, unknown : int
        What was judged, and how many more units have no score.
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
    truth: Truth
    notes: tuple[Diagnostic, ...]


class RankSamples(NamedTuple):
    """AUC and average precision of all, and in every bootstrap sample; float64 (samples,)."""

    auc: float
    average_precision: float
    auc_samples: Floats
    average_precision_samples: Floats


def rank(judged: LabelledScores, *, samples: int = SAMPLES, seed: int = 0) -> Ranking:
    """Judge a ranking; see `Ranking`.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out.
    samples, seed
        Bootstrap samples of traces (0 for no intervals), and where their generator starts.

    Raises
    ------
    ValidationError
        There is no label, no score, or one class only.

    Notes
    -----
    AUC as Hanley and McNeil 1982, average precision as `sklearn.metrics.average_precision_score`;
    tied scores are reached together.
    """
    known = measurable(judged)
    found = rank_samples(known, samples=samples, seed=seed)
    within = within_trace_auc(known)
    return Ranking(
        interval(found.auc, found.auc_samples),
        interval(found.average_precision, found.average_precision_samples),
        mean_interval(within, samples, seed),
        known.prevalence,
        len(known),
        known.positives,
        known.n_traces,
        len(judged) - len(known),
        int((~np.isnan(within)).sum()),
        known.truth,
        table_notes(known, judged),
    )


def rank_samples(known: LabelledScores, *, samples: int = SAMPLES, seed: int = 0) -> RankSamples:
    """Work AUC and average precision out for all units, and for bootstrap samples of traces.

    `known` has no NaN. Two rankings of the same traces, with the same seed, are drawn alike, so
    that their samples can be subtracted. A sample without one of the classes is NaN; one trace has
    no samples.
    """
    samples = check_samples(samples)
    places = _RankBins.of(known)
    auc, precision = places.figures(np.ones((known.n_traces, 1)))
    drawn = [
        places.figures(draws)
        for draws in (
            drawn_traces(known.n_traces, samples, seed, width=places.n_bins)
            if known.n_traces > 1
            else ()
        )
    ]
    empty = np.empty(0)
    return RankSamples(
        float(auc[0]),
        float(precision[0]),
        np.concatenate([one for one, _ in drawn]) if drawn else empty,
        np.concatenate([one for _, one in drawn]) if drawn else empty,
    )


class _RankBins:
    """Where the others stand among the used units.

    Ranks depend on the order of the two classes alone, so what lies between two neighbouring scores
    of used units can be counted together. With the K distinct scores of used units, downwards, bin
    2j counts the others between score j - 1 and score j, bin 2j + 1 those tied with j, and the K
    bins behind those 2K + 1 the used units.
    """

    def __init__(self, counted: Any, k: int) -> None:
        self._counted = counted
        self._k = k
        self.n_bins = 3 * k + 1

    @classmethod
    def of(cls, known: LabelledScores) -> _RankBins:
        used = known.labels
        scores = known.scores
        distinct, place = np.unique(-scores[used], return_inverse=True)  # downwards
        k = len(distinct)
        bins = np.empty(len(scores), dtype=np.int64)
        bins[used] = place + 2 * k + 1
        above = np.searchsorted(distinct, -scores[~used], side="left")
        tied = np.searchsorted(distinct, -scores[~used], side="right") > above
        bins[~used] = 2 * above + tied
        return cls(bins_by_trace(bins, known.groups, 3 * k + 1, known.n_traces), k)

    def figures(self, draws: NDArray[Any]) -> tuple[Floats, Floats]:
        """AUC and average precision for each column of draws (traces, samples)."""
        counts = self._counted @ draws
        k = self._k
        others, used = counts[: 2 * k + 1], counts[2 * k + 1 :]
        passed = np.cumsum(others, axis=0)
        total, all_used = passed[-1], used.sum(axis=0, dtype=np.float64)
        reached = passed[1::2]  # scores at or above each used score
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
    """AUC among the units of each trace; float64 (traces,), NaN where one class is missing.

    `known` has no NaN.
    """
    order = np.lexsort((known.scores, known.groups))
    groups, scores, labels = known.groups[order], known.scores[order], known.labels[order]
    places = np.arange(len(order))
    change = np.r_[True, (groups[1:] != groups[:-1]) | (scores[1:] != scores[:-1])]
    starts = np.flatnonzero(change)
    run = np.cumsum(change) - 1
    ends = np.r_[starts[1:], len(order)] - 1
    first = np.full(known.n_traces, len(order))
    np.minimum.at(first, groups, places)
    ranks = (starts[run] + ends[run]) / 2 - first[groups] + 1
    used = np.bincount(groups, weights=labels, minlength=known.n_traces)
    others = np.bincount(groups, minlength=known.n_traces) - used
    summed = np.bincount(groups, weights=ranks * labels, minlength=known.n_traces)
    auc = np.full(known.n_traces, np.nan)
    np.divide(summed - used * (used + 1) / 2, used * others, out=auc, where=used * others > 0)
    return auc


def roc(judged: LabelledScores) -> pd.DataFrame:
    """The ROC curve, by `sklearn.metrics.roc_curve`.

    Returns
    -------
    pandas.DataFrame
        ``threshold``, ``false_positive_rate``, ``true_positive_rate`` (float64), downwards in the
        threshold; the first, infinite, is where nothing is called used. Points on a straight line
        between others are left out. ``attrs``: ``truth`` and ``prevalence``.

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
    """The precision-recall curve, by `sklearn.metrics.precision_recall_curve`.

    Returns
    -------
    pandas.DataFrame
        ``threshold``, ``precision``, ``recall`` (float64), upwards in the threshold. ``attrs``:
        ``truth``, and ``prevalence``, the precision that chance has at any recall.

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
    # The last point of scikit-learn's, precision 1 at recall 0, has no threshold: it is made up.
    table = pd.DataFrame(
        {"threshold": thresholds, "precision": precision[:-1], "recall": recall[:-1]}
    )
    table.attrs |= {"truth": known.truth, "prevalence": known.prevalence}
    return table


def row_blocks(rows: int, width: int, numbers: int = 1 << 21) -> Iterator[slice]:
    """Cut so many rows into blocks of about so many numbers."""
    step = max(1, numbers // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))
