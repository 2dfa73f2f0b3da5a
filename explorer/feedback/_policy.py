"""Feedback and verdicts from scores, by the threshold formula."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError
from explorer.feedback._auto_threshold import AUTO, DEFAULT_THRESHOLD, Auto, auto_threshold
from explorer.feedback._normalisations import Normalisation
from explorer.feedback._score_array import score_array

Verdict = Literal["used", "near", "not used", "unknown"]

VERDICTS: tuple[Verdict, ...] = ("not used", "near", "used", "unknown")
"""Every verdict, weakest evidence of use first; `verdicts` uses the index as code."""

# Blocks of this many scores keep the temporaries of `convert` in the processor's cache: on large
# arrays that is several times faster than whole-array temporaries, which are bound by page faults.
_BLOCK = 16_384


@dataclass(frozen=True)
class FeedbackPolicy:
    """The formula that converts a score in [0, 1] to feedback in [0, 1].

    With ``s`` the score clipped to [0, 1] and ``t`` the threshold::

        s >= t : positive + (s - t) / (1 - t) * (1 - positive)
        s <  t : negative + s / t * (neutral - negative)

    At ``t = 1`` only the score 1 is at the threshold and gives `positive`; at ``t = 0`` every score
    is. Neither divides by zero.

    Parameters
    ----------
    threshold : float or "auto", default 0.1
        Score from which a unit counts as used. With ``"auto"`` it is found anew in the scores of
        each trace or view, by `auto_threshold`; tables then hold the value that was found.
    positive : float, default 1.0
        Feedback at the threshold; the score 1 always gives 1. At 1.0 the upper branch is flat.
    negative : float, default 0.3
        Feedback for the score 0.
    neutral : float, default 0.5
        Feedback that scores just below the threshold approach.

    Raises
    ------
    InputError
        When a value is not a finite number in [0, 1] (for the threshold: or ``"auto"``), or not
        negative <= neutral <= positive.

    Examples
    --------
    >>> FeedbackPolicy().convert([0.45, 0.05, 0.15]).tolist()
    [1.0, 0.4, 1.0]
    >>> FeedbackPolicy().verdicts([0.45, 0.05, 0.01]).tolist()
    ['used', 'near', 'not used']
    """

    threshold: float | Auto = DEFAULT_THRESHOLD
    positive: float = 1.0
    negative: float = 0.3
    neutral: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "threshold" and isinstance(value, str) and value == AUTO:
                continue
            object.__setattr__(self, field.name, _unit_interval(field.name, value))
        if not self.negative <= self.neutral <= self.positive:
            raise InputError(
                "Feedback values must satisfy negative <= neutral <= positive, but they are "
                f"{self.negative:g}, {self.neutral:g} and {self.positive:g}."
            )

    @property
    def is_auto(self) -> bool:
        """Whether the threshold is to be found in the scores."""
        return self.threshold == AUTO

    @property
    def number(self) -> float:
        """The threshold as a number; NaN while it is to be found."""
        return math.nan if self.threshold == AUTO else self.threshold

    def for_scores(self, scores: ArrayLike, normalisation: Normalisation = "raw") -> FeedbackPolicy:
        """The policy with a number as threshold: its own, or the one that these scores give.

        Parameters
        ----------
        scores : array_like of real numbers, any shape
            The scores of all units of one trace or view.
        normalisation : {"raw", "share", "lift"}, default "raw"
            How they were normalised; see `auto_threshold`.

        Raises
        ------
        InputError
            As `auto_threshold`.
        """
        if not self.is_auto:
            return self
        return replace(self, threshold=auto_threshold(scores, normalisation).value)

    def convert(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Feedback for every score; with ``"auto"``, at the threshold of these scores as raw ones.

        Parameters
        ----------
        scores : array_like of real numbers, any shape
            Values outside [0, 1] are clipped. NaN and None give NaN: no feedback without a score.

        Returns
        -------
        ndarray of float64, the shape of `scores`

        Raises
        ------
        InputError
            When the scores are not real numbers.
        """
        array = score_array(scores)
        if self.is_auto:
            return self.for_scores(array).convert(array)
        flat = array.reshape(-1)
        feedback = np.empty(flat.shape, dtype=np.float64)
        for start in range(0, flat.size, _BLOCK):
            self._convert_block(flat[start : start + _BLOCK], feedback[start : start + _BLOCK])
        return feedback.reshape(array.shape)

    def _convert_block(self, scores: NDArray[Any], feedback: NDArray[np.float64]) -> None:
        t = self.number
        s = np.clip(scores, 0.0, 1.0, dtype=np.float64)  # NaN passes through
        # Lower branch everywhere first: min(s, t) keeps the quotient at 1 or less above t.
        np.minimum(s, t, out=feedback)
        if t > 0.0:
            feedback /= t
            feedback *= self.neutral - self.negative
            feedback += self.negative
            # The last bit of negative + (neutral - negative) may lie above neutral.
            np.minimum(feedback, self.neutral, out=feedback)
        reached = s >= t
        if self.positive == 1.0 or t == 1.0:
            np.copyto(feedback, self.positive, where=reached)
            return
        s -= t
        s /= 1.0 - t
        s *= 1.0 - self.positive
        s += self.positive
        np.copyto(feedback, s, where=reached)

    def verdicts(self, scores: ArrayLike) -> NDArray[np.object_]:
        """The verdict on every score, in words.

        Parameters
        ----------
        scores : array_like of real numbers, any shape

        Returns
        -------
        ndarray of str objects, the shape of `scores`
            ``"used"`` at or above the threshold, ``"near"`` from half of it, ``"not used"`` below
            that, ``"unknown"`` for NaN.
        """
        s = np.clip(score_array(scores), 0.0, 1.0, dtype=np.float64)
        threshold = self.for_scores(s).number
        codes = (s >= threshold).astype(np.intp)
        codes += s >= threshold / 2
        codes[np.isnan(s)] = VERDICTS.index("unknown")
        words: NDArray[np.object_] = np.array(VERDICTS, dtype=object)[codes]
        return words


def _unit_interval(name: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, Real) else math.nan
    except OverflowError:  # an integer beyond all floats
        number = math.inf
    if isinstance(value, bool):
        number = math.nan
    if not 0.0 <= number <= 1.0:
        auto = ' or "auto"' if name == "threshold" else ""
        raise InputError(
            f"{name.capitalize()} must be a number from 0 to 1{auto}, but it is {value!r}."
        )
    return number
