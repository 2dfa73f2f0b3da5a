"""Attention reduced to units, layer by layer, while the model runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.attention._attention_map import AttentionMap
from explorer.attention._blocks import row_blocks
from explorer.attention._indexing import (
    IntArray,
    KeySpans,
    Positions,
    at_least_one,
    some_rows,
    unit_columns,
)
from explorer.attention._recorder.capture import Capture, add_blocks
from explorer.attention._recorder.layer_stacks import (
    StackKey,
    StackPositions,
    kept_positions,
    main_key,
)
from explorer.attention._recorder.model_preparation import transformers_model
from explorer.attention._recorder.recorded_attention import RecordedAttention
from explorer.attention._unit_attention import UnitAttention
from explorer.errors import RecordingError


@dataclass(frozen=True)
class TextUnits:
    """Units and rows of one text of a batch.

    Attributes
    ----------
    spans
        One entry per unit: (start, stop), half open, or a sequence of such pairs.
    rows
        The query rows to reduce; None for all.
    names
        One name per unit.
    targets
        One vocabulary id per row, whose log-probability is computed; None to compute none.
    more_rows
        Further sets of rows by name, each reduced separately in the same pass.
    """

    spans: Sequence[KeySpans]
    rows: Positions
    names: Sequence[str]
    targets: Sequence[int] | IntArray | None = None
    more_rows: Mapping[str, Positions] = field(default_factory=dict)


@dataclass(frozen=True)
class _RowSet:
    """One set of rows of one text."""

    item: int
    name: str | None
    rows: Positions
    keep_rows: bool


@dataclass(frozen=True)
class _UnitPositions:
    """Rows of one text and columns of its units, counted without padding."""

    kept_queries: IntArray
    kept_keys: IntArray
    rows: IntArray
    columns: list[slice | IntArray]


@dataclass
class _ReducedLayers:
    """The reduced layers of one stack, for each set of rows."""

    mass: list[list[Tensor]] = field(default_factory=list)  # (heads, units) or (heads, rows, units)
    topk: list[list[Tensor]] = field(default_factory=list)  # (heads, units)
    rows: list[tuple[int, ...]] = field(default_factory=list)


class UnitReducer:
    """Reduces the queries and keys of each layer to attention per unit, and stores only that.

    All is computed on the model's device; results are copied to the CPU once, at the end.
    """

    def __init__(
        self,
        module: nn.Module,
        inputs: Mapping[str, Any],
        texts: Sequence[TextUnits],
        *,
        k: int,
        keep_rows: bool,
    ) -> None:
        self._find = StackPositions(module).find
        self._inputs = inputs
        self._texts = texts
        self._k = at_least_one(k)
        self._row_sets: list[list[_RowSet]] = [
            [_RowSet(item, None, text.rows, keep_rows)]
            + [_RowSet(item, name, rows, False) for name, rows in text.more_rows.items()]
            for item, text in enumerate(texts)
        ]
        flat = [one for of_text in self._row_sets for one in of_text]
        self._number = {(one.item, one.name): number for number, one in enumerate(flat)}
        self._stacks: dict[StackKey, _ReducedLayers] = {}
        self._known_positions: dict[tuple[int, int, int], _UnitPositions] = {}
        self._notes: tuple[str, ...] = ()
        inner = transformers_model(module)
        self._crossing = inner is not None and bool(
            getattr(inner.config, "is_encoder_decoder", False)
        )

    def add(self, part: nn.Module, capture: Capture) -> None:
        """Reduce one attention call, unless it belongs to a stack that is not read."""
        key, _ = self._find(part)
        if key.cross != self._crossing or key.side_tower:
            return
        _, n_queries, n_keys = capture.shape
        for item in range(len(self._texts)):
            positions = self._positions(self._row_sets[item][0], n_queries, n_keys)
            layer = RecordedAttention(
                [capture],
                item=item,
                kept_queries=positions.kept_queries,
                kept_keys=positions.kept_keys,
            )
            heads = np.arange(layer.n_heads)

            def block(
                rows: IntArray, layer: RecordedAttention = layer, heads: IntArray = heads
            ) -> Tensor:
                return layer.device_block(0, heads, rows)

            for row_set in self._row_sets[item]:
                positions = self._positions(row_set, n_queries, n_keys)
                self._add_layer(key, row_set, positions, layer, block)

    def add_maps(self, attention: AttentionMap) -> None:
        """Reduce the complete maps that eager attention returned."""
        self._notes = attention.notes
        for item in range(len(self._texts)):
            whole = attention.batch(item)
            one = whole.cross if whole.cross is not None else whole
            everything = np.arange(one.n_queries), np.arange(one.n_keys)
            for layer in range(one.n_layers):

                def block(rows: IntArray, one: AttentionMap = one, layer: int = layer) -> Tensor:
                    return torch.as_tensor(one.layer_weights(layer, rows))

                for row_set in self._row_sets[item]:
                    positions = self._positions_among(row_set, *everything)
                    self._add_layer(StackKey("", cross=False), row_set, positions, one, block)

    def results(self) -> list[dict[str | None, UnitAttention]]:
        """Return each text's attention by set of rows: `rows` under None, `more_rows` by name.

        Raises
        ------
        RecordingError
            There was no attention call.
        """
        if not self._stacks:
            raise RecordingError(
                "This model ran without attention over its text, so there is nothing to reduce."
            )
        lengths = {key: len(layers.mass[0]) for key, layers in self._stacks.items()}
        layers = self._stacks[main_key(lengths)]
        return [
            {row_set.name: self._result(layers, row_set) for row_set in of_text}
            for of_text in self._row_sets
        ]

    def _result(self, layers: _ReducedLayers, row_set: _RowSet) -> UnitAttention:
        number = self._number[row_set.item, row_set.name]
        return UnitAttention(
            torch.stack(layers.mass[number]).cpu().numpy(),
            self._texts[row_set.item].names,
            topk=torch.stack(layers.topk[number]).cpu().numpy(),
            rows=layers.rows[number],
            k=self._k,
            notes=self._notes,
        )

    def _positions(self, row_set: _RowSet, n_queries: int, n_keys: int) -> _UnitPositions:
        """Return the positions of rows and units, which all layers of a stack share."""
        name = (self._number[row_set.item, row_set.name], n_queries, n_keys)
        if name not in self._known_positions:
            queries = "decoder_attention_mask" if self._crossing else "attention_mask"
            kept_queries = kept_positions(self._inputs, queries, n_queries, row_set.item)
            kept_keys = kept_positions(self._inputs, "attention_mask", n_keys, row_set.item)
            self._known_positions[name] = self._positions_among(
                row_set,
                np.arange(n_queries) if kept_queries is None else kept_queries,
                np.arange(n_keys) if kept_keys is None else kept_keys,
            )
        return self._known_positions[name]

    def _positions_among(
        self, row_set: _RowSet, kept_queries: IntArray, kept_keys: IntArray
    ) -> _UnitPositions:
        columns = unit_columns(self._texts[row_set.item].spans, len(kept_keys))
        rows = some_rows(row_set.rows, len(kept_queries))
        return _UnitPositions(kept_queries, kept_keys, rows, [_as_slice(unit) for unit in columns])

    def _add_layer(
        self,
        key: StackKey,
        row_set: _RowSet,
        positions: _UnitPositions,
        layer: AttentionMap,
        block: Callable[[IntArray], Tensor],
    ) -> None:
        if key not in self._stacks:
            every = range(len(self._number))
            self._stacks[key] = _ReducedLayers(
                [[] for _ in every], [[] for _ in every], [() for _ in every]
            )
        number = self._number[row_set.item, row_set.name]
        found = self._stacks[key]
        total: Tensor | None = None
        by_row = []
        for part in row_blocks(len(positions.rows), layer.n_heads * layer.n_keys):
            weights = block(positions.rows[part])  # (heads, rows, keys or fewer)
            total = add_blocks(total, weights.sum(dim=1))
            if row_set.keep_rows:
                by_row.append(_masses(weights, positions.columns))
        assert total is not None  # noqa: S101 - some_rows gives at least one
        mean = total / len(positions.rows)  # (heads, keys or fewer)
        found.mass[number].append(
            torch.cat(by_row, dim=1) if row_set.keep_rows else _masses(mean, positions.columns)
        )
        found.topk[number].append(_topk(mean, positions.columns, self._k, layer.n_keys))
        found.rows[number] = tuple(positions.rows.tolist())


def _as_slice(columns: IntArray) -> slice | IntArray:
    """Return positions without gaps as a slice, which needs no copy."""
    if not columns.size:
        return slice(0, 0)
    first, stop = int(columns[0]), int(columns[-1]) + 1
    return slice(first, stop) if stop - first == len(columns) else columns


def _picked(values: Tensor, columns: slice | IntArray) -> Tensor:
    """Return the columns of one unit; columns after the last one of `values` have no attention."""
    if isinstance(columns, slice):
        return values[..., columns]
    seen = columns[columns < values.shape[-1]]
    return values[..., torch.as_tensor(seen, device=values.device)]


def _masses(values: Tensor, units: Sequence[slice | IntArray]) -> Tensor:
    """Return sums of the last axis over each unit's columns: (..., keys) -> (..., units)."""
    if not units:
        return values.new_zeros((*values.shape[:-1], 0))
    return torch.stack([_picked(values, unit).sum(dim=-1) for unit in units], dim=-1)


def _topk(mean: Tensor, units: Sequence[slice | IntArray], k: int, n_keys: int) -> Tensor:
    """Return the mean of each unit's k largest values: (heads, units); NaN without columns."""
    if not units:
        return mean.new_zeros((len(mean), 0))
    whole = nn.functional.pad(mean, (0, n_keys - mean.shape[-1]))
    tops = []
    for unit in units:
        picked = _picked(whole, unit)
        if picked.shape[-1]:
            tops.append(picked.topk(min(k, picked.shape[-1]), dim=-1).values.mean(dim=-1))
        else:
            tops.append(mean.new_full((len(mean),), float("nan")))
    return torch.stack(tops, dim=-1)
