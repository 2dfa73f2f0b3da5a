"""Diagnostics: reasons to doubt a score or a feedback value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer._number_format import three_digits
from explorer.feedback._normalisations import Normalisation
from explorer.feedback._policy import FeedbackPolicy
from explorer.feedback._units import Diagnostic, Unit, overlapping_pair

# Float32 and bfloat16 rows may sum to a little over 1 by rounding.
_ROUNDING = 4e-3


def unit_diagnostics(
    unit: Unit, score: float
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """Return what comes before the diagnostic about the threshold, and what comes after it."""
    if unit.unknown and not unit.filled:
        if unit.diagnostics:  # they give the reason
            return unit.diagnostics, ()
        unknown = "Nothing in the input is known to be this unit: it has no score and no feedback."
        return (Diagnostic("no-score", unknown),), ()
    before = unit.diagnostics
    if not unit.filled:
        empty = "No token of the input belongs to this unit, so its score is 0."
        before = (*before, Diagnostic("empty-unit", empty))
    if np.isnan(score):
        missing = "The attention of this unit is not a number, so it has no score and no feedback."
        return before, (Diagnostic("nan-score", missing),)
    if score < 0.0:
        clipped = f"The score {three_digits(score)} is negative and was raised to 0."
        return before, (Diagnostic("score-clipped", clipped),)
    if score > 1.0 + _ROUNDING:
        clipped = f"The score {score:.4g} is above 1 and was cut to 1."
        return before, (Diagnostic("score-clipped", clipped),)
    return before, ()


def out_of_reach(tokens: int, limit: float, threshold: float) -> Diagnostic:
    """Return the diagnostic of a unit that cannot reach the threshold."""
    return Diagnostic(
        "threshold-out-of-reach",
        f"With {tokens} tokens this unit can score at most {three_digits(limit)}, which is below "
        f"the threshold of {three_digits(threshold)}. Lower the threshold, or score by mass, share "
        "or lift.",
    )


def policy_notes(policy: FeedbackPolicy) -> list[Diagnostic]:
    """Return the notes on every table of a policy."""
    if policy.positive < 1.0:
        return []
    return [
        Diagnostic(
            "flat-upper-branch",
            "Positive feedback is 1.0, so every score at or above the threshold gives the same "
            "feedback. Lower it to distinguish strong attention from just enough.",
        )
    ]


def attention_notes(
    scores: NDArray[np.float64], units: Sequence[Unit], normalisation: Normalisation
) -> list[Diagnostic]:
    """Return the notes on the scores of all units together."""
    notes = []
    pair = overlapping_pair(units)
    if pair is not None:
        notes.append(
            Diagnostic(
                "units-overlap",
                f"Some units share tokens, first {pair[0].name!r} and {pair[1].name!r}. "
                "The attention of a shared token counts for each of them.",
            )
        )
    filled = np.array([unit.filled for unit in units], dtype=bool)
    if normalisation != "raw" and filled.any() and bool(np.isnan(scores[filled]).all()):
        notes.append(
            Diagnostic(
                "no-attention",
                f"All units together receive no attention here, so a {normalisation} cannot be "
                "computed. Choose another head, or raw scores.",
            )
        )
    return notes
