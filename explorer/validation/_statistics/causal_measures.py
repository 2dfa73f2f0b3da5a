"""Measures that compare scores with ablation effects.

The functions take effects and know nothing of models. The *effect* of a unit is the drop of the
answer's log-probability when the unit is removed; it is positive if the answer needs the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer._extras import require_extra
from explorer.errors import InputError, ShapeError
from explorer.validation._statistics.bootstrap import Floats, Interval, mean_interval
from explorer.validation._statistics.resampling import Resampling

_FEWEST = 3
"""Fewer pairs give a rank correlation of 1 or -1 whatever the values are."""

_resampling_bundle = old_parameters(resampling=(Resampling, ("samples", "seed")))


@dataclass(frozen=True, eq=False)
class PerTraceMeasure:
    """A measure computed for each trace, and its mean.

    Attributes
    ----------
    mean : Interval
        Mean over the traces where the measure is defined, with a 95 % bootstrap interval over
        traces.
    values : ndarray of float64, shape (traces,)
        NaN where the measure is not defined.
    """

    mean: Interval
    values: Floats

    @property
    def traces(self) -> int:
        """Number of traces in the mean."""
        return int((~np.isnan(self.values)).sum())


@dataclass(frozen=True, eq=False)
class TopKDrop:
    """Drop of the answer's log-probability for the k units of highest score.

    Attributes
    ----------
    drop : PerTraceMeasure
        Sum of the effects of these units.
    random : Interval
        Expected sum for k random units: k times the mean effect.
    best : Interval
        Largest sum of k effects.
    k : int
    """

    drop: PerTraceMeasure
    random: Interval
    best: Interval
    k: int


def spearman(first: Any, second: Any) -> float:
    """Return Spearman's rank correlation of two lists, without pairs that contain NaN.

    NaN for fewer than three pairs, and if all values of one list are equal.
    """
    require_extra("validation", "A rank correlation")
    from scipy.stats import spearmanr

    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    both = ~(np.isnan(one) | np.isnan(two))
    one, two = one[both], two[both]
    if len(one) < _FEWEST or np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    return float(spearmanr(one, two).statistic)


@_resampling_bundle
def spearman_by_trace(
    scores: Any, effects: Any, groups: Any, *, resampling: Resampling | None = None
) -> PerTraceMeasure:
    """Rank correlation of scores and effects within each trace, and its mean.

    Parameters
    ----------
    scores, effects
        Float (units,); pairs with NaN are left out.
    groups
        Trace of each unit: whole numbers from 0.
    resampling
        How bootstrap samples of traces are drawn.

    Returns
    -------
    PerTraceMeasure
        NaN for a trace with fewer than three known units, or with equal scores or equal effects.
    """
    score, effect, group = _aligned(scores, effects, groups)
    values = [spearman(score[places], effect[places]) for places in _places_by_trace(group)]
    return _per_trace(values, resampling)


def top_units(scores: Any, groups: Any, k: int) -> NDArray[np.bool_]:
    """Select the k units of highest score in each trace, to be removed together.

    Of tied units the first is taken. Units without a score are never taken. A trace with fewer
    than k units gives all of them.

    Returns
    -------
    ndarray of bool, shape (units,)
    """
    score, _, group = _aligned(scores, scores, groups)
    _check_k(k)
    chosen = np.zeros(len(score), dtype=bool)
    for places in _places_by_trace(group):
        known = places[~np.isnan(score[places])]
        chosen[_top(known, score, k)] = True
    return chosen


@_resampling_bundle
def top_k_drop(
    scores: Any,
    effects: Any,
    groups: Any,
    k: int = 3,
    *,
    resampling: Resampling | None = None,
) -> TopKDrop:
    """Drop of the answer's log-probability for the k units of highest score.

    Adds up effects of units that were removed one at a time. Two units with the same content
    then hide each other's effect; to remove units together, take `top_units`, measure, and pass
    the drops to `mean_drop`. (Top-k log-probability drop: Cohen-Wang et al. 2024, ContextCite.)

    Parameters
    ----------
    scores, effects, groups, resampling
        As in `spearman_by_trace`.
    k
        Number of units to remove; traces with fewer known units are left out.
    """
    score, effect, group = _aligned(scores, effects, groups)
    _check_k(k)
    rows = []
    for places in _places_by_trace(group):
        known = places[~(np.isnan(score[places]) | np.isnan(effect[places]))]
        if len(known) < k:
            rows.append((np.nan, np.nan, np.nan))
            continue
        effects_here = effect[known]
        best = np.sort(effects_here)[-k:].sum()
        rows.append((effect[_top(known, score, k)].sum(), k * effects_here.mean(), best))
    drop, random, best = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return TopKDrop(
        _per_trace(drop, resampling),
        mean_interval(random, resampling),
        mean_interval(best, resampling),
        k,
    )


@_resampling_bundle
def mean_drop(drops: Any, *, resampling: Resampling | None = None) -> PerTraceMeasure:
    """Mean of one measured drop per trace; NaN marks a trace that was not measured."""
    return _per_trace(np.asarray(drops, dtype=np.float64), resampling)


@_resampling_bundle
def lds(
    scores: Sequence[Any],
    masks: Sequence[Any],
    logprobs: Sequence[Any],
    *,
    resampling: Resampling | None = None,
) -> PerTraceMeasure:
    """Linear datamodelling score: how well sums of scores predict random ablations.

    For each trace: Spearman's correlation, over its random masks, of the summed scores of the kept
    units and the measured log-probability of the answer. (Park et al. 2023, TRAK; for contexts
    Cohen-Wang et al. 2024, ContextCite, whose logit of the probability has the same ranks.)

    Parameters
    ----------
    scores
        For each trace float (units,); a unit without a score adds nothing.
    masks
        For each trace bool (masks, units), True for a kept unit.
    logprobs
        For each trace float (masks,); NaN if not measured.
    resampling
        How bootstrap samples of traces are drawn.

    Raises
    ------
    ShapeError
        The shapes of the three do not match.
    """
    if not len(scores) == len(masks) == len(logprobs):
        raise ShapeError(
            f"There are scores of {len(scores)} traces, masks of {len(masks)} and "
            f"log-probabilities of {len(logprobs)}; there must be one of each for every trace."
        )
    values = []
    for place, (score, mask, logprob) in enumerate(zip(scores, masks, logprobs, strict=True)):
        of_units = np.nan_to_num(np.asarray(score, dtype=np.float64), nan=0.0)
        kept, measured = np.asarray(mask, dtype=np.float64), np.asarray(logprob, dtype=np.float64)
        if kept.shape != (len(measured), len(of_units)):
            raise ShapeError(
                f"The masks of trace {place} have shape {kept.shape}; expected "
                f"({len(measured)}, {len(of_units)}): a row for each log-probability, a column for "
                "each unit."
            )
        values.append(spearman(kept @ of_units, measured))
    return _per_trace(values, resampling)


def _per_trace(values: Any, resampling: Resampling | None) -> PerTraceMeasure:
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    return PerTraceMeasure(mean_interval(array, resampling), array)


def _top(places: NDArray[np.intp], scores: Floats, k: int) -> NDArray[np.intp]:
    """Return the k places of highest score, of tied ones the first."""
    return places[np.argsort(-scores[places], kind="stable")[:k]]


def _aligned(first: Any, second: Any, groups: Any) -> tuple[Floats, Floats, NDArray[np.intp]]:
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    group = np.asarray(groups)
    if one.ndim != 1 or not one.shape == two.shape == group.shape:
        raise ShapeError(
            "Scores, effects and groups must be lists of one length, but they have shapes "
            f"{one.shape}, {two.shape} and {group.shape}."
        )
    if len(group) and (group.dtype.kind not in "iu" or int(group.min()) < 0):
        raise InputError("`groups` must be whole numbers from 0: the trace of each unit.")
    return one, two, group.astype(np.intp)


def _places_by_trace(groups: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the places of each trace's units, in order."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.intp)
    return np.split(order, np.cumsum(counts)[:-1]) if len(counts) else []


def _check_k(k: object) -> None:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k, the number of units to remove, must be 1 or more, not {k!r}.")
