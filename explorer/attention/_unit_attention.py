"""Attention summed over units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.attention._blocks import FloatArray
from explorer.attention._dense_attention import DenseAttention, as_real_array
from explorer.attention._indexing import KeySpans, Positions, at_least_one, some_rows, unit_columns
from explorer.errors import InputError, ShapeError


class UnitAttention(DenseAttention):
    """Attention mass per unit: each column is a unit, and its token is the unit's name.

    Parameters
    ----------
    array
        Mass of shape (layers, heads, units), already averaged over the rows, or
        (layers, heads, rows, units).
    units
        The name of each unit, in order.
    topk
        Mean of each unit's k largest row-averaged key attentions: (layers, heads, units). Needed
        for `span_topk`, because it cannot be computed from masses.
    rows
        Query positions of the rows in the original map; informative.
    row_tokens
        One token per row of a four-dimensional array.
    k
        The k of `topk`.
    notes
        Sentences to show with the map.

    Raises
    ------
    ShapeError
        Array, units, topk or row tokens do not fit together.
    InputError
        The array is not real, or k is below 1.
    """

    def __init__(
        self,
        array: Any,
        units: Sequence[str],
        topk: Any = None,
        rows: Sequence[int] | None = None,
        row_tokens: Sequence[str] | None = None,
        k: int = 3,
        *,
        notes: Sequence[str] = (),
    ) -> None:
        values = as_real_array(array)
        if values.ndim not in (3, 4):
            raise ShapeError(
                "Unit attention must be (layers, heads, units) or (layers, heads, rows, units); "
                f"got shape {values.shape}."
            )
        if values.shape[-1] != len(units):
            raise ShapeError(
                f"There are {len(units)} units but {values.shape[-1]} columns of unit attention."
            )
        self.has_rows = values.ndim == 4
        super().__init__(values if self.has_rows else values[:, :, None, :], notes=notes)
        self.query_offset = None
        self._set_tokens(units, row_tokens)
        self.units = tuple(units)
        self.rows = None if rows is None else tuple(int(row) for row in rows)
        if self.rows is not None and self.has_rows and len(self.rows) != self.n_queries:
            raise ShapeError(
                f"There are {self.n_queries} rows of unit attention but {len(self.rows)} positions."
            )
        self.k = at_least_one(k)
        self.topk: FloatArray | None = None
        if topk is not None:
            self.topk = np.asarray(as_real_array(topk), dtype=np.float32)
            expected = (self.n_layers, self.n_heads, self.n_keys)
            if self.topk.shape != expected:
                raise ShapeError(
                    f"topk must be (layers, heads, units) = {expected}; got {self.topk.shape}."
                )

    @property
    def array(self) -> FloatArray:
        """The mass as float32: (layers, heads, units), or (layers, heads, rows, units)."""
        values = np.asarray(self._array, dtype=np.float32)
        return values if self.has_rows else values[:, :, 0]

    @property
    def causal(self) -> bool:
        """False: each row attends to each unit."""
        return False

    def _check(self, block: NDArray[Any]) -> None:
        super()._check(block)
        # Units can share tokens, so their masses can sum to more than 1.
        self._problems.discard("row-sum")

    def span_topk(
        self, spans: Sequence[KeySpans], rows: Positions = None, k: int = 3
    ) -> FloatArray:
        """Return the stored top-k attention of units: float32 (layers, heads, units).

        Raises
        ------
        InputError
            No top-k was stored, it was stored for another k or more rows, or a span is not exactly
            one unit.
        """
        columns = unit_columns(spans, self.n_keys)
        if self.topk is None:
            raise InputError(
                "Top-k needs the attention of single tokens, but only sums over units were stored: "
                "choose mean or mass, or record again."
            )
        if k != self.k:
            raise InputError(f"Top-k was stored for k = {self.k}, so k = {k} cannot be computed.")
        if len(np.unique(some_rows(rows, self.n_queries))) != self.n_queries:
            raise InputError("Top-k was stored for the mean over all rows, not for some of them.")
        if any(column.size != 1 for column in columns):
            raise InputError("Top-k of unit attention is stored for single units only.")
        return self.topk[:, :, np.array([column[0] for column in columns], dtype=np.int64)]
