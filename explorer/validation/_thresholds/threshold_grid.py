"""Thresholds to look at, for given scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.validation._statistics.bootstrap import Floats

Spacing = Literal["quantiles", "log", "linear"]


def threshold_grid(
    scores: Floats, thresholds: int | Sequence[float] | NDArray[Any], spacing: Spacing = "quantiles"
) -> NDArray[np.float32]:
    """Return thresholds in ascending order, float32; see `sweep`. `scores` have no NaN.

    Raises
    ------
    InputError
        The thresholds are not finite numbers, or an argument is not valid.
    """
    if isinstance(thresholds, bool) or (
        isinstance(thresholds, int | np.integer) and thresholds < 1
    ):
        raise InputError(f"At least one threshold is needed, not {thresholds!r}.")
    if not isinstance(thresholds, int | np.integer):
        try:
            grid = np.asarray(thresholds, dtype=np.float64)
        except (TypeError, ValueError):
            grid = np.array(np.nan)
        if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all():
            raise InputError("`thresholds` must be a number of thresholds, or finite numbers.")
        return np.sort(grid.astype(np.float32))
    ordered = np.sort(scores.astype(np.float32))
    least, most = ordered[0], ordered[-1]
    if spacing == "quantiles":
        distinct = np.unique(ordered)
        if len(distinct) <= thresholds:
            return distinct
        places = np.linspace(0, len(ordered) - 1, int(thresholds)).round().astype(np.intp)
        return np.unique(ordered[places])
    if spacing == "linear":
        return np.unique(np.linspace(least, most, int(thresholds), dtype=np.float32))
    if spacing != "log":
        raise InputError(f"`spacing` is quantiles, log or linear, not {spacing!r}.")
    if most <= 0:
        raise InputError("No score is above 0, so thresholds cannot be spaced by logarithm.")
    least = ordered[np.searchsorted(ordered, 0, side="right")]
    grid = np.geomspace(least, most, int(thresholds), dtype=np.float64).astype(np.float32)
    return np.unique(np.clip(grid, least, most))
