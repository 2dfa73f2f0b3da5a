"""Scores grouped by label, sorted for fast histograms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import ShapeError


@dataclass(frozen=True, eq=False)
class ScoreGroups:
    """Scores grouped by label and in rising order, from which any histogram is counted at once.

    Parameters
    ----------
    used, not_used : ndarray of float32
        Rising scores of the units with this label, without NaN. Float32 is the precision of
        attention, in which scores are compared with a threshold.
    unknown : int
        Number of labelled units without a score.
    """

    used: NDArray[np.float32]
    not_used: NDArray[np.float32]
    unknown: int = 0

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike) -> ScoreGroups:
        """Group and sort scores by label; NaN counts as unknown.

        Raises
        ------
        ShapeError
            If the number of labels differs from the number of scores.
        """
        values = np.asarray(scores, dtype=np.float32).ravel()
        truth = np.asarray(labels, dtype=bool).ravel()
        if values.shape != truth.shape:
            raise ShapeError(f"There are {values.size} scores, but {truth.size} labels.")
        known = ~np.isnan(values)
        return cls(
            np.sort(values[known & truth]),
            np.sort(values[known & ~truth]),
            int(values.size - known.sum()),
        )

    def called(self, threshold: float) -> tuple[int, int]:
        """Numbers of used and of not used units that score at least the threshold."""
        least = np.float32(threshold)
        above = [part.size - int(np.searchsorted(part, least)) for part in self._parts]
        return above[0], above[1]

    def counts(self, edges: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Count used and not used units per bin; scores beyond the ends go to the end bins."""
        found = []
        for part in self._parts:
            passed = np.searchsorted(part, edges.astype(np.float32))
            passed[0], passed[-1] = 0, part.size
            found.append(np.diff(passed))
        return found[0], found[1]

    @property
    def _parts(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.used, self.not_used
