"""The thresholds that suit an objective about as well as the best one."""

from __future__ import annotations

import numpy as np

from explorer.validation._metrics.confusion import Confusion
from explorer.validation._metrics.objective import Objective
from explorer.validation._thresholds.threshold_selection import BestThreshold
from explorer.validation._thresholds.threshold_sweep import COUNTS, Plateau, Sweep

TOLERANCE = 0.02
"""A smaller difference of a metric, or of a mean cost, does not matter."""


def objective_plateau(
    found: Sweep, objective: Objective, best: BestThreshold, tolerance: float = TOLERANCE
) -> Plateau:
    """Return the unbroken range of thresholds around the best that are within `tolerance` of it.

    Parameters
    ----------
    found
        A sweep of the scores.
    objective
        A threshold that does not reach its floor is outside, however near its figure is.
    best
        From `best_threshold`, for the same scores and objective.
    tolerance
        Difference of the figure of the objective.

    Returns
    -------
    Plateau
        NaN bounds if there is no best threshold.
    """
    if np.isnan(best.threshold):
        return Plateau(np.nan, np.nan, np.nan, np.nan, tolerance)
    table = found.table
    thresholds = table["threshold"].to_numpy()
    merits = objective.merit(Confusion(*(table[name].to_numpy() for name in COUNTS)))
    top = -best.value if objective.kind == "cost" else best.value
    near = np.nan_to_num(merits, nan=-np.inf) >= top - tolerance - 1e-12
    # A unit is called at a threshold and at every lower one down to the next score.
    low = high = int(np.searchsorted(thresholds.astype("f4"), np.float32(best.threshold)))
    while low and near[low - 1]:
        low -= 1
    while high + 1 < len(near) and near[high + 1]:
        high += 1
    high = min(high, len(near) - 1)
    return Plateau(
        min(best.threshold, float(thresholds[min(low, len(near) - 1)])),
        max(best.threshold, float(thresholds[high])),
        best.threshold,
        best.value,
        tolerance,
    )
