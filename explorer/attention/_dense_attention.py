"""Attention given as an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.attention._attention_map import AttentionMap
from explorer.attention._blocks import FloatArray, row_blocks
from explorer.attention._indexing import IntArray, Positions, layers_or_heads, many_indices
from explorer.errors import InputError, ShapeError

# Largest excess of a row sum over 1 that float16 rounding explains.
ROW_SUM_SLACK = 5e-3

_SHAPES = "(queries, keys), (heads, queries, keys) or (layers, heads, queries, keys)"
_WARNINGS = {
    "nan": "Some attention weights are NaN or infinite: scores that touch them are unknown.",
    "negative": "Some attention weights are negative, so these may be scores before the softmax.",
    "above-1": "Some attention weights are above 1, so these may be scores before the softmax.",
    "row-sum": "Some rows sum to more than 1, so these are not attention weights of one softmax.",
}


class DenseAttention(AttentionMap):
    """Attention from an array: NumPy, memory map, torch tensor or nested lists.

    Parameters
    ----------
    array
        Of shape (queries, keys), (heads, queries, keys) or (layers, heads, queries, keys), of any
        real dtype; or the tuple that a transformers model returns as `attentions` (one tensor
        (1, heads, queries, keys) per layer). It is neither copied nor changed; of a memory map only
        the requested windows are read.
    tokens, query_tokens
        One string per key, and per query.
    notes
        Sentences to show with the map.

    Notes
    -----
    Numbers that cannot be attention weights (NaN, negative, above 1, row sums above 1) are kept,
    and `notes` name them. An array in memory is checked at once, a memory map as it is read.

    Raises
    ------
    ShapeError
        The array has another number of dimensions, or a dimension of size 0.
    InputError
        The array is not numeric, or complex.

    Examples
    --------
    >>> import numpy as np
    >>> attention = DenseAttention(np.array([[1.0, 0.0], [0.25, 0.75]]), tokens=["a", "b"])
    >>> attention.weights(rows=[1]).tolist()
    [[0.25, 0.75]]
    >>> attention.span_mass([(0, 1), (0, 2)], rows=[1]).tolist()
    [[[0.25, 1.0]]]
    """

    def __init__(
        self,
        array: Any,
        tokens: Sequence[str] | None = None,
        query_tokens: Sequence[str] | None = None,
        *,
        notes: Sequence[str] = (),
    ) -> None:
        self._array = _four_dimensions(as_real_array(array))  # (layers, heads, queries, keys)
        layers, heads, queries, keys = self._array.shape
        super().__init__(
            (layers, heads, queries, keys),
            tokens=tokens,
            query_tokens=query_tokens,
            query_offset=0 if queries == keys else None,
            notes=notes,
        )
        self._problems: set[str] = set()
        self._causal: bool | None = None
        self._lazy = _is_memory_map(self._array)
        if not self._lazy:
            for layer in range(layers):
                self._check(self._array[layer])

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a user must know; for a memory map they cover the part read so far."""
        return self._notes + tuple(
            text for code, text in _WARNINGS.items() if code in self._problems
        )

    @property
    def causal(self) -> bool:
        """Whether the map is square and no query attends to a later key in the last layer."""
        if self._causal is None:
            self._causal = self.n_queries == self.n_keys > 1 and self._no_later_keys()
        return self._causal

    def weights_view(
        self,
        layer: int | None = None,
        head: int | None = None,
        rows: Positions = None,
        columns: Positions = None,
    ) -> FloatArray:
        """Return what `weights` returns; a read-only view of the array if that is possible."""
        layers = layers_or_heads(layer, self.n_layers, "layer")
        heads = layers_or_heads(head, self.n_heads, "head")
        row_index = _slice_of(many_indices(rows, self.n_queries, "row"))
        column_index = _slice_of(many_indices(columns, self.n_keys, "column"))
        whole = len(layers) == len(heads) == 1 and not self._lazy
        if not (whole and isinstance(row_index, slice) and isinstance(column_index, slice)):
            return self.weights(layer, head, rows, columns)
        with np.errstate(over="ignore"):  # values beyond float32 become infinite
            part = np.asarray(
                self._array[layers[0], heads[0], row_index, column_index], dtype=np.float32
            )
        view = part.view()
        view.flags.writeable = False
        return view

    def _no_later_keys(self) -> bool:
        """Return whether the last layer is zero above the diagonal, read a few rows at a time."""
        keys = np.arange(self.n_keys)
        for part in row_blocks(len(keys), self.n_heads * self.n_keys):
            later = keys[None, :] > keys[part, None]  # (rows, keys)
            if np.any((np.asarray(self._array[-1, :, part]) != 0) & later):
                return False
        return True

    def _block(self, layer: int, heads: IntArray, rows: IntArray) -> FloatArray:
        # With slices a memory map reads the requested rows only; gaps need index arrays.
        row_index = _slice_of(rows)
        one_layer = self._array[layer]
        if isinstance(row_index, slice) and isinstance(head_index := _slice_of(heads), slice):
            chosen = one_layer[head_index, row_index]
        else:
            chosen = one_layer[np.ix_(heads, rows)]
        with np.errstate(over="ignore"):  # values beyond float32 become infinite
            block = np.asarray(chosen, dtype=np.float32)
        if self._lazy:
            self._check(block)
        return block

    def _visible(self, layer: int, rows: IntArray) -> NDArray[np.bool_]:
        if not self.causal:
            return super()._visible(layer, rows)
        visible: NDArray[np.bool_] = np.arange(self.n_keys)[None, :] <= rows[:, None]
        return visible

    def _check(self, block: NDArray[Any]) -> None:
        """Collect the problems of a block (heads, rows, keys)."""
        if block.size == 0:
            return
        for head in block:
            low, high = head.min(), head.max()
            if not (np.isfinite(low) and np.isfinite(high)):
                self._problems.add("nan")
                head = np.where(np.isfinite(head), head, 0)
                low, high = head.min(), head.max()
            if low < 0:
                self._problems.add("negative")
            if high > 1 + ROW_SUM_SLACK:
                self._problems.add("above-1")
            if head.sum(axis=-1, dtype=np.float64).max() > 1 + ROW_SUM_SLACK:
                self._problems.add("row-sum")


