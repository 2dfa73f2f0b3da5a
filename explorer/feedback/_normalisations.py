"""Normalisations: a score as it is, relative to the other units, or relative to length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError

Normalisation = Literal["raw", "share", "lift"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class NormalisationRule:
    """One normalisation: its name, its explanation and its two formulas.

    Attributes
    ----------
    name, meaning : str
        Name in the menu, and the sentence that explains it.
    scores : callable (reduced (..., units), mass (..., units), tokens (units,)) -> (..., units)
        The scores. Non-empty units only.
    reachable : callable (raw (units,), tokens (units,)) -> (units,)
        The largest score each unit can get, given the largest reduced number.
    """

    name: Normalisation
    meaning: str
    scores: Callable[[Floats, Floats, Counts], Floats]
    reachable: Callable[[Floats, Counts], Floats]


def _share(values: Floats) -> Floats:
    # A unit whose attention is unknown stays unknown; the shares of the others sum to 1.
    total = np.nansum(values, axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = values / total
    return np.where(total == 0.0, np.nan, share)


def _lift(mass: Floats, tokens: Counts) -> Floats:
    lift = _share(mass) * (tokens.sum() / tokens)
    # Negative attention has no odds: keep its sign, so that it is clipped and reported later.
    bounded: Floats = lift / (1.0 + np.maximum(lift, 0.0))
    return bounded


NORMALISATIONS: Mapping[Normalisation, NormalisationRule] = {
    rule.name: rule
    for rule in (
        NormalisationRule(
            "raw",
            "the reduced attention itself",
            scores=lambda reduced, _mass, _tokens: reduced,
            reachable=lambda raw, _tokens: raw,
        ),
        NormalisationRule(
            "share",
            "the unit's part of what all units receive; shares sum to 1",
            scores=lambda reduced, _mass, _tokens: _share(reduced),
            reachable=lambda raw, _tokens: np.ones(raw.shape),
        ),
        NormalisationRule(
            "lift",
            "attention compared with length: 0.5 is the share that its length predicts",
            scores=lambda _reduced, mass, tokens: _lift(mass, tokens),
            # All attention on one unit: share 1, lift T/L, shown as T/(T + L).
            reachable=lambda _raw, tokens: tokens.sum() / (tokens.sum() + tokens),
        ),
    )
}
"""Every normalisation by name."""


def normalisation_rule(name: str) -> NormalisationRule:
    """Return the normalisation of that name; raise InputError, with all names, if it is unknown."""
    for rule in NORMALISATIONS.values():
        if isinstance(name, str) and rule.name == name:
            return rule
    names = ", ".join(repr(known) for known in NORMALISATIONS)
    raise InputError(f"There is no normalisation {name!r}. Choose one of {names}.")
