"""A recommendation from the folds of a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from explorer._number_format import three_digits
from explorer.errors import ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._calibration.head_candidates import (
    CandidateFeatures,
    FittedCandidate,
    HeldOutScores,
    PlainScores,
)
from explorer.validation._calibration.outer_folds import Fold
from explorer.validation._calibration.recommendation import Recommendation
from explorer.validation._comparison.baselines import Baseline, baseline_scores
from explorer.validation._comparison.score_comparison import compare_scores
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.objective import Objective
from explorer.validation._statistics.bootstrap import Floats, interval
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.threshold_selection import best_threshold, nearest_threshold

if TYPE_CHECKING:
    import pandas as pd

    from explorer.traces import Trace

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
"""Largest difference of two thresholds of a logistic function that count as equal."""

_STABLE = 0.6
"""A choice made by a smaller share of the folds is called unstable."""

_MORE_READINGS = (
    "Use another model, or more readings: "
    "score_traces(traces, settings=StandInSettings(rows=('answer', 'question'), "
    "content_free=True), overwrite=True)."
)
_ANOTHER_MODEL = "Use another model."


def recommended(
    traces: Sequence[Trace],
    judged: LabelledScores,
    features: CandidateFeatures,
    objective: Objective,
    folds: Sequence[Fold],
    best: tuple[FittedCandidate, float],
    *,
    resampling: Resampling,
) -> Recommendation:
    """Build the recommendation.

    Parameters
    ----------
    traces
        The traces of the units; question, answer and hyperedges are enough.
    judged
        The labelled units.
    features
        The attention of every head to these units.
    objective
        What the threshold is chosen for.
    folds
        The choices and scores of all outer folds.
    best
        The choice on all traces, and its threshold.
    resampling
        As for `compare_scores`.
    """
    import pandas as pd

    fitted, threshold = best
    repeats = 1 + max(fold.repeat for fold in folds)
    calls = np.zeros((repeats, len(judged)), dtype=bool)
    for fold in folds:
        calls[fold.repeat, fold.places] = fold.calls
    # The table compares scores of the first repeat; the metric is the mean over all repeats.
    first = [fold for fold in folds if fold.repeat == 0]
    pooled, own_scale = _pooled(judged, first, [fold.scores for fold in first])
    own_scale = own_scale and first[0].scores.scale == fitted.scale(features)
    named: dict[str, LabelledScores] = {"recommended": pooled}
    named |= _families(judged, first)
    means = features.mean_over_heads()
    if means is not None:
        named["mean over heads"] = judged.with_scores(means)
    others = baseline_scores(traces, judged, _COMPARED, seed=resampling.seed)
    named |= {str(name): scored for name, scored in others.items()}
    table = compare_scores(named, resampling=resampling)
    own = fitted.scores(features)
    choices = pd.DataFrame(
        [
            {
                "repeat": fold.repeat,
                "fold": fold.fold,
                "choice": fold.candidate.name,
                "head": fold.head,
                "strength": np.nan if fold.candidate.strength is None else fold.candidate.strength,
                "threshold": fold.threshold,
            }
            for fold in folds
        ]
    )
    counts = [
        counts_by_trace(called, judged.labels, judged.groups, judged.n_traces) for called in calls
    ]
    return Recommendation(
        choice=_choice(fitted, features),
        config=fitted.config(features, threshold),
        metric=objective.kind,
        objective=objective,
        threshold=threshold,
        held_out=interval(*sampled_metric(objective.value, counts, resampling)),
        held_out_floor=(
            None
            if objective.floor is None
            else interval(*sampled_metric(objective.floor[0], counts, resampling))
        ),
        in_sample=nearest_threshold(own, judged.labels, objective).value,
        table=table,
        folds=choices,
        traces=judged.n_traces,
        units=len(judged),
        positives=judged.positives,
        truth=judged.truth,
        refusal=_refusal(table, features) or _unreached(own, judged, objective),
        notes=(*judged.notes, *_warnings(choices, fitted, features, table)),
        scores=named["recommended"],
        words=_words(others[LEXICAL], objective),
        scores_threshold=threshold if own_scale else float(fitted.linked(np.array(threshold))),
    )


def _families(judged: LabelledScores, folds: Sequence[Fold]) -> dict[str, LabelledScores]:
    """Return held-out scores of the best candidate of each family; empty for one family."""
    names = list(folds[0].by_family)
    if len(names) < 2:
        return {}
    named = {}
    for name in names:
        named[f"best {name}"], _ = _pooled(judged, folds, [fold.by_family[name] for fold in folds])
    return named


def _pooled(
    judged: LabelledScores, folds: Sequence[Fold], parts: Sequence[HeldOutScores]
) -> tuple[LabelledScores, bool]:
    """Return the held-out scores of all folds, and whether they are the candidates' own.

    Probabilities of different folds are on slightly different scales, so pooling them costs the
    ranking a little. Where every fold chose the same score there is no need for them.
    """
    scales = {part.scale for part in parts}
    same = len(scales) == 1 and None not in scales
    scores = np.zeros(len(judged))
    for fold, part in zip(folds, parts, strict=True):
        scores[fold.places] = part.own if same else part.probabilities
    return judged.with_scores(scores), same


def _choice(fitted: FittedCandidate, features: CandidateFeatures) -> str:
    head = fitted.head_name(features)
    if fitted.candidate.strength is not None:
        return f"{fitted.candidate.name}, {head}"
    return f"{head}: {fitted.candidate.name.removeprefix('one head, ')}"


def _words(overlap: LabelledScores, objective: Objective) -> dict[str, Any] | None:
    """Return settings that score by the words; None if no threshold reaches the floor."""
    try:
        best = best_threshold(overlap.scores, overlap.labels, objective)
    except ValidationError:
        return None
    if np.isnan(best.threshold):
        return None
    return {"method": "lexical", "lexical_threshold": float(min(1.0, best.threshold))}


def _unreached(own: Floats, judged: LabelledScores, objective: Objective) -> str:
    """Return why the floor of an objective is out of reach; empty if it is reached."""
    try:
        best_threshold(own, judged.labels, objective)
    except ValidationError as error:
        return str(error)
    return ""


def _refusal(table: pd.DataFrame, features: CandidateFeatures) -> str:
    """Return why nothing is recommended and what may help; empty if something is."""
    kinds = features.standardised
    has_all = any(kind.rows == "question" for kind in kinds) and any(
        kind.content_free for kind in kinds
    )
    advice = _ANOTHER_MODEL if has_all else _MORE_READINGS
    lexical = table[table["scores"] == LEXICAL].iloc[0]
    ahead, low, high = (
        float(lexical[name]) for name in ("auc_ahead", "auc_ahead_low", "auc_ahead_high")
    )
    own = float(table["auc"].iloc[0])
    if np.isnan(ahead) or ahead > 0:
        if own > 0.5:
            return ""
        return (
            "On held-out traces the best attention setting ranks no better than chance: its "
            f"ROC-AUC is {own:.3f}. {advice}"
        )
    return (
        "On held-out traces the best attention setting ranks no better than the words that a "
        f"hyperedge shares with question and answer: its ROC-AUC is {-ahead:.3f} lower (95 % "
        f"interval {-high:.3f} to {-low:.3f}). {advice}"
    )


def _warnings(
    folds: pd.DataFrame, fitted: FittedCandidate, features: CandidateFeatures, table: pd.DataFrame
) -> list[Diagnostic]:
    notes = []
    same = folds["choice"] == fitted.candidate.name
    if fitted.candidate.strength is None:
        same &= folds["head"] == fitted.head_name(features)
    if same.mean() < _STABLE:
        notes.append(
            Diagnostic(
                "unstable-choice",
                f"Only {same.mean():.0%} of the folds make the recommended choice; other traces "
                "might lead to another. Label more traces before you rely on it.",
            )
        )
    thresholds = folds.loc[same, "threshold"]
    low, high = (float(thresholds.min()), float(thresholds.max())) if len(thresholds) else (0, 0)
    logistic = not isinstance(fitted.candidate.source, PlainScores)
    if high > 3 * low + _ROUNDING * logistic:
        notes.append(
            Diagnostic(
                "unstable-threshold",
                f"The folds choose thresholds from {three_digits(low)} to {three_digits(high)}.",
            )
        )
    lexical = table[table["scores"] == LEXICAL].iloc[0]
    if float(lexical["auc_ahead"]) > 0 and float(lexical["auc_ahead_low"]) <= 0:
        notes.append(
            Diagnostic(
                "not-surely-ahead",
                f"Its ROC-AUC is higher than that of {LEXICAL}, but the interval of the difference "
                "includes 0.",
            )
        )
    return notes
