"""Results of the outer folds of a calibration, also of one that was stopped."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import renamed_parameters
from explorer.errors import Cancelled
from explorer.validation._calibration.head_candidates import Candidate, Family, HeldOutScores


class Fold(NamedTuple):
    """The choice of one outer fold, and its scores on the held-out traces.

    Attributes
    ----------
    repeat, fold
        Which fold this is, each from 0.
    candidate, head
        The best candidate, and its head in words.
    threshold
        Chosen on the other traces.
    scores, calls
        Scores of the candidate; and whether they reach the threshold.
    places
        Indices of these units.
    by_family
        The scores of the best candidate of each family.
    """

    repeat: int
    fold: int
    candidate: Candidate
    head: str
    threshold: float
    scores: HeldOutScores
    calls: NDArray[np.bool_]
    places: NDArray[np.intp]
    by_family: dict[Family, HeldOutScores]


@dataclass(frozen=True, eq=False)
class PartialCalibration:
    """The finished folds of a calibration that was stopped, for `calibrate(resume=...)`."""

    key: tuple[Any, ...]
    folds: tuple[Fold, ...]


class CalibrationCancelled(Cancelled):
    """A calibration was stopped; `partial` holds the finished folds."""

    @renamed_parameters(partial="begun")
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
