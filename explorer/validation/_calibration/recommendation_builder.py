"""A calibration's folds put together: what to expect, and whether to recommend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import Diagnostic
from explorer.validation._calibration.head_candidates import (
    CandidateFeatures,
    FittedCandidate,
    PlainScores,
)
from explorer.validation._calibration.outer_folds import Fold
from explorer.validation._calibration.recommendation import Recommendation
from explorer.validation._comparison.baselines import Baseline, baseline_scores
from explorer.validation._comparison.score_comparison import compare_scores
from explorer.validation._metrics.confusion import Confusion, Objective, metric_value
from explorer.validation._statistics.bootstrap import Interval, drawn_traces, interval
from explorer.validation._thresholds.threshold_selection import best_threshold

if TYPE_CHECKING:
    import pandas as pd

    from explorer.traces import Trace
    from explorer.validation._data.labelled_scores import LabelledScores

LEXICAL: Final = "lexical-overlap"
_COMPARED: tuple[Baseline, ...] = (
    "always-no",
    "random",
    "length",
    "position",
    "retrieval-score",
    "word-overlap",
    LEXICAL,
)
_ROUNDING = 0.05
"""Thresholds of a logistic function that lie so near are the same."""

_STABLE = 0.6
"""A choice that fewer of the folds make is called unstable."""


def recommended(
    traces: Sequence[Trace],
    judged: LabelledScores,
    features: CandidateFeatures,
    metric: Objective,
    folds: Sequence[Fold],
    best: tuple[FittedCandidate, float],
    *,
    samples: int,
    seed: int,
) -> Recommendation:
    """Put together what the folds say of a choice.

    Parameters
    ----------
    traces
        What was judged; question, answer and hyperedges are enough.
    judged
        The labelled units.
    features
        What the candidates looked at.
    metric
        What the threshold makes large.
    folds
        What every outer fold chose and scored.
    best
        What was chosen on all traces, and its threshold.
    samples, seed
        As for `compare_scores`.
    """
    import pandas as pd

    fitted, threshold = best
    repeats = 1 + max(one.repeat for one in folds)
    scores = np.zeros((repeats, len(judged)))
    calls = np.zeros((repeats, len(judged)), dtype=bool)
    for one in folds:
        scores[one.repeat, one.places] = one.scores
        calls[one.repeat, one.places] = one.calls
    # The first cut is the one beside the others; the metric is that of all cuts.
    named: dict[str, LabelledScores] = {"recommended": judged.with_scores(scores[0])}
    named |= _families(judged, [one for one in folds if one.repeat == 0])
    means = features.mean_over_heads()
    if means is not None:
        named["mean over heads"] = judged.with_scores(means)
    others = baseline_scores(traces, judged, _COMPARED, seed=seed)
    named |= {str(name): scored for name, scored in others.items()}
    table = compare_scores(named, samples=samples, seed=seed)
    own = fitted.scores(features)
    chosen = pd.DataFrame(
        [
            {
                "repeat": one.repeat,
                "fold": one.fold,
                "choice": one.candidate.name,
                "head": one.chosen,
                "strength": np.nan if one.candidate.strength is None else one.candidate.strength,
                "threshold": one.threshold,
            }
            for one in folds
        ]
    )
    return Recommendation(
        choice=_said(fitted, features),
        config=fitted.config(features, threshold),
        metric=metric,
        threshold=threshold,
        held_out=_held_out(judged, calls, metric, samples, seed),
        in_sample=best_threshold(own, judged.labels, metric).value,
        table=table,
        folds=chosen,
        traces=judged.n_traces,
        units=len(judged),
        positives=judged.positives,
        truth=judged.truth,
        refusal=_refusal(table),
        notes=(*judged.notes, *_warnings(chosen, fitted, features, table)),
        scores=named["recommended"],
        scores_threshold=float(fitted.linked(np.array(threshold))),
    )


def _families(judged: LabelledScores, folds: Sequence[Fold]) -> dict[str, LabelledScores]:
    """Held-out scores of the best candidate of each family; nothing where there is one only."""
    names = list(folds[0].alone)
    if len(names) < 2:
        return {}
    found = {}
    for name in names:
        scores = np.zeros(len(judged))
        for one in folds:
            scores[one.places] = one.alone[name]
        found[f"best {name}"] = judged.with_scores(scores)
    return found


def _said(fitted: FittedCandidate, features: CandidateFeatures) -> str:
    chosen = fitted.said(features)
    if fitted.candidate.strength is not None:
        return f"{fitted.candidate.name}, {chosen}"
    return f"{chosen}: {fitted.candidate.name.removeprefix('one head, ')}"


def _held_out(
    judged: LabelledScores, calls: NDArray[np.bool_], metric: Objective, samples: int, seed: int
) -> Interval:
    """The metric of calls on traces held out: the mean over the repeats, drawn by trace."""

    def by_trace(values: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(
            judged.groups, weights=values.astype(np.float64), minlength=judged.n_traces
        ).astype(np.float64)

    labels = judged.labels
    there = by_trace(np.ones(len(judged), dtype=bool)), by_trace(labels)
    hits = np.stack([by_trace(row & labels) for row in calls])
    called = np.stack([by_trace(row) for row in calls])

    def value(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The metric for weights of traces, (samples, traces) -> (samples,)."""
        per_repeat = [
            metric_value(
                metric,
                Confusion.of_calls(
                    weights @ hits[r], weights @ called[r], weights @ there[1], weights @ there[0]
                ),
            )
            for r in range(len(calls))
        ]
        mean: NDArray[np.float64] = np.mean(per_repeat, axis=0)
        return mean

    drawn = [
        value(block.T.astype(np.float64)) for block in drawn_traces(judged.n_traces, samples, seed)
    ]
    return interval(
        float(value(np.ones((1, judged.n_traces)))[0]), np.concatenate(drawn or [np.empty(0)])
    )


