"""A check of whether ablation effects may be noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import Diagnostic

_MUCH_NOISE = 0.2
"""The share of used hyperedges that may be noise before a note says so."""


def noise_notes(effects: NDArray[np.float64], least_drop: float) -> list[Diagnostic]:
    """Return a note if many effects of at least `least_drop` may be noise.

    Leaving out a hyperedge also shifts the positions of those behind it, which moves the answer's
    probability in both directions. The number of rises of a size therefore estimates how many
    drops of that size are noise. It is an upper estimate, since a misleading fact makes a real
    rise.
    """
    known = effects[np.isfinite(effects)]
    drops, rises = np.sort(known[known > 0]), np.sort(-known[known < 0])
    sizes = np.unique(np.ceil(100 * drops[drops > least_drop]) / 100)  # as a message shows them
    n_drops = len(drops) - np.searchsorted(drops, [least_drop, *sizes])
    n_rises = len(rises) - np.searchsorted(rises, [least_drop, *sizes])
    if not n_drops[0] or n_rises[0] <= _MUCH_NOISE * n_drops[0]:
        return []
    quiet = np.flatnonzero(n_rises <= _MUCH_NOISE * n_drops)
    alternative = ""
    if len(quiet):
        at = quiet[0]
        alternative = (
            f" With least_drop={sizes[at - 1]:.4g} it is {n_rises[at]:,} against {n_drops[at]:,}."
        )
    message = (
        f"{n_rises[0]:,} hyperedges make the answer more likely when they are left out, by as much "
        f"as the {n_drops[0]:,} used ones make it less likely. Effects in both directions are "
        f"mostly noise, so up to as many of those may be due to chance.{alternative}"
    )
    return [Diagnostic("noisy-effects", message)]
