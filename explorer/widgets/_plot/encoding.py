"""Figures and arrays as the page gets them: numbers are raw buffers, never lists of text.

What only has to be looked at is quantised to one byte a cell; what is read (positions, lengths,
texts of ticks) keeps float32 or int32.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from explorer.errors import InputError, ShapeError

__all__ = ["LEVELS", "MISSING", "cells", "encode", "encode_figure", "quantise"]

LEVELS: Final = 254
"""The code of the largest value; codes run from 0 to here."""

MISSING: Final = 255
"""The code of a cell without a value (NaN): drawn as nothing."""

# A shorter list of numbers costs less as JSON than the description of a buffer.
_SHORT_LIST: Final = 32

# plotly draws these itself; our own cells know neither gaps nor texts.
_OWN_DRAWING: Final = ("xgap", "ygap", "zsmooth", "text", "texttemplate", "xperiod", "yperiod")


def quantise(values: npt.ArrayLike, lowest: float, highest: float) -> npt.NDArray[np.uint8]:
    """Return one byte per value: `lowest` is 0, `highest` is `LEVELS`, NaN is `MISSING`.

    Parameters
    ----------
    values
        Array of any real dtype and shape. An array of uint8 is taken as codes already.
    lowest, highest
        Ends of the colour scale, finite. Values beyond them get the end's code.

    Raises
    ------
    InputError
        When the ends are not finite.

    Examples
    --------
    >>> quantise([0.0, 0.5, 1.0, float("nan")], 0.0, 1.0)
    array([  0, 127, 254, 255], dtype=uint8)
    """
    array = np.asarray(values)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise InputError(
            f"A colour scale needs finite ends; got {lowest} and {highest}. Set zmin and zmax."
        )
    # Equal ends are legal (an empty row of attention): everything then has the lowest colour.
    scale = np.float32(LEVELS / (highest - lowest) if highest != lowest else 0.0)
    scaled = np.subtract(array, np.float32(lowest), dtype=np.float32, casting="unsafe")
    scaled *= scale
    missing = np.isnan(scaled)
    np.rint(scaled, out=scaled)
    np.clip(scaled, 0, LEVELS, out=scaled)
    scaled[missing] = MISSING
    codes: npt.NDArray[np.uint8] = scaled.astype(np.uint8)
    return codes


def _as_buffer(array: npt.NDArray[Any]) -> dict[str, Any] | list[Any]:
    """Return an array as `{dtype, shape, buffer}`, or as a list where it holds no plain numbers."""
    if array.dtype.kind == "M":
        return [str(value) for value in array.astype("datetime64[ms]").ravel()]
    if array.dtype.kind not in "biuf":
        return [encode(value) for value in array.tolist()]
    if array.dtype.kind == "b":
        return array.tolist()  # type: ignore[no-any-return]
    if array.dtype.kind == "f":
        narrow: npt.NDArray[Any] = array.astype(np.float32, copy=False)
    elif array.dtype.itemsize <= 2:
        narrow = array
    elif array.size == 0 or abs(int(array.max())) < 2**31 > abs(int(array.min())):
        narrow = array.astype(np.int32, copy=False)
    else:
        narrow = array.astype(np.float64)
    return {
        "dtype": narrow.dtype.name,
        "shape": list(narrow.shape),
        "buffer": np.ascontiguousarray(narrow).data.cast("B") if narrow.size else b"",
    }


def encode(value: Any) -> Any:
    """Return `value` with every array of numbers as a raw buffer and nothing JSON cannot carry.

    Arrays become `{"dtype", "shape", "buffer"}` (float64 goes as float32, int64 as int32 where it
    fits), non-finite numbers None, tuples lists. Labels stay lists of text.
    """
    match value:
        case dict():
            return {str(key): encode(item) for key, item in value.items()}
        case np.ndarray():
            return _as_buffer(value)
        case bool() | str() | None:
            return value
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case np.bool_():
            return bool(value)
        case list() | tuple():
            kinds = set(map(type, value))
            if kinds <= {str}:
                return list(value)
            if len(value) > _SHORT_LIST and kinds <= {int, float}:
                return _as_buffer(np.asarray(value))
            return [encode(item) for item in value]
        case _ if hasattr(value, "to_numpy"):
            return _as_buffer(value.to_numpy())
        case _:
            return str(value)


def _uniform_start_and_step(
    trace: dict[str, Any], letter: str, count: int
) -> tuple[float, float] | None:
    """Return centre of the first cell and cell size along an axis; None where cells differ."""
    positions = trace.get(letter)
    if positions is None:
        start, step = trace.get(f"{letter}0", 0), trace.get(f"d{letter}", 1)
        return (float(start), float(step)) if isinstance(start, int | float) and step else None
    array = np.asarray(positions)
    if array.dtype.kind not in "iuf" or array.shape != (count,):
        return None
    if count == 1:
        return float(array[0]), 1.0
    steps = np.diff(array.astype(float))
    if steps[0] == 0 or not np.allclose(steps, steps[0], rtol=1e-6):
        return None
    return float(array[0]), float(steps[0])


def _is_set(value: Any) -> bool:
    return len(value) > 0 if isinstance(value, np.ndarray) else bool(value)


def _as_cells(trace: dict[str, Any], layout: dict[str, Any]) -> dict[str, Any] | None:
    """Return a heatmap as codes on a uniform grid, or None where plotly must draw it itself."""
    if trace.get("type") != "heatmap" or any(_is_set(trace.get(name)) for name in _OWN_DRAWING):
        return None
    z = np.asarray(trace.get("z"))
    if z.ndim != 2 or z.dtype.kind not in "biuf" or not z.size or trace.get("transpose"):
        return None
    for letter in "xy":
        name = f"{letter}axis{str(trace.get(f'{letter}axis') or letter)[1:]}"
        if (layout.get(name) or {}).get("type", "linear") not in ("linear", "-"):
            return None
    grid = [_uniform_start_and_step(trace, "x", z.shape[1])]
    grid.append(_uniform_start_and_step(trace, "y", z.shape[0]))
    if grid[0] is None or grid[1] is None:
        return None
    finite = z[np.isfinite(z)] if z.dtype.kind == "f" else z
    if trace.get("zmin") is not None and trace.get("zmax") is not None:
        lowest, highest = float(trace["zmin"]), float(trace["zmax"])
    else:
        lowest = float(finite.min()) if finite.size else 0.0
        highest = float(finite.max()) if finite.size else 1.0
    # A figure's own uint8 z are values, not codes.
    codes = quantise(z.astype(np.float32) if z.dtype == np.uint8 else z, lowest, highest)
    return cells(codes, lowest, highest, *grid[0], *grid[1])


def cells(
    codes: npt.NDArray[np.uint8],
    lowest: float,
    highest: float,
    x0: float,
    dx: float,
    y0: float,
    dy: float,
) -> dict[str, Any]:
    """Return the message for one heatmap: codes (queries, keys) and where they lie.

    Raises
    ------
    ShapeError
        When `codes` is not two-dimensional or has no cells.
    """
    if codes.ndim != 2 or codes.size == 0:
        raise ShapeError(
            f"A heatmap needs a two-dimensional array with cells; got shape {codes.shape}."
        )
    return {
        "rows": codes.shape[0],
        "columns": codes.shape[1],
        "codes": np.ascontiguousarray(codes).data.cast("B"),
        "zmin": float(lowest),
        "zmax": float(highest),
        "x0": float(x0),
        "dx": float(dx),
        "y0": float(y0),
        "dy": float(dy),
    }


def encode_figure(figure: Any) -> dict[str, Any]:
    """Return a plotly figure as the page gets it: `{"data": [...], "layout": {...}}`.

    Heatmaps on a uniform grid carry `cells` (one byte a cell) in place of `z`; everything else is
    what `encode` makes of it.

    Parameters
    ----------
    figure
        A `plotly.graph_objects.Figure`, or a dict with `data` and `layout`. A heatmap of a dict may
        carry its `cells` already.

    Raises
    ------
    InputError
        When `figure` is neither.
    """
    if isinstance(figure, dict):
        traces, layout = list(figure.get("data") or ()), dict(figure.get("layout") or {})
    elif hasattr(figure, "data") and hasattr(figure, "layout"):
        # One trace at a time: Figure.to_dict() would turn every array into base64 text.
        traces = [trace.to_plotly_json() for trace in figure.data]
        layout = figure.layout.to_plotly_json()
    else:
        raise InputError(
            f"A plot shows a plotly Figure; got {type(figure).__name__}. "
            "Build one with plotly.graph_objects or explorer.figures."
        )
    encoded = []
    for trace in traces:
        grid = trace["cells"] if "cells" in trace else _as_cells(trace, layout)
        if grid is None:
            encoded.append(encode(trace))
        else:
            left_out = ("z", "x", "y", "customdata", "cells")
            rest = {k: v for k, v in trace.items() if k not in left_out}
            encoded.append(encode(rest) | {"cells": grid})
    return {"data": encoded, "layout": encode(layout)}
