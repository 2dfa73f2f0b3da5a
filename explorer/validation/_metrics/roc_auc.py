"""ROC-AUC by rank sums (Mann and Whitney 1947), for many groups or rows of scores at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.validation._statistics.bootstrap import Floats


def auc_of_rank_sums(rank_sums: Any, used: Any, others: Any) -> Floats:
    """Return the ROC-AUC from the sum of the used units' mean ranks, the smallest score first.

    Parameters
    ----------
    rank_sums, used, others
        Sum of ranks, number of used units and number of other units; arrays of one shape.

    Returns
    -------
    ndarray of float64
        NaN where one of the classes is missing.
    """
    n_used = np.asarray(used, dtype=np.float64)
    pairs = n_used * others
    auc = np.full(pairs.shape, np.nan)
    np.divide(rank_sums - n_used * (n_used + 1) / 2, pairs, out=auc, where=pairs > 0)
    return auc


def auc_by_group(
    scores: Floats, labels: NDArray[np.bool_], groups: NDArray[np.intp], n_groups: int
) -> Floats:
    """Return the ROC-AUC among the units of each group; float64 (groups,).

    `scores` have no NaN. A group without one of the classes has NaN.
    """
    order = np.lexsort((scores, groups))
    group, score, label = groups[order], scores[order], labels[order]
    places = np.arange(len(order))
    change = np.r_[True, (group[1:] != group[:-1]) | (score[1:] != score[:-1])]
    starts = np.flatnonzero(change)
    run = np.cumsum(change) - 1
    ends = np.r_[starts[1:], len(order)] - 1
    first = np.full(n_groups, len(order))
    np.minimum.at(first, group, places)
    ranks = (starts[run] + ends[run]) / 2 - first[group] + 1
    used = np.bincount(group, weights=label, minlength=n_groups)
    others = np.bincount(group, minlength=n_groups) - used
    sums = np.bincount(group, weights=ranks * label, minlength=n_groups)
    return auc_of_rank_sums(sums, used, others)


def auc_by_row(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> Floats:
    """Return the ROC-AUC of each row of scores (rows, units); float64 (rows,).

    Units whose score is NaN are left out of their row.
    """
    return auc_of_sorted(*sorted_rows(scores, labels))


def sorted_rows(
    scores: NDArray[np.float32], labels: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Sort labels by each row of scores, the largest score first.

    Score and label are packed into one number, so that one sort moves both.

    Returns
    -------
    labels, ends, known : ndarray of bool, shape (rows, units)
        The label at each place; whether the place is the last of its score; whether it has a
        score. NaN comes last.
    """
    bits = (scores + np.float32(0.0)).view(np.uint32)  # -0 becomes 0
    # Order-preserving: negative floats are in descending order of their bits.
    sign = np.uint32(1 << 31)
    key = np.where(bits & sign, bits, (sign - np.uint32(1)) - bits)  # larger for smaller scores
    key[np.isnan(scores)] = np.uint32(0xFFFFFFFF)
    packed = (key.astype(np.uint64) << np.uint64(1)) | labels.astype(np.uint64)
    packed.sort(axis=-1)
    key = (packed >> np.uint64(1)).astype(np.uint32)
    ends = np.ones(key.shape, dtype=bool)
    np.not_equal(key[:, 1:], key[:, :-1], out=ends[:, :-1])
    return (packed & np.uint64(1)).astype(bool), ends, key != np.uint32(0xFFFFFFFF)


def run_ends(ends: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return for every place the last place of its run of ties."""
    n = ends.shape[1]
    places = np.where(ends, np.arange(n), n)
    return np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]


def auc_of_sorted(
    labels: NDArray[np.bool_], ends: NDArray[np.bool_], known: NDArray[np.bool_]
) -> Floats:
    """Return the ROC-AUC of each row, from `sorted_rows`; float64 (rows,)."""
    starts = np.zeros(ends.shape, dtype=np.intp)
    starts[:, 1:] = np.where(ends[:, :-1], np.arange(1, ends.shape[1]), 0)
    np.maximum.accumulate(starts, axis=1, out=starts)
    used_here = labels & known
    used, n_known = used_here.sum(axis=1), known.sum(axis=1)
    # The place from the left counts from the largest score, the rank from the smallest.
    places = ((starts + run_ends(ends)) * used_here).sum(axis=1) / 2
    return auc_of_rank_sums(used * n_known - places, used, n_known - used)
