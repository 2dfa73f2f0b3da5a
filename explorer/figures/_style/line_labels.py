"""Positions of line labels: next to the labelled line, far from other lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_SAMPLES = 56
_STEP = 4.0
"""Pixels between candidate heights."""

_HALF_HEIGHT = 6.5
_LETTER_PIXELS = 6.3
_ENOUGH = 18.0
"""Pixels from other lines beyond which more distance adds nothing."""

_NEARER = 3.0
"""Pixels by which a label must be nearer to its own line than to any other."""

_FAR = 12.0
"""Largest distance in pixels between a label and its line."""

Line = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A line in pixels: x, and y upwards."""


def line_label_positions(
    lines: Sequence[Line],
    words: Sequence[str],
    size: tuple[float, float],
    taken: Sequence[tuple[float, float, float, float]] = (),
) -> list[tuple[float, float]]:
    """Choose the centre of each label, in pixels of the plot.

    Parameters
    ----------
    lines : sequence of (x, y)
        In pixels; points with NaN are ignored.
    words : sequence of str
        The label of each line; an empty one gets no place.
    size : (width, height)
        Of the plot, in pixels.
    taken : sequence of (x0, x1, y0, y1)
        Boxes that labels must not overlap.

    Returns
    -------
    list of (x, y)
        NaN for an empty label, and for one that fits nowhere.
    """
    across = np.linspace(0.0, size[0], _SAMPLES)
    up = np.arange(_HALF_HEIGHT + 1, max(size[1] - _HALF_HEIGHT, _HALF_HEIGHT + 2), _STEP)
    heights = np.array([_sampled(line, across) for line in lines]).reshape(len(lines), _SAMPLES)
    boxes = list(taken)
    places: list[tuple[float, float]] = []
    for at, word in enumerate(words):
        half = max(6.0, len(word) * _LETTER_PIXELS / 2)
        fits = word and 2 * half < size[0]  # a page may give a plot no width at all
        found = _best(heights, at, across, up, half, boxes) if fits else None
        if found is None:
            places.append((float("nan"), float("nan")))
            continue
        places.append(found)
        x, y = found
        boxes.append((x - half, x + half, y - _HALF_HEIGHT, y + _HALF_HEIGHT))
    return places


def _sampled(line: Line, across: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~(np.isnan(line[0]) | np.isnan(line[1]))
    x, y = line[0][known], line[1][known]
    if not x.size:
        return np.full(len(across), np.nan)
    order = np.argsort(x, kind="stable")
    return np.interp(across, x[order], y[order], left=np.nan, right=np.nan)


def _best(
    heights: NDArray[np.float64],
    at: int,
    across: NDArray[np.float64],
    up: NDArray[np.float64],
    half: float,
    boxes: Sequence[tuple[float, float, float, float]],
) -> tuple[float, float] | None:
    reach = int(np.ceil(half / (across[1] - across[0])))
    if 2 * reach + 1 > len(across):
        return None
    around = sliding_window_view(heights, 2 * reach + 1, axis=1)
    low, high = np.fmin.reduce(around, axis=2), np.fmax.reduce(around, axis=2)
    middles = across[reach : len(across) - reach]
    # Vertical distance from each line to a label box at each place; negative if they cross.
    apart = np.maximum(up - high[..., None], low[..., None] - up) - _HALF_HEIGHT
    apart = np.where(np.isnan(apart), np.inf, apart)
    own = apart[at]
    others = np.delete(apart, at, axis=0).min(axis=0, initial=np.inf)
    score = np.minimum(others, _ENOUGH) - own
    score[(own < 1.0) | (own > _FAR) | (others < own + _NEARER)] = -np.inf
    for x0, x1, y0, y1 in boxes:
        wide = (middles + half > x0) & (middles - half < x1)
        tall = (up + _HALF_HEIGHT > y0) & (up - _HALF_HEIGHT < y1)
        score[np.ix_(wide, tall)] = -np.inf
    best = int(np.argmax(score))
    row, column = divmod(best, len(up))
    if score[row, column] == -np.inf:
        return None
    return float(middles[row]), float(up[column])
