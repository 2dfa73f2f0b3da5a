"""Heads and a threshold for the packaged traces, chosen for each trace on other traces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from explorer.feedback import HeadCombination, HeadTerm

RECOMMENDATION = Path(__file__).with_name("recommendation.json")
"""File of the packaged recommendation, written by ``tools/make_recommendation.py``."""


class HeldOutFigures(NamedTuple):
    """How often the calls are right on traces that had no part in choosing.

    Attributes
    ----------
    facts, used
        Number of labelled hyperedges, and of those labelled used.
    right
        Number of calls that agree with the label.
    f1, f1_low, f1_high
        F1 of the calls, with the 95 % bootstrap interval over traces.
    """

    facts: int
    used: int
    right: int
    f1: float
    f1_low: float
    f1_high: float


class RecommendedFold(NamedTuple):
    """Traces, and the head set that `explorer.validation.calibrate` found on all others."""

    traces: tuple[str, ...]
    heads: HeadCombination


@dataclass(frozen=True, eq=False)
class ExampleRecommendation:
    """Head sets for the packaged traces, each chosen without the traces that it is for.

    The traces are cut into folds. For each fold `calibrate` chose heads and a threshold on the
    traces of the other folds. The intercept of each set is shifted so that its threshold becomes
    `threshold`, one number for all; this changes no call.

    Attributes
    ----------
    threshold
        The score from which a hyperedge counts as used.
    folds
        The traces of each fold with their head set.
    held_out
        What the calls of all folds reach.
    """

    threshold: float
    folds: tuple[RecommendedFold, ...]
    held_out: HeldOutFigures

    def heads_for(self, trace: str) -> HeadCombination | None:
        """Return the head set for a trace by its id; None for any other trace."""
        return self._by_trace.get(trace)

    @cached_property
    def _by_trace(self) -> dict[str, HeadCombination]:
        return {name: fold.heads for fold in self.folds for name in fold.traces}


def example_recommendation() -> ExampleRecommendation:
    """Return heads and a threshold for the packaged traces, with held-out figures.

    No hyperedge is judged by heads or a threshold that were chosen with its own label.

    Examples
    --------
    >>> found = example_recommendation()
    >>> found.heads_for("danube-schubert").name
    'set of 270 heads'
    >>> found.held_out.right / found.held_out.facts > 0.8
    True
    """
    return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> ExampleRecommendation:
    stored = json.loads(RECOMMENDATION.read_text("utf-8"))
    return ExampleRecommendation(
        stored["threshold"],
        tuple(
            RecommendedFold(tuple(fold["traces"]), unpacked_heads(fold)) for fold in stored["folds"]
        ),
        HeldOutFigures(**stored["held_out"]),
    )


def packed_heads(heads: HeadCombination, layers: int, n_heads: int) -> dict[str, Any]:
    """Return a head set as JSON can hold it: for each group of rows the weight of every head."""
    weights: dict[str, list[float]] = {}
    for term in heads.terms:
        row = weights.setdefault(term.rows, [0.0] * (layers * n_heads))
        row[term.layer * n_heads + term.head] += term.weight
    return {
        "heads": n_heads,
        "weights": weights,
        "intercept": heads.intercept,
        "content_free": heads.content_free,
        "reduction": heads.reduction,
        "k": heads.k,
    }


def unpacked_heads(packed: Mapping[str, Any]) -> HeadCombination:
    """Return the head set of `packed_heads`."""
    terms = [
        HeadTerm(rows, place // packed["heads"], place % packed["heads"], weight)
        for rows, weights in packed["weights"].items()
        for place, weight in enumerate(weights)
        if weight
    ]
    return HeadCombination(
        tuple(terms),
        packed["intercept"],
        packed["content_free"],
        packed["reduction"],
        packed["k"],
    )
