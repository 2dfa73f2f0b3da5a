"""Marks of the quality map: colour stops, hover texts, the frame and the ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import ShapeError
from explorer.figures._style.label_text import three_digits
from explorer.figures._style.theme import (
    TRANSPARENT,
)
from explorer.figures.colours import (
    ACCENT,
    NEUTRAL_INK,
    THEMES,
    Rgba,
    Theme,
    verdict_colour,
)

if TYPE_CHECKING:
    pass


Place = tuple[int | None, int | None]
"""A layer and a head; None means the mean over all."""

Stops = Sequence[tuple[float, Rgba]]


def colour_ends(
    cells: NDArray[np.float64], chance: float | None, highest: float | None, *, diverging: bool
) -> tuple[float, float, float]:
    """Values at the low end of the colour scale, at chance level, and at the high end."""
    finite = cells[np.isfinite(cells)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    middle = least if chance is None else float(chance)
    if diverging:
        far = max(most - middle, middle - least, 0.05) if highest is None else highest - middle
        far = min(0.5, np.ceil(far * 20 - 1e-9) / 20)
        return middle - far, middle, middle + far
    top = most if highest is None else float(highest)
    return middle, middle, max(top, middle + 0.05)


def colour_stops(*, diverging: bool) -> Stops:
    """Colour stops: transparent at chance, teal above it, brown below it if `diverging`."""

    def shade(verdict: str, opacity: float) -> Rgba:
        colour = verdict_colour(verdict)
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue, opacity

    strengths = ((0.0, 0.0), (0.5, 0.42), (1.0, 1.0))
    above = [(place, shade("used", opacity)) for place, opacity in strengths]
    if not diverging:
        return above
    below = [((1 - place) / 2, shade("not used", opacity)) for place, opacity in strengths]
    return [*reversed(below), *((0.5 + place / 2, colour) for place, colour in above)]


def hover_texts(
    cells: NDArray[np.float64], intervals: tuple[ArrayLike, ArrayLike] | None, word: str
) -> NDArray[np.object_]:
    texts = [[f"{word} <b>{three_digits(value)}</b>" for value in row] for row in cells.tolist()]
    if intervals is not None:
        low, high = (np.asarray(end, dtype=np.float64) for end in intervals)
        if low.shape != cells.shape or high.shape != cells.shape:
            raise ShapeError(
                f"The intervals have shapes {low.shape} and {high.shape}; the values {cells.shape}."
            )
        texts = [
            [
                f"{text} ({three_digits(one)} to {three_digits(other)})"
                for text, one, other in zip(*rows, strict=True)
            ]
            for rows in zip(texts, low.tolist(), high.tolist(), strict=True)
        ]
    found = np.empty(cells.shape, dtype=object)
    found[:] = texts
    return found


def frame_trace(chosen: Place | None, layers: int, heads: int) -> dict[str, Any]:
    """A frame around the chosen cell, row or column; a trace, so the layout stays the same."""
    x, y = np.empty(0), np.empty(0)
    if chosen is not None:
        layer, head = chosen
        left, right = (0, heads - 1) if head is None else (head, head)
        top, bottom = (0, layers - 1) if layer is None else (layer, layer)
        x = np.array([left, right, right, left, left]) + np.array([-0.5, 0.5, 0.5, -0.5, -0.5])
        y = np.array([top, top, bottom, bottom, top]) + np.array([-0.5, -0.5, 0.5, 0.5, -0.5])
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": ACCENT, "width": 2},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "chosen",
    }


def ring_trace(best: tuple[int, int] | None) -> dict[str, Any]:
    """A white ring with a dark edge around the best head, visible on any colour."""
    count = 0 if best is None else 2
    return {
        "type": "scatter",
        "x": np.full(count, 0 if best is None else best[1], dtype=np.float64),
        "y": np.full(count, 0 if best is None else best[0], dtype=np.float64),
        "mode": "markers",
        "marker": {
            "symbol": "circle-open",
            "size": [13, 10][:count],
            "color": [NEUTRAL_INK, "#ffffff"][:count],
            "line": {"width": 2},
        },
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "best",
    }


def edge_shape(theme: Theme) -> dict[str, Any]:
    corners = {"x0": 0, "x1": 1, "y0": 0, "y1": 1, "xref": "paper", "yref": "paper"}
    line = {"width": 1, "color": THEMES[theme]["grid"]}
    return {"type": "rect", **corners, "line": line, "fillcolor": TRANSPARENT, "layer": "below"}
