"""Units of source text, and the tokens of each unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import ShapeError
from explorer.source._visible_text import visible_text

CharSpan = tuple[int, int]
"""Half-open character positions ``[start, stop)`` in the source text."""


@dataclass(frozen=True)
class SourceUnit:
    """A named stretch of source text.

    Attributes
    ----------
    name : str
        Readable and unique among the units made together, such as ``"line 4"`` or ``"fibonacci"``.
    text : str
        Text to show.
    char_spans : tuple of (start, stop)
        Positions in the source, in characters (not bytes), half open, ascending. White space at the
        ends of lines is excluded, so that it adds no token.
    kind : str
        ``"line"``, ``"identifier"``, ``"node"`` or ``"token"``.
    """

    name: str
    text: str
    char_spans: tuple[CharSpan, ...]
    kind: str


def with_unique_names(units: Iterable[SourceUnit]) -> list[SourceUnit]:
    """Return units with unique names; repeated names are numbered: ``n``, ``n (2)``, ``n (3)``."""
    taken: set[str] = set()
    seen: Counter[str] = Counter()
    renamed = []
    for unit in units:
        name = unit.name
        while name in taken:
            seen[unit.name] += 1
            name = f"{unit.name} ({seen[unit.name] + 1})"
        taken.add(name)
        renamed.append(unit if name == unit.name else replace(unit, name=name))
    return renamed


def token_units(
    code: str, offsets: ArrayLike, special: ArrayLike | None = None
) -> list[SourceUnit]:
    """Return one unit per token of a model, named after its text.

    Tokens that share a character, such as the pieces of one emoji, form one unit. Special tokens,
    which have no text, are omitted.

    Parameters
    ----------
    code : str
    offsets : array_like of int, shape (tokens, 2)
        Half-open character positions of each token.
    special : array_like of bool, shape (tokens,), optional

    Returns
    -------
    list of SourceUnit
        These units include white space: a newline token is a unit.
    """
    spans, _ = _text_tokens(offsets, special)
    merged: list[list[int]] = []
    for start, stop in spans.tolist():
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(stop, merged[-1][1])
        else:
            merged.append([start, stop])
    return with_unique_names(
        SourceUnit(
            visible_text(code[start:stop]).strip("·") or "·",
            code[start:stop],
            ((start, stop),),
            "token",
        )
        for start, stop in merged
    )


def units_on_tokens(
    units: Sequence[SourceUnit], offsets: ArrayLike, special: ArrayLike | None = None
) -> list[NDArray[np.int64]]:
    """Return the token positions of each unit.

    A token belongs to each unit with which it shares a character, so a token such as ``):`` can
    belong to two. Units exclude white space at the ends of lines, so a token of newlines and
    indentation belongs to no line, identifier or node; ``·return``, with its leading space, belongs
    to the line of ``return``. Special and empty tokens belong to none.

    Parameters
    ----------
    units : sequence of SourceUnit
    offsets : array_like of int, shape (tokens, 2)
        Half-open character positions of each token in the text that the units were made from.
    special : array_like of bool, shape (tokens,), optional
        True for tokens without text, such as ``[CLS]``.

    Returns
    -------
    list of ndarray of int64
        For each unit, the positions of its tokens, ascending and distinct. Empty for a unit outside
        the tokenized window.

    Raises
    ------
    ShapeError
        The offsets are not (tokens, 2), or `special` has another length.
    """
    spans, positions = _text_tokens(offsets, special)
    starts, stops = spans[:, 0], spans[:, 1]
    # Tokens are usually in reading order. If not, sorting by start and taking the furthest stop so
    # far still bounds the search, and the exact test below decides.
    order = np.argsort(starts, kind="stable")
    starts, stops, positions = starts[order], stops[order], positions[order]
    furthest = np.maximum.accumulate(stops) if stops.size else stops
    return [_positions_of(unit, starts, stops, furthest, positions) for unit in units]


def _positions_of(
    unit: SourceUnit,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    furthest: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> NDArray[np.int64]:
    found = []
    for start, stop in unit.char_spans:
        first = int(np.searchsorted(furthest, start, side="right"))
        last = int(np.searchsorted(starts, stop, side="left"))
        inside = stops[first:last] > start
        found.append(positions[first:last][inside])
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _text_tokens(
    offsets: ArrayLike, special: ArrayLike | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return character spans (n, 2) and positions (n,) of the tokens that have text."""
    spans = np.asarray(offsets, dtype=np.int64)
    if spans.size == 0:
        spans = spans.reshape(0, 2)
    if spans.ndim != 2 or spans.shape[1] != 2:
        raise ShapeError(f"Offsets must have the shape (tokens, 2), but have {spans.shape}.")
    textual = spans[:, 1] > spans[:, 0]
    if special is not None:
        marks = np.asarray(special, dtype=bool)
        if marks.shape != textual.shape:
            raise ShapeError(
                f"There are {len(spans)} tokens, but the marks of special tokens have the shape "
                f"{marks.shape}."
            )
        textual &= ~marks
    return spans[textual], np.flatnonzero(textual).astype(np.int64)
