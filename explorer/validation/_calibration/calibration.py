"""Choosing heads and a threshold by labels, and judging the choice by labels that had no part."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.errors import Cancelled, InputError
from explorer.feedback import Diagnostic
from explorer.run_control import Progress, ProgressCallback
from explorer.validation._calibration.candidate_features import features_of
from explorer.validation._calibration.head_candidates import (
    REGULARISATION,
    Candidate,
    CandidateFeatures,
    Family,
    FittedCandidate,
    fit,
)
from explorer.validation._calibration.outer_folds import (
    CalibrationCancelled,
    Fold,
    PartialCalibration,
)
from explorer.validation._calibration.recommendation import Recommendation
from explorer.validation._calibration.recommendation_builder import recommended
from explorer.validation._data.ground_truth import LEAST_DROP, LabelsByTrace, LabelSource
from explorer.validation._data.labelled_scores import LabelledScores, Truth
from explorer.validation._data.score_builder import ScoreBuilder, as_traces
from explorer.validation._metrics.confusion import Objective, check_metric, reaches
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    check_count,
    check_samples,
    check_seed,
)
from explorer.validation._thresholds.threshold_selection import (
    MIN_POSITIVES,
    MIN_TRACES,
    best_threshold,
    check_enough,
    trace_folds,
)

if TYPE_CHECKING:
    from explorer.traces import Trace

MOST_UNITS: Final = 10_000
"""Of more labelled hyperedges than this a part is taken: more make a search long, not better."""

_INNER_FOLDS = 5


def calibrate(
    traces: Iterable[Trace],
    *,
    metric: Objective = "f1",
    truth: Truth = "labels",
    labels: LabelsByTrace | None = None,
    least_drop: float = LEAST_DROP,
    folds: int = 5,
    repeats: int = 2,
    samples: int = SAMPLES,
    seed: int = 0,
    min_traces: int = MIN_TRACES,
    min_positives: int = MIN_POSITIVES,
    most_units: int = MOST_UNITS,
    resume: PartialCalibration | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Recommendation:
    """Choose heads and a threshold by what is known of the hyperedges.

    Tried are

    * the scores of every layer and head, and of the means over them, in every reduction and
      normalisation, as a `FeedbackExtractor` has them;
    * every head standardised over the hyperedges of its trace, and sets of heads weighted by a
      regularised logistic regression: over the rows of the answer, of the question, or both, in
      every reduction, with and without what a question without content attracts.

    What the traces do not bring is not tried: an attention matrix of their own has the answer's
    rows alone, and scores that were given have one head.

    The cross-validation is nested. In every outer fold the other traces alone choose: inner folds
    among them decide between the candidates by average precision, and give the scores by which the
    threshold is chosen. What is reported comes from the traces held out, which had no part in
    either. The recommendation itself is then chosen in the same way on all traces.

    Parameters
    ----------
    traces
        Labelled or ablated traces with attention, read by one model: `score_traces` leaves them so.
    metric
        What the threshold shall make large.
    truth, labels, least_drop
        What is known of the hyperedges, as in `judge`.
    folds, repeats
        Outer folds, cut by trace, and how often they are cut.
    samples, seed
        Bootstrap samples of traces for intervals, and where cuts and samples start.
    min_traces, min_positives
        With fewer labels nothing is recommended.
    most_units
        Of more labelled hyperedges than this a part is taken, whole traces at random.
    resume
        From `CalibrationCancelled.partial`, for the same traces and arguments.
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
        The labels are too few or all alike, or the traces bring no attention.
    CalibrationCancelled
        `cancel` was set; what was finished is in its `partial`.
    InputError
        An argument is wrong.
    """
    require_extra("validation", "Calibration")
    from threadpoolctl import threadpool_limits

    check_metric(metric, Objective)
    folds, repeats = check_count("folds", folds, 2), check_count("repeats", repeats, 1)
    most_units = check_count("most_units", most_units, 1)
    samples, seed = check_samples(samples), check_seed(seed)
    if resume is not None and not isinstance(resume, PartialCalibration):
        raise InputError(
            "`resume` takes what CalibrationCancelled holds as `partial`, and not a "
            f"{type(resume).__name__}."
        )
    check = _stopper(cancel)
    given = as_traces(traces)
    every = given if isinstance(given, Sequence) else list(given)
    gathered = ScoreBuilder(LabelSource(truth, labels, least_drop))
    known = {}
    partial = PartialCalibration((), ()) if resume is None else resume
    for index, trace in enumerate(every):
        if cancel is not None and cancel.is_set():
            raise CalibrationCancelled(partial)
        chosen = gathered.labelled(trace)
        if chosen:
            known[index] = chosen
    taken = _drawn(known, most_units, seed)
    if len(taken) < len(known):
        gathered.tell([_said_of_drawn(known, taken)])
    # The attention of many traces is not held: what they say is all that baselines need.
    bare = {index: msgspec.structs.replace(every[index], metadata={}) for index in taken}
    for index, trace in bare.items():
        gathered.add(trace, known[index], np.zeros(len(trace.hyperedges)), None)
    judged = LabelledScores(scores=np.concatenate(gathered.found()), **gathered.rest())
    check_enough(judged, folds=folds, min_traces=min_traces, min_positives=min_positives)
    places = [[place for place, _ in known[index]] for index in taken]
    try:
        features = features_of((every[index] for index in taken), places, check)
        key: tuple[Any, ...]
        key = (judged.traces, judged.units, judged.labels.tobytes(), features.sums())
        key = (*key, metric, folds, repeats, seed)
        if partial.key != key:
            partial = PartialCalibration(key, ())
        done = {(one.repeat, one.fold) for one in partial.folds}
        search = _Search(judged, features, metric, check)
        # The fits are small: more threads than one wait for each other, on a busy machine for long.
        with threadpool_limits(1, user_api="blas"):
            for repeat in range(repeats):
                for number, held in enumerate(trace_folds(judged, folds, seed + repeat, least=2)):
                    if (repeat, number) in done:
                        continue
                    search.report = _control(progress, len(partial.folds), folds * repeats)
                    fold = search.fold(repeat, number, held, seed)
                    partial = replace(partial, folds=(*partial.folds, fold))
            search.report = _control(progress, folds * repeats, folds * repeats)
            best = search.choose(np.ones(len(judged), dtype=bool), seed).best
    except Cancelled as error:
        raise CalibrationCancelled(partial) from error
    return recommended(
        list(bare.values()),
        judged,
        features,
        metric,
        partial.folds,
        best,
        samples=samples,
        seed=seed,
    )


def _drawn(known: Mapping[int, Sequence[Any]], most: int, seed: int) -> list[int]:
    """Return which traces to take, whole ones at random, so that at most so many units do."""
    indices = np.array(list(known), dtype=np.intp)
    counts = np.array([len(chosen) for chosen in known.values()], dtype=np.int64)
    if counts.sum() <= most:
        return [int(index) for index in indices]
    order = np.random.default_rng(seed).permutation(len(indices))
    within = np.cumsum(counts[order]) <= most
    within[0] = True
    return [int(index) for index in np.sort(indices[order[within]])]


def _said_of_drawn(known: Mapping[int, Sequence[Any]], taken: Sequence[int]) -> Diagnostic:
    units = sum(len(known[index]) for index in taken)
    return Diagnostic(
        "drawn-traces",
        f"Chosen on {len(taken):,} of {len(known):,} traces, drawn at random: together they have "
        f"{units:,} of {sum(map(len, known.values())):,} labelled hyperedges. `most_units` takes "
        "more.",
    )


class _BestByFamily(NamedTuple):
    """The best candidate of each family with its quality, and the one of all."""

    families: dict[Family, tuple[float, FittedCandidate, float]]

    @property
    def best(self) -> tuple[FittedCandidate, float]:
        """The fitted candidate and its threshold; a set of heads must be better, not as good."""
        _, fitted, threshold = max(self.families.values(), key=lambda one: one[0])
        return fitted, threshold


class _Search:
    """Choosing a candidate and a threshold on some of the units."""

    def __init__(
        self,
        judged: LabelledScores,
        features: CandidateFeatures,
        metric: Objective,
        check: Callable[[], None],
    ) -> None:
        self.judged = judged
        self.features = features
        self.metric = metric
        self.check = check
        self.report: Callable[[float], None] = lambda _: None

    def fold(self, repeat: int, number: int, held: NDArray[np.bool_], seed: int) -> Fold:
        """Choose on the other traces, and score those held out."""
        chosen = self.choose(~held, seed)
        fitted, threshold = chosen.best
        places = np.flatnonzero(held)
        alone = {
            name: one.probabilities(self.features, places)
            for name, (_, one, _) in chosen.families.items()
        }
        return Fold(
            repeat,
            number,
            fitted.candidate,
            fitted.said(self.features),
            threshold,
            fitted.probabilities(self.features, places),
            reaches(fitted.scores(self.features, places), threshold),
            places,
            alone,
        )

    def choose(self, train: NDArray[np.bool_], seed: int) -> _BestByFamily:
        """Return the best candidate of each family, fitted to these units, with its threshold.

        Sets of heads are compared at one strength of the penalty; the best of them is then tried
        at the others.
        """
        part = self.judged.of(train)
        traces = len(np.unique(part.groups))
        cuts = trace_folds(part, min(_INNER_FOLDS, traces), seed, least=1)
        first, *others = REGULARISATION
        singles, weighted = self.features.single_heads, self.features.sets(first)
        steps = len(singles) + len(weighted) + len(others) * bool(weighted)
        taken = count()

        def tried(candidate: Candidate) -> tuple[float, Candidate, NDArray[np.float64]]:
            self.report(next(taken) / steps)
            return self._tried(candidate, train, part, cuts)

        found, sets = [tried(one) for one in singles], [tried(one) for one in weighted]
        if sets:
            source = max(sets, key=lambda one: one[0])[1].source
            sets += [tried(Candidate(source, strength)) for strength in others]
        families: dict[Family, tuple[float, FittedCandidate, float]] = {}
        for family in (found, sets):
            if family:
                quality, candidate, scores = max(family, key=lambda one: one[0])
                threshold = best_threshold(scores, part.labels, self.metric).threshold
                fitted = fit(candidate, self.features, self.judged.labels, train)
                families[candidate.family] = quality, fitted, threshold
        return _BestByFamily(families)

    def _tried(
        self,
        candidate: Candidate,
        train: NDArray[np.bool_],
        part: LabelledScores,
        cuts: list[NDArray[np.bool_]],
    ) -> tuple[float, Candidate, NDArray[np.float64]]:
        """Average precision of a candidate in the inner folds, and its scores there."""
        from sklearn.metrics import average_precision_score

        places = np.flatnonzero(train)
        scores = np.zeros(len(places))
        for held in cuts:
            self.check()
            inner = np.zeros(len(self.judged), dtype=bool)
            inner[places[~held]] = True
            fitted = fit(candidate, self.features, self.judged.labels, inner)
            scores[held] = fitted.scores(self.features, places[held])
        return float(average_precision_score(part.labels, scores)), candidate, scores


def _control(progress: ProgressCallback | None, done: int, folds: int) -> Callable[[float], None]:
    """Tell how far a choice is, after so many folds; the last choice is the one on all traces."""
    said = f"Judging the choice on traces held out: {done} of {folds}"
    if done == folds:
        said = "Choosing on all traces"

    def report(fraction: float) -> None:
        if progress is not None:
            progress(Progress("explaining", (done + fraction) / (folds + 1), said))

    return report


def _stopper(cancel: threading.Event | None) -> Callable[[], None]:
    def check() -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped.")

    return check
