"""Final weights of the hyperedges, by their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from explorer.rag._weights.trajectory import Trajectory
    from explorer.rag._weights.update_order import UpdateOrder
    from explorer.validation import LabelledScores

_STILL = 1e-9
"""Smaller changes count as none."""


@dataclass(frozen=True)
class FinalWeights:
    """The weights after the last trace.

    Attributes
    ----------
    above, below, level
        Numbers of hyperedges that end above, below and at their initial weight.
    used, not_used
        Mean final weight of the units labelled used, and of those labelled not used; a hyperedge
        counts once for each of its labels. NaN without such labels.
    labelled
        Numbers of labels in these two means.
    capped
        Whether every weight started at its upper bound, so that none could rise.
    """

    above: int
    below: int
    level: int
    used: float
    not_used: float
    labelled: tuple[int, int]
    capped: bool

    @property
    def lead(self) -> float:
        """Difference of the two means; NaN if one is missing."""
        return self.used - self.not_used


def hyperedges_of(order: UpdateOrder, judged: LabelledScores) -> NDArray[np.intp]:
    """Return the hyperedge of each unit; shape (units,), -1 if the order does not have it."""
    rows = zip(order.steps.tolist(), order.units, strict=True)
    place = {
        (str(order.traces[step - 1]), unit): number
        for (step, unit), number in zip(rows, order.hyperedges.tolist(), strict=True)
    }
    asked = zip(judged.groups.tolist(), judged.units, strict=True)
    found = (place.get((judged.traces[group], unit), -1) for group, unit in asked)
    return np.fromiter(found, dtype=np.intp, count=len(judged))


def final_weights(
    moves: Trajectory, judged: LabelledScores, hyperedges: NDArray[np.intp] | None = None
) -> FinalWeights:
    """Return the final weights, by the labels of the hyperedges.

    Parameters
    ----------
    moves
        The weights over the traces.
    judged
        The labels, of any truth.
    hyperedges
        From `hyperedges_of`, if known already: it does not depend on the feedback.
    """
    places = hyperedges_of(moves.order, judged) if hyperedges is None else hyperedges
    final = moves.final()
    moved = final - moves.start
    there = places >= 0
    ends, labels = final[places[there]], judged.labels[there]
    parts = ends[labels], ends[~labels]
    used, not_used = (float(part.mean()) if part.size else float("nan") for part in parts)
    above, below = int((moved > _STILL).sum()), int((moved < -_STILL).sum())
    return FinalWeights(
        above,
        below,
        len(final) - above - below,
        used,
        not_used,
        (int(parts[0].size), int(parts[1].size)),
        bool(len(final)) and bool((moves.start >= moves.upper).all()),
    )
