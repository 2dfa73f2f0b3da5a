"""A score from several heads: the weighted sum of their standardised attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._reductions import Reduction, check_k, reduction_rule

RowGroup = Literal["answer", "question"]
CONTENT_FREE = "content_free"
"""Name of the reading of a question without content: the effect of position and length alone."""

Readings = Mapping[str, NDArray[np.floating]]
"""Reduced attention per head and unit, (layers, heads, units), for each group of query rows."""


class HeadTerm(NamedTuple):
    """One head of a combination: its query rows, its layer and head, and its weight."""

    rows: RowGroup
    layer: int
    head: int
    weight: float


@dataclass(frozen=True)
class HeadCombination:
    """A score from the attention of several heads.

    With ``m`` the reduced attention of a unit in one head (rows of the answer, or of the question),
    less that under a question without content where `content_free`, and ``z`` that number
    standardised over the units of the trace (mean 0, deviation 1; 0 where all are alike)::

        score = 1 / (1 + exp(-(intercept + sum of weight x z)))

    A question without content shows how much attention a position in the prompt receives whatever
    the question is (Zhao et al. 2021, "Calibrate before use"; Chen et al. 2024, "Attention in large
    language models yields efficient zero-shot re-rankers").

    Parameters
    ----------
    terms
        The heads with their weights, at least one.
    intercept
        Constant term of the sum.
    content_free
        Subtract the attention under the question without content.
    reduction, k
        How the tokens of a unit become one number, and of how many tokens for ``"top-k"``.

    Raises
    ------
    InputError
        There is no term, a term is not valid, or there is no such reduction.

    Examples
    --------
    >>> one = HeadCombination((HeadTerm("question", 0, 0, 2.0),))
    >>> one.scores({"question": np.array([[[0.1, 0.3]]])}).round(3).tolist()
    [0.119, 0.881]
    """

    terms: tuple[HeadTerm, ...]
    intercept: float = 0.0
    content_free: bool = False
    reduction: Reduction = "mass"
    k: int = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(_term(term) for term in self.terms))
        if not self.terms:
            raise InputError("A combination of heads needs at least one head.")
        object.__setattr__(self, "intercept", _number("intercept", self.intercept))
        object.__setattr__(self, "content_free", bool(self.content_free))
        reduction_rule(self.reduction)
        check_k(self.k)

    @classmethod
    def of(cls, value: HeadCombination | Mapping[str, Any]) -> HeadCombination:
        """Return a combination from the mapping that `to_dict` returned.

        Raises
        ------
        InputError
            The value is neither a combination nor such a mapping.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping) or not isinstance(value.get("terms"), Sequence):
            raise InputError(
                'A combination of heads is a mapping {"terms": [[rows, layer, head, weight], ...], '
                f'"intercept": ..., "content_free": ..., "reduction": ...}}, not a '
                f"{type(value).__name__}."
            )
        odd = set(value) - {"terms", "intercept", "content_free", "reduction", "k"}
        if odd:
            raise InputError(f"A combination of heads has no {min(map(str, odd))!r}.")
        return cls(**{**value, "terms": tuple(value["terms"])})

    def to_dict(self) -> dict[str, Any]:
        """Return the combination as a dictionary that JSON can hold."""
        return {
            "terms": [list(term) for term in self.terms],
            "intercept": self.intercept,
            "content_free": self.content_free,
            "reduction": self.reduction,
            "k": self.k,
        }

    @property
    def n_heads(self) -> int:
        """Number of heads; a head counts once, even with terms for several groups of rows."""
        return len({(term.layer, term.head) for term in self.terms})

    @property
    def name(self) -> str:
        """Name for people: "set of 12 heads", or the layer and head of a single one.

        Examples
        --------
        >>> HeadCombination((HeadTerm("question", 20, 3, 1.0),)).name
        'layer 20, head 3, question rows'
        """
        if self.n_heads > 1:
            return f"set of {self.n_heads:,} heads"
        _, layer, head, _ = self.terms[0]
        return f"layer {layer}, head {head}, {' and '.join(self._rows)} rows"

    @property
    def description(self) -> str:
        """Number of heads and their query rows: "12 heads, rows of the question"."""
        many = f"{self.n_heads:,} heads" if self.n_heads > 1 else "one head"
        return f"{many}, rows of the {' and the '.join(self._rows)}"

    @property
    def _rows(self) -> list[str]:
        return sorted({term.rows for term in self.terms})

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the readings that `scores` needs."""
        rows = sorted({term.rows for term in self.terms})
        return (*rows, CONTENT_FREE) if self.content_free else tuple(rows)

    def scores(self, readings: Readings) -> NDArray[np.float64]:
        """Return the score of every unit.

        Parameters
        ----------
        readings
            Attention (layers, heads, units) of each of `needs`, by `reduction`: those of
            `explorer.traces.head_readings`.

        Returns
        -------
        ndarray of float64, shape (units,)
            In [0, 1]; NaN where a reading is NaN.

        Raises
        ------
        InputError
            A reading is missing, or there is no such head.
        """
        missing = [name for name in self.needs if name not in readings]
        if missing:
            raise InputError(
                f"These heads need the reading {missing[0]!r}, which the trace does not have. "
                "score_traces(traces, settings=StandInSettings(rows=('answer', 'question'), "
                "content_free=True), overwrite=True) records it."
            )
        shape = readings[self.needs[0]].shape
        for term in self.terms:
            if not (0 <= term.layer < shape[0] and 0 <= term.head < shape[1]):
                raise InputError(
                    f"There is no layer {term.layer}, head {term.head}: the attention has "
                    f"{shape[0]} layers of {shape[1]} heads. Were the weights made for this model?"
                )
        total = np.full(shape[2], self.intercept)
        for rows in {term.rows for term in self.terms}:
            chosen = [term for term in self.terms if term.rows == rows]
            layers, heads = [term.layer for term in chosen], [term.head for term in chosen]
            mass = np.asarray(readings[rows], dtype=np.float64)[layers, heads]
            if self.content_free:
                mass = mass - np.asarray(readings[CONTENT_FREE], dtype=np.float64)[layers, heads]
            total += np.array([term.weight for term in chosen]) @ standardised(mass)
        scores: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(total, -700, 700)))
        return scores


def standardised(reduced: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return each row minus its mean, divided by its deviation; 0 where all values are equal.

    Parameters
    ----------
    reduced
        Float (..., units). NaN stays NaN and is left out of mean and deviation.
    """
    rows = np.asarray(reduced, dtype=np.float64)
    if not rows.shape[-1]:
        return rows
    known = ~np.isnan(rows)
    count = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    filled = np.where(known, rows, 0.0)
    centred = rows - filled.sum(axis=-1, keepdims=True) / count
    squares = np.where(known, centred, 0.0) ** 2
    deviation = np.sqrt(squares.sum(axis=-1, keepdims=True) / count)
    # Smaller differences are rounding errors of float32.
    alike = deviation <= 1e-9 + 1e-6 * np.abs(filled).max(axis=-1, keepdims=True)
    standard: NDArray[np.float64] = np.where(
        alike, centred * 0.0, centred / np.where(alike, 1.0, deviation)
    )
    return standard


def _term(value: Any) -> HeadTerm:
    try:
        rows, layer, head, weight = value
    except (TypeError, ValueError):
        raise InputError(
            f"A head of a combination is (rows, layer, head, weight), not {str(value)[:60]}."
        ) from None
    if rows not in ("answer", "question"):
        raise InputError(f"The query rows are 'answer' or 'question', not {rows!r}.")
    for what, index in (("layer", layer), ("head", head)):
        if isinstance(index, bool) or not isinstance(index, int | np.integer) or index < 0:
            raise InputError(f"The {what} of a combination must be counted from 0, not {index!r}.")
    return HeadTerm(rows, int(layer), int(head), _number("weight", weight))


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise InputError(f"The {name} of a combination must be a number, not {value!r}.")
    if not isfinite(value):
        raise InputError(f"The {name} of a combination must be finite, not {value!r}.")
    return float(value)
