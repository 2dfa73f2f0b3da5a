"""Counts of calls by trace, and metrics of these calls in bootstrap samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.validation._metrics.confusion import Confusion, Metric, metric_value
from explorer.validation._statistics.bootstrap import EXACT, Floats, drawn_traces, joined_samples
from explorer.validation._statistics.resampling import Resampling


def counts_by_trace(
    called: NDArray[np.bool_], labels: NDArray[np.bool_], groups: NDArray[np.intp], n_traces: int
) -> Floats:
    """Count by trace: true positives, calls, used units and units; float64 (4, traces)."""
    masks = (called & labels, called, labels, np.ones(len(labels), dtype=bool))
    return np.stack([np.bincount(groups, mask, minlength=n_traces) for mask in masks])


def sampled_metric(
    metric: Metric | Callable[[Confusion], Floats], counts: Sequence[Floats], resampling: Resampling
) -> tuple[float, Floats]:
    """Compute a metric for all traces, and for bootstrap samples of traces.

    Parameters
    ----------
    metric
        One of `METRICS`, or a function of a confusion matrix, such as `Objective.value`.
    counts
        From `counts_by_trace`: one array, or one for each repeated choice of a threshold. The
        metric is then the mean over the repeats in which it is defined.
    resampling
        How bootstrap samples of traces are drawn.

    Returns
    -------
    value : float
    samples : ndarray of float64, shape (samples,)
        Empty for one trace.
    """
    n_traces = counts[0].shape[1]
    value = float(_mean_metric(metric, counts, np.ones((n_traces, 1)))[0])
    if n_traces < 2:
        return value, np.empty(0)
    # Single precision where it is exact for every sample that can be drawn.
    exact = max(float(one.max()) for one in counts) * n_traces < EXACT
    held: list[Floats] = [one.astype(np.float32 if exact else np.float64) for one in counts]
    drawn = drawn_traces(n_traces, resampling)
    return value, joined_samples([_mean_metric(metric, held, draws) for draws in drawn])


def _mean_metric(
    metric: Metric | Callable[[Confusion], Floats], counts: Sequence[Floats], draws: NDArray[Any]
) -> Floats:
    """Return the mean over repeats of a metric, for each column of draws (traces, samples)."""
    measure = metric if callable(metric) else partial(metric_value, metric)
    values = np.stack([measure(Confusion.of_calls(*(one @ draws))) for one in counts])
    known = ~np.isnan(values)
    mean = np.full(values.shape[1], np.nan)
    np.divide(np.nansum(values, axis=0), known.sum(axis=0), out=mean, where=known.any(axis=0))
    return mean
