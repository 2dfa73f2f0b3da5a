"""What the outer folds of a calibration chose, also of one that was stopped."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled
from explorer.validation._calibration.head_candidates import Candidate, Family


class Fold(NamedTuple):
    """What one outer fold chose, and what it scored on the traces held out.

    Attributes
    ----------
    repeat, fold
        Which it is, each from 0.
    candidate, chosen
        The candidate of all, and its head in words.
    threshold
        Chosen by the other traces.
    scores, calls
        Probabilities, float64 (units held out,), which can be put beside those of other folds; and
        whether the candidate's own score reaches the threshold.
    places
        Which units these are.
    alone
        The probabilities by the best candidate of each family.
    """

    repeat: int
    fold: int
    candidate: Candidate
    chosen: str
    threshold: float
    scores: NDArray[np.float64]
    calls: NDArray[np.bool_]
    places: NDArray[np.intp]
    alone: dict[Family, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class PartialCalibration:
    """The finished folds of a calibration that was stopped; `calibrate(resume=...)` goes on."""

    key: tuple[Any, ...]
    folds: tuple[Fold, ...]


class CalibrationCancelled(Cancelled):
    """A calibration was stopped; `partial` holds what was finished."""

    def __init__(self, partial: PartialCalibration) -> None:
        super().__init__(f"Stopped after {len(partial.folds)} folds, which are kept.")
        self.partial = partial

    @property
    def begun(self) -> PartialCalibration:
        """The old name of `partial`."""
        warnings.warn(
            "CalibrationCancelled.begun is now CalibrationCancelled.partial; the old name will be "
            "removed in the next release.",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.partial
