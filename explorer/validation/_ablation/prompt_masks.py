"""Which hyperedges are left in the prompt: one row a prompt, True for each that is kept."""

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
        bool (hyperedges,): those that may be left out; the others are in every mask.
    n_masks
        How many. Where so many would do, every subset comes once instead: drawing from few
        subsets again and again says nothing new.

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
    """Return every mask once, in an order in which neighbouring prompts begin alike.

    Masks are sorted as words are, kept before left out: the prompt with all hyperedges comes
    first, then those that leave out the last ones only.

    Returns
    -------
    unique
        bool (prompts, hyperedges).
    places
        For each row of `masks`, its row in `unique`.
    """
    unique, places = np.unique(~masks, axis=0, return_inverse=True)
    return ~unique, places.reshape(-1)
