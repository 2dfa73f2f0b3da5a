"""The interface of attention maps, shared by recorded attention and arrays."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from explorer.attention._blocks import (
    FloatArray,
    mean_rows,
    mean_window,
    row_blocks,
    sum_columns,
    top_columns,
)
from explorer.attention._indexing import (
    IntArray,
    KeySpans,
    Positions,
    at_least_one,
    checked_tokens,
    layers_or_heads,
    many_indices,
    one_index,
    some_rows,
    unit_columns,
)
from explorer.attention._received import ReceivedFromOthers, mean_from_others, mean_received
from explorer.errors import InputError


class AttentionMap(ABC):
    """Attention of one forward pass, (layers, heads, queries, keys), computed window by window.

    A row is a query (the position that attends), a column a key (the position attended to). A row
    sums to at most 1. No array of the full shape is built: methods return the window asked for.

    Attributes
    ----------
    n_layers, n_heads, n_queries, n_keys : int
    tokens : tuple of str or None
        Text of each key.
    query_tokens : tuple of str or None
        Text of each query; for self-attention that of its key.
    query_offset : int or None
        Key position of the first query. None if queries and keys are different texts
        (cross-attention, units).
    layer_numbers : tuple of int
        The model's own number of each layer. Not 0, 1, 2 ... for a hybrid model, in which only some
        layers have attention.
    encoder, cross : AttentionMap or None
        Encoder self-attention and cross-attention, if this is the decoder of an encoder-decoder
        model.
    """

    n_layers: int
    n_heads: int
    n_queries: int
    n_keys: int
    query_offset: int | None
    layer_numbers: tuple[int, ...]
    encoder: AttentionMap | None
    cross: AttentionMap | None

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        *,
        tokens: Sequence[str] | None = None,
        query_tokens: Sequence[str] | None = None,
        query_offset: int | None = 0,
        notes: Sequence[str] = (),
    ) -> None:
        self.n_layers, self.n_heads, self.n_queries, self.n_keys = shape
        self.query_offset = query_offset
        self.layer_numbers = tuple(range(self.n_layers))
        self.encoder = None
        self.cross = None
        self._notes = tuple(notes)
        self._items: tuple[AttentionMap, ...] = ()
        self.tokens: tuple[str, ...] | None = None
        self.query_tokens: tuple[str, ...] | None = None
        self._set_tokens(tokens, query_tokens)

    # -- implemented by subclasses ---------------------------------------------------------------

    @abstractmethod
    def _block(self, layer: int, heads: IntArray, rows: IntArray) -> FloatArray:
        """Return the attention of some heads and rows of one layer: (heads, rows, keys)."""

    def _visible(self, layer: int, rows: IntArray) -> NDArray[np.bool_]:
        """Return which keys each row may attend to: (rows, keys), or (1, keys) for all rows."""
        return np.ones((1, self.n_keys), dtype=np.bool_)

    # -- public interface -----------------------------------------------------------------------

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a user of this map must know; usually empty."""
        return self._notes

    @property
    def n_batch(self) -> int:
        """Number of texts in the forward pass; this map is one of them (see `batch`)."""
        return max(1, len(self._items))

    def batch(self, item: int) -> AttentionMap:
        """Return the map of one text of the batch.

        Raises
        ------
        InputError
            The batch has no item of this number.
        """
        index = one_index(item, self.n_batch, "batch item")
        if index is None:
            raise InputError("Give the number of one text: there is no mean over texts.")
        return self._items[index] if self._items else self

    def with_tokens(
        self, tokens: Sequence[str] | None, query_tokens: Sequence[str] | None = None
    ) -> Self:
        """Return the same attention with these tokens; by default a query has its key's token.

        Raises
        ------
        ShapeError
            The number of tokens differs from the number of positions.
        """
        other = copy.copy(self)
        other._set_tokens(tokens, query_tokens)  # noqa: SLF001 - an object of this class
        return other

    def weights(
        self,
        layer: int | None = None,
        head: int | None = None,
        rows: Positions = None,
        columns: Positions = None,
    ) -> FloatArray:
        """Return attention weights as float32 of shape (rows, columns).

        Parameters
        ----------
        layer, head
            A number (negative counts from the end), or None for the mean over all.
        rows, columns
            None (all), a slice, positions, or a boolean array. Only these rows are computed.

        Raises
        ------
        InputError
            A layer, head, row or column does not exist.
        """
        layers = layers_or_heads(layer, self.n_layers, "layer")
        heads = layers_or_heads(head, self.n_heads, "head")
        chosen_rows = many_indices(rows, self.n_queries, "row")
        chosen_columns = many_indices(columns, self.n_keys, "column")
        return self._window(layers, heads, chosen_rows, chosen_columns)

    def weights_view(
        self,
        layer: int | None = None,
        head: int | None = None,
        rows: Positions = None,
        columns: Positions = None,
    ) -> FloatArray:
        """Return what `weights` returns, possibly as a view that must not be changed."""
        return self.weights(layer, head, rows, columns)

    def layer_weights(self, layer: int, rows: Positions = None) -> FloatArray:
        """Return every head of one layer: float32 (heads, rows, keys).

        All rows of a long map are large (heads x queries x keys): pass the rows that you need.

        Raises
        ------
        InputError
            The layer is None, or a layer or row does not exist.
        """
        index = one_index(layer, self.n_layers, "layer")
        if index is None:
            raise InputError("Give one layer; weights(layer=None) returns the mean over layers.")
        chosen = many_indices(rows, self.n_queries, "row")
        return self._block(index, np.arange(self.n_heads), chosen)

    def visible_keys(self, layer: int, rows: Positions = None) -> IntArray:
        """Return the number of keys that each row of a layer may attend to: int64 (rows,).

        Raises
        ------
        InputError
            The layer is None, or a layer or row does not exist.
        """
        index = one_index(layer, self.n_layers, "layer")
        if index is None:
            raise InputError("Give one layer: layers may attend to different keys.")
        chosen = many_indices(rows, self.n_queries, "row")
        counts = np.empty(len(chosen), dtype=np.int64)
        for part in row_blocks(len(chosen), self.n_keys):
            counts[part] = self._visible(index, chosen[part]).sum(axis=1)
        return counts

    def row_mean(self, rows: Positions = None) -> FloatArray:
        """Return the mean over rows of the attention on each key: float32 (layers, heads, keys).

        Raises
        ------
        InputError
            A row does not exist, or no row was chosen.
        """
        chosen = some_rows(rows, self.n_queries)
        return self._row_mean(np.arange(self.n_layers), np.arange(self.n_heads), chosen)

    def span_mass(self, spans: Sequence[KeySpans], rows: Positions = None) -> FloatArray:
        """Return the attention mass of each unit: float32 (layers, heads, units).

        mass(u) = mean over rows of the sum over the unit's positions of weights[row, position].
        A unit without positions has mass 0.

        Parameters
        ----------
        spans
            One entry per unit: (start, stop), half open, or a sequence of such pairs. Overlapping
            pairs of one unit count once.
        rows
            The query rows to average; None for all.

        Raises
        ------
        InputError
            A span or a row lies outside the map, or no row was chosen.
        """
        columns = unit_columns(spans, self.n_keys)
        return sum_columns(self.row_mean(rows), columns)

    def span_topk(
        self, spans: Sequence[KeySpans], rows: Positions = None, k: int = 3
    ) -> FloatArray:
        """Return the mean of each unit's k largest row-averaged key attentions.

        float32 (layers, heads, units). A unit with fewer than k positions is averaged over all of
        them; one without is NaN.

        Raises
        ------
        InputError
            As for `span_mass`, or k is below 1.
        """
        checked = at_least_one(k)
        columns = unit_columns(spans, self.n_keys)
        return top_columns(self.row_mean(rows), columns, checked)

    def received(
        self, layer: int | None = None, head: int | None = None, rows: Positions = None
    ) -> FloatArray:
        """Return how much attention each key receives: float32 (keys,).

        The mean is over those chosen rows that may attend to the key. In a causal map one row
        attends to the last token and all rows to the first, so dividing by all rows would measure
        position. A key that no chosen row may attend to receives 0.

        Raises
        ------
        InputError
            A layer, head or row does not exist, or no row was chosen.
        """
        return mean_received(self._row_mean, self._visible, *self._chosen(layer, head, rows))

    def received_from_others(
        self, layer: int | None = None, head: int | None = None, rows: Positions = None
    ) -> ReceivedFromOthers:
        """Return `received` without the look of a token at itself, and over how many rows.

        For comparing keys: one that hardly any row may attend to, such as the last of a causal map,
        has a large mean whatever it is; `ReceivedFromOthers.enough` tells these apart. Errors as
        `received`.
        """
        chosen = self._chosen(layer, head, rows)
        shape = (self.n_queries, self.n_keys)
        return mean_from_others(self._block, self._visible, *chosen, shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.n_layers} layers, {self.n_heads} heads, "
            f"{self.n_queries} queries, {self.n_keys} keys)"
        )

    # -- implementation ----------------------------------------------------------------------------

    def _chosen(
        self, layer: int | None, head: int | None, rows: Positions
    ) -> tuple[IntArray, IntArray, IntArray]:
        layers = layers_or_heads(layer, self.n_layers, "layer")
        heads = layers_or_heads(head, self.n_heads, "head")
        return layers, heads, some_rows(rows, self.n_queries)

    def _window(
        self, layers: IntArray, heads: IntArray, rows: IntArray, columns: IntArray
    ) -> FloatArray:
        """Return a window averaged over layers and heads: (rows, columns)."""
        return mean_window(self._block, layers, heads, rows, columns, self.n_keys)

    def _row_mean(self, layers: IntArray, heads: IntArray, rows: IntArray) -> FloatArray:
        """Return the mean over rows of some layers and heads: (layers, heads, keys)."""
        return mean_rows(self._block, layers, heads, rows, self.n_keys)

    def _set_tokens(self, tokens: Sequence[str] | None, query_tokens: Sequence[str] | None) -> None:
        keys = checked_tokens(tokens, self.n_keys, "keys")
        if query_tokens is None and keys is not None and self.query_offset is not None:
            query_tokens = keys[self.query_offset : self.query_offset + self.n_queries]
        self.tokens = keys
        self.query_tokens = checked_tokens(query_tokens, self.n_queries, "query rows")
