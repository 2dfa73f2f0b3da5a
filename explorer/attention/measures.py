"""Attention measures: one number per head that describes where the head attends.

Each measure is a mean over query rows and returns float32 of shape (layers, heads). Long maps are
sampled: at most `max_rows` rows, evenly spread. Rows that may attend to one key only (the first of
a causal map) are left out. Rows that sum to less than 1 (learned sinks) are divided by their sum,
except by `sink` and `largest`, which use the weights as they are.

To add a measure, write its function here and add a `Measure` to `MEASURES`: the grid of heads in
the app offers every measure in that registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.attention._attention_map import AttentionMap
from explorer.attention._blocks import FloatArray
from explorer.attention._indexing import IntArray, Positions, some_rows
from explorer.errors import InputError

# weights (heads, rows, keys), key positions of the rows (rows,), visible keys (rows,)
# -> (heads, rows)
_RowMeasure = Callable[[FloatArray, IntArray, IntArray], NDArray[np.floating]]


def entropy(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return the spread of each head's attention, from 0 (one key) to 1 (all visible keys alike).

    -sum p log p / log(number of visible keys): Shannon entropy as in Clark et al. 2019, "What Does
    BERT Look At?" (arXiv:1906.04341), divided by its maximum.

    Parameters
    ----------
    rows
        The query rows to average; None for all.
    max_rows
        Most rows to use; of more rows, this many are taken, evenly spread.

    Returns
    -------
    float32 array of shape (layers, heads)

    Raises
    ------
    InputError
        A row does not exist, or max_rows is below 1.
    """
    return _measure(attention, rows, max_rows, _entropy_of_rows)


