"""Checks of whole numbers that the functions of this package take."""

from __future__ import annotations

import numpy as np

from explorer.errors import InputError


def check_count(name: str, value: object, least: int) -> int:
    """Return a count as an int.

    Parameters
    ----------
    name
        Name of the parameter, for the error.
    value
        Its value.
    least
        The smallest value that is allowed.

    Raises
    ------
    InputError
        The value is not a whole number, or it is below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"`{name}` must be a whole number from {least}, not {value!r}.")
    return int(value)