def as_real_array(array: Any) -> NDArray[Any]:
    """Return an array of any library as a real NumPy array, without copying NumPy arrays.

    Raises
    ------
    ShapeError
        Layers or rows differ in shape.
    InputError
        The values are masked, sparse or not real numbers.
    """
    if isinstance(array, (list, tuple)) and array and hasattr(array[0], "shape"):
        layers = [as_real_array(layer) for layer in array]
        if len({layer.shape for layer in layers}) > 1:
            raise ShapeError("Layers of attention must all have the same shape; these differ.")
        if layers[0].ndim == 4 and len(layers[0]) == 1:  # transformers' outputs.attentions
            layers = [layer[0] for layer in layers]
        return np.stack(layers)
    if hasattr(array, "detach"):  # a torch tensor, recognised without importing torch
        array = _from_tensor(array)
    if np.ma.is_masked(array):  # NumPy would silently use the numbers beneath the mask
        raise InputError(
            "Some attention weights are masked, so their values are unknown. Fill them first, with "
            "array.filled(0) for positions that no token may attend to."
        )
    try:
        converted = array if isinstance(array, np.ndarray) else np.asarray(array)
    except ValueError as error:
        raise ShapeError(
            f"Attention must be {_SHAPES}; the rows given differ in length."
        ) from error
    if converted.dtype == object or not (
        np.issubdtype(converted.dtype, np.floating)
        or np.issubdtype(converted.dtype, np.integer)
        or converted.dtype == np.bool_
    ):
        raise InputError(f"Attention must be real numbers; got dtype {converted.dtype}.")
    return converted


def _from_tensor(tensor: Any) -> NDArray[Any]:
    """Return a torch tensor as NumPy."""
    try:
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point() and tensor.element_size() < 4:
            tensor = tensor.float()  # NumPy has no bfloat16
        array: NDArray[Any] = tensor.numpy()
    except (TypeError, RuntimeError) as error:  # sparse, or on the meta device without numbers
        raise InputError(
            f"Attention must be a dense tensor with numbers, but this one is not ({error}). "
            "Try .to_dense(), or load the weights first."
        ) from None
    return array


def _four_dimensions(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 5:
        raise ShapeError(
            f"Attention must be {_SHAPES}; got {array.shape}. "
            "Pass one text of the batch, such as array[:, 0]."
        )
    if not 2 <= array.ndim <= 4:
        raise ShapeError(f"Attention must be {_SHAPES}; got {array.ndim} dimensions.")
    if array.size == 0:
        raise ShapeError(f"Attention must not be empty; got shape {array.shape}.")
    return array[(None,) * (4 - array.ndim)]


def _is_memory_map(array: NDArray[Any]) -> bool:
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def _slice_of(positions: IntArray) -> slice | IntArray:
    """Return consecutive positions as a slice; other positions unchanged."""
    if positions.size and np.array_equal(
        positions, np.arange(positions[0], positions[0] + positions.size)
    ):
        return slice(int(positions[0]), int(positions[0]) + positions.size)
    return positions
