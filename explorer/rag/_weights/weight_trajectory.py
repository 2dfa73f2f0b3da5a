"""How the weights of hyperedges move over a file of traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.feedback._feedback_table import text_column
from explorer.rag._weights.update_order import Identity, UpdateOrder, feedback_array, update_order
from explorer.rag._weights.update_rule import (
    DEFAULT_QUALITY,
    DEFAULT_WEIGHT,
    UpdateConfig,
    next_weights,
    weight_bounds,
)

if TYPE_CHECKING:
    import pandas as pd

PerHyperedge = float | Mapping[Any, float] | ArrayLike
"""One number for all hyperedges, by key, or one for each."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

_BAND_STEPS = 200
_BAND_HYPEREDGES = 2_000
"""More than this are told by a sample of evenly spaced ones: the picture is the same."""


@dataclass(frozen=True)
class Trajectory:
    """The weights of all hyperedges over a file of traces.

    Attributes
    ----------
    order : UpdateOrder
    feedback, weights : ndarray of float64, shape (rows,)
        The feedback of each row, and the weight of its hyperedge after it.
    start, lower, upper : ndarray of float64, shape (hyperedges,)
        The weight before the first trace, and the bounds.
    """

    order: UpdateOrder
    feedback: NDArray[np.float64]
    weights: NDArray[np.float64]
    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def before(self) -> NDArray[np.float64]:
        """The weight of each row's hyperedge before it; shape (rows,)."""
        order = self.order
        rows = order.by_hyperedge
        shifted = np.empty_like(self.weights)
        shifted[1:] = self.weights[rows[:-1]]
        shifted[order.begins] = self.start
        before = np.empty_like(shifted)
        before[rows] = shifted
        return before

    def final(self) -> NDArray[np.float64]:
        """The weight of each hyperedge after the last trace; shape (hyperedges,)."""
        order = self.order
        last: NDArray[np.float64] = self.weights[
            order.by_hyperedge[order.begins + order.counts - 1]
        ]
        return last

    def table(self) -> pd.DataFrame:
        """One row for each update, in the order given.

        Returns
        -------
        pandas.DataFrame
            ``step`` (trace number, from 1), ``trace``, ``unit``, ``text``, ``hyperedge`` (number,
            from 0), ``feedback``, ``before``, ``weight``, ``lower`` and ``upper``;
            ``attrs["identity"]`` is what told the hyperedges apart.
        """
        import pandas as pd

        order = self.order
        traces = [order.traces[step - 1] for step in order.steps.tolist()]
        table = pd.DataFrame(
            {
                "step": order.steps,
                "trace": text_column(traces)
                if all(isinstance(name, str) for name in order.traces)
                else pd.Series(traces, dtype=None if traces else "object"),
                "unit": text_column(order.units),
                "text": text_column(order.texts),
                "hyperedge": order.hyperedges,
                "feedback": self.feedback,
                "before": self.before(),
                "weight": self.weights,
                "lower": self.lower[order.hyperedges],
                "upper": self.upper[order.hyperedges],
            }
        )
        table.attrs["identity"] = order.identity
        return table

    def moved(self) -> NDArray[np.float64]:
        """How far each hyperedge's weight wandered: largest minus least; shape (hyperedges,).

        A first weight that lies outside of its bounds counts as the bound: to be put within them
        is not moved by feedback.
        """
        if not len(self.start):
            return np.zeros(0)
        order = self.order
        weights = self.weights[order.by_hyperedge]
        first = np.clip(self.start, self.lower, self.upper)
        least = np.minimum(np.minimum.reduceat(weights, order.begins), first)
        largest = np.maximum(np.maximum.reduceat(weights, order.begins), first)
        distance: NDArray[np.float64] = largest - least
        return distance

    def most_moved(self, most: int = 8, keep: int | None = None) -> NDArray[np.intp]:
        """The hyperedges that moved most, in the order of their first occurrence.

        Parameters
        ----------
        most : int
            How many, at most.
        keep : int, optional
            A hyperedge to have among them in any case.
        """
        # Of those that moved alike, the ones that occur most often.
        ranked = np.lexsort((-self.order.counts, -self.moved()))
        if keep is not None and keep not in ranked[:most]:
            ranked = np.concatenate([[keep], ranked])
        return np.sort(ranked[:most])

    def lines(self, hyperedges: ArrayLike, points: int = 300) -> pd.DataFrame:
        """The weights of some hyperedges over the traces, ready to draw.

        Parameters
        ----------
        hyperedges : array_like of int
        points : int
            At most about so many rows for each: of updates that lie close together, the last.

        Returns
        -------
        pandas.DataFrame
            ``hyperedge``, ``name``, ``text``, ``step`` (0 is before the first trace), ``trace``
            (empty at step 0), ``feedback``, ``weight``, ``lower``, ``upper`` and ``updates`` (how
            many the hyperedge got in all); ``attrs["steps"]`` is the number of traces.
        """
        import pandas as pd

        order = self.order
        total = len(order.traces)
        columns: dict[str, list[Any]] = {}
        for hyperedge in np.asarray(hyperedges, dtype=np.intp).tolist():
            begin, count = int(order.begins[hyperedge]), int(order.counts[hyperedge])
            rows = order.by_hyperedge[begin : begin + count]
            if count > points:
                bins = order.steps[rows] * points // (total + 1)
                rows = rows[np.append(bins[1:] != bins[:-1], True)]
            size = len(rows) + 1
            known = ~np.isnan(self.feedback[order.by_hyperedge[begin : begin + count]])
            parts: dict[str, list[Any]] = {
                "hyperedge": [hyperedge] * size,
                "name": [order.name(hyperedge)] * size,
                "text": [order.text(hyperedge)] * size,
                "step": [0, *order.steps[rows].tolist()],
                "trace": ["", *(str(order.traces[step - 1]) for step in order.steps[rows])],
                "feedback": [np.nan, *self.feedback[rows].tolist()],
                "weight": [self.start[hyperedge], *self.weights[rows].tolist()],
                "lower": [self.lower[hyperedge]] * size,
                "upper": [self.upper[hyperedge]] * size,
                "updates": [int(known.sum())] * size,
            }
            for name, values in parts.items():
                columns.setdefault(name, []).extend(values)
        names = (
            "hyperedge name text step trace feedback weight lower upper updates".split()  # noqa: SIM905
        )
        texts = {name: text_column(columns.get(name, [])) for name in ("name", "text", "trace")}
        table = pd.DataFrame(columns | texts, columns=names)
        table.attrs["steps"] = total
        return table

    def band(self) -> pd.DataFrame:
        """Quantiles of the weights of all hyperedges over the traces.

        Returns
        -------
        pandas.DataFrame
            ``step`` and one column for each of `QUANTILES`, named by it; at most some 200 rows.
            ``attrs["hyperedges"]`` is the number of hyperedges, ``attrs["repeated"]`` of those that
            occur more than once.
        """
        import pandas as pd

        steps, chosen, rows = self.order.grid(_BAND_STEPS, _BAND_HYPEREDGES)
        # Single precision sorts several times faster, and is finer than any pixel.
        weights = np.append(self.weights, np.nan).astype(np.float32)[rows]
        weights = np.where(rows < 0, self.start[chosen].astype(np.float32), weights)
        weights.sort(axis=1)
        table = pd.DataFrame({"step": steps})
        for quantile in QUANTILES:
            at = quantile * max(0, len(chosen) - 1)
            low, high, part = int(np.floor(at)), int(np.ceil(at)), at % 1.0
            table[quantile] = (
                weights[:, low] + (weights[:, high] - weights[:, low]) * np.float32(part)
                if len(chosen)
                else np.nan
            )
        table.attrs["hyperedges"] = len(self.start)
        table.attrs["repeated"] = int((self.order.counts > 1).sum())
        return table


def follow_weights(
    order: UpdateOrder,
    feedback: ArrayLike,
    config: Mapping[str, Any] | UpdateConfig | None = None,
    *,
    start: PerHyperedge = DEFAULT_WEIGHT,
    quality: PerHyperedge = DEFAULT_QUALITY,
) -> Trajectory:
    """Let feedback move the weights, trace after trace, as a `WeightUpdater` does.

    Parameters
    ----------
    order : UpdateOrder
    feedback : array_like of float, shape (rows,)
        In [0, 1]. Where it is NaN the weight stays: what is not known moves nothing.
    config : mapping or UpdateConfig, optional
    start, quality : float, mapping by key, or array_like of shape (hyperedges,)
        Weights before the first trace, and quality scores. Where a mapping says nothing they are 1
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
    # Lanes that have ended lie behind those that go on, so every round is a slice.
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
    """How the weight of every hyperedge moves over a file of traces.

    Parameters
    ----------
    rows, identity
        As in `explorer.rag._weights.update_order.update_order`.
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
