"""Selections of layers, heads, rows, columns and spans, checked and converted to positions.

All attention maps take the same selections and raise the same errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError, ShapeError

Positions: TypeAlias = "slice | int | Sequence[int] | NDArray[np.integer[Any]] | None"
KeySpans: TypeAlias = "tuple[int, int] | Sequence[tuple[int, int]] | ArrayLike"
"""Key positions of one unit: (start, stop), half open, or a sequence of such pairs."""

IntArray: TypeAlias = "NDArray[np.int64]"


def one_index(value: int | None, size: int, what: str) -> int | None:
    """Return a layer or head as 0 .. size - 1; None stays None.

    Raises
    ------
    InputError
        The value is not a whole number, or lies outside -size .. size - 1.
    """
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InputError(f"A {what} must be a whole number or None (the mean), but got {value!r}.")
    index = int(value)
    if not -size <= index < size:
        raise InputError(
            f"There is no {what} {index}: this attention map has {size}, "
            f"so choose 0 to {size - 1}, or -1 for the last."
        )
    return index % size


def layers_or_heads(value: int | None, size: int, what: str) -> IntArray:
    """Return one layer or head as an int64 array of positions; all of them for None."""
    index = one_index(value, size, what)
    return np.arange(size) if index is None else np.array([index])


def many_indices(value: Positions, size: int, what: str) -> IntArray:
    """Return rows or columns as an int64 array of positions 0 .. size - 1, in the order asked for.

    Parameters
    ----------
    value
        None (all), a slice, one position, several positions, or a boolean array of length `size`.
        Negative positions count from the end.

    Raises
    ------
    InputError
        A position is not a whole number or does not exist.
    """
    if value is None:
        return np.arange(size, dtype=np.int64)
    if isinstance(value, slice):
        try:
            return np.arange(size, dtype=np.int64)[value]
        except (TypeError, ValueError) as error:
            raise InputError(f"A slice of {what}s needs whole numbers: {error}.") from None
    chosen = np.asarray(value)
    if chosen.dtype == np.bool_:
        if chosen.shape != (size,):
            raise InputError(
                f"A boolean choice of {what}s needs {size} entries; got shape {chosen.shape}."
            )
        return np.flatnonzero(chosen).astype(np.int64)
    if chosen.size == 0:
        return np.empty(0, dtype=np.int64)
    if chosen.ndim > 1 or not np.issubdtype(chosen.dtype, np.integer):
        raise InputError(
            f"{what.capitalize()}s are whole numbers in one dimension; "
            f"got {chosen.dtype} of shape {chosen.shape}."
        )
    positions = np.atleast_1d(chosen).astype(np.int64)
    if positions.min() < -size or positions.max() >= size:
        wrong = positions[(positions < -size) | (positions >= size)][0]
        raise InputError(
            f"There is no {what} {wrong}: this attention map has {size}, so choose 0 to {size - 1}."
        )
    return np.where(positions < 0, positions + size, positions)


def some_rows(value: Positions, size: int) -> IntArray:
    """Return rows as `many_indices` does; raise InputError if there are none to average."""
    rows = many_indices(value, size, "row")
    if rows.size == 0:
        raise InputError("No rows were chosen, but a mean over rows needs at least one.")
    return rows


def unit_columns(spans: Sequence[KeySpans], n_keys: int) -> list[IntArray]:
    """Return the distinct key positions of every unit, sorted.

    Parameters
    ----------
    spans
        One entry per unit: (start, stop), half open, or a sequence of such pairs. An entry
        without pairs, or with start == stop, is a unit without tokens.

    Raises
    ------
    InputError
        A span is not a pair of whole numbers, ends before it starts, or leaves 0 .. n_keys.
    """
    columns = []
    for number, unit in enumerate(spans):
        try:
            pairs = np.asarray(unit)
        except ValueError:
            pairs = np.empty((1, 1, 1))
        if pairs.size == 0:
            columns.append(np.empty(0, dtype=np.int64))
            continue
        pairs = np.atleast_2d(pairs)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.issubdtype(pairs.dtype, np.integer):
            raise InputError(
                f"The span of unit {number} must be (start, stop) or a list of such pairs of whole "
                f"numbers; got {unit!r}."
            )
        for start, stop in pairs:
            if not 0 <= start <= stop <= n_keys:
                raise InputError(
                    f"Span ({start}, {stop}) of unit {number} does not fit {n_keys} keys. "
                    f"Give 0 <= start <= stop <= {n_keys}."
                )
        parts = [np.arange(start, stop, dtype=np.int64) for start, stop in pairs]
        columns.append(np.unique(np.concatenate(parts)))
    return columns


def at_least_one(k: int) -> int:
    """Return k; raise InputError if it is not a whole number of at least 1."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise InputError(f"k must be a whole number of at least 1, but it is {k!r}.")
    return int(k)


def checked_tokens(
    tokens: Sequence[str] | None, size: int, positions: str
) -> tuple[str, ...] | None:
    """Return tokens as strings, or None if there are none.

    Raises
    ------
    ShapeError
        There are more or fewer tokens than `size`, the number of `positions`.
    """
    if tokens is None:
        return None
    texts = tuple(map(str, tokens))
    if len(texts) != size:
        raise ShapeError(
            f"There are {size} {positions} but {len(texts)} tokens. Give one token for each."
        )
    return texts
