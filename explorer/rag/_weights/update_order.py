"""The order of weight updates over a file of traces.

Everything that does not depend on the feedback is computed here once, so that the weights can
follow a threshold while it is dragged.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError, ShapeError
from explorer.feedback._feedback_table import text_column
from explorer.rag._weights.update_table import feedback_array, update_table

if TYPE_CHECKING:
    pass

Identity = Literal["id", "text", "trace"]
"""The property that identifies a hyperedge: its id, its text, or its id within one trace."""

_UpdateGrid = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class UpdateOrder:
    """The rows of a trace file in the order in which their feedback is applied.

    Made by `update_order`. Traces are in the order of their first row, rows of a trace in the order
    given.

    Attributes
    ----------
    identity : {"id", "text", "trace"}
    traces : tuple
        Names of the traces; trace number 1 is the first of them.
    units, texts : tuple of str
        Id and text of each row, in the order given.
    keys : tuple
        Key of each hyperedge: its id, its text (its id where the text is empty), or (trace, id).
        Hyperedges are numbered from 0 in the order of their first row.
    hyperedges : ndarray of intp, shape (rows,)
        The hyperedge of each row, in the order given.
    steps : ndarray of intp, shape (rows,)
        The trace number of each row, from 1.
    """

    identity: Identity
    traces: tuple[Any, ...]
    units: tuple[str, ...]
    texts: tuple[str, ...]
    keys: tuple[Hashable, ...]
    hyperedges: NDArray[np.intp]
    steps: NDArray[np.intp]
    _grids: dict[tuple[int, int], _UpdateGrid] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def by_hyperedge(self) -> NDArray[np.intp]:
        """Indices of the rows sorted by hyperedge, then by time; shape (rows,)."""
        return np.lexsort((self.steps, self.hyperedges))

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """Number of rows of each hyperedge; shape (hyperedges,)."""
        return np.bincount(self.hyperedges, minlength=len(self.keys))

    @cached_property
    def begins(self) -> NDArray[np.intp]:
        """Index of the first row of each hyperedge in `by_hyperedge`; shape (hyperedges,)."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def lanes(self) -> NDArray[np.intp]:
        """Hyperedges sorted by their number of rows, largest first; shape (hyperedges,)."""
        return np.argsort(-self.counts, kind="stable")

    @cached_property
    def rounds(self) -> NDArray[np.intp]:
        """Number of hyperedges that have a first row, a second row, and so on; shape (rounds,).

        The n-th rows of all hyperedges depend on earlier rows and not on each other, so they are
        computed together.
        """
        longest = int(self.counts.max(initial=0))
        # Number of hyperedges with more than k rows, for k from 0.
        return len(self.keys) - np.cumsum(np.bincount(self.counts, minlength=longest + 1))[:longest]

    @cached_property
    def by_round(self) -> NDArray[np.intp]:
        """Indices of the rows sorted by round, then by lane; shape (rows,)."""
        lane = np.empty(len(self.keys), dtype=np.intp)
        lane[self.lanes] = np.arange(len(self.keys))
        number = np.arange(len(self.hyperedges)) - np.repeat(self.begins, self.counts)
        rows = self.by_hyperedge
        return rows[np.lexsort((lane[self.hyperedges[rows]], number))]

    def rows_before(
        self, steps: NDArray[np.intp], hyperedges: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """Return the last row of each hyperedge at or before each step.

        Parameters
        ----------
        steps : ndarray of intp, shape (steps,)
        hyperedges : ndarray of intp, shape (chosen,)

        Returns
        -------
        ndarray of intp, shape (steps, chosen)
            -1 where the hyperedge has not occurred yet.
        """
        rows = self.by_hyperedge
        width = len(self.traces) + 1
        times = self.hyperedges[rows] * width + self.steps[rows]
        found = np.searchsorted(times, hyperedges * width + steps[:, None], side="right") - 1
        return np.where(found >= self.begins[hyperedges], rows[found], -1)

    def grid(self, steps: int, hyperedges: int) -> _UpdateGrid:
        """Return evenly spaced steps and hyperedges, and the last row of each at each step.

        `steps` and `hyperedges` are the largest numbers of both. The result is cached, since it
        does not depend on the feedback.
        """
        asked = (steps, hyperedges)
        if asked not in self._grids:
            times = _spread(0, len(self.traces), steps)
            chosen = _spread(0, len(self.keys) - 1, hyperedges)
            self._grids[asked] = (times, chosen, self.rows_before(times, chosen))
        return self._grids[asked]

    def name(self, hyperedge: int) -> str:
        """Return the name of a hyperedge for figures: its key, or "trace · id"."""
        key = self.keys[hyperedge]
        return f"{key[0]} · {key[1]}" if isinstance(key, tuple) else str(key)

    def text(self, hyperedge: int) -> str:
        """Return the text of a hyperedge in its first row."""
        return self.texts[int(self.by_hyperedge[self.begins[hyperedge]])]

    def per_hyperedge(self, name: str, values: object, default: float) -> NDArray[np.float64]:
        """Return a number for each hyperedge, from one number, a mapping by key, or an array.

        Keys that the mapping lacks get the default; keys that no hyperedge has are ignored.

        Raises
        ------
        InputError
            When a number is not finite, or below 0.
        ShapeError
            When an array has another length.
        """
        count = len(self.keys)
        if isinstance(values, Mapping):
            values = [values.get(key, default) for key in self.keys]
        try:
            numbers = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"The {name} of hyperedges must be numbers, by {self.identity} or one for all, but "
                f"it is {str(values)[:60]}."
            ) from None
        if numbers.ndim and numbers.shape != (count,):
            raise ShapeError(f"There are {count} hyperedges, but the {name} of {numbers.shape}.")
        if not bool((np.isfinite(numbers) & (numbers >= 0.0)).all()):
            raise InputError(f"The {name} of hyperedges must be finite and not below 0.")
        return np.broadcast_to(numbers, (count,)).copy()


