"""A threshold found in the scores themselves, for when no label has been asked."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from explorer._number_format import three_digits
from explorer.feedback._normalisations import Normalisation, normalisation_rule
from explorer.feedback._score_array import score_array
from explorer.feedback._units import Diagnostic

Auto = Literal["auto"]
AUTO: Final = "auto"
"""The word that asks for a threshold found by `auto_threshold`."""

Rule = Literal["length", "gap", "none"]

DEFAULT_THRESHOLD: Final = 0.1
"""The threshold of `FeedbackPolicy` when none is given."""

# A lift is r / (1 + r), with r the attention over the part that the unit's length predicts: 1/2 is
# r = 1, as much as its length deserves.
_LIFT_OF_LENGTH: Final = 0.5
# Two gaps that differ by less than this part of the larger are equal: float32 scores.
_SAME_GAP: Final = 1e-6


class AutoThreshold(NamedTuple):
    """A threshold that was found in scores, and how.

    Attributes
    ----------
    value : float
        The threshold, in [0, 1].
    rule : str
        ``"length"`` for lifts, ``"gap"`` for the largest gap, ``"none"`` where there is no gap and
        the value is the default of `FeedbackPolicy`.
    below, above : float
        The scores on both sides of the gap; NaN for the other rules.
    """

    value: float
    rule: Rule
    below: float = np.nan
    above: float = np.nan

    @property
    def diagnostic(self) -> Diagnostic:
        """The note ``auto-threshold`` with the value, and where it comes from."""
        shown = three_digits(self.value)
        reason = {
            "length": "the lift of a unit with as much attention as its length deserves",
            "gap": "the middle of the largest gap between the scores here "
            f"({three_digits(self.below)} to {three_digits(self.above)})",
            "none": "the default, as the scores here do not differ",
        }[self.rule]
        return Diagnostic(
            "auto-threshold", f"Threshold {shown}, found by auto: {reason}. No label was asked."
        )


def auto_threshold(scores: ArrayLike, normalisation: Normalisation = "raw") -> AutoThreshold:
    """Return a threshold for the scores of one trace or view, found without labels.

    The rule depends on the scores alone, never on labels or on other traces:

    1. Scores normalised as ``"lift"`` get 0.5: the unit has as much attention as its length
       deserves.
    2. Otherwise the known scores, clipped to [0, 1], are sorted, and the threshold is the middle of
       the largest gap between neighbours. Of equally large gaps the highest counts, so that fewer
       units are used.
    3. Without a gap (no or one known score, or all scores equal) it is 0.1, the default of
       `FeedbackPolicy`.

    It is a convention for a first look and no estimate of use: with labels, `explorer.calibrate`
    and `explorer.validation` find a threshold and say how good it is.

    Parameters
    ----------
    scores : array_like of real numbers, any shape
        The scores of all units of one trace or view. NaN and None are unknown and do not count.
    normalisation : {"raw", "share", "lift"}, default "raw"
        How the scores were normalised.

    Returns
    -------
    AutoThreshold
        The value in [0, 1], the name of the rule, and the scores on both sides of the gap.

    Raises
    ------
    InputError
        When the scores are not real numbers, or there is no such normalisation.

    Notes
    -----
    The largest gap is the single-linkage division of one-dimensional data into two clusters
    (Gower and Ross, 1969, "Minimum spanning trees and single linkage cluster analysis", Applied
    Statistics 18:54-64); the middle is the division with the largest margin.

    Examples
    --------
    >>> auto_threshold([0.01, 0.02, 0.30, 0.34]).value
    0.16
    >>> auto_threshold([0.2, 0.7], "lift").value
    0.5
    >>> auto_threshold([0.4]).rule
    'none'
    """
    if normalisation_rule(normalisation).name == "lift":
        return AutoThreshold(_LIFT_OF_LENGTH, "length")
    values = np.asarray(score_array(scores), dtype=np.float64).reshape(-1)
    known = np.sort(np.clip(values[~np.isnan(values)], 0.0, 1.0))
    gaps = np.diff(known)
    widest = float(gaps.max()) if gaps.size else 0.0
    # Rounding of float32 is no gap.
    if widest <= _SAME_GAP * float(known[-1] if known.size else 1.0):
        return AutoThreshold(DEFAULT_THRESHOLD, "none")
    place = int(np.flatnonzero(gaps >= widest * (1.0 - _SAME_GAP))[-1])
    below, above = float(known[place]), float(known[place + 1])
    return AutoThreshold((below + above) / 2, "gap", below, above)
