"""How bootstrap samples are drawn, as one object."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.errors import InputError
from explorer.validation._statistics.number_checks import check_count

SAMPLES = 1000
"""The default number of bootstrap samples."""


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """Number of bootstrap samples and the seed of their generator.

    A sample draws whole traces with replacement. Two measures of the same traces with equal
    `Resampling` see the same samples, so their differences are paired.

    Parameters
    ----------
    samples : int
        Number of bootstrap samples; 0 for no intervals.
    seed : int
        Seed of the random generator, from 0.

    Raises
    ------
    InputError
        A value is not a whole number, or it is negative.

    Examples
    --------
    >>> Resampling(samples=200)
    Resampling(samples=200, seed=0)
    """

    samples: int = SAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("samples", "seed"):
            object.__setattr__(self, name, check_count(name, getattr(self, name), 0))

    @classmethod
    def of(cls, resampling: Resampling | None) -> Resampling:
        """Return the resampling, the default one for None.

        Raises
        ------
        InputError
            The value is neither None nor a `Resampling`.
        """
        if resampling is None:
            return cls()
        if not isinstance(resampling, cls):
            raise InputError(
                f"`resampling` must be a Resampling, but it is a {type(resampling).__name__}. "
                "Resampling(samples=1000, seed=0) makes one."
            )
        return resampling