def _refusal(table: pd.DataFrame) -> str:
    """Why nothing is recommended; empty where something is."""
    lexical = table[table["scores"] == LEXICAL].iloc[0]
    ahead, low, high = (
        float(lexical[name]) for name in ("auc_ahead", "auc_ahead_low", "auc_ahead_high")
    )
    own = float(table["auc"].iloc[0])
    if np.isnan(ahead) or ahead > 0:
        if own > 0.5:
            return ""
        return (
            f"On traces held out, attention ranks no better than chance: its ROC-AUC is {own:.3f}. "
            "Use another model, or more readings: "
            "score_traces(rows=('answer', 'question'), content_free=True)."
        )
    return (
        "On traces held out, attention ranks no better than the words that a hyperedge shares with "
        f"question and answer: its ROC-AUC is {-ahead:.3f} lower (95 % interval {-high:.3f} to "
        f"{-low:.3f}). Use the words, another model, or more readings: "
        "score_traces(rows=('answer', 'question'), content_free=True)."
    )


def _warnings(
    folds: pd.DataFrame, fitted: FittedCandidate, features: CandidateFeatures, table: pd.DataFrame
) -> list[Diagnostic]:
    found = []
    same = folds["choice"] == fitted.candidate.name
    if fitted.candidate.strength is None:
        same &= folds["head"] == fitted.said(features)
    if same.mean() < _STABLE:
        found.append(
            Diagnostic(
                "unstable-choice",
                f"Only {same.mean():.0%} of the folds make the choice that is recommended: with "
                "other traces it might be another. Label more traces before you rely on it.",
            )
        )
    thresholds = folds.loc[same, "threshold"]
    low, high = (float(thresholds.min()), float(thresholds.max())) if len(thresholds) else (0, 0)
    logistic = not isinstance(fitted.candidate.source, PlainScores)
    if high > 3 * low + _ROUNDING * logistic:
        found.append(
            Diagnostic(
                "unstable-threshold",
                f"The folds choose thresholds from {low:.3g} to {high:.3g}.",
            )
        )
    lexical = table[table["scores"] == LEXICAL].iloc[0]
    if float(lexical["auc_ahead"]) > 0 and float(lexical["auc_ahead_low"]) <= 0:
        found.append(
            Diagnostic(
                "not-surely-ahead",
                "It is ahead of word overlap, but the interval of the difference includes 0.",
            )
        )
    return found
