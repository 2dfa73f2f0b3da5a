"""The settings that decide how attention becomes a score, as one object."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._normalisations import Normalisation, normalisation_rule
from explorer.feedback._reductions import Reduction, check_k, reduction_rule

QueryRows: TypeAlias = "NDArray[Any] | slice | None"
"""Query rows to average over: positions, a boolean mask, a slice, or None for all."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreSettings:
    """The choice of attention, and its reduction to one score per unit.

    `score_units` gives the formulas. Two objects are equal when all their settings are, so an
    object can be a key of a dictionary or of a cache.

    Parameters
    ----------
    layer, head : int or None
        None for the mean over all; negative numbers count from the end. A number that is out of
        range raises when an attention map is scored.
    rows : int or bool array, sequence of int, int, slice or None
        Query rows to average over; None for all. A sequence is kept as a read-only array.
    reduction : {"mean", "mass", "top-k"}
        Reduction of the attention of a unit's tokens to one number.
    normalisation : {"raw", "share", "lift"}
        Normalisation of that number.
    k : int, default 3
        The number of tokens that ``"top-k"`` averages.

    Raises
    ------
    InputError
        When a value has the wrong type, or there is no such reduction or normalisation.

    Examples
    --------
    >>> settings = ScoreSettings(layer=3, head=0, reduction="mass")
    >>> settings
    ScoreSettings(layer=3, head=0, reduction='mass')
    >>> settings.replace(rows=[5, 6])
    ScoreSettings(layer=3, head=0, rows=[5, 6], reduction='mass')
    """

    layer: int | None = None
    head: int | None = None
    rows: QueryRows = None
    reduction: Reduction = "mean"
    normalisation: Normalisation = "raw"
    k: int = 3

    def __post_init__(self) -> None:
        for name in ("layer", "head"):
            object.__setattr__(self, name, _whole_or_none(name, getattr(self, name)))
        object.__setattr__(self, "rows", _query_rows(self.rows))
        reduction_rule(self.reduction)
        normalisation_rule(self.normalisation)
        check_k(self.k)
        object.__setattr__(self, "k", int(self.k))

    def replace(self, **changes: Any) -> ScoreSettings:
        """Return a copy with other values.

        Parameters
        ----------
        **changes
            Attributes of this class.

        Raises
        ------
        InputError
            When there is no setting of that name, or a value is not valid.
        """
        known = [field.name for field in fields(self)]
        unknown = next((name for name in changes if name not in known), None)
        if unknown is not None:
            raise InputError(
                f"There is no score setting {unknown!r}. Choose from {', '.join(known)}."
            )
        return replace(self, **changes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScoreSettings):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        shown = [
            f"{field.name}={_shown(getattr(self, field.name))}"
            for field in fields(self)
            if field.name == "rows" or getattr(self, field.name) != field.default
            if getattr(self, field.name) is not None
        ]
        return f"ScoreSettings({', '.join(shown)})"

    @property
    def _key(self) -> tuple[object, ...]:
        rows: object = self.rows
        if isinstance(self.rows, slice):  # not hashable before Python 3.12
            rows = ("slice", self.rows.start, self.rows.stop, self.rows.step)
        elif self.rows is not None:
            rows = (self.rows.dtype.kind, self.rows.tobytes())
        return (self.layer, self.head, rows, self.reduction, self.normalisation, self.k)


def score_settings(settings: ScoreSettings | None, **flat: Any) -> ScoreSettings:
    """Return the settings of a function that takes an object or single keywords.

    Parameters
    ----------
    settings
        The caller's object, or None.
    **flat
        The single keywords, at their defaults where the caller left them out.

    Raises
    ------
    InputError
        When `settings` is not a ScoreSettings, or comes together with one of the keywords.
    """
    single = ScoreSettings(**flat)
    if settings is None:
        return single
    if not isinstance(settings, ScoreSettings):
        raise InputError(
            f"settings must be a ScoreSettings, but it is a {type(settings).__name__}. "
            "ScoreSettings(layer=3, head=0) makes one."
        )
    if single != ScoreSettings():
        raise InputError(
            f"Both settings= and single settings were given: {single!r}. "
            "Set them in one place: settings.replace(...) returns a changed copy."
        )
    return settings


def check_index(what: str, index: object, count: int) -> int | None:
    """Return a layer or head counted from the start, or None; raise InputError if out of range."""
    whole = _whole_or_none(what, index)
    if whole is None:
        return None
    if not -count <= whole < count:
        raise InputError(
            f"There is no {what} {whole}: this attention map has {count} "
            f"{what}{'' if count == 1 else 's'}, numbered 0 to {count - 1}."
        )
    return whole % count


def _whole_or_none(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"The {name} must be a whole number, or None for the mean, not {value!r}.")
    return int(value)


def _query_rows(rows: object) -> QueryRows:
    """Return rows as a read-only array of positions or a mask; a slice and None stay."""
    if rows is None or isinstance(rows, slice):
        return rows
    try:
        given = np.asarray(rows)
    except ValueError:
        given = np.empty((0, 0), dtype=object)
    if given.size == 0 and given.ndim == 1:
        given = given.astype(np.int64)
    if (
        given.dtype.kind not in "iub"
        or given.ndim > 1
        or (given.dtype.kind == "b" and not given.ndim)
    ):
        raise InputError(
            "The query rows must be whole numbers in one dimension, a boolean mask, a slice, or "
            f"None for all rows, not {str(rows)[:60]!r}."
        )
    # A copy: the caller may write to its array later.
    kept = np.array(given, dtype=bool if given.dtype.kind == "b" else np.int64, ndmin=1)
    kept.setflags(write=False)
    return kept


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        if len(value) > 6:
            return f"<{'mask of ' if value.dtype == bool else ''}{len(value)} rows>"
        return str(value.tolist())
    return repr(value)
