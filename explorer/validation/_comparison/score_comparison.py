"""Several scores for the same units in one table, and how far the first is ahead of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import InputError
from explorer.validation._data.labelled_scores import LabelledScores, measurable, table_notes
from explorer.validation._metrics.confusion import Confusion, Floats, metric_value, reaches
from explorer.validation._metrics.ranking import RankSamples, rank_samples
from explorer.validation._statistics.bootstrap import (
    EXACT,
    SAMPLES,
    Interval,
    check_samples,
    drawn_traces,
    interval,
)
from explorer.validation._thresholds.threshold_selection import best_threshold

if TYPE_CHECKING:
    import pandas as pd

FIGURES = ("auc", "average_precision", "f1", "auc_ahead", "f1_ahead")
"""Figures of the table; each has two more columns, ``<figure>_low`` and ``<figure>_high``."""


def compare_scores(
    scores: Mapping[str, LabelledScores], *, samples: int = SAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Judge several scores of the same units, and compare the first with each of the others.

    Parameters
    ----------
    scores
        By name; all about the same units. The first is the method.
    samples, seed
        Bootstrap samples of traces, and where they start. The same traces are drawn for all, so
        that differences are paired.

    Returns
    -------
    pandas.DataFrame
        One row for each: ``scores`` (str), ``units``, ``unknown`` (int64, how many scores there are
        and lack); ``auc``, ``average_precision`` and ``f1`` at ``threshold``, the best on these
        very labels; and how far the method is ahead, ``auc_ahead`` and ``f1_ahead``, with the units
        that both know (0 in the method's own row). Each figure has ``_low`` and ``_high``, drawn by
        trace with the threshold as it is: an interval of ``auc_ahead`` above 0 says that the method
        is better. NaN where nothing is known. A score that is equal for all units calls nothing
        used, as "always-no" does. ``attrs``: ``truth``, ``prevalence``, and ``notes``, which maps
        each name to its diagnostics.

    Raises
    ------
    ValidationError
        As `rank`, for the first.
    InputError
        There is none, or they are about different units.
    """
    import pandas as pd

    from explorer.feedback._feedback_table import text_column

    if not scores:
        raise InputError("There are no scores to be compared.")
    samples = check_samples(samples)
    names = list(scores)
    method = scores[names[0]]
    known = measurable(method)
    for name in names[1:]:
        other = scores[name]
        if (
            (other.units, other.truth) != (method.units, method.truth)
            # The same truth with another `least_drop` is another.
            or not np.array_equal(other.labels, method.labels)
        ):
            raise InputError(f"The scores {name!r} are about other units, or of another truth.")
    rows: list[dict[str, Any]] = []
    sampled = _SampledFigures(samples, seed)
    for name in names:
        judged = scores[name]
        there = ~np.isnan(judged.scores)
        row: dict[str, Any] = {"units": int(there.sum()), "unknown": int((~there).sum())}
        row |= _figures(method, judged, sampled)
        rows.append(row)
    table = pd.DataFrame(rows)
    table.insert(0, "scores", text_column(names))
    table.attrs |= {
        "truth": method.truth,
        "prevalence": known.prevalence,
        "notes": {name: table_notes(scores[name].known(), scores[name]) for name in names},
    }
    return table


class _SampledFigures:
    """Figures of scores in every bootstrap sample, worked out once for the same units."""

    def __init__(self, samples: int, seed: int) -> None:
        self._samples, self._seed = samples, seed
        self._found: dict[tuple[int, bytes], tuple[RankSamples, tuple[float, float, Floats]]] = {}

    def of(
        self, judged: LabelledScores, mask: Any
    ) -> tuple[RankSamples, tuple[float, float, Floats]] | None:
        """The ranking, and the best F1, of the units of a mask; None unless of both classes."""
        key = id(judged), mask.tobytes()
        if key not in self._found:
            units = _both_classes(judged, mask)
            if units is None:
                return None
            ranks = rank_samples(units, samples=self._samples, seed=self._seed)
            self._found[key] = ranks, _best_f1(units, self._samples, self._seed)
        return self._found[key]


def _figures(
    method: LabelledScores, judged: LabelledScores, sampled: _SampledFigures
) -> dict[str, Any]:
    """Figures of one row; those of being ahead on the units that both know."""
    nothing = Interval(np.nan, np.nan, np.nan)
    found = dict.fromkeys(FIGURES, nothing)
    threshold = np.nan
    own = sampled.of(judged, ~np.isnan(judged.scores))
    if own is not None:
        ranks, (threshold, value, values) = own
        found["auc"] = interval(ranks.auc, ranks.auc_samples)
        found["average_precision"] = interval(
            ranks.average_precision, ranks.average_precision_samples
        )
        found["f1"] = interval(value, values)
    if judged is method:
        found["auc_ahead"] = found["f1_ahead"] = Interval(0.0, 0.0, 0.0)
    else:
        both = ~np.isnan(judged.scores) & ~np.isnan(method.scores)
        one, other = sampled.of(method, both), sampled.of(judged, both)
        if one is not None and other is not None:
            first, (_, value, values) = one
            second, (_, than, than_values) = other
            found["auc_ahead"] = interval(
                first.auc - second.auc, first.auc_samples - second.auc_samples
            )
            found["f1_ahead"] = interval(value - than, values - than_values)
    row: dict[str, Any] = {}
    for name, (value, low, high) in found.items():
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        if name == "f1":
            row["threshold"] = threshold
    return row


def _both_classes(judged: LabelledScores, mask: Any) -> LabelledScores | None:
    """Return the units of a mask when they are of both classes."""
    found = judged.of(mask).known()
    return found if 0 < found.positives < len(found) else None


def _best_f1(known: LabelledScores, samples: int, seed: int) -> tuple[float, float, Floats]:
    """The best threshold, its F1, and that F1 in bootstrap samples (samples,)."""
    if known.scores.min() == known.scores.max():
        threshold, called = np.inf, np.zeros(len(known), dtype=bool)
    else:
        threshold = best_threshold(known.scores, known.labels).threshold
        called = reaches(known.scores, threshold)
    sums = np.stack(
        [
            np.bincount(known.groups, one, minlength=known.n_traces)
            for one in (called & known.labels, called, known.labels, np.ones(len(known)))
        ]
    )
    value = float(metric_value("f1", Confusion.of_calls(*sums.sum(axis=1))))
    if known.n_traces < 2:
        return threshold, value, np.empty(0)
    # Single precision where it is exact for every sample that can be drawn.
    sums = sums.astype(np.float32 if sums.max() * known.n_traces < EXACT else np.float64)
    drawn = [
        metric_value("f1", Confusion.of_calls(*(sums @ draws)))
        for draws in drawn_traces(known.n_traces, samples, seed)
    ]
    return threshold, value, np.concatenate(drawn) if drawn else np.empty(0)
