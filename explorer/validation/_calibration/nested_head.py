"""What the best single head is worth on traces that did not choose it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.validation._data.labelled_scores import HeadScores, LabelledScores
from explorer.validation._data.score_checks import measurable
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.confusion import reaches
from explorer.validation._metrics.objective import Objective, ObjectiveKind
from explorer.validation._metrics.roc_auc import auc_by_row
from explorer.validation._statistics.bootstrap import Interval, interval
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.cross_validation import CrossValidation, trace_folds
from explorer.validation._thresholds.threshold_selection import nearest_threshold

_REPEATS = 2


@dataclass(frozen=True, eq=False)
class NestedHead:
    """The result of `nested_head`.

    Attributes
    ----------
    objective
        What the threshold of every fold was chosen for.
    held_out
        The figure of the objective for calls on held-out traces, at heads and thresholds that the
        other traces chose, mean over the repeats; with a 95 % bootstrap interval over traces.
    held_out_floor
        The same for the metric with a floor; None if the objective has none.
    auc
        ROC-AUC of the chosen heads among held-out units, mean over the folds.
    heads
        How many folds chose each (layer, head), the most frequent first.
    """

    objective: Objective
    held_out: Interval
    held_out_floor: Interval | None
    auc: float
    heads: dict[tuple[int, int], int]


def nested_head(
    heads: HeadScores,
    objective: Objective | ObjectiveKind = "f1",
    *,
    cross_validation: CrossValidation | None = None,
    resampling: Resampling | None = None,
) -> NestedHead:
    """Judge the choice of the best single head, with its threshold, on held-out traces.

    In every fold the other traces choose the head with the largest ROC-AUC, and a threshold for
    its scores. The best of many heads is partly the best by chance; this figure is without that.

    Parameters
    ----------
    heads
        From `explorer.validation.head_scores`; units that a head does not score are left out.
    objective
        What the threshold is chosen for.
    cross_validation
        Folds, repeats (2 by default), and the smallest number of labels.
    resampling
        How bootstrap samples of traces are drawn. The seed also decides the splits.

    Raises
    ------
    ValidationError
        There are too few labels, or only one class.
    """
    goal = Objective.of(objective)
    drawing, splitting = Resampling.of(resampling), CrossValidation.of(cross_validation)
    layers, per_layer, _ = heads.scores.shape
    rows = heads.scores.reshape(layers * per_layer, -1)
    # A unit is judged by all heads, or left out.
    first: LabelledScores = heads.at(0, 0)
    judged = first.with_scores(np.where(np.isnan(rows).any(axis=0), np.nan, 0.0))
    there = ~np.isnan(judged.scores)
    known = measurable(judged)
    splitting.check_enough(known)
    scores = rows[:, there]
    counts, areas, chosen = [], [], Counter[tuple[int, int]]()
    for repeat in range(splitting.repeats or _REPEATS):
        called = np.zeros(len(known), dtype=bool)
        for held in trace_folds(known, splitting.folds, drawing.seed + repeat):
            best = _best_row(scores[:, ~held], known.labels[~held])
            layer, head = divmod(best, per_layer)
            chosen[layer, head] += 1
            own = scores[best].astype(np.float64)
            found = nearest_threshold(own[~held], known.labels[~held], goal)
            called[held] = reaches(own[held], found.threshold)
            areas.append(float(auc_by_row(scores[best : best + 1, held], known.labels[held])[0]))
        counts.append(counts_by_trace(called, known.labels, known.groups, known.n_traces))
    floor = None
    if goal.floor is not None:
        floor = interval(*sampled_metric(goal.floor[0], counts, drawing))
    return NestedHead(
        goal,
        interval(*sampled_metric(goal.value, counts, drawing)),
        floor,
        float(np.nanmean(areas)),
        dict(chosen.most_common()),
    )


def _best_row(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> int:
    areas = auc_by_row(scores, labels)
    return int(np.argmax(np.nan_to_num(areas, nan=-np.inf)))
