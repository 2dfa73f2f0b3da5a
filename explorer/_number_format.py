"""Numbers to three digits, written in the same way in figures, sentences and on the page.

`frontend/src/lib/format.ts` is the same for the page; `tests/shared/number_format.json` holds the
cases that both must meet.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

NO_NUMBER: Final = "\u2013"
"""Shown for an unknown number."""

# Powers of ten between which a number is written without an exponent.
_SMALLEST_PLAIN: Final = -4
_LARGEST_PLAIN: Final = 6


@lru_cache(maxsize=8192)
def three_digits(value: float | None) -> str:
    """Format a number with three significant digits; a dash for None and NaN.

    Halves are rounded away from zero. From a thousand on all digits before the point are written,
    and beyond a million and below 0.0001 a power of ten.

    Examples
    --------
    >>> [three_digits(value) for value in (1, 0.8621, 0.1, 0.04312, 0.000981, 0.000012, 0)]
    ['1.00', '0.862', '0.100', '0.0431', '0.000981', '1.20e-5', '0']
    >>> three_digits(1234.4), three_digits(0.99951)
    ('1,234', '1.00')
    """
    if value is None or math.isnan(value):
        return NO_NUMBER
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    exact = Decimal(float(value))
    if not exact:
        return "0"
    place = exact.adjusted()
    rounded = _rounded(exact, place - 2)
    if rounded.adjusted() > place:  # 0.9996 is 1.00
        place += 1
        rounded = _rounded(exact, place - 2)
    if not _SMALLEST_PLAIN <= place < _LARGEST_PLAIN:
        return f"{rounded.scaleb(-place):.2f}e{place}"
    return f"{rounded:.{2 - place}f}" if place < 3 else f"{_rounded(exact, 0):,}"


def _rounded(exact: Decimal, place: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(place), ROUND_HALF_UP)
