"""Choice of heads and a threshold by labels, tested on labels that had no part in the choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from explorer._deprecation import old_parameters
from explorer._extras import require_extra
from explorer.errors import Cancelled, InputError
from explorer.feedback import Diagnostic
from explorer.run_control import RunControl
from explorer.validation._calibration.candidate_features import features_of
from explorer.validation._calibration.candidate_search import CandidateSearch
from explorer.validation._calibration.outer_folds import CalibrationCancelled, PartialCalibration
from explorer.validation._calibration.recommendation import Recommendation
from explorer.validation._calibration.recommendation_builder import recommended
from explorer.validation._data.ground_truth import LabelsByTrace, LabelSource
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_builder import ScoreBuilder, as_traces
from explorer.validation._data.truth import Truth, TruthKind
from explorer.validation._metrics.objective import Objective, ObjectiveKind
from explorer.validation._statistics.number_checks import check_count
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.cross_validation import CrossValidation, trace_folds

if TYPE_CHECKING:
    from explorer.traces import Trace

MOST_UNITS: Final = 10_000
"""The default number of labelled hyperedges that are used: more take longer, with no better
choice."""

_REPEATS = 2


@old_parameters(
    truth=(Truth, ("least_drop",), "kind"),
    cross_validation=(CrossValidation, ("folds", "repeats", "min_traces", "min_positives")),
    resampling=(Resampling, ("samples", "seed")),
    control=(RunControl, ("progress", "cancel")),
)
def calibrate(
    traces: Iterable[Trace],
    *,
    metric: Objective | ObjectiveKind = "f1",
    truth: Truth | TruthKind = "labels",
    labels: LabelsByTrace | None = None,
    cross_validation: CrossValidation | None = None,
    resampling: Resampling | None = None,
    most_units: int = MOST_UNITS,
    resume: PartialCalibration | None = None,
    control: RunControl | None = None,
) -> Recommendation:
    """Choose heads and a threshold by the labels of the hyperedges.

    The candidates are

    * the scores of every layer and head, and of their means, in every reduction and normalisation
      of a `FeedbackExtractor`;
    * every head standardised over the hyperedges of its trace, and head sets weighted by a
      regularised logistic regression: over the rows of the answer, of the question, or both, in
      every reduction, with and without subtracting the attention of a content-free question.

    Candidates that the traces do not support are left out: a given attention matrix has only the
    rows of the answer, and given scores have one head.

    The cross-validation is nested. In every outer fold only the other traces choose: inner folds
    among them compare the candidates by average precision, and give the scores by which the
    threshold is chosen. All reported figures come from the held-out traces. The recommendation
    itself is then chosen in the same way on all traces.

    Parameters
    ----------
    traces
        Labelled or ablated traces with attention, read by one model, as `score_traces` returns
        them.
    metric
        The metric that the threshold maximises, or an `Objective`.
    truth, labels
        As in `judge`.
    cross_validation
        Outer folds, repeats (2 by default), and the smallest number of labels.
    resampling
        How bootstrap samples of traces are drawn for intervals. The seed also decides the splits.
    most_units
        Largest number of labelled hyperedges; of more than that, whole traces are drawn at random.
    resume
        `CalibrationCancelled.partial`, for the same traces and arguments.
    control
        Progress callback and cancel event; a set event stops before the next fit.

    Returns
    -------
    Recommendation
        Not `accepted`, with the reason, if it does not rank better than the words that a hyperedge
        shares with question and answer, or if no threshold reaches the floor of the objective.

    Raises
    ------
    ValidationError
        There are too few labels or only one class, or the traces have no attention.
    CalibrationCancelled
        The cancel event was set; `partial` holds the finished folds.
    InputError
        An argument is not valid.
    """
    require_extra("validation", "Calibration")
    from threadpoolctl import threadpool_limits

    objective = Objective.of(metric)
    splitting, drawing = CrossValidation.of(cross_validation), Resampling.of(resampling)
    repeats = splitting.repeats or _REPEATS
    most_units = check_count("most_units", most_units, 1)
    if resume is not None and not isinstance(resume, PartialCalibration):
        raise InputError(
            f"`resume` takes CalibrationCancelled.partial, not a {type(resume).__name__}."
        )
    control = control or RunControl()
    given = as_traces(traces)
    every = given if isinstance(given, Sequence) else list(given)
    builder = ScoreBuilder(LabelSource(truth, labels))
    known = {}
    partial = PartialCalibration((), ()) if resume is None else resume
    for index, trace in enumerate(every):
        if control.cancel is not None and control.cancel.is_set():
            raise CalibrationCancelled(partial)
        labelled = builder.labelled(trace)
        if labelled:
            known[index] = labelled
    taken = _drawn(known, most_units, drawing.seed)
    if len(taken) < len(known):
        builder.add_notes([_drawn_note(known, taken)])
    # Without the attention of many traces: baselines need the texts only.
    bare = {index: msgspec.structs.replace(every[index], metadata={}) for index in taken}
    for index, trace in bare.items():
        builder.add(trace, known[index], np.zeros(len(trace.hyperedges)), None)
    judged = LabelledScores(scores=np.concatenate(builder.scores()), **builder.attributes())
    splitting.check_enough(judged)
    places = [[place for place, _ in known[index]] for index in taken]
    try:
        features = features_of((every[index] for index in taken), places, control.check)
        key: tuple[Any, ...]
        key = (judged.traces, judged.units, judged.labels.tobytes(), features.sums())
        key = (*key, objective, splitting.folds, repeats, drawing.seed)
        if partial.key != key:
            partial = PartialCalibration(key, ())
        done = {(fold.repeat, fold.fold) for fold in partial.folds}
        total = splitting.folds * repeats
        search = CandidateSearch(judged, features, objective, control.check)
        # The fits are small: several threads would wait for each other.
        with threadpool_limits(1, user_api="blas"):
            for repeat in range(repeats):
                cuts = trace_folds(judged, splitting.folds, drawing.seed + repeat, least=2)
                for number, held in enumerate(cuts):
                    if (repeat, number) in done:
                        continue
                    search.report = _reporter(control, len(partial.folds), total)
                    fold = search.fold(repeat, number, held, drawing.seed)
                    partial = replace(partial, folds=(*partial.folds, fold))
            search.report = _reporter(control, total, total)
            best = search.choose(np.ones(len(judged), dtype=bool), drawing.seed).best
    except Cancelled as error:
        raise CalibrationCancelled(partial) from error
    return recommended(
        list(bare.values()), judged, features, objective, partial.folds, best, resampling=drawing
    )


def _drawn(known: Mapping[int, Sequence[Any]], most: int, seed: int) -> list[int]:
    """Return the traces to take: all, or random ones with at most `most` units together."""
    indices = np.array(list(known), dtype=np.intp)
    counts = np.array([len(labelled) for labelled in known.values()], dtype=np.int64)
    if counts.sum() <= most:
        return [int(index) for index in indices]
    order = np.random.default_rng(seed).permutation(len(indices))
    within = np.cumsum(counts[order]) <= most
    within[0] = True
    return [int(index) for index in np.sort(indices[order[within]])]


def _drawn_note(known: Mapping[int, Sequence[Any]], taken: Sequence[int]) -> Diagnostic:
    units = sum(len(known[index]) for index in taken)
    return Diagnostic(
        "drawn-traces",
        f"Chosen on {len(taken):,} of {len(known):,} traces, drawn at random: together they have "
        f"{units:,} of {sum(map(len, known.values())):,} labelled hyperedges. `most_units` takes "
        "more.",
    )


def _reporter(control: RunControl, done: int, folds: int) -> Callable[[float], None]:
    """Return a function that reports the progress of one choice after `done` of all folds."""
    message = f"Testing the choice on held-out traces: {done} of {folds}"
    if done == folds:
        message = "Choosing on all traces"

    def report(fraction: float) -> None:
        control.report("explaining", (done + fraction) / (folds + 1), message)

    return report
