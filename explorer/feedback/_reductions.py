"""Reductions of the token attentions of a unit to one number: mean, mass, top-k.

Everywhere ``a[k]`` is the attention that key column ``k`` receives, averaged over the query rows.
A reduction is registered by name with all its formulas, so that a new one is one entry in
`REDUCTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._units import Unit

Reduction = Literal["mean", "mass", "top-k"]


class Attention(Protocol):
    """The part of `explorer.attention.AttentionMap` that scoring uses."""

    @property
    def n_layers(self) -> int:
        """Number of layers."""

    @property
    def n_heads(self) -> int:
        """Number of heads of each layer."""

    @property
    def n_queries(self) -> int:
        """Number of query rows."""

    @property
    def n_keys(self) -> int:
        """Number of key columns."""

    def weights(
        self,
        layer: int | None = None,
        head: int | None = None,
        rows: Any = None,
        columns: Any = None,
    ) -> NDArray[np.float32]:
        """Attention (rows, columns) of one head, or its mean over heads and layers."""

    def span_mass(self, spans: Any, rows: Any = None) -> NDArray[np.float32]:
        """Attention in each unit's spans, averaged over rows; (layers, heads, units)."""

    def span_topk(self, spans: Any, rows: Any = None, k: int = 3) -> NDArray[np.float32]:
        """Mean of the k largest ``a`` in each unit's spans; (layers, heads, units)."""


@dataclass(frozen=True)
class ReductionRule:
    """One reduction: its name, its explanation and its formulas.

    Attributes
    ----------
    name, meaning : str
        Name in the menu, and the sentence that explains it.
    columns : callable (a (keys,), unit, k) -> float
        The number for one non-empty unit, from the row-averaged attention ``a``.
    all_heads : callable (attention, spans, tokens (units,), rows, k) -> (layers, heads, units)
        The same for all heads; `spans` are those of the non-empty units.
    reachable : callable (tokens (units,), k) -> (units,)
        The largest number a unit of that many tokens can get when each row sums to at most 1.
    mass : callable (reduced (..., units), tokens (units,)) -> (..., units)
        The reduced number as a mass (attention per token times tokens), for `lift`.
    """

    name: Reduction
    meaning: str
    columns: Callable[[NDArray[np.float64], Unit, int], float]
    all_heads: Callable[[Attention, Any, NDArray[np.int64], Any, int], NDArray[np.float64]]
    reachable: Callable[[NDArray[np.int64], int], NDArray[np.float64]]
    mass: Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]


def _top_k(values: NDArray[np.float64], k: int) -> float:
    k = min(k, values.size)
    # partition puts NaN last, so a unit with an unknown attention has an unknown score
    return float(np.partition(values, values.size - k)[-k:].mean())


def _mass_of_heads(attention: Attention, spans: Any, rows: Any) -> NDArray[np.float64]:
    return np.asarray(attention.span_mass(spans, rows=rows), dtype=np.float64)


REDUCTIONS: Mapping[Reduction, ReductionRule] = {
    rule.name: rule
    for rule in (
        ReductionRule(
            "mean",
            "attention per token of the unit; a unit of L tokens can reach at most 1/L",
            columns=lambda a, unit, _k: float(a[unit.positions].sum() / unit.tokens),
            all_heads=lambda attention, spans, tokens, rows, _k: (
                _mass_of_heads(attention, spans, rows) / tokens
            ),
            reachable=lambda tokens, _k: 1.0 / tokens,
            mass=lambda reduced, tokens: reduced * tokens,
        ),
        ReductionRule(
            "mass",
            "attention summed over the unit; long units get more",
            columns=lambda a, unit, _k: float(a[unit.positions].sum()),
            all_heads=lambda attention, spans, _tokens, rows, _k: _mass_of_heads(
                attention, spans, rows
            ),
            reachable=lambda tokens, _k: np.ones(tokens.shape),
            mass=lambda reduced, _tokens: reduced,
        ),
        ReductionRule(
            "top-k",
            "mean of the unit's k tokens that get most attention",
            columns=lambda a, unit, k: _top_k(a[unit.positions], k),
            all_heads=lambda attention, spans, _tokens, rows, k: np.asarray(
                attention.span_topk(spans, rows=rows, k=k), dtype=np.float64
            ),
            reachable=lambda tokens, k: 1.0 / np.minimum(tokens, k),
            mass=lambda reduced, tokens: reduced * tokens,
        ),
    )
}
"""Every reduction by name."""


def reduction_rule(name: str) -> ReductionRule:
    """Return the reduction of that name; raise InputError, with all names, if it is unknown."""
    for rule in REDUCTIONS.values():
        if isinstance(name, str) and rule.name == name:
            return rule
    names = ", ".join(repr(known) for known in REDUCTIONS)
    raise InputError(f"There is no reduction {name!r}. Choose one of {names}.")


def check_k(k: object) -> None:
    """Raise InputError unless `k` is a whole number of at least 1."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(
            f"k, the number of tokens that top-k looks at, must be 1 or more, not {k!r}."
        )


def token_counts(units: Sequence[Unit]) -> NDArray[np.int64]:
    """Return the number of tokens of each unit; int64, shape (units,)."""
    return np.array([unit.tokens for unit in units], dtype=np.int64)
