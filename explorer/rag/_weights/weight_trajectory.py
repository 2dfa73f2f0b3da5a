"""The weights of hyperedges over a file of traces, computed as a `WeightUpdater` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from explorer.rag._weights.trajectory import Trajectory
from explorer.rag._weights.update_order import Identity, UpdateOrder, update_order
from explorer.rag._weights.update_rule import (
    DEFAULT_QUALITY,
    DEFAULT_WEIGHT,
    UpdateConfig,
    next_weights,
    weight_bounds,
)
from explorer.rag._weights.update_table import feedback_array

if TYPE_CHECKING:
    import pandas as pd

PerHyperedge = float | Mapping[Any, float] | ArrayLike
"""One number for all hyperedges, by key, or one for each."""


def follow_weights(
    order: UpdateOrder,
    feedback: ArrayLike,
    config: Mapping[str, Any] | UpdateConfig | None = None,
    *,
    start: PerHyperedge = DEFAULT_WEIGHT,
    quality: PerHyperedge = DEFAULT_QUALITY,
) -> Trajectory:
    """Return the weights of all hyperedges after each trace, as a `WeightUpdater` computes them.

    Parameters
    ----------
    order : UpdateOrder
    feedback : array_like of float, shape (rows,)
        In [0, 1]. Unknown feedback (NaN) leaves the weight unchanged.
    config : mapping or UpdateConfig, optional
    start, quality : float, mapping by key, or array_like of shape (hyperedges,)
        Weights before the first trace, and quality scores. Hyperedges that a mapping lacks have 1
        and 0.5.

    Returns
    -------
    Trajectory

    Raises
    ------
    InputError
        When a number cannot be used, or the settings are unknown.
    ShapeError
        When an array has another length.
    """
    config = UpdateConfig.of(config)
    signals = feedback_array(feedback, len(order.hyperedges))
    first = order.per_hyperedge("start weight", start, DEFAULT_WEIGHT)
    lower, upper = weight_bounds(order.per_hyperedge("quality", quality, DEFAULT_QUALITY), config)
    rows, lanes = order.by_round, order.lanes
    # Lanes without further rows are at the end, so every round is a slice.
    current, low, high = first[lanes], lower[lanes], upper[lanes]
    asked = signals[rows]
    known = ~np.isnan(asked)
    complete = bool(known.all())
    after = np.empty_like(asked)
    begin = 0
    for size in order.rounds.tolist():
        end = begin + size
        moved = next_weights(current[:size], asked[begin:end], low[:size], high[:size], config)
        if not complete:
            moved = np.where(known[begin:end], moved, current[:size])
        current[:size] = after[begin:end] = moved
        begin = end
    weights = np.empty_like(after)
    weights[rows] = after
    return Trajectory(order, signals, weights, first, lower, upper)


def weight_trajectory(
    rows: object,
    config: Mapping[str, Any] | UpdateConfig | None = None,
    *,
    start: PerHyperedge = DEFAULT_WEIGHT,
    quality: PerHyperedge = DEFAULT_QUALITY,
    identity: Identity | None = None,
) -> pd.DataFrame:
    """Return the weight of every hyperedge over a file of traces.

    Parameters
    ----------
    rows, identity
        As in `update_order`.
    config, start, quality
        As in `follow_weights`.

    Returns
    -------
    pandas.DataFrame
        As `Trajectory.table`.

    Raises
    ------
    InputError, ShapeError
        As `update_order` and `follow_weights`.

    Examples
    --------
    >>> moves = weight_trajectory([{"he1": 1.0, "he2": 0.3}, {"he1": 1.0}])
    >>> moves["weight"].round(4).tolist()
    [0.99, 0.9207, 0.9811]
    """
    order, feedback = update_order(rows, identity)
    return follow_weights(order, feedback, config, start=start, quality=quality).table()
