"""Several scores of the same units in one table, and differences from the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer.errors import InputError
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import measurable, table_notes
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.confusion import reaches
from explorer.validation._metrics.ranking import RankSamples, rank_samples
from explorer.validation._statistics.bootstrap import Floats, Interval, interval
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.threshold_selection import best_threshold

if TYPE_CHECKING:
    import pandas as pd

FIGURES = ("auc", "average_precision", "f1", "auc_ahead", "f1_ahead")
"""Figures of the table; each has two more columns, ``<figure>_low`` and ``<figure>_high``."""


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def compare_scores(
    scores: Mapping[str, LabelledScores], *, resampling: Resampling | None = None
) -> pd.DataFrame:
    """Measure several scores of the same units, and compare the first with each of the others.

    Parameters
    ----------
    scores
        Scores of the same units, by name. The first is the method.
    resampling
        How bootstrap samples of traces are drawn. All scores see the same samples, so differences
        are paired.

    Returns
    -------
    pandas.DataFrame
        One row for each: ``scores`` (str); ``units`` and ``unknown`` (int64), the numbers of known
        and of unknown scores; ``auc``, ``average_precision``, and ``f1`` at ``threshold``, the best
        on these labels; and the lead of the method, ``auc_ahead`` and ``f1_ahead``, over the units
        known to both (0 in the row of the method). Each figure has ``_low`` and ``_high``, a 95 %
        bootstrap interval over traces with a fixed threshold: the method is better if the interval
        of ``auc_ahead`` is above 0. NaN where nothing is known. A score that is equal for all units
        calls all of them used, which has the F1 of chance, 2p / (1 + p) for the prevalence p; only
        "always-no" calls none. ``attrs``: ``truth``, ``prevalence``, and ``notes``, a mapping from
        name to diagnostics.

    Raises
    ------
    ValidationError
        As `rank`, for the first.
    InputError
        There are no scores, or they are those of different units.
    """
    import pandas as pd

    from explorer.feedback._feedback_table import text_column

    if not scores:
        raise InputError("There are no scores to compare.")
    names = list(scores)
    method = scores[names[0]]
    known = measurable(method)
    for name in names[1:]:
        other = scores[name]
        if (
            (other.units, other.truth) != (method.units, method.truth)
            # Another `least_drop` gives other labels of the same kind of truth.
            or not np.array_equal(other.labels, method.labels)
        ):
            raise InputError(f"The scores {name!r} are of other units, or of another truth.")
    rows: list[dict[str, Any]] = []
    sampled = _SampledFigures(Resampling.of(resampling))
    for name in names:
        judged = scores[name]
        there = ~np.isnan(judged.scores)
        row: dict[str, Any] = {"units": int(there.sum()), "unknown": int((~there).sum())}
        row |= _figures(method, judged, sampled, never=name == ALWAYS_NO)
        rows.append(row)
    table = pd.DataFrame(rows)
    table.insert(0, "scores", text_column(names))
    table.attrs |= {
        "truth": method.truth,
        "prevalence": known.prevalence,
        "notes": {name: table_notes(scores[name].known(), scores[name]) for name in names},
    }
    return table


ALWAYS_NO = "always-no"
"""The baseline that calls nothing used."""


class _Figures(NamedTuple):
    """Ranking and best F1 of some units, with their bootstrap samples."""

    ranks: RankSamples
    threshold: float
    f1: float
    f1_samples: Floats


class _SampledFigures:
    """Figures of scores with bootstrap samples, computed once for the same units."""

    def __init__(self, resampling: Resampling) -> None:
        self._resampling = resampling
        self._known: dict[tuple[int, bytes, bool], _Figures] = {}

    def of(
        self, judged: LabelledScores, mask: NDArray[np.bool_], *, never: bool = False
    ) -> _Figures | None:
        """Return the figures of the units of a mask; None unless they are of both classes."""
        key = id(judged), mask.tobytes(), never
        if key not in self._known:
            units = judged.subset(mask).known()
            if not 0 < units.positives < len(units):
                return None
            ranks = rank_samples(units, self._resampling)
            self._known[key] = _Figures(ranks, *_best_f1(units, self._resampling, never=never))
        return self._known[key]


def _figures(
    method: LabelledScores, judged: LabelledScores, sampled: _SampledFigures, *, never: bool
) -> dict[str, Any]:
    """Return the figures of a row; those of the lead for the units known to both."""
    undefined = Interval(np.nan, np.nan, np.nan)
    figures = dict.fromkeys(FIGURES, undefined)
    threshold = np.nan
    own = sampled.of(judged, ~np.isnan(judged.scores), never=never)
    if own is not None:
        ranks, threshold = own.ranks, own.threshold
        figures["auc"] = interval(ranks.auc, ranks.auc_samples)
        figures["average_precision"] = interval(
            ranks.average_precision, ranks.average_precision_samples
        )
        figures["f1"] = interval(own.f1, own.f1_samples)
    if judged is method:
        figures["auc_ahead"] = figures["f1_ahead"] = Interval(0.0, 0.0, 0.0)
    else:
        both = ~np.isnan(judged.scores) & ~np.isnan(method.scores)
        first, second = sampled.of(method, both), sampled.of(judged, both, never=never)
        if first is not None and second is not None:
            figures["auc_ahead"] = interval(
                first.ranks.auc - second.ranks.auc,
                first.ranks.auc_samples - second.ranks.auc_samples,
            )
            figures["f1_ahead"] = interval(
                first.f1 - second.f1, first.f1_samples - second.f1_samples
            )
    row: dict[str, Any] = {}
    for name, (value, low, high) in figures.items():
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        if name == "f1":
            row["threshold"] = threshold
    return row


def _best_f1(
    known: LabelledScores, resampling: Resampling, *, never: bool
) -> tuple[float, float, Floats]:
    """Return the best threshold, its F1, and that F1 in bootstrap samples (samples,)."""
    if never:
        threshold, called = np.inf, np.zeros(len(known), dtype=bool)
    else:
        threshold = best_threshold(known.scores, known.labels).threshold
        called = reaches(known.scores, threshold)
    counts = counts_by_trace(called, known.labels, known.groups, known.n_traces)
    return threshold, *sampled_metric("f1", [counts], resampling)
