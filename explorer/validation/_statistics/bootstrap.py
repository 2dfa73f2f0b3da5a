"""Bootstrap samples of whole traces, and the percentile intervals they give.

The hyperedges of one trace share a question, an answer and a model, so they are not independent.
A bootstrap sample therefore draws traces with replacement and takes all hyperedges of each trace
(cluster bootstrap: Davison and Hinkley 1997, section 3.8).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer._number_format import three_digits
from explorer.validation._statistics.resampling import Resampling

Floats = NDArray[np.float64]

LEVEL = 0.95
"""Confidence level of the intervals."""

EXACT = 1 << 24
"""The largest count up to which float32 is exact."""

# Draws held in memory at once, about.
_BLOCK = 1 << 22


class Interval(NamedTuple):
    """An estimate with its 95 % percentile interval; the bounds are NaN if there is no interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the estimate with its interval, as in a table."""
        if np.isnan(self.low):
            return three_digits(self.value)
        return f"{three_digits(self.value)} ({three_digits(self.low)} to {three_digits(self.high)})"


def drawn_traces(
    traces: int, resampling: Resampling, *, width: int = 1
) -> Iterator[NDArray[np.float32]]:
    """Yield how often each trace is drawn: float32 (traces, samples of this block), C order.

    Each sample draws as many traces as there are, with replacement. The draws depend only on
    `traces` and `resampling`, not on `width`, so two measures of the same traces are paired.

    Parameters
    ----------
    traces
        Number of traces.
    resampling
        Number of samples, and the seed of the generator.
    width
        Numbers the caller holds per sample in addition to the draws. A larger width gives smaller
        blocks.
    """
    random = np.random.default_rng(resampling.seed)
    block = int(np.clip(_BLOCK // max(traces, width, 1), 8, 256))
    for start in range(0, resampling.samples, block):
        count = min(block, resampling.samples - start)
        drawn = np.empty((count, traces), dtype=np.float32)
        for row in drawn:
            row[:] = np.bincount(random.integers(0, traces, traces), minlength=traces)
        yield np.ascontiguousarray(drawn.T)


def bins_by_trace(
    bins: NDArray[Any], groups: NDArray[np.intp], n_bins: int, n_traces: int, values: Any = None
) -> Any:
    """Return counts, or sums of `values`, by bin and trace: a sparse array (bins, traces).

    Its product with `drawn_traces` is the sum of every bin in every bootstrap sample. Counts are
    float32 if that is exact for every sample that can be drawn, else float64.
    """
    require_extra("validation", "An interval")
    from scipy.sparse import coo_array

    if values is None:
        largest = int(np.bincount(groups, minlength=1).max(initial=0))
        dtype = np.float32 if largest * n_traces < EXACT else np.float64
        values = np.ones(len(bins), dtype=dtype)
    return coo_array((values, (bins, groups)), shape=(n_bins, n_traces)).tocsr()


def joined_samples(blocks: list[Floats]) -> Floats:
    """Return the values of all blocks of samples, (samples,); empty if there are no blocks."""
    return np.concatenate(blocks) if blocks else np.empty(0)


def percentiles(samples: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of the middle 95 % along the last axis, without NaN.

    Bounds are interpolated as by `numpy.quantile`. They are NaN where fewer than half of the
    samples are numbers.
    """
    ordered = np.sort(samples, axis=-1)  # NaN last
    known = np.count_nonzero(~np.isnan(ordered), axis=-1)
    total = ordered.shape[-1]
    enough = (known > 0) & (2 * known >= total)
    bounds = []
    for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        if not total:
            bounds.append(np.full(samples.shape[:-1], np.nan))
            continue
        place = np.where(enough, share * (known - 1), 0.0)
        below = np.floor(place).astype(np.intp)
        above = np.minimum(below + 1, np.maximum(known - 1, 0))
        low = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
        high = np.take_along_axis(ordered, above[..., None], axis=-1)[..., 0]
        value = low + (place - below) * (high - low)
        bounds.append(np.where(enough, value, np.nan))
    return bounds[0], bounds[1]


def interval(value: float, samples: Floats) -> Interval:
    """Return an estimate with the percentile interval of its bootstrap samples (samples,)."""
    low, high = percentiles(np.asarray(samples, dtype=np.float64))
    if np.isnan(value):
        return Interval(value, np.nan, np.nan)
    return Interval(float(value), float(low), float(high))


def mean_interval(values: Floats, resampling: Resampling | None = None) -> Interval:
    """Return the mean over traces with its interval.

    Parameters
    ----------
    values
        One number for each trace, float64 (traces,). NaN is left out. A single number has no
        interval.
    resampling
        How bootstrap samples are drawn.
    """
    drawing = Resampling.of(resampling)
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return Interval(np.nan, np.nan, np.nan)
    value = float(known.mean())
    if len(known) < 2:
        return Interval(value, np.nan, np.nan)
    means = [
        known @ drawn.astype(np.float64) / len(known) for drawn in drawn_traces(len(known), drawing)
    ]
    return interval(value, joined_samples(means))
