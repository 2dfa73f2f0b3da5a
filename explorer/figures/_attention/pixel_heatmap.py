"""A heatmap as PNG bytes, drawn as pixels: much faster than a plotting library."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer._extras import require_extra
from explorer.errors import InputError
from explorer.figures._attention.heatmap import check_labels, largest_weight
from explorer.figures._style.label_text import shortened, thinned
from explorer.figures._style.pooling import pool_max
from explorer.figures.colours import THEMES, Scaling, Theme, hex_channels, scale_rgba, scaled
from explorer.source import visible_text

SMALLEST, LARGEST = 120, 4096
"""Fewest and most pixels of a picture's width and height."""

_COLOURS = 224  # of the palette's 256; the others are shades of the text
_SHADES = 32
_TICK = 14  # characters


def heatmap_pixels(
    weights: ArrayLike,
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    title: str = "",
    *,
    width: int = 990,
    height: int = 572,
    labels: bool = True,
    colorscale: str | None = None,
    scaling: Scaling = "sqrt",
    zmax: float | None = None,
    theme: Theme = "light",
) -> bytes:
    """Draw a heatmap as a PNG with 256 colours.

    Parameters
    ----------
    weights : array_like, shape (queries, keys)
        More rows or columns than pixels are max-pooled.
    query_labels, key_labels : sequence of str
        One per row and column; as many as fit are written.
    title : str
    width, height : int
        Size in pixels, each from 120 to 4,096.
    labels : bool
        Whether labels and axis names are written.
    colorscale, scaling, zmax, theme
        As in `explorer.figures.heatmap`, with ``sqrt`` scaling by default, because a static image
        has no hover for small weights.

    Returns
    -------
    bytes
        The PNG file.

    Raises
    ------
    ShapeError, InputError
        As `explorer.figures.heatmap`, or the size is not valid.
    MissingExtraError
        The extra ``images`` is not installed.
    """
    require_extra("images", "A PNG")
    for value, what in ((width, "width"), (height, "height")):
        if not SMALLEST <= value <= LARGEST:
            raise InputError(
                f"The {what} must be from {SMALLEST} to {LARGEST} pixels, but it is {value}."
            )
    matrix = np.asarray(weights, dtype=np.float32)
    left, top, right, bottom = _margins(width, height, labels=labels, title=bool(title))
    plot = (left, top, width - right, height - bottom)
    codes = _codes(matrix, plot[2] - left, plot[3] - top, scaling, zmax)
    check_labels(matrix.shape[0], query_labels, "query rows")
    check_labels(matrix.shape[1], key_labels, "key columns")
    ink = _ink(width, height)
    _frame(ink, plot)
    if labels:
        _write_labels(ink, plot, query_labels, key_labels, height)
    if title:
        _write(ink, shortened(visible_text(title), max(8, width // 8)), (int(width * 0.02), 6), 13)
    pixels = np.asarray(ink) // (256 // _SHADES) + _COLOURS
    inside = pixels[top : plot[3], left : plot[2]]
    inside[inside == _COLOURS] = codes[inside == _COLOURS]
    return _png(pixels, _palette(colorscale, theme))


def _margins(width: int, height: int, *, labels: bool, title: bool) -> tuple[int, int, int, int]:
    """Return the space left, above, right and below of the cells."""
    above = 26 if title else 8
    if not labels:
        return 8, above, 8, 8
    return min(120, width // 3), above, 12, min(116, height // 3)


def _codes(
    matrix: NDArray[np.float32], width: int, height: int, scaling: Scaling, zmax: float | None
) -> NDArray[np.uint8]:
    """Return the palette index of each pixel of the cells: uint8 (height, width)."""
    pooled = pool_max(matrix, min(width, height))
    largest = largest_weight(pooled) if zmax is None else float(zmax)
    end = float(scaled(largest, scaling)) or 1.0
    places = np.nan_to_num(np.clip(scaled(pooled, scaling) / end, 0.0, 1.0))
    codes = np.rint(places * (_COLOURS - 1)).astype(np.uint8)
    rows = np.arange(height) * pooled.shape[0] // height
    columns = np.arange(width) * pooled.shape[1] // width
    spread: NDArray[np.uint8] = codes[rows[:, None], columns]
    return spread


def _palette(colorscale: str | None, theme: Theme) -> bytes:
    """Return 256 colours: those of the cells, then from paper to the colour of text."""
    paper = np.array(hex_channels(THEMES[theme]["paper"]), dtype=np.float64)
    text = np.array(hex_channels(THEMES[theme]["quiet"]), dtype=np.float64)
    rgba = scale_rgba(np.linspace(0.0, 1.0, _COLOURS), colorscale)
    cells = rgba[:, :3] * 255.0 * rgba[:, 3:] + paper * (1.0 - rgba[:, 3:])
    shade = np.linspace(0.0, 1.0, _SHADES)[:, None]
    colours = np.concatenate([cells, paper + (text - paper) * shade])
    return bytes(np.rint(colours).astype(np.uint8).tobytes())


def _ink(width: int, height: int) -> Any:
    from PIL import Image

    return Image.new("L", (width, height), 0)


def _frame(ink: Any, plot: tuple[int, int, int, int]) -> None:
    from PIL import ImageDraw

    left, top, right, bottom = plot
    ImageDraw.Draw(ink).rectangle((left - 1, top - 1, right, bottom), outline=140)


def _write_labels(
    ink: Any,
    plot: tuple[int, int, int, int],
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    height: int,
) -> None:
    """Write as many labels as fit, and the names of the axes."""
    from PIL import Image

    left, top, right, bottom = plot
    down, across = (bottom - top) / len(query_labels), (right - left) / len(key_labels)
    for at in thinned(len(query_labels), max(1, (bottom - top) // 14)):
        text = shortened(visible_text(query_labels[at]), _TICK)
        _write(ink, text, (left - 5, int(top + (at + 0.5) * down)), 10, anchor="rm")
    strip = Image.new("L", (height - bottom - 22, right - left), 0)
    for at in thinned(len(key_labels), max(1, (right - left) // 14)):
        text = shortened(visible_text(key_labels[at]), _TICK)
        _write(strip, text, (strip.width - 5, int((at + 0.5) * across)), 10, anchor="rm")
    ink.paste(strip.transpose(Image.Transpose.ROTATE_90), (left, bottom + 1))
    _write(ink, "key", ((left + right) // 2, height - 4), 11, anchor="md")
    _write(ink, "query", (4, top), 11)


def _write(ink: Any, text: str, place: tuple[int, int], size: int, anchor: str = "la") -> None:
    from PIL import ImageDraw

    ImageDraw.Draw(ink).text(place, text, fill=255, font=_font(size), anchor=anchor)


@cache
def _font(size: int) -> Any:
    """Return the monospaced font that comes with matplotlib, which is not imported."""
    from PIL import ImageFont

    found = find_spec("matplotlib")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSansMono.ttf"
        if path.is_file():
            return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    return ImageFont.load_default(size)


def _png(pixels: NDArray[np.uint8], palette: bytes) -> bytes:
    from PIL import Image

    picture = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    picture.putpalette(palette)
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=1)
    return file.getvalue()
