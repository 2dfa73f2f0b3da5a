"""Data of the ranking figure: a curve, and the point of a threshold on both curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import ShapeError

if TYPE_CHECKING:
    pass


_MOST_POINTS = 200


@dataclass(frozen=True, eq=False)
class RankCurve:
    """One curve of a ranking.

    Parameters
    ----------
    x, y : ndarray of float64, shape (points,)
        False alarms and hits as shares for ROC; recall and precision for PR.
    area : float
        ROC-AUC or average precision; NaN when not known.
    interval : (low, high), optional
        Of the area.
    low, high : ndarray of float64, shape (points,), optional
        Interval of `y` at each `x`.
    name : str
        Of a baseline, in words.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float = float("nan")
    interval: tuple[float, float] | None = None
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    name: str = ""

    @classmethod
    def of(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        area: float = float("nan"),
        interval: tuple[float, float] | None = None,
        low: ArrayLike | None = None,
        high: ArrayLike | None = None,
        name: str = "",
    ) -> RankCurve:
        """A curve of any number of points, thinned to what can be seen.

        Points are kept at even distances along the curve, with the first and the last.

        Raises
        ------
        ShapeError
            When the arrays do not have the same length.
        """
        parts = [np.asarray(one, dtype=np.float64) for one in (x, y)]
        ends = [None if one is None else np.asarray(one, dtype=np.float64) for one in (low, high)]
        shapes = {one.shape for one in (*parts, *ends) if one is not None}
        if len(shapes) != 1 or parts[0].ndim != 1:
            raise ShapeError(f"A curve needs arrays of one length; got {sorted(shapes)}.")
        keep = _along(*parts)
        edges = [None if one is None else one[keep] for one in ends]
        return cls(parts[0][keep], parts[1][keep], area, interval, edges[0], edges[1], name)


@dataclass(frozen=True)
class OperatingPoint:
    """Where a threshold stands on both curves: shares from 0 to 1, NaN where undefined."""

    threshold: float
    false_alarms: float
    recall: float
    precision: float


def _along(x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    if len(x) <= _MOST_POINTS:
        return slice(None)
    steps = np.hypot(np.diff(x), np.diff(y))
    walked = np.concatenate([[0.0], np.cumsum(np.nan_to_num(steps))])
    wanted = np.linspace(0.0, walked[-1], _MOST_POINTS)
    return np.unique([0, *np.searchsorted(walked, wanted).clip(0, len(x) - 1), len(x) - 1])
