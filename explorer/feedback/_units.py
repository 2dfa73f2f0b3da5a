"""Units, the named stretches of text that are scored, and diagnostics of their scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import index as whole

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError

Span = tuple[int, int]
"""Half-open key positions ``[start, stop)``."""


@dataclass(frozen=True)
class Diagnostic:
    """A named reason to doubt a number.

    Attributes
    ----------
    code : str
        Stable name in kebab-case, such as ``"nan-score"``, for programs and tests.
    message : str
        One or two sentences for the user.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Part:
    """One of several pieces of input that represent a unit: a chunk that a hyperedge matches.

    Attributes
    ----------
    spans : tuple of (start, stop)
        Half-open key positions, sorted and disjoint.
    tokens : int
        Number of tokens of the piece.
    weight : float, default 1.0
        In [0, 1]: how well the piece matches, such as the similarity of the two texts.

    Raises
    ------
    InputError
        When a span runs backwards, the piece is empty, or the weight lies outside [0, 1].
    """

    spans: tuple[Span, ...]
    tokens: int
    weight: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", _disjoint("part", self.spans))
        if not self.spans or self.tokens < 1:
            raise InputError("A part of a unit must have at least one token.")
        if not (isfinite(self.weight) and 0.0 <= self.weight <= 1.0):
            raise InputError(f"The weight of a part must lie in [0, 1], not at {self.weight!r}.")


@dataclass(frozen=True)
class Unit:
    """A named stretch of text whose attention is scored.

    Attributes
    ----------
    name : str
        Name of the unit in tables and figures.
    text : str
        Its text.
    spans : tuple of (start, stop)
        Half-open key positions, sorted and disjoint; several when the unit occurs several times,
        empty when nothing in the input belongs to it. Spans may be given in any order and may
        overlap: they are sorted and merged.
    tokens : int
        Number of tokens of the unit. Where key columns are tokens, this is the number of distinct
        positions in `spans`; where a column already represents a whole unit, it is the length of
        that unit.
    diagnostics : tuple of Diagnostic
        Reasons to doubt the score that are known before scoring.
    parts : tuple of Part
        Pieces of input that represent the unit, where there are several or one that is only
        similar. The reduced attention is then the mean over the parts of weight x the attention of
        the part. Empty: the unit is its spans.
    unknown : bool
        True when it is not known which input belongs to the unit, so that its score is NaN. False:
        a unit without spans is known to have no tokens, and scores 0.

    Raises
    ------
    InputError
        When a span runs backwards or starts below zero, or `tokens` is negative.
    """

    name: str
    text: str
    spans: tuple[Span, ...]
    tokens: int
    diagnostics: tuple[Diagnostic, ...] = ()
    parts: tuple[Part, ...] = ()
    unknown: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", _disjoint(self.name, self.spans))
        object.__setattr__(self, "diagnostics", tuple(self.diagnostics))
        object.__setattr__(self, "parts", tuple(self.parts))
        if self.tokens < 0:
            raise InputError(f"Unit {self.name!r} cannot have {self.tokens} tokens.")

    @classmethod
    def from_positions(
        cls, name: str, text: str, positions: ArrayLike, diagnostics: Iterable[Diagnostic] = ()
    ) -> Unit:
        """Return a unit of these key positions, which may be unordered and repeated.

        Examples
        --------
        >>> Unit.from_positions("n", "n", [7, 2, 3, 3]).spans
        ((2, 4), (7, 8))
        """
        given = np.asarray(positions)
        if given.size and given.dtype.kind not in "iu":
            raise InputError(
                f"The positions of unit {name!r} must be whole numbers, but they are of type "
                f"{given.dtype}."
            )
        distinct = np.unique(given.astype(np.int64))
        breaks = np.flatnonzero(np.diff(distinct) > 1) + 1
        runs = np.split(distinct, breaks) if distinct.size else []
        spans = tuple((int(run[0]), int(run[-1]) + 1) for run in runs)
        return cls(name, text, spans, int(distinct.size), tuple(diagnostics))

    @classmethod
    def from_spans(
        cls, name: str, text: str, spans: Iterable[Span], diagnostics: Iterable[Diagnostic] = ()
    ) -> Unit:
        """Return a unit of half-open spans of key positions; overlapping spans count once."""
        disjoint = _disjoint(name, spans)
        tokens = sum(stop - start for start, stop in disjoint)
        return cls(name, text, disjoint, tokens, tuple(diagnostics))

    @property
    def filled(self) -> bool:
        """True when a key column belongs to the unit."""
        return bool(self.tokens and self.spans)

    @property
    def positions(self) -> NDArray[np.int64]:
        """The distinct key positions, ascending; int64, shape (number of positions,)."""
        if not self.spans:
            return np.empty(0, dtype=np.int64)
        return np.concatenate(
            [np.arange(start, stop, dtype=np.int64) for start, stop in self.spans]
        )


def _disjoint(name: str, spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    try:
        # operator.index, not `int`: a fraction of a position must raise.
        pairs = sorted((whole(start), whole(stop)) for start, stop in spans)
    except (TypeError, ValueError):
        raise InputError(
            f"The spans of unit {name!r} must be pairs of whole numbers (start, stop), "
            f"but they are {str(spans)[:60]}."
        ) from None
    for start, stop in pairs:
        if start < 0 or stop < start:
            raise InputError(
                f"Unit {name!r} has the span [{start}, {stop}), but a span must start at 0 or later"
                " and must not end before it starts."
            )
        if stop == start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)


def check_in_range(units: Sequence[Unit], n_keys: int) -> None:
    """Raise InputError, naming the unit, when a span ends beyond the last key column."""
    for unit in units:
        if unit.spans and unit.spans[-1][1] > n_keys:
            start, stop = unit.spans[-1]
            raise InputError(
                f"Unit {unit.name!r} covers the positions {start} to {stop - 1}, but the attention "
                f"map has only {n_keys} key columns (0 to {n_keys - 1}). "
                "Were the spans made for a longer input?"
            )


def overlapping_pair(units: Sequence[Unit]) -> tuple[Unit, Unit] | None:
    """Return the first two units that share key positions, or None."""
    ordered = sorted(
        ((start, stop, index) for index, unit in enumerate(units) for start, stop in unit.spans)
    )
    reach, owner = 0, -1
    for start, stop, index in ordered:
        # Spans of one unit are disjoint, so a span that ends after `start` is of another unit.
        if owner >= 0 and start < reach:
            first, second = sorted((owner, index))
            return units[first], units[second]
        if stop > reach:
            reach, owner = stop, index
    return None
