"""How good every head is: one figure for each layer and head."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ValidationError
from explorer.validation._data.labelled_scores import (
    HeadScores,
    no_labels_message,
    one_class_message,
)
from explorer.validation._metrics.confusion import check_metric
from explorer.validation._metrics.ranking import row_blocks
from explorer.validation._statistics.bootstrap import Floats

Quality = Literal["auc", "average_precision", "f1"]


def chance_of(metric: Quality, prevalence: float) -> float:
    """What scores that know nothing reach, where this share of the units is used.

    0.5 for ROC-AUC, the prevalence p for average precision, and 2p / (1 + p) for F1, where calling
    everything used is best.
    """
    known = {"auc": 0.5, "average_precision": prevalence, "f1": 2 * prevalence / (1 + prevalence)}
    return known[metric]


def quality_map(heads: HeadScores, metric: Quality = "auc") -> Floats:
    """How well each head tells the used units from the others.

    Parameters
    ----------
    heads
        From `head_scores`.
    metric
        ``"auc"`` or ``"average_precision"`` as `rank` has them, or ``"f1"`` at the threshold that
        is best for the head. The best of many heads on some labels is not as good on others.

    Returns
    -------
    ndarray of float64, shape (layers, heads)
        Units whose score in a head is unknown are left out of its figure; NaN where that leaves one
        class only.

    Raises
    ------
    ValidationError
        There are no units, or of one class only.
    InputError
        There is no such metric.
    """
    check_metric(metric, Quality)
    if not isinstance(heads, HeadScores):
        raise InputError(
            f"A map takes HeadScores, and not a {type(heads).__name__}. head_scores(traces) makes "
            "them."
        )
    if not len(heads):
        raise ValidationError(no_labels_message(heads.truth, heads.n_traces, heads.notes))
    if heads.positives in (0, len(heads)):
        raise ValidationError(
            one_class_message(heads.truth, len(heads), heads.positives > 0, "units")
        )
    layers, per_layer, n = heads.scores.shape
    flat = heads.scores.reshape(-1, n)
    found = np.empty(len(flat))
    for block in row_blocks(len(flat), n, 1 << 20):
        found[block] = _FIGURES[metric](*_downwards(flat[block], heads.labels))
    return found.reshape(layers, per_layer)


def _downwards(
    scores: NDArray[np.float32], labels: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Labels in the order of the scores, downwards, by sorting numbers that hold both.

    Returns
    -------
    labels, ends, known : ndarray of bool, shape (heads, units)
        The label at each place; whether the place is the last of its score; whether there is one.
    """
    bits = (scores + np.float32(0.0)).view(np.uint32)  # -0 is 0
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


def _f1(labels: Any, ends: Any, known: Any) -> Floats:
    hits = np.cumsum(labels & known, axis=1)
    used = hits[:, -1:]
    calls = np.arange(1, labels.shape[1] + 1)
    f1 = np.where(ends & known, 2 * hits / (calls + used), 0.0)
    best: Floats = f1.max(axis=1)
    return _where_both(best, used[:, 0], known)


def _average_precision(labels: Any, ends: Any, known: Any) -> Floats:
    hits = np.cumsum(labels & known, axis=1)
    used = hits[:, -1]
    # Each used unit counts with the precision where its ties end: the next end to the right.
    precision = np.where(ends, hits / np.arange(1, labels.shape[1] + 1), 0.0)
    last = _next_end(ends)
    at_end = np.take_along_axis(precision, last, axis=1)
    total = (at_end * (labels & known)).sum(axis=1)
    return _where_both(total / np.maximum(used, 1), used, known)


def _auc(labels: Any, ends: Any, known: Any) -> Floats:
    used_here = labels & known
    others_here = known & ~labels
    hits = np.cumsum(used_here, axis=1, dtype=np.int32)
    # The ROC curve leads from the end of one run of ties to the next: trapezia, so ties count half.
    misses = np.cumsum(others_here, axis=1, dtype=np.int32)
    used, others = hits[:, -1].astype(np.float64), misses[:, -1].astype(np.float64)
    area = np.empty(len(labels))
    for row, at_end in enumerate(ends):
        y, x = hits[row, at_end].astype(np.float64), misses[row, at_end].astype(np.float64)
        before_y, before_x = np.r_[0.0, y[:-1]], np.r_[0.0, x[:-1]]
        area[row] = (x - before_x) @ (y + before_y) / 2
    return _where_both(area / np.maximum(used * others, 1), used, known)


_FIGURES = {"auc": _auc, "average_precision": _average_precision, "f1": _f1}


def _where_both(figure: Floats, used: Any, known: Any) -> Floats:
    both = (used > 0) & (used < known.sum(axis=1))
    return np.where(both, figure, np.nan)


def _next_end(ends: Any) -> NDArray[np.intp]:
    """For every place, where the run of ties that it is in ends."""
    n = ends.shape[1]
    places = np.where(ends, np.arange(n), n)
    return np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
