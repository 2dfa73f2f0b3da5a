"""A threshold that was not judged by the labels that chose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.errors import ShapeError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import (
    LabelledScores,
    Truth,
    measurable,
    number_array,
    table_notes,
)
from explorer.validation._metrics.confusion import (
    Confusion,
    Floats,
    Objective,
    check_metric,
    metric_value,
    reaches,
)
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    Interval,
    check_count,
    check_samples,
    check_seed,
    drawn_traces,
    interval,
)

if TYPE_CHECKING:
    import pandas as pd

MIN_TRACES = 20
MIN_POSITIVES = 10
"""With fewer labels than these a threshold that is chosen from them says little."""


_CUTS = 100
"""So often a cut into folds is tried."""


class BestThreshold(NamedTuple):
    """A threshold, and the metric that it has on the labels that chose it."""

    threshold: float
    value: float


@dataclass(frozen=True, eq=False)
class ChosenThreshold:
    """What `cross_validated_threshold` found.

    Attributes
    ----------
    metric : str
    threshold : float
        Chosen on all the labels: the one to use.
    in_sample : float
        The metric at `threshold` on the very labels that chose it. Optimistic.
    held_out : Interval
        The metric of calls on traces that had no part in choosing: those of all folds together,
        then the mean over the repeats. What to expect. The interval draws traces with the calls
        that they got: it leaves out that other traces might have chosen otherwise.
    optimism : float
        `in_sample` minus `held_out`.
    folds : pandas.DataFrame
        For each repeat and fold: ``repeat``, ``fold``, ``threshold``, ``in_sample`` (on the traces
        that chose it), ``held_out`` (NaN where 0/0), ``traces`` and ``positives`` held out.
    low, high : float
        The smallest and the largest threshold chosen in any fold.
    calls_that_differ : float
        Of all units, the share whose call is another at `low` than at `high`: how much hangs on
        which traces were labelled.
    traces, positives, units : int
    truth : str
    notes : tuple of Diagnostic
        ``"unstable-threshold"`` where more than a tenth of the calls differ.
    """

    metric: Objective
    threshold: float
    in_sample: float
    held_out: Interval
    optimism: float
    folds: pd.DataFrame
    low: float
    high: float
    calls_that_differ: float
    traces: int
    positives: int
    units: int
    truth: Truth
    notes: tuple[Diagnostic, ...]


def best_threshold(scores: Any, labels: Any, metric: Objective = "f1") -> BestThreshold:
    """Return the threshold at which a metric is largest.

    Parameters
    ----------
    scores
        Float (units,); NaN is left out.
    labels
        Bool (units,).
    metric
        Of several thresholds with the same value the highest is taken.

    Returns
    -------
    BestThreshold
        Halfway between the lowest score that it calls used and the next lower one; that lowest
        score itself where there is none below. NaN where the metric is nowhere defined.

    Raises
    ------
    InputError, ShapeError
        There is no such metric, scores are no numbers, or the two differ in length.

    Examples
    --------
    >>> best_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True])
    BestThreshold(threshold=0.4, value=1.0)
    """
    check_metric(metric, Objective)
    known, truth = number_array("scores", scores), np.asarray(labels, dtype=bool)
    if known.ndim != 1 or known.shape != truth.shape:
        raise ShapeError(
            "Scores and labels must be lists of one length, but they have shapes "
            f"{known.shape} and {truth.shape}."
        )
    mask = ~np.isnan(known)
    known, truth = known[mask], truth[mask]
    if not len(known):
        return BestThreshold(np.nan, np.nan)
    order = np.argsort(-known, kind="stable")
    down = known[order]
    single = down.astype(np.float32)  # as scores and thresholds are compared
    last = np.flatnonzero(np.r_[single[1:] != single[:-1], True])
    hits = np.cumsum(truth[order])[last]
    values = metric_value(metric, Confusion.of_calls(hits, last + 1, int(truth.sum()), len(known)))
    if np.isnan(values).all():
        return BestThreshold(np.nan, np.nan)
    place = int(np.nanargmax(values))
    at = float(down[last[place]])
    threshold = at
    if place + 1 < len(last):
        # Ties in float32 may differ in float64: what lies between the two is what both sides allow.
        between = (at + float(down[last[place] + 1])) / 2
        below = np.float32(down[last[place] + 1])
        threshold = between if below < np.float32(between) <= np.float32(at) else at
    return BestThreshold(threshold, float(values[place]))


def cross_validated_threshold(
    judged: LabelledScores,
    metric: Objective = "f1",
    *,
    folds: int = 5,
    repeats: int = 10,
    samples: int = SAMPLES,
    seed: int = 0,
    min_traces: int = MIN_TRACES,
    min_positives: int = MIN_POSITIVES,
) -> ChosenThreshold:
    """Choose a threshold, and judge the choice on traces that had no part in it.

    The traces are cut into folds (`sklearn.model_selection.GroupKFold`); each fold is called with
    the threshold that the others choose; all of this is repeated with other cuts.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out.
    metric
        What the threshold shall make large.
    folds, repeats
        How often to cut.
    samples, seed
        Bootstrap samples of traces for the interval of the held-out figure, and where cuts and
        samples start.
    min_traces, min_positives
        With fewer than these the labels are too few.

    Raises
    ------
    ValidationError
        There are too few traces, or too few units of one of the classes, or the units of a class
        come from fewer traces than there are folds; it says how many are missing.
    InputError
        An argument is wrong.
    """
    import pandas as pd

    check_metric(metric, Objective)
    samples, seed = check_samples(samples), check_seed(seed)
    repeats = check_count("repeats", repeats, 1)
    known = measurable(judged)
    check_enough(known, folds=folds, min_traces=min_traces, min_positives=min_positives)
    chosen = best_threshold(known.scores, known.labels, metric)
    rows = []
    # For every repeat and trace: true calls, calls. What is there does not change.
    tables = np.zeros((repeats, known.n_traces, 2))
    for repeat in range(repeats):
        called = np.zeros(len(known), dtype=bool)
        for fold, held in enumerate(trace_folds(known, folds, seed + repeat)):
            rest = ~held
            found = best_threshold(known.scores[rest], known.labels[rest], metric)
            called[held] = reaches(known.scores[held], found.threshold)
            rows.append(
                {
                    "repeat": repeat,
                    "fold": fold,
                    "threshold": found.threshold,
                    "in_sample": found.value,
                    "held_out": float(
                        metric_value(metric, _confused(called[held], known.labels[held]))
                    ),
                    "traces": len(np.unique(known.groups[held])),
                    "positives": int(known.labels[held].sum()),
                }
            )
        tables[repeat] = _by_trace(known, called & known.labels, called)
    table = pd.DataFrame(rows)
    table.attrs["truth"] = known.truth
    there = _by_trace(known, known.labels, np.ones(len(known), dtype=bool))
    held_out = interval(
        float(_over_repeats(metric, tables, there, np.ones((known.n_traces, 1)))[0]),
        np.concatenate(
            [
                _over_repeats(metric, tables, there, draws)
                for draws in drawn_traces(known.n_traces, samples, seed)
            ]
            or [np.empty(0)]
        ),
    )
    low, high = float(table["threshold"].min()), float(table["threshold"].max())
    differ = float((reaches(known.scores, low) & ~reaches(known.scores, high)).mean())
    notes = list(table_notes(known, judged))
    if differ > 0.1:
        message = (
            f"Other traces choose other thresholds, from {low:.3g} to {high:.3g}, and {differ:.0%} "
            f"of the calls depend on which. {_WORDS[known.truth][2]} more traces before you rely "
            "on this one."
        )
        notes.append(Diagnostic("unstable-threshold", message))
    return ChosenThreshold(
        metric,
        chosen.threshold,
        chosen.value,
        held_out,
        chosen.value - held_out.value,
        table,
        low,
        high,
        differ,
        known.n_traces,
        known.positives,
        len(known),
        known.truth,
        tuple(notes),
    )


def trace_folds(
    known: LabelledScores, folds: int, seed: int, *, least: int = 0
) -> list[NDArray[np.bool_]]:
    """Cut the units into folds, all units of a trace in one; a mask (units,) for each.

    Parameters
    ----------
    least
        From so many traces the units of each class must come that are left when a fold is held
        out. Chance may put all that there are into one fold; then the cut is made anew.

    Raises
    ------
    ValidationError
        There is no such cut.
    """
    check_seed(seed)
    for attempt in range(_CUTS):
        masks = _folds(known, folds, seed + attempt * _CUTS)
        if not least or all(
            len(np.unique(known.groups[~held & (known.labels == used)])) >= least
            for held in masks
            for used in (True, False)
        ):
            return masks
    labelled, by, more = _WORDS[known.truth]
    raise ValidationError(
        f"Too few of the {labelled} traces have units {by.format('used')} and units "
        f"{by.format('not used')} to choose without some of them. {more} more traces."
    )


def _folds(known: LabelledScores, folds: int, seed: int) -> list[NDArray[np.bool_]]:
    require_extra("validation", "Cross-validation")
    from sklearn.model_selection import GroupKFold

    cutter = GroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    masks = []
    for _, held in cutter.split(known.scores, groups=known.groups):
        mask = np.zeros(len(known), dtype=bool)
        mask[held] = True
        masks.append(mask)
    return masks


def check_enough(
    known: LabelledScores,
    *,
    folds: int = 2,
    min_traces: int = MIN_TRACES,
    min_positives: int = MIN_POSITIVES,
) -> None:
    """Raise ValidationError when there are too few labels to choose by; it says how many lack.

    InputError, when one of the numbers asked for is none.
    """
    folds = check_count("folds", folds, 2)
    min_traces = check_count("min_traces", min_traces, 0)
    min_positives = check_count("min_positives", min_positives, 0)
    labelled, by, more = _WORDS[known.truth]
    lacking = []
    if known.n_traces < max(min_traces, folds):
        lacking.append(
            f"{max(min_traces, folds)} {labelled} traces, and there are {known.n_traces}"
        )
    for what, count in (("used", known.positives), ("not used", len(known) - known.positives)):
        if count < min_positives:
            lacking.append(f"{min_positives} units {by.format(what)}, and there are {count}")
    if lacking:
        raise ValidationError(
            f"The {'effects' if known.truth == 'ablation' else 'labels'} are too few to choose by: "
            f"it takes at least {'; and '.join(lacking)}. "
            f"{more} more traces."
        )
    for what, mask in (("used", known.labels), ("not used", ~known.labels)):
        among = len(np.unique(known.groups[mask]))
        if among < folds:
            raise ValidationError(
                f"The units {by.format(what)} come from too few traces for {folds} folds: {among}. "
                f"{more} more traces that have such units."
            )


_WORDS: dict[Truth, tuple[str, str, str]] = {
    "labels": ("labelled", "labelled {}", "Label"),
    "ablation": ("ablated", "{} by ablation", "Ablate"),
    "agreement": ("compared", "called {} by the other", "Compare"),
}


def _confused(called: Any, labels: Any) -> Confusion:
    return Confusion.of_calls((called & labels).sum(), called.sum(), labels.sum(), len(labels))


def _by_trace(known: LabelledScores, one: Any, two: Any) -> Floats:
    """Sums of two masks in each trace; (traces, 2)."""
    return np.stack(
        [np.bincount(known.groups, mask, minlength=known.n_traces) for mask in (one, two)], axis=1
    )


def _over_repeats(metric: Objective, tables: Floats, there: Floats, draws: Any) -> Floats:
    """The mean over repeats of the metric, for each column of draws (traces, samples)."""
    weights = draws.T.astype(np.float64)
    positives, units = (weights @ there).T
    found = []
    for counts in tables:
        hits, calls = (weights @ counts).T
        found.append(metric_value(metric, Confusion.of_calls(hits, calls, positives, units)))
    stacked = np.stack(found)
    known = ~np.isnan(stacked)
    mean = np.full(stacked.shape[1], np.nan)
    np.divide(np.nansum(stacked, axis=0), known.sum(axis=0), out=mean, where=known.any(axis=0))
    return mean
