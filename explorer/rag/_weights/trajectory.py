"""The weights of all hyperedges over a file of traces, with tables for figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.feedback._feedback_table import text_column
from explorer.rag._weights.update_order import UpdateOrder

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

_BAND_STEPS = 200
_BAND_HYPEREDGES = 2_000
"""Beyond this number a sample of evenly spaced hyperedges is used: the figure looks the same."""


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
        """Return the weight of the hyperedge before each row; shape (rows,)."""
        order = self.order
        rows = order.by_hyperedge
        shifted = np.empty_like(self.weights)
        shifted[1:] = self.weights[rows[:-1]]
        shifted[order.begins] = self.start
        before = np.empty_like(shifted)
        before[rows] = shifted
        return before

    def final(self) -> NDArray[np.float64]:
        """Return the weight of each hyperedge after the last trace; shape (hyperedges,)."""
        order = self.order
        last: NDArray[np.float64] = self.weights[
            order.by_hyperedge[order.begins + order.counts - 1]
        ]
        return last

    def table(self) -> pd.DataFrame:
        """Return a table with one row for each update, in the order given.

        Returns
        -------
        pandas.DataFrame
            ``step`` (trace number, from 1), ``trace``, ``unit``, ``text``, ``hyperedge`` (number,
            from 0), ``feedback``, ``before``, ``weight``, ``lower`` and ``upper``;
            ``attrs["identity"]`` is the property that identifies hyperedges.
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
        """Return the range of each hyperedge's weight, largest minus least; shape (hyperedges,).

        A first weight outside its bounds counts as the bound: feedback did not cause that change.
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
        """Return the hyperedges whose weights changed most, in the order of their first row.

        Parameters
        ----------
        most : int
            Largest number of hyperedges.
        keep : int, optional
            A hyperedge that is always among them.
        """
        # Ties: those that occur most often.
        ranked = np.lexsort((-self.order.counts, -self.moved()))
        if keep is not None and keep not in ranked[:most]:
            ranked = np.concatenate([[keep], ranked])
        return np.sort(ranked[:most])

    def lines(self, hyperedges: ArrayLike, points: int = 300) -> pd.DataFrame:
        """Return the weights of some hyperedges over the traces, as rows to plot.

        Parameters
        ----------
        hyperedges : array_like of int
        points : int
            Approximate largest number of rows for each; of close updates, the last is kept.

        Returns
        -------
        pandas.DataFrame
            ``hyperedge``, ``name``, ``text``, ``step`` (0 is before the first trace), ``trace``
            (empty at step 0), ``feedback``, ``weight``, ``lower``, ``upper`` and ``updates`` (the
            total number of the hyperedge); ``attrs["steps"]`` is the number of traces.
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
        """Return quantiles of the weights of all hyperedges over the traces.

        Returns
        -------
        pandas.DataFrame
            ``step`` and one column for each of `QUANTILES`, named by it; at most about 200 rows.
            ``attrs["hyperedges"]`` is the number of hyperedges, ``attrs["repeated"]`` of those that
            occur more than once.
        """
        import pandas as pd

        steps, chosen, rows = self.order.grid(_BAND_STEPS, _BAND_HYPEREDGES)
        # Single precision sorts several times faster and is precise enough for a figure.
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
