"""Which hyperedge is updated when, over a file of traces.

All that does not depend on the feedback is worked out here once, so that the weights can follow a
threshold while it is dragged.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError, ShapeError
from explorer.feedback._feedback_table import text_column

if TYPE_CHECKING:
    import pandas as pd

Identity = Literal["id", "text", "trace"]
"""What makes two rows one hyperedge: its id, its text, or its id within one trace."""

_UpdateGrid = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class UpdateOrder:
    """The rows of a trace file in the order in which their feedback is applied.

    Made by `update_order`. Traces follow each other as they first occur; within a trace, rows
    follow each other as given.

    Attributes
    ----------
    identity : {"id", "text", "trace"}
    traces : tuple
        Names of the traces; trace number 1 is the first of them.
    units, texts : tuple of str
        Id and text of each row, in the order given.
    keys : tuple
        What each hyperedge is known by: its id, its text (its id where the text is empty), or
        (trace, id). Hyperedges are counted from 0 in the order in which they first occur.
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
        """Rows sorted by hyperedge, and by time within each; shape (rows,)."""
        return np.lexsort((self.steps, self.hyperedges))

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """Rows of each hyperedge; shape (hyperedges,)."""
        return np.bincount(self.hyperedges, minlength=len(self.keys))

    @cached_property
    def begins(self) -> NDArray[np.intp]:
        """Where each hyperedge begins in `by_hyperedge`; shape (hyperedges,)."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def lanes(self) -> NDArray[np.intp]:
        """Hyperedges, those with most rows first; shape (hyperedges,)."""
        return np.argsort(-self.counts, kind="stable")

    @cached_property
    def rounds(self) -> NDArray[np.intp]:
        """How many hyperedges have a first row, a second row, and so on; shape (rounds,).

        The n-th rows of all hyperedges depend on their rows before and not on each other, so they
        are worked out together.
        """
        longest = int(self.counts.max(initial=0))
        # How many hyperedges have more than k rows, for k from 0.
        return len(self.keys) - np.cumsum(np.bincount(self.counts, minlength=longest + 1))[:longest]

    @cached_property
    def by_round(self) -> NDArray[np.intp]:
        """Rows sorted by round, and by lane within each; shape (rows,)."""
        lane = np.empty(len(self.keys), dtype=np.intp)
        lane[self.lanes] = np.arange(len(self.keys))
        number = np.arange(len(self.hyperedges)) - np.repeat(self.begins, self.counts)
        rows = self.by_hyperedge
        return rows[np.lexsort((lane[self.hyperedges[rows]], number))]

    def rows_before(
        self, steps: NDArray[np.intp], hyperedges: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """The last row of each hyperedge at or before each step.

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
        """At most so many evenly spaced steps and hyperedges, and the last row of each at each.

        Remembered, as it does not depend on the feedback.
        """
        asked = (steps, hyperedges)
        if asked not in self._grids:
            times = _spread(0, len(self.traces), steps)
            chosen = _spread(0, len(self.keys) - 1, hyperedges)
            self._grids[asked] = (times, chosen, self.rows_before(times, chosen))
        return self._grids[asked]

    def name(self, hyperedge: int) -> str:
        """What to call a hyperedge in a figure: its id where that says which one it is."""
        key = self.keys[hyperedge]
        return f"{key[0]} · {key[1]}" if isinstance(key, tuple) else str(key)

    def text(self, hyperedge: int) -> str:
        """The text of a hyperedge, as it first occurs."""
        return self.texts[int(self.by_hyperedge[self.begins[hyperedge]])]

    def per_hyperedge(self, name: str, values: object, default: float) -> NDArray[np.float64]:
        """One number for each hyperedge: from one number for all, a mapping by key, or an array.

        Keys that a mapping lacks get the default; keys that no hyperedge has are let be.

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
    """Read who is updated when, and by what.

    Parameters
    ----------
    rows : DataFrame, iterable of DataFrame, iterable of mappings, or iterable of tuples
        A table with the columns ``trace``, ``unit``, ``feedback`` and perhaps ``text``; or one
        feedback table for each trace; or one mapping of id to feedback for each trace; or rows
        ``(trace, id, feedback)`` or ``(trace, id, feedback, text)``.
    identity : {"id", "text", "trace"}, optional
        What makes two rows one hyperedge. Left out, it is the id; but the text where one id has
        several texts, since such ids (h1, h2, ...) only count the hyperedges of each trace.

    Returns
    -------
    UpdateOrder
    ndarray of float64, shape (rows,)
        The feedback of each row, NaN when it is not known.

    Raises
    ------
    InputError
        When the rows are nothing of this, there is no such identity, or feedback is no number.

    Examples
    --------
    >>> order, feedback = update_order([{"he1": 1.0, "he2": 0.4}, {"he1": 0.3}])
    >>> order.keys, order.steps.tolist()
    (('he1', 'he2'), [1, 1, 2])
    """
    import pandas as pd

    if identity not in {None, "id", "text", "trace"}:
        raise InputError(
            f"Hyperedges are told apart by 'id', 'text' or 'trace', and not by {identity!r}."
        )
    table = rows if isinstance(rows, pd.DataFrame) else _table(rows)
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
        # An id is no text, even if it reads the same.
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


def feedback_array(feedback: Any, count: int) -> NDArray[np.float64]:
    """Feedback as float64, one for each row; NaN and None are not known.

    Raises
    ------
    InputError
        When it is no number, or outside of [0, 1].
    ShapeError
        When there are not as many.
    """
    try:
        values = np.asarray(feedback, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"Feedback must be numbers from 0 to 1, but this is none: {error}."
        ) from None
    if values.shape != (count,):
        raise ShapeError(f"There are {count} rows, but the feedback has the shape {values.shape}.")
    wrong = np.flatnonzero((values < 0.0) | (values > 1.0))
    if wrong.size:
        raise InputError(
            f"Feedback must be from 0 to 1, but row {wrong[0]} has {values[wrong[0]]:g}."
        )
    return values


def _spread(first: int, last: int, most: int) -> NDArray[np.intp]:
    if last < first:
        return np.zeros(0, dtype=np.intp)
    count = min(most, last - first + 1)
    return np.rint(np.linspace(first, last, count)).astype(np.intp)


def _numbered(values: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers from 0 in the order of first occurrence, and where each first occurs."""
    _, firsts, inverse = np.unique(values, return_index=True, return_inverse=True)
    by_time = np.argsort(firsts)
    rank = np.empty(len(firsts), dtype=np.intp)
    rank[by_time] = np.arange(len(firsts))
    return rank[inverse], firsts[by_time]


