"""Numbers as text in a report: fixed decimals for measures, three digits for scores."""

from __future__ import annotations

import math
from typing import Any

from explorer._number_format import NO_NUMBER, three_digits


def digits(value: Any, places: int = 3) -> str:
    """Format a measure with three decimals.

    Examples
    --------
    >>> digits(0.61234)
    '0.612'
    """
    number = float(value)
    if math.isnan(number):
        return NO_NUMBER
    # Adding 0.0 turns "-0.000" into "0.000".
    return f"{round(number, places) + 0.0:.{places}f}"


def bounds(low: Any, high: Any, places: int = 3) -> str:
    """Format the bounds of an interval; empty if there is no interval."""
    if math.isnan(float(low)) or math.isnan(float(high)):
        return ""
    return f"{digits(low, places)} to {digits(high, places)}"


def interval(value: Any, low: Any, high: Any, places: int = 3) -> str:
    """Format a measure with its interval.

    Examples
    --------
    >>> interval(0.61, 0.55, 0.67, 2)
    '0.61 (0.55 to 0.67)'
    """
    ends = bounds(low, high, places)
    return digits(value, places) + (f" ({ends})" if ends else "")


def score(value: Any) -> str:
    """Format a score or a threshold with three digits, as the figures do."""
    return three_digits(float(value))


def count(value: Any) -> str:
    """Format a whole number."""
    return f"{int(value):,}"


def share(value: Any) -> str:
    """Format a share in percent."""
    return NO_NUMBER if math.isnan(float(value)) else f"{float(value):.0%}"


def many(number: Any, one: str, more: str = "") -> str:
    """Format a number of things.

    Examples
    --------
    >>> many(1, "trace"), many(1200, "trace")
    ('1 trace', '1,200 traces')
    """
    return f"{count(number)} {one if int(number) == 1 else more or one + 's'}"