def update_order(rows: object, identity: Identity | None = None) -> tuple[UpdateOrder, ArrayLike]:
    """Return the order of the updates, and the feedback of each.

    Parameters
    ----------
    rows : DataFrame, iterable of DataFrame, iterable of mappings, or iterable of tuples
        A table with the columns ``trace``, ``unit``, ``feedback`` and perhaps ``text``; or one
        feedback table for each trace; or one mapping of id to feedback for each trace; or rows
        ``(trace, id, feedback)`` or ``(trace, id, feedback, text)``.
    identity : {"id", "text", "trace"}, optional
        The property that identifies a hyperedge. The default is the id, or the text where an id has
        several texts, since such ids (h1, h2, ...) only number the hyperedges of each trace.

    Returns
    -------
    UpdateOrder
    ndarray of float64, shape (rows,)
        The feedback of each row, NaN where it is unknown.

    Raises
    ------
    InputError
        When the rows have none of these forms, there is no such identity, or feedback is not a
        number.

    Examples
    --------
    >>> order, feedback = update_order([{"he1": 1.0, "he2": 0.4}, {"he1": 0.3}])
    >>> order.keys, order.steps.tolist()
    (('he1', 'he2'), [1, 1, 2])
    """
    import pandas as pd

    if identity not in {None, "id", "text", "trace"}:
        raise InputError(
            f"Hyperedges are identified by 'id', 'text' or 'trace', not by {identity!r}."
        )
    table = rows if isinstance(rows, pd.DataFrame) else update_table(rows)
    missing = {"trace", "unit", "feedback"} - set(table.columns)
    if missing:
        raise InputError(
            "A table of feedback over traces has the columns trace, unit and feedback, but this "
            f"one lacks {', '.join(sorted(missing))}. Its columns are "
            f"{', '.join(map(str, table.columns))}."
        )
    units = text_column([str(unit) for unit in table["unit"]])
    given = table["text"].fillna("") if "text" in table else [""] * len(table)
    texts = text_column([str(text) for text in given])
    trace_codes, traces = pd.factorize(table["trace"], use_na_sentinel=False)
    unit_codes, ids = pd.factorize(units)
    text_codes, wordings = pd.factorize(texts)
    if identity is None:
        pairs = np.unique(unit_codes * max(1, len(wordings)) + text_codes)
        identity = "id" if len(pairs) == len(ids) else "text"
    if identity == "id":
        codes, keys = unit_codes, tuple(ids)
    elif identity == "text":
        known = texts.where(texts != "", units)
        # An id differs from a text, even if both read the same.
        codes, firsts = _numbered(
            pd.factorize(known)[0] * 2 + (texts == "").to_numpy(dtype=np.intp)
        )
        keys = tuple(known.iloc[firsts])
    else:
        codes, firsts = _numbered(trace_codes * max(1, len(ids)) + unit_codes)
        keys = tuple(zip(table["trace"].iloc[firsts], units.iloc[firsts], strict=True))
    order = UpdateOrder(
        identity=identity,
        traces=tuple(traces),
        units=tuple(units),
        texts=tuple(texts),
        keys=keys,
        hyperedges=codes.astype(np.intp),
        steps=trace_codes.astype(np.intp) + 1,
    )
    return order, feedback_array(table["feedback"], len(table))


def _spread(first: int, last: int, most: int) -> NDArray[np.intp]:
    if last < first:
        return np.zeros(0, dtype=np.intp)
    count = min(most, last - first + 1)
    return np.rint(np.linspace(first, last, count)).astype(np.intp)


def _numbered(values: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numbers from 0 in the order of first occurrence, and the index of each first one."""
    _, firsts, inverse = np.unique(values, return_index=True, return_inverse=True)
    by_time = np.argsort(firsts)
    rank = np.empty(len(firsts), dtype=np.intp)
    rank[by_time] = np.arange(len(firsts))
    return rank[inverse], firsts[by_time]