def _table(rows: object) -> pd.DataFrame:
    import pandas as pd

    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise InputError(
            "Feedback over traces is a table, a list of feedback tables, a list of mappings of id "
            f"to feedback, or a list of (trace, id, feedback), and not {type(rows).__name__}."
        )
    columns: dict[str, list[Any]] = {"trace": [], "unit": [], "feedback": [], "text": []}
    for number, item in enumerate(rows, start=1):
        if isinstance(item, pd.DataFrame):
            if not {"unit", "feedback"} <= set(item.columns):
                raise InputError(f"Table {number} has no columns unit and feedback.")
            texts = item["text"] if "text" in item else [""] * len(item)
            several = zip([number] * len(item), item["unit"], item["feedback"], texts, strict=True)
        elif isinstance(item, Mapping):
            several = ((number, name, value, "") for name, value in item.items())  # type: ignore[assignment]
        elif isinstance(item, Sequence) and not isinstance(item, str) and len(item) in {3, 4}:
            several = [(*item, "")[:4]]  # type: ignore[assignment]
        else:
            raise InputError(
                f"Row {number} should be (trace, id, feedback), but it is {str(item)[:60]!r}."
            )
        for row in several:
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    # As objects: Arrow, which holds text by default, refuses half of a surrogate pair.
    return pd.DataFrame(columns, dtype=object)
