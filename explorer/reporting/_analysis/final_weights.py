"""Where weights end, and whether those of the used hyperedges end above the others."""

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
"""What moves less than this stays where it began."""


@dataclass(frozen=True)
class FinalWeights:
    """What feedback has made of the weights after the last trace.

    Attributes
    ----------
    above, below, level
        How many hyperedges end above, below, and at the weight that they began with.
    used, not_used
        Mean weight at the end of the units labelled used, and of those labelled not used: a
        hyperedge counts once for each of its labels. NaN where nothing is labelled so.
    labelled
        How many labels of both kinds these means are of.
    capped
        Whether every hyperedge began at its upper bound, so that none could rise.
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
        """How far the used ones end above the others; NaN where one of them is missing."""
        return self.used - self.not_used


def hyperedges_of(order: UpdateOrder, judged: LabelledScores) -> NDArray[np.intp]:
    """Return the hyperedge of each judged unit; shape (units,), -1 where the order has none."""
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
    """Say where the weights end, by what the labels say of the hyperedges.

    Parameters
    ----------
    moves
        The weights over the traces.
    judged
        The labels, of whatever truth.
    hyperedges
        From `hyperedges_of`, where it is known already: it does not depend on the feedback.
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
