"""Choosing heads and a threshold by labels, and judging the choice by labels that had no part."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, InputError
from explorer.feedback import Diagnostic
from explorer.models.progress import Progress, ProgressCallback
from explorer.validation.baselines import Baseline, baseline_scores
from explorer.validation.candidates import Candidate, Features, Fitted, features_of, fit
from explorer.validation.choosing import (
    MIN_POSITIVES,
    MIN_TRACES,
    best_threshold,
    check_enough,
    trace_folds,
)
from explorer.validation.judged import judge
from explorer.validation.metrics import Confusion, Objective, check_metric, measure, reaches
from explorer.validation.recommendation import Recommendation
from explorer.validation.resampling import SAMPLES, Interval, drawn_traces, interval
from explorer.validation.standing import side_by_side

if TYPE_CHECKING:
    from explorer.traces import Trace
    from explorer.validation.labelled import Judged

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
_INNER_FOLDS = 3
_STABLE = 0.6
"""A choice that fewer of the folds make is called unstable."""


class Fold(NamedTuple):
    """What one outer fold chose, and what it scored on the traces held out.

    `scores` are those of the units held out, `places` which units these are.
    """

    repeat: int
    fold: int
    candidate: Candidate
    threshold: float
    scores: NDArray[np.float64]
    places: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Begun:
    """The finished folds of a calibration that was stopped; `calibrate(resume=...)` goes on."""

    key: tuple[Any, ...]
    folds: tuple[Fold, ...]


class CalibrationCancelled(Cancelled):
    """A calibration was stopped; `begun` holds what was finished."""

    def __init__(self, begun: Begun) -> None:
        super().__init__(f"Stopped after {len(begun.folds)} folds, which are kept.")
        self.begun = begun


def calibrate(
    traces: Iterable[Trace],
    *,
    metric: Objective = "f1",
    folds: int = 5,
    repeats: int = 2,
    samples: int = SAMPLES,
    seed: int = 0,
    min_traces: int = MIN_TRACES,
    min_positives: int = MIN_POSITIVES,
    resume: Begun | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Recommendation:
    """Choose heads and a threshold by the labels in the traces.

    Tried are the best single head, and sets of heads weighted by a regularised logistic regression,
    over the rows of the answer, of the question, or both, with and without what a question without
    content attracts (as far as the traces bring these readings).

    The cross-validation is nested. In every outer fold the other traces alone choose: inner folds
    among them decide between the candidates by average precision, and give the scores by which the
    threshold is chosen. What is reported comes from the traces held out, which had no part in
    either. The recommendation itself is then chosen in the same way on all traces.

    Parameters
    ----------
    traces
        Labelled traces as `score_traces` leaves them, read by one model.
    metric
        What the threshold shall make large.
    folds, repeats
        Outer folds, cut by trace, and how often they are cut.
    samples, seed
        Bootstrap samples of traces for intervals, and where cuts and samples start.
    min_traces, min_positives
        With fewer labels nothing is recommended.
    resume
        From `CalibrationCancelled.begun`, for the same traces and arguments.
    progress, cancel
        Called with `Progress` steps; set it to stop before the next fit.

    Returns
    -------
    Recommendation
        Not `accepted`, with the reason, when it is not ahead of the words that a hyperedge shares
        with question and answer, which cost nothing.

    Raises
    ------
    ValidationError
        The labels are too few or all alike, or the traces bring no attention head by head.
    CalibrationCancelled
        `cancel` was set; what was finished is in its `begun`.
    InputError
        An argument is wrong.
    """
    check_metric(metric, Objective)
    for name, value, least in (("folds", folds, 2), ("repeats", repeats, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"`{name}` must be a whole number from {least}, not {value!r}.")
    labelled = [
        trace for trace in traces if any(edge.label is not None for edge in trace.hyperedges)
    ]
    judged = judge(labelled, [[0.0] * len(trace.hyperedges) for trace in labelled])
    check_enough(judged, folds=folds, min_traces=min_traces, min_positives=min_positives)
    features = features_of(labelled, judged, cancel)
    key = (judged.traces, judged.units, judged.labels.tobytes(), metric, folds, repeats, seed)
    search = _Search(judged, features, metric, _stopper(cancel))
    found = list(resume.folds) if resume is not None and resume.key == key else []
    done = {(one.repeat, one.fold) for one in found}
    try:
        for repeat in range(repeats):
            for number, held in enumerate(trace_folds(judged, folds, seed + repeat)):
                if (repeat, number) in done:
                    continue
                if progress is not None:
                    said = (
                        f"Judging the choice on traces held out: {len(found)} of {folds * repeats}"
                    )
                    progress(Progress("explaining", len(found) / (folds * repeats + 1), said))
                fitted, threshold = search.choose(~held, seed)
                places = np.flatnonzero(held)
                scores = fitted.scores(features, places)
                found.append(Fold(repeat, number, fitted.candidate, threshold, scores, places))
        if progress is not None:
            progress(Progress("explaining", 0.95, "Choosing on all traces"))
        fitted, threshold = search.choose(np.ones(len(judged), dtype=bool), seed)
    except Cancelled as error:
        raise CalibrationCancelled(Begun(key, tuple(found))) from error
    return _reported(
        labelled, judged, features, metric, found, fitted, threshold, samples=samples, seed=seed
    )


class _Search:
    """Choosing a candidate and a threshold on some of the units."""

    def __init__(
        self, judged: Judged, features: Features, metric: Objective, check: Callable[[], None]
    ) -> None:
        self.judged = judged
        self.features = features
        self.metric = metric
        self.check = check

    def choose(self, train: NDArray[np.bool_], seed: int) -> tuple[Fitted, float]:
        """Return the best candidate, fitted to these units, and its threshold."""
        from sklearn.metrics import average_precision_score

        judged = self.judged
        part = judged.of(train)
        places = np.flatnonzero(train)
        cuts = trace_folds(part, _INNER_FOLDS, seed)
        best: tuple[float, Candidate, NDArray[np.float64]] | None = None
        for candidate in self.features.candidates():
            scores = np.zeros(len(places))
            for held in cuts:
                self.check()
                inner = np.zeros(len(judged), dtype=bool)
                inner[places[~held]] = True
                fitted = fit(candidate, self.features, judged.labels, inner)
                scores[held] = fitted.scores(self.features, places[held])
            quality = float(average_precision_score(part.labels, scores))
            # A more complex candidate must be better, not as good.
            if best is None or quality > best[0]:
                best = quality, candidate, scores
        assert best is not None  # noqa: S101 - there is always a single head
        threshold = best_threshold(best[2], part.labels, self.metric).threshold
        return fit(best[1], self.features, judged.labels, train), threshold


def _stopper(cancel: threading.Event | None) -> Callable[[], None]:
    def check() -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped.")

    return check


def _reported(
    traces: Sequence[Trace],
    judged: Judged,
    features: Features,
    metric: Objective,
    folds: Sequence[Fold],
    fitted: Fitted,
    threshold: float,
    *,
    samples: int,
    seed: int,
) -> Recommendation:
    """Put together what the folds say of the choice."""
    import pandas as pd

    repeats = 1 + max(one.repeat for one in folds)
    scores = np.zeros((repeats, len(judged)))
    calls = np.zeros((repeats, len(judged)), dtype=bool)
    for one in folds:
        scores[one.repeat, one.places] = one.scores
        calls[one.repeat, one.places] = reaches(one.scores, one.threshold)
    # The first cut is the one beside the baselines; the metric is that of all cuts.
    ahead = judged.scored(scores[0])
    others = baseline_scores(traces, judged, _COMPARED, seed=seed)
    named: dict[str, Judged] = {"recommended": ahead}
    named.update({str(name): scored for name, scored in others.items()})
    table = side_by_side(named, samples=samples, seed=seed)
    held_out = _held_out(judged, calls, metric, samples, seed)
    own = fitted.scores(features)
    in_sample = best_threshold(own, judged.labels, metric).value
    names = pd.DataFrame(
        [
            {
                "repeat": one.repeat,
                "fold": one.fold,
                "choice": one.candidate.name,
                "strength": one.candidate.strength,
                "threshold": one.threshold,
            }
            for one in folds
        ]
    )
    warnings = _warnings(names, fitted, table)
    combination = fitted.combination(features.shape)
    return Recommendation(
        choice=fitted.candidate.name,
        config={
            "method": "attention",
            "heads": combination.to_dict(),
            "attention_threshold": float(f"{threshold:.6g}"),
        },
        metric=metric,
        threshold=threshold,
        held_out=held_out,
        in_sample=in_sample,
        table=table,
        folds=names,
        traces=judged.n_traces,
        units=len(judged),
        positives=judged.positives,
        truth=judged.truth,
        refusal=_refusal(table),
        notes=warnings,
        scores=ahead,
    )


def _held_out(
    judged: Judged, calls: NDArray[np.bool_], metric: Objective, samples: int, seed: int
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
            measure(
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
    return interval(float(value(np.ones((1, judged.n_traces)))[0]), np.concatenate(drawn))


def _refusal(table: Any) -> str:
    """Why nothing is recommended; empty where something is."""
    lexical = table[table["scores"] == LEXICAL].iloc[0]
    ahead, low, high = (
        float(lexical[name]) for name in ("auc_ahead", "auc_ahead_low", "auc_ahead_high")
    )
    if np.isnan(ahead) or ahead > 0:
        return ""
    return (
        "On traces held out, attention ranks no better than the words that a hyperedge shares with "
        f"question and answer: its ROC-AUC is {-ahead:.3f} lower (95 % interval {-high:.3f} to "
        f"{-low:.3f}). Use the words, another model, or more readings: "
        "score_traces(rows=('answer', 'question'), content_free=True)."
    )


def _warnings(folds: Any, fitted: Fitted, table: Any) -> tuple[Diagnostic, ...]:
    found = []
    same = float((folds["choice"] == fitted.candidate.name).mean())
    if same < _STABLE:
        found.append(
            Diagnostic(
                "unstable-choice",
                f"Only {same:.0%} of the folds make the choice that is recommended: with other "
                "traces it might be another. Label more traces before you rely on it.",
            )
        )
    low, high = float(folds["threshold"].min()), float(folds["threshold"].max())
    if high > 3 * low + 0.05:
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
    return tuple(found)
