"""Units as the pieces that are reduced one by one: the parts of a unit, or the unit itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.feedback._units import Unit


class UnitPieces(NamedTuple):
    """The pieces of several units, in order.

    Attributes
    ----------
    units
        Each piece as a unit of its own.
    starts
        The index of the first piece of each unit.
    weights
        Each piece's share in the number of its unit.
    """

    units: list[Unit]
    starts: NDArray[np.intp]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, units: Sequence[Unit]) -> UnitPieces:
        """Return the pieces of these units; a unit without parts is one piece."""
        pieces: list[Unit] = []
        starts, weights = [], []
        for unit in units:
            starts.append(len(pieces))
            if not unit.parts:
                pieces.append(unit)
                weights.append(1.0)
            for part in unit.parts:
                pieces.append(Unit(unit.name, "", part.spans, part.tokens))
                weights.append(part.weight / len(unit.parts))
        return cls(pieces, np.array(starts, dtype=np.intp), np.array(weights))

    @property
    def spans(self) -> list[Any]:
        """The spans of each piece."""
        return [unit.spans for unit in self.units]

    def joined(self, reduced: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers of units from numbers of pieces: (..., pieces) -> (..., units)."""
        if len(self.units) == len(self.starts) and bool((self.weights == 1.0).all()):
            return reduced
        joined: NDArray[np.float64] = np.add.reduceat(reduced * self.weights, self.starts, axis=-1)
        return joined
