"""Quality of every head: one figure for each layer and head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from explorer.errors import InputError, ValidationError
from explorer.validation._data.labelled_scores import HeadScores
from explorer.validation._data.score_checks import no_labels_message, one_class_message
from explorer.validation._metrics.confusion import check_metric
from explorer.validation._metrics.roc_auc import auc_of_sorted, run_ends, sorted_rows
from explorer.validation._statistics.bootstrap import Floats

Quality = Literal["auc", "average_precision", "f1"]

_BLOCK = 1 << 20
"""Numbers that are sorted at once."""


def chance_of(metric: Quality, prevalence: float) -> float:
    """Return the quality of uninformative scores, for a share of used units.

    0.5 for ROC-AUC, the prevalence p for average precision, and 2p / (1 + p) for F1, where calling
    everything used is best.
    """
    known = {"auc": 0.5, "average_precision": prevalence, "f1": 2 * prevalence / (1 + prevalence)}
    return known[metric]


def quality_map(heads: HeadScores, metric: Quality = "auc") -> Floats:
    """How well each head separates the used units from the others.

    Parameters
    ----------
    heads
        From `head_scores`.
    metric
        ``"auc"`` or ``"average_precision"`` as in `rank`, or ``"f1"`` at the best threshold of
        each head. The best of many heads on some labels does less well on others.

    Returns
    -------
    ndarray of float64, shape (layers, heads)
        Units whose score in a head is unknown are left out of its figure. NaN if that leaves one
        class only.

    Raises
    ------
    ValidationError
        There are no units, or only units of one class.
    InputError
        There is no such metric.
    """
    check_metric(metric, Quality)
    if not isinstance(heads, HeadScores):
        raise InputError(
            f"A map takes HeadScores, not a {type(heads).__name__}. head_scores(traces) makes them."
        )
    if not len(heads):
        raise ValidationError(no_labels_message(heads.truth, heads.n_traces, heads.notes))
    if heads.positives in (0, len(heads)):
        raise ValidationError(
            one_class_message(heads.truth, len(heads), heads.positives > 0, "units")
        )
    layers, per_layer, n = heads.scores.shape
    flat = heads.scores.reshape(-1, n)
    figures = np.empty(len(flat))
    for block in _row_blocks(len(flat), n):
        figures[block] = _FIGURES[metric](*sorted_rows(flat[block], heads.labels))
    return figures.reshape(layers, per_layer)


def _row_blocks(rows: int, width: int) -> Iterator[slice]:
    """Yield blocks of rows of about `_BLOCK` numbers each."""
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))


def _f1(labels: Any, ends: Any, known: Any) -> Floats:
    hits = np.cumsum(labels & known, axis=1)
    used = hits[:, -1:]
    calls = np.arange(1, labels.shape[1] + 1)
    f1 = np.where(ends & known, 2 * hits / (calls + used), 0.0)
    best: Floats = f1.max(axis=1)
    return _of_both_classes(best, used[:, 0], known)


def _average_precision(labels: Any, ends: Any, known: Any) -> Floats:
    hits = np.cumsum(labels & known, axis=1)
    used = hits[:, -1]
    # Each used unit counts with the precision at the end of its run of ties.
    precision = np.where(ends, hits / np.arange(1, labels.shape[1] + 1), 0.0)
    at_end = np.take_along_axis(precision, run_ends(ends), axis=1)
    total = (at_end * (labels & known)).sum(axis=1)
    return _of_both_classes(total / np.maximum(used, 1), used, known)


_FIGURES = {"auc": auc_of_sorted, "average_precision": _average_precision, "f1": _f1}


def _of_both_classes(figure: Floats, used: Any, known: Any) -> Floats:
    both = (used > 0) & (used < known.sum(axis=1))
    return np.where(both, figure, np.nan)
