"""The rule by which feedback changes a weight: its settings and its arithmetic."""

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
"""Weight of a hyperedge without one."""

DEFAULT_QUALITY = 0.5
"""Quality score of a hyperedge without one."""


@dataclass(frozen=True)
class UpdateConfig:
    """The settings of a weight update.

    Parameters
    ----------
    strategy : {"ema", "additive", "multiplicative"}
        With ``w`` the weight, ``f`` the feedback and ``a`` the step: ``(1 - a) w + a f``,
        ``w + a (f - 0.5)`` or ``w (1 + a (f - 0.5))``.
    update_alpha : float, default 0.1
        The step ``a``, above 0 and at most 1.
    decay_factor : float, default 0.99
        Factor by which every updated weight is then multiplied, above 0 and at most 1.
    min_weight_ratio, max_weight_ratio : float, defaults 0.5 and 2.0
        At last, a weight is clipped to these multiples of the hyperedge's quality score.
    max_history_length : int or None, default 100
        Largest number of changes kept for each hyperedge; None for all.

    Raises
    ------
    InputError
        When a value has the wrong type or is out of range.
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
        """Return settings from a mapping of their attributes; None gives the defaults.

        Raises
        ------
        InputError
            When there is no setting of a name, or a value is out of range.
        """
        return settings_of(cls, config, "An updater")


def weight_bounds(quality: Any, config: UpdateConfig) -> tuple[Any, Any]:
    """Return the bounds of the weight of a hyperedge of this quality; floats or arrays."""
    return quality * config.min_weight_ratio, quality * config.max_weight_ratio


def next_weights(weights: Any, feedback: Any, lower: Any, upper: Any, config: UpdateConfig) -> Any:
    """Return weights after one feedback each: changed, decayed, and clipped to their bounds.

    Parameters
    ----------
    weights, feedback, lower, upper : float or ndarray of float64, of one shape
        Not checked: finite numbers, feedback in [0, 1], lower at most upper.
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
    """Return a finite number of at least 0 as a float.

    Raises
    ------
    InputError
        For anything else: text, None, a bool, NaN, infinity or a number below 0.
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
        When it is not a number in [0, 1].
    """
    number = _float(value)
    if number is None or not 0.0 <= number <= 1.0:
        raise InputError(
            f"Feedback is a number from 0 to 1, but that of hyperedge {_shown(hyperedge)} is "
            f"{_shown(value)}. Leave out hyperedges whose feedback is unknown."
        )
    return number


def _float(value: object) -> float | None:
    """Return a real number as a float, and None for anything else, such as a bool."""
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