def sink(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return each head's mean attention to the first key: the attention sink.

    Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks" (arXiv:2309.17453).
    Parameters, result and errors are those of `entropy`.
    """
    return _measure(attention, rows, max_rows, lambda weights, _, __: weights[:, :, 0])


def previous_token(
    attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64
) -> FloatArray:
    """Return each head's mean attention to the token before the query.

    High for the positional heads of Voita et al. 2019, "Analyzing Multi-Head Self-Attention"
    (arXiv:1905.09418). Parameters and result are those of `entropy`.

    Raises
    ------
    InputError
        As for `entropy`, or queries and keys are not positions of one text.
    """
    _needs_one_text(attention, "previous_token")
    return _measure(attention, rows, max_rows, _previous_of_rows)


def distance(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return the mean distance of each head's attention from the query, in tokens.

    sum over keys of p(key) |query - key|: the mean attention distance of Vig and Belinkov 2019,
    "Analyzing the Structure of Attention" (arXiv:1906.04284). Parameters and result are those of
    `entropy`.

    Raises
    ------
    InputError
        As for `entropy`, or queries and keys are not positions of one text.
    """
    _needs_one_text(attention, "distance")
    return _measure(attention, rows, max_rows, _distance_of_rows)


def largest(attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64) -> FloatArray:
    """Return each head's mean over rows of its largest weight: the confidence of Voita et al. 2019.

    Parameters, result and errors are those of `entropy`.
    """
    return _measure(attention, rows, max_rows, lambda weights, _, __: weights.max(axis=2))


class MeasureFunction(Protocol):
    """A function from an attention map to one number per head."""

    def __call__(
        self, attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64
    ) -> FloatArray:
        """Return float32 (layers, heads)."""


@dataclass(frozen=True)
class Measure:
    """A measure of heads. Calling it calls its function.

    Attributes
    ----------
    name
        Key in `MEASURES`, and in the app's settings.
    label
        Text in the app's menu.
    function
        Computes the values: float32 (layers, heads).
    unit
        Unit of the values: ``"share of attention"``, ``"share of the maximum"`` or ``"tokens"``.
    lowest, highest
        Smallest and largest possible value; `highest` is None where the length of the text is the
        only bound.
    in_menu
        Whether the app's grid of heads offers it.

    Examples
    --------
    >>> import numpy as np
    >>> from explorer.attention import DenseAttention
    >>> MEASURES["entropy"](DenseAttention(np.full((4, 4), 0.25))).tolist()
    [[1.0]]
    """

    name: str
    label: str
    function: MeasureFunction
    unit: str
    lowest: float = 0.0
    highest: float | None = 1.0
    in_menu: bool = True

    def __call__(
        self, attention: AttentionMap, rows: Positions = None, *, max_rows: int = 64
    ) -> FloatArray:
        """Return the measure of each head: float32 (layers, heads)."""
        return self.function(attention, rows, max_rows=max_rows)

    @property
    def summary(self) -> str:
        """The first line of the function's documentation."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure("entropy", "entropy", entropy, "share of the maximum"),
            Measure("sink", "sink", sink, "share of attention"),
            Measure("previous_token", "previous token", previous_token, "share of attention"),
            Measure("distance", "distance", distance, "tokens", highest=None),
            Measure("largest", "largest weight", largest, "share of attention", in_menu=False),
        )
    }
)
"""All measures by name, in the order of the menu."""


def _measure(
    attention: AttentionMap, rows: Positions, max_rows: int, of_rows: _RowMeasure
) -> FloatArray:
    if max_rows < 1:
        raise InputError(f"max_rows must be at least 1, but it is {max_rows}.")
    chosen = some_rows(rows, attention.n_queries)
    # Rows with one visible key are dropped before sampling, so that max_rows others remain.
    seen = attention.visible_keys(0, chosen)
    chosen = chosen[seen > 1] if (seen > 1).any() else chosen
    if len(chosen) > max_rows:
        chosen = chosen[np.linspace(0, len(chosen) - 1, max_rows).round().astype(np.int64)]
    positions = chosen + (attention.query_offset or 0)
    values = np.empty((attention.n_layers, attention.n_heads), dtype=np.float32)
    for layer in range(attention.n_layers):
        weights = attention.layer_weights(layer, chosen)  # (heads, rows, keys)
        visible = attention.visible_keys(layer, chosen)
        values[layer] = of_rows(weights, positions, visible).mean(axis=1)
    return values


def _entropy_of_rows(
    weights: FloatArray, _positions: IntArray, visible: IntArray
) -> NDArray[np.floating]:
    shares = _shares(weights)
    # 0 log 0 is 0; the smallest normal number keeps log finite without another mask
    logs = np.log(np.maximum(shares, np.finfo(np.float32).tiny))
    spread: NDArray[np.floating] = -np.einsum("hrk,hrk->hr", shares, logs)
    return spread / np.log(np.maximum(visible, 2))


def _previous_of_rows(
    weights: FloatArray, positions: IntArray, _visible: IntArray
) -> NDArray[np.floating]:
    has_previous = positions > 0
    if not has_previous.any():
        return np.zeros(weights.shape[:2], dtype=np.float32)
    rows = np.flatnonzero(has_previous)
    found: NDArray[np.floating] = _shares(weights)[:, rows, positions[rows] - 1]
    return found


def _distance_of_rows(
    weights: FloatArray, positions: IntArray, _visible: IntArray
) -> NDArray[np.floating]:
    steps = np.abs(np.arange(weights.shape[2])[None, :] - positions[:, None]).astype(np.float32)
    away: NDArray[np.floating] = np.einsum("hrk,rk->hr", _shares(weights), steps)
    return away


def _shares(weights: FloatArray) -> FloatArray:
    """Return rows divided by their sums; rows without attention stay 0."""
    sums = weights.sum(axis=2, keepdims=True)
    shares: FloatArray = np.divide(weights, sums, out=np.zeros_like(weights), where=sums != 0)
    return shares


def _needs_one_text(attention: AttentionMap, measure: str) -> None:
    if attention.query_offset is None:
        raise InputError(
            f"{measure} compares positions of one text, but the rows and columns of this map are "
            "of two. Use self-attention of single tokens."
        )
