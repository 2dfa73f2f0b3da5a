"""Scores against ablation: whether high scores point at what the answer needed.

Pure: the effects come from whoever removed the units. An *effect*, or drop, is what the answer's
log-probability loses when a unit is removed; positive for a unit that the answer needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.errors import InputError, ShapeError
from explorer.validation._statistics.bootstrap import SAMPLES, Floats, Interval, mean_interval

_FEWEST = 3
"""Two units are always in order or in reverse: a rank correlation of 1 or -1 that means nothing."""


@dataclass(frozen=True, eq=False)
class PerTraceMeasure:
    """A figure worked out trace by trace.

    Attributes
    ----------
    mean : Interval
        Over the traces where it is defined, with the interval drawn by trace.
    values : ndarray of float64, shape (traces,)
        NaN where it is not.
    """

    mean: Interval
    values: Floats

    @property
    def traces(self) -> int:
        """How many traces the mean is over."""
        return int((~np.isnan(self.values)).sum())


@dataclass(frozen=True, eq=False)
class TopKDrop:
    """What is lost with the k units of highest score, each removed by itself.

    Attributes
    ----------
    drop : ByTrace
        Sum of their effects.
    random : Interval
        What k units drawn at random would lose: k times the mean effect.
    best : Interval
        The largest that k units can lose.
    k : int
    """

    drop: PerTraceMeasure
    random: Interval
    best: Interval
    k: int


def spearman(one: Any, other: Any) -> float:
    """Spearman's rank correlation of two lists, pairs with NaN left out.

    NaN for fewer than three pairs, and where one of the two is all ties.
    """
    require_extra("validation", "A rank correlation")
    from scipy.stats import spearmanr

    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    if len(first) < _FEWEST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first, second).statistic)


def spearman_by_trace(
    scores: Any, effects: Any, groups: Any, *, samples: int = SAMPLES, seed: int = 0
) -> PerTraceMeasure:
    """Rank correlation of scores and effects within each trace, and its mean.

    Parameters
    ----------
    scores, effects
        Float (units,); pairs with NaN are left out.
    groups
        Which trace each unit belongs to: whole numbers from 0.
    samples, seed
        Bootstrap samples of traces, and where they start.

    Returns
    -------
    ByTrace
        A trace with fewer than three known units, or with all scores or all effects equal, has no
        correlation.
    """
    first, second, of = _aligned(scores, effects, groups)
    values = [spearman(first[places], second[places]) for places in _places(of)]
    return _by_trace(values, samples, seed)


def top_units(scores: Any, groups: Any, k: int) -> NDArray[np.bool_]:
    """The k units of highest score in each trace: those to remove together.

    Of tied units the first is taken; a unit without a score never. A trace with fewer units gives
    all of them.

    Returns
    -------
    ndarray of bool, shape (units,)
    """
    first, _, of = _aligned(scores, scores, groups)
    _check_k(k)
    chosen = np.zeros(len(first), dtype=bool)
    for places in _places(of):
        known = places[~np.isnan(first[places])]
        chosen[known[np.argsort(-first[known], kind="stable")[:k]]] = True
    return chosen


def top_k_drop(
    scores: Any,
    effects: Any,
    groups: Any,
    k: int = 3,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> TopKDrop:
    """What is lost with the k units of highest score.

    The effects of units that were removed one by one are added up. Units that say the same hide
    each other then; to remove them together, take `top_units`, measure, and give the drops to
    `mean_drop`. (Top-k log-probability drop: Cohen-Wang et al. 2024, ContextCite.)

    Parameters
    ----------
    scores, effects, groups, samples, seed
        As in `spearman_by_trace`.
    k
        How many units to remove; traces with fewer known units are left out.
    """
    first, second, of = _aligned(scores, effects, groups)
    _check_k(k)
    rows = []
    for places in _places(of):
        known = places[~(np.isnan(first[places]) | np.isnan(second[places]))]
        if len(known) < k:
            rows.append((np.nan, np.nan, np.nan))
            continue
        order = np.argsort(-first[known], kind="stable")[:k]
        rows.append(
            (
                second[known[order]].sum(),
                k * second[known].mean(),
                np.sort(second[known])[-k:].sum(),
            )
        )
    drop, random, best = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return TopKDrop(
        _by_trace(drop, samples, seed),
        mean_interval(random, samples, seed),
        mean_interval(best, samples, seed),
        k,
    )


def mean_drop(drops: Any, *, samples: int = SAMPLES, seed: int = 0) -> PerTraceMeasure:
    """The mean of one measured drop for each trace; NaN where it was not measured."""
    return _by_trace(np.asarray(drops, dtype=np.float64), samples, seed)


def lds(
    scores: Sequence[Any],
    masks: Sequence[Any],
    logprobs: Sequence[Any],
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> PerTraceMeasure:
    """Linear datamodelling score: whether sums of scores predict what random ablations do.

    For each trace Spearman's correlation, over its random masks, between the sum of the scores of
    the units that were kept and the answer's measured log-probability. (Park et al. 2023, TRAK;
    for context Cohen-Wang et al. 2024, ContextCite, whose logit of the probability has the same
    ranks.)

    Parameters
    ----------
    scores
        For each trace float (units,); a unit without a score adds nothing.
    masks
        For each trace bool (masks, units), True where the unit was kept.
    logprobs
        For each trace float (masks,); NaN where it was not measured.

    Raises
    ------
    ShapeError
        The three do not fit together.
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
    return _by_trace(values, samples, seed)


def _by_trace(values: Any, samples: int, seed: int) -> PerTraceMeasure:
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    return PerTraceMeasure(mean_interval(array, samples, seed), array)


def _aligned(one: Any, other: Any, groups: Any) -> tuple[Floats, Floats, NDArray[np.intp]]:
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    of = np.asarray(groups)
    if first.ndim != 1 or not first.shape == second.shape == of.shape:
        raise ShapeError(
            "Scores, effects and groups must be lists of one length, but they have shapes "
            f"{first.shape}, {second.shape} and {of.shape}."
        )
    if len(of) and (of.dtype.kind not in "iu" or int(of.min()) < 0):
        raise InputError("`groups` must be whole numbers from 0: which trace each unit is of.")
    return first, second, of.astype(np.intp)


def _places(groups: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The places of each trace's units, in order."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.intp)
    return np.split(order, np.cumsum(counts)[:-1]) if len(counts) else []


def _check_k(k: object) -> None:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k, how many units are removed, must be 1 or more, not {k!r}.")
