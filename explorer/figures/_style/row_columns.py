"""Columns of a figure with one row per unit: a text column and a bar column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from explorer.figures._style.theme import LABEL_SIZE, TEXT_SIZE
from explorer.figures.colours import MONO, SANS

SELECTED = "rgba(232,89,12,0.16)"
"""Background of the selected unit in both themes."""

CODE = {"family": MONO, "size": LABEL_SIZE}
"""Font of numbers, and of texts that are cut to a width."""


def text_column(
    at: float, texts: Sequence[str], align: str, *, axis: str, **settings: Any
) -> dict[str, Any]:
    """A trace with one text per row, aligned left or right of the place `at` on an axis."""
    font = {"family": settings.pop("family", SANS), "size": settings.pop("size", TEXT_SIZE)}
    return dict(
        type="scatter",
        x=np.full(len(texts), at),
        y=np.arange(len(texts)),
        xaxis=axis,
        mode="text",
        text=list(texts),
        textposition=f"middle {align}",
        textfont=font,
        hoverinfo="skip",
        **settings,
    )


def bar_column(
    lengths: ArrayLike, colour: Any, thickness: float, *, base: float, **settings: Any
) -> dict[str, Any]:
    """A trace with one horizontal bar per row from `base`; negative lengths go to the left."""
    along = np.asarray(lengths, dtype=np.float64)
    return dict(
        type="bar",
        x=along,
        y=np.arange(len(along)),
        base=base,
        orientation="h",
        width=thickness,
        marker={"color": colour, "line": {"width": 0}, "cornerradius": 2},
        **settings,
    )


def row_pixels(count: int) -> int:
    """Height of a row in pixels in a figure of `count` rows."""
    return 26 if count <= 12 else 22 if count <= 30 else 18
