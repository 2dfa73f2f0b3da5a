"""Text in figures: escaping, shortening, wrapping, tick selection, number format."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer._number_format import three_digits
from explorer.source import visible_text

__all__ = [
    "escape_label",
    "shortened",
    "spread_apart",
    "thinned",
    "thinned_ticks",
    "three_digits",
    "wrapped",
]

_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000)


def escape_label(text: str) -> str:
    """Escape text for a plotly label, title or hover, and make its white space visible.

    Plotly interprets tags, entities and ``$formulas$`` in its texts; a token is plain text.

    Examples
    --------
    >>> escape_label("<b>")
    '&lt;b&gt;'
    >>> escape_label(" x")
    '·x'
    """
    return html.escape(visible_text(text), quote=False).replace("$", "&#36;")


def shortened(text: str, length: int) -> str:
    """Cut text to at most `length` characters, ending in … where something was cut."""
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"


@lru_cache(maxsize=8192)
def wrapped(text: str, width: int = 64, lines: int = 8) -> str:
    """Escape text and wrap it to about `width` characters a line, joined by ``<br>``."""
    pieces = [
        piece
        for paragraph in text.splitlines()
        for piece in textwrap.wrap(paragraph, width, drop_whitespace=True) or [""]
    ]
    if len(pieces) > lines:
        pieces = [*pieces[: lines - 1], pieces[lines - 1] + " …"]
    return "<br>".join(escape_label(piece) for piece in pieces)


def thinned(count: int, most: int) -> list[int]:
    """Positions from 0 to count - 1 at a round step, at most `most` of them."""
    step = next((step for step in _STEPS if math.ceil(count / step) <= most), count)
    return list(range(0, count, max(1, step)))


def thinned_ticks(labels: Sequence[str], most: int, length: int = 14) -> dict[str, object]:
    """Tick settings of a linear axis with at most `most` labelled positions.

    The axis counts positions, so repeated labels keep their own places.
    """
    places = thinned(len(labels), most)
    texts = [escape_label(shortened(visible_text(labels[place]), length)) for place in places]
    return {"tickmode": "array", "tickvals": places, "ticktext": texts}


def spread_apart(
    places: NDArray[np.float64], distance: float, low: float, high: float
) -> NDArray[np.float64]:
    """Move places as little as needed to lie `distance` apart and within [low, high].

    Labels that are too close form a group around the mean of their wanted places. If there is not
    enough room, the labels are spaced evenly.

    Examples
    --------
    >>> spread_apart(np.array([10.0, 12.0, 50.0]), 10, 0, 100).tolist()
    [6.0, 16.0, 50.0]
    """
    count = len(places)
    if count > 1 and (count - 1) * distance > high - low:
        distance = (high - low) / (count - 1)
    order = np.argsort(places, kind="stable")
    # After subtracting the required distances, the places only have to be non-decreasing:
    # isotonic regression by pool adjacent violators.
    wanted = places[order] - distance * np.arange(count)
    groups: list[tuple[float, int]] = []
    for value in wanted.tolist():
        mean, size = value, 1
        while groups and groups[-1][0] > mean:
            other, others = groups.pop()
            mean, size = (mean * size + other * others) / (size + others), size + others
        groups.append((mean, size))
    even = np.repeat([mean for mean, _ in groups], [size for _, size in groups])
    even = np.clip(even, low, max(low, high - distance * (count - 1)))
    spread = np.empty(count)
    spread[order] = even + distance * np.arange(count)
    return spread
