"""How one feedback moves a weight: the settings and the arithmetic, for any number at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from explorer.errors import InputError
from explorer.rag._options import did_you_mean, settings_of

Strategy = Literal["ema", "additive", "multiplicative"]

DEFAULT_WEIGHT = 1.0
"""The weight of a hyperedge that has none."""

DEFAULT_QUALITY = 0.5
"""The quality score of a hyperedge that has none."""


@dataclass(frozen=True)
class UpdateConfig:
    """How feedback moves weights.

    Parameters
    ----------
    strategy : {"ema", "additive", "multiplicative"}
        With ``w`` the weight, ``f`` the feedback and ``a`` the step: ``(1 - a) w + a f``,
        ``w + a (f - 0.5)`` or ``w (1 + a (f - 0.5))``.
    update_alpha : float, default 0.1
        The step ``a``, above 0 and at most 1.
    decay_factor : float, default 0.99
        What every moved weight is then multiplied by, above 0 and at most 1.
    min_weight_ratio, max_weight_ratio : float, defaults 0.5 and 2.0
        A weight is last of all kept between these multiples of the hyperedge's quality score.
    max_history_length : int or None, default 100
        How many changes are remembered for each hyperedge; None for all, 0 for none.

    Raises
    ------
    InputError
        When a value is not of its kind or out of its range.
    """

    strategy: Strategy = "ema"
    update_alpha: float = 0.1
    decay_factor: float = 0.99
    min_weight_ratio: float = 0.5
    max_weight_ratio: float = 2.0
    max_history_length: int | None = 100

    def __post_init__(self) -> None:
        names = get_args(Strategy)
        if not isinstance(self.strategy, str) or self.strategy not in names:
            raise InputError(
                f"There is no update strategy {self.strategy!r}. Choose one of "
                f"{', '.join(map(repr, names))}.{did_you_mean(self.strategy, names)}"
            )
        for name in ("update_alpha", "decay_factor"):
            value = checked_number(name, getattr(self, name))
            if not 0.0 < value <= 1.0:
                raise InputError(f"{name} must be above 0 and at most 1, but it is {value:g}.")
            object.__setattr__(self, name, value)
        for name in ("min_weight_ratio", "max_weight_ratio"):
            object.__setattr__(self, name, checked_number(name, getattr(self, name)))
        if self.min_weight_ratio > self.max_weight_ratio:
            raise InputError(
                "min_weight_ratio must not be above max_weight_ratio, but they are "
                f"{self.min_weight_ratio:g} and {self.max_weight_ratio:g}."
            )
        length: object = self.max_history_length
        whole = isinstance(length, int) and not isinstance(length, bool) and length >= 0
        if length is not None and not whole:
            raise InputError(
                "max_history_length must be a whole number from 0, or None to keep every "
                f"change, but it is {length!r}."
            )

    @classmethod
    def of(cls, config: Mapping[str, Any] | UpdateConfig | None) -> UpdateConfig:
        """Return the settings that a mapping, or nothing, stands for.

        Raises
        ------
        InputError
            When there is no setting of a name, or a value is out of range.
        """
        return settings_of(cls, config, "An updater")


def weight_bounds(quality: Any, config: UpdateConfig) -> tuple[Any, Any]:
    """The least and the largest weight of a hyperedge of this quality; floats or arrays."""
    return quality * config.min_weight_ratio, quality * config.max_weight_ratio


def next_weights(weights: Any, feedback: Any, lower: Any, upper: Any, config: UpdateConfig) -> Any:
    """Weights after one feedback each: moved, decayed, and kept within their bounds.

    Parameters
    ----------
    weights, feedback, lower, upper : float or ndarray of float64, of one shape
        Nothing is checked: numbers are finite, feedback is in [0, 1], lower is at most upper.
    config : UpdateConfig

    Returns
    -------
    float64 or ndarray of float64
        NaN feedback gives NaN.

    Examples
    --------
    >>> float(next_weights(1.0, 1.0, 0.25, 1.0, UpdateConfig()))
    0.99
    """
    alpha = config.update_alpha
    match config.strategy:
        case "ema":
            moved = (1.0 - alpha) * weights + alpha * feedback
        case "additive":
            moved = weights + alpha * (feedback - 0.5)
        case "multiplicative":
            moved = weights * (1.0 + alpha * (feedback - 0.5))
    return np.minimum(np.maximum(moved * config.decay_factor, lower), upper)


def checked_number(name: str, value: object) -> float:
    """Return a finite number from 0 as a float.

    Raises
    ------
    InputError
        When it is something else: text, None, a truth value, NaN, infinite or below 0.
    """
    number = _float(value)
    if number is None:
        raise InputError(f"{name} must be a number, but it is {_shown(value)}.")
    if not (math.isfinite(number) and number >= 0.0):
        raise InputError(
            f"{name} must be a finite number that is not below 0, but it is {number:g}."
        )
    return number


def checked_feedback(value: object, hyperedge: object) -> float:
    """Return a feedback as a float in [0, 1].

    Raises
    ------
    InputError
        When it is no number, NaN, or outside of [0, 1].
    """
    number = _float(value)
    if number is None or not 0.0 <= number <= 1.0:
        raise InputError(
            f"Feedback is a number from 0 to 1, but that of hyperedge {_shown(hyperedge)} is "
            f"{_shown(value)}. Leave out hyperedges whose feedback is not known."
        )
    return number


def _float(value: object) -> float | None:
    """Return a real number as a float; None for what is none, as truth values are."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer beyond all floats
        return math.inf


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
