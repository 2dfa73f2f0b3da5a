"""Scores of any numeric kind as a NumPy array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError


def score_array(scores: ArrayLike) -> NDArray[Any]:
    """Scores as a real NumPy array of any numeric dtype; None becomes NaN.

    Raises
    ------
    InputError
        When the scores are not real numbers (text, complex numbers, ragged lists).
    """
    try:
        array = np.asarray(scores)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
        if isinstance(scores, np.ma.MaskedArray):
            # A masked score is unknown, whatever number the mask hides.
            array = np.where(np.ma.getmaskarray(scores), np.nan, array)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"Scores must be numbers, but these cannot be read as such: {error}."
        ) from None
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"Scores must be real numbers, but these are of type {array.dtype}. "
            "Convert them to floats first."
        )
    return array
