"""Intervals by drawing whole traces: what every measure of this floor says about its own chance.

The hyperedges of one trace share a question, an answer and a model's habits, so they are no
independent trials. A bootstrap sample therefore draws traces, with replacement, and takes all the
hyperedges of each (a cluster bootstrap: Davison and Hinkley 1997, section 3.8).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.errors import InputError

Floats = NDArray[np.float64]

LEVEL = 0.95
"""How often a percentile interval should hold the value that it is about."""

SAMPLES = 1000
"""Bootstrap samples, where nobody asks for another number."""

# Counts up to here are exact in float32.
EXACT = 1 << 24

# About so many draws are held at once.
_BLOCK = 1 << 22


class Interval(NamedTuple):
    """A figure and its 95 % percentile interval; the bounds are NaN where there is none."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Say the figure as a table shows it."""
        if np.isnan(self.low):
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def check_samples(samples: object) -> int:
    """Return a number of bootstrap samples; 0 is no intervals.

    Raises
    ------
    InputError
        It is no whole number, or negative.
    """
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 0:
        raise InputError(
            f"`samples` must be a whole number, 0 for no intervals, but it is {samples!r}."
        )
    return int(samples)


def check_seed(seed: object) -> int:
    """Return where a generator starts.

    Raises
    ------
    InputError
        It is no whole number from 0: without one, differences would not be drawn in pairs.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"`seed` must be a whole number from 0, but it is {seed!r}.")
    return int(seed)


def check_count(name: str, value: object, least: int) -> int:
    """Return a number of things; InputError when it is no whole number, or below `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"`{name}` must be a whole number from {least}, not {value!r}.")
    return int(value)


def drawn_traces(
    traces: int, samples: int, seed: int, *, width: int = 1
) -> Iterator[NDArray[np.float32]]:
    """Yield how often each trace was drawn: float32 (traces, samples of this block), C order.

    Each sample draws as many traces as there are, with replacement. The draws depend on `traces`,
    `samples` and `seed` alone, not on `width`: two measures of the same traces are paired.

    Parameters
    ----------
    traces, samples, seed
        How many traces and samples, and where the generator starts.
    width
        Numbers that the caller holds for each sample beside its draws; the larger, the smaller the
        blocks.
    """
    random = np.random.default_rng(check_seed(seed))
    block = int(np.clip(_BLOCK // max(traces, width, 1), 8, 256))
    for start in range(0, samples, block):
        count = min(block, samples - start)
        drawn = np.empty((count, traces), dtype=np.float32)
        for row in drawn:
            row[:] = np.bincount(random.integers(0, traces, traces), minlength=traces)
        yield np.ascontiguousarray(drawn.T)


def bins_by_trace(
    bins: NDArray[Any], groups: NDArray[np.intp], n_bins: int, n_traces: int, values: Any = None
) -> Any:
    """Sums by bin and trace, sparse (bins, traces): counts, or sums of `values`.

    Its product with `drawn_traces` is the sum of every bin in every bootstrap sample. Counts are
    float32 where that is exact for every sample that can be drawn, else float64.
    """
    require_extra("validation", "An interval")
    from scipy.sparse import coo_array

    if values is None:
        largest = int(np.bincount(groups, minlength=1).max(initial=0))
        dtype = np.float32 if largest * n_traces < EXACT else np.float64
        values = np.ones(len(bins), dtype=dtype)
    return coo_array((values, (bins, groups)), shape=(n_bins, n_traces)).tocsr()


def percentiles(samples: Floats) -> tuple[Floats, Floats]:
    """The bounds of the middle 95 % along the last axis, NaN left out.

    Bounds are interpolated as `numpy.quantile` does. Where fewer than half of the samples are
    numbers the bounds are NaN: the figure hardly exists.
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
    """A figure with the interval of its bootstrap samples (samples,)."""
    low, high = percentiles(np.asarray(samples, dtype=np.float64))
    if np.isnan(value):
        return Interval(value, np.nan, np.nan)
    return Interval(float(value), float(low), float(high))


def mean_interval(values: Floats, samples: int = SAMPLES, seed: int = 0) -> Interval:
    """The mean over traces with its interval; NaN is left out. One trace has no interval.

    Parameters
    ----------
    values
        One number for each trace, float64 (traces,).
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return Interval(np.nan, np.nan, np.nan)
    value = float(known.mean())
    if len(known) < 2:
        return Interval(value, np.nan, np.nan)
    found = [
        known @ drawn.astype(np.float64) / len(known)
        for drawn in drawn_traces(len(known), samples, seed)
    ]
    return interval(value, np.concatenate(found) if found else np.empty(0))
