"""Masks of the hyperedges in each prompt: one row per prompt, True for each kept one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
"""bool (prompts, hyperedges): True where a hyperedge is kept."""


def without_each(n_units: int) -> Masks:
    """Return the masks that leave out one hyperedge each: (hyperedges, hyperedges)."""
    return ~np.eye(n_units, dtype=np.bool_)


def random_masks(free: NDArray[np.bool_], n_masks: int, generator: np.random.Generator) -> Masks:
    """Return masks that keep each hyperedge with probability 1/2.

    Parameters
    ----------
    free
        bool (hyperedges,): those that may be left out; all masks keep the others.
    n_masks
        Number of masks. If there are no more subsets than this, every subset is returned once
        instead of repeated random ones.

    Returns
    -------
    bool (masks, hyperedges)
    """
    places = np.flatnonzero(free)
    if n_masks and 1 << len(places) <= n_masks:
        numbers = np.arange(1 << len(places))[::-1, None]
        drawn = (numbers >> np.arange(len(places))[::-1]) & 1 == 1
    else:
        drawn = generator.random((n_masks, len(places))) < 0.5
    masks = np.ones((len(drawn), len(free)), dtype=np.bool_)
    masks[:, places] = drawn
    return masks


def reading_order(masks: Masks) -> tuple[Masks, NDArray[np.intp]]:
    """Return every mask once, in an order in which neighbouring prompts share their beginning.

    Masks are sorted lexicographically, kept before left out: the prompt with all hyperedges comes
    first, then those that leave out only the last ones.

    Returns
    -------
    unique
        bool (prompts, hyperedges).
    places
        For each row of `masks`, its row in `unique`.
    """
    unique, places = np.unique(~masks, axis=0, return_inverse=True)
    return ~unique, places.reshape(-1)
