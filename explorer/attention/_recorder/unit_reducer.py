"""Reducing attention to units while the model runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.attention._attention_map import BLOCK_ROWS, BLOCK_VALUES, AttentionMap, at_least_one
from explorer.attention._indexing import IntArray, Positions, Span, some_rows, unit_columns
from explorer.attention._recorder.layer_stacks import (
    StackKey,
    StackPositions,
    kept_positions,
    main_key,
)
from explorer.attention._recorder.model_preparation import transformers_model
from explorer.attention._recorder.recorded_attention import Capture, RecordedAttention, add_blocks
from explorer.attention._unit_attention import UnitAttention
from explorer.errors import RecordingError


@dataclass(frozen=True)
class TextUnits:
    """What is asked of one text of a batch.

    Attributes
    ----------
    spans
        One entry per unit: (start, stop), half open, or a sequence of such pairs.
    rows
        The query rows that count; None for all.
    names
        One name per unit.
    targets
        Vocabulary ids whose log-probabilities the rows are asked for, one for each row; None where
        nobody wants to know.
    more_rows
        Further sets of rows by name, reduced apart from the others in the same pass.
    """

    spans: Sequence[Span]
    rows: Positions
    names: Sequence[str]
    targets: Sequence[int] | IntArray | None = None
    more_rows: Mapping[str, Positions] = field(default_factory=dict)


@dataclass(frozen=True)
class _Asked:
    """One set of rows of one text."""

    item: int
    name: str | None
    rows: Positions
    keep_rows: bool


@dataclass(frozen=True)
class _Place:
    """The rows and columns of one text, as positions among its kept ones."""

    kept_queries: IntArray
    kept_keys: IntArray
    rows: IntArray
    columns: list[slice | IntArray]


@dataclass
class _Layers:
    """Layers of one stack that were reduced so far, for each set of rows."""

    mass: list[list[Tensor]] = field(default_factory=list)  # (heads, units) or (heads, rows, units)
    topk: list[list[Tensor]] = field(default_factory=list)  # (heads, units)
    rows: list[tuple[int, ...]] = field(default_factory=list)


class UnitReducer:
    """Turns each layer's queries and keys into attention per unit and lets go of them.

    All is worked out where the model is; results are fetched once, at the end.
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
        self._asked: list[list[_Asked]] = [
            [_Asked(item, None, text.rows, keep_rows)]
            + [_Asked(item, name, rows, False) for name, rows in text.more_rows.items()]
            for item, text in enumerate(texts)
        ]
        flat = [one for asked in self._asked for one in asked]
        self._number = {(one.item, one.name): number for number, one in enumerate(flat)}
        self._stacks: dict[StackKey, _Layers] = {}
        self._places: dict[tuple[int, int, int], _Place] = {}
        self._notes: tuple[str, ...] = ()
        inner = transformers_model(module)
        self._crossing = inner is not None and bool(
            getattr(inner.config, "is_encoder_decoder", False)
        )

    def add(self, part: nn.Module, capture: Capture) -> None:
        """Reduce one attention call, unless it is of a stack that is not asked for."""
        key, _ = self._find(part)
        if key.cross != self._crossing or key.side_tower:
            return
        _, n_queries, n_keys = capture.shape
        for item in range(len(self._texts)):
            place = self._place(self._asked[item][0], n_queries, n_keys)
            layer = RecordedAttention(
                [capture],
                item=item,
                kept_queries=place.kept_queries,
                kept_keys=place.kept_keys,
            )
            heads = np.arange(layer.n_heads)

            def block(
                rows: IntArray, layer: RecordedAttention = layer, heads: IntArray = heads
            ) -> Tensor:
                return layer.device_block(0, heads, rows)

            for asked in self._asked[item]:
                self._add_layer(key, asked, self._place(asked, n_queries, n_keys), layer, block)

    def add_maps(self, attention: AttentionMap) -> None:
        """Reduce maps that came in one piece, as eager attention does."""
        self._notes = attention.notes
        for item in range(len(self._texts)):
            whole = attention.batch(item)
            one = whole.cross if whole.cross is not None else whole
            everything = np.arange(one.n_queries), np.arange(one.n_keys)
            for layer in range(one.n_layers):

                def block(rows: IntArray, one: AttentionMap = one, layer: int = layer) -> Tensor:
                    return torch.as_tensor(one.layer_weights(layer, rows))

                for asked in self._asked[item]:
                    place = self._placed(asked, *everything)
                    self._add_layer(StackKey("", cross=False), asked, place, one, block)

    def results(self) -> list[dict[str | None, UnitAttention]]:
        """Return what all layers together give, for each text: its rows as None, others by name.

        Raises
        ------
        RecordingError
            No attention call came.
        """
        if not self._stacks:
            raise RecordingError(
                "This model ran without attention over its text, so there is nothing to reduce."
            )
        lengths = {key: len(layers.mass[0]) for key, layers in self._stacks.items()}
        layers = self._stacks[main_key(lengths)]
        return [
            {asked.name: self._result(layers, asked) for asked in of_text}
            for of_text in self._asked
        ]

    def _result(self, layers: _Layers, asked: _Asked) -> UnitAttention:
        number = self._number[asked.item, asked.name]
        return UnitAttention(
            torch.stack(layers.mass[number]).cpu().numpy(),
            self._texts[asked.item].names,
            topk=torch.stack(layers.topk[number]).cpu().numpy(),
            rows=layers.rows[number],
            k=self._k,
            notes=self._notes,
        )

    def _place(self, asked: _Asked, n_queries: int, n_keys: int) -> _Place:
        """Return where rows and units are; every layer of a stack asks the same."""
        name = (self._number[asked.item, asked.name], n_queries, n_keys)
        if name not in self._places:
            queries = "decoder_attention_mask" if self._crossing else "attention_mask"
            kept_queries = kept_positions(self._inputs, queries, n_queries, asked.item)
            kept_keys = kept_positions(self._inputs, "attention_mask", n_keys, asked.item)
            self._places[name] = self._placed(
                asked,
                np.arange(n_queries) if kept_queries is None else kept_queries,
                np.arange(n_keys) if kept_keys is None else kept_keys,
            )
        return self._places[name]

    def _placed(self, asked: _Asked, kept_queries: IntArray, kept_keys: IntArray) -> _Place:
        columns = unit_columns(self._texts[asked.item].spans, len(kept_keys))
        rows = some_rows(asked.rows, len(kept_queries))
        return _Place(kept_queries, kept_keys, rows, [_as_slice(unit) for unit in columns])

    def _add_layer(
        self,
        key: StackKey,
        asked: _Asked,
        place: _Place,
        layer: AttentionMap,
        block: Callable[[IntArray], Tensor],
    ) -> None:
        if key not in self._stacks:
            every = range(len(self._number))
            self._stacks[key] = _Layers(
                [[] for _ in every], [[] for _ in every], [() for _ in every]
            )
        number = self._number[asked.item, asked.name]
        found = self._stacks[key]
        total: Tensor | None = None
        by_row = []
        for rows in _row_blocks(place.rows, layer.n_heads * layer.n_keys):
            weights = block(rows)  # (heads, rows, keys or fewer)
            total = add_blocks(total, weights.sum(dim=1))
            if asked.keep_rows:
                by_row.append(_masses(weights, place.columns))
        assert total is not None  # noqa: S101 - some_rows gives at least one
        mean = total / len(place.rows)  # (heads, keys or fewer)
        found.mass[number].append(
            torch.cat(by_row, dim=1) if asked.keep_rows else _masses(mean, place.columns)
        )
        found.topk[number].append(_topk(mean, place.columns, self._k, layer.n_keys))
        found.rows[number] = tuple(place.rows.tolist())


def _row_blocks(rows: IntArray, values: int) -> Iterator[IntArray]:
    """Cut rows so that a block of attention, with so many values a row, stays within bounds."""
    step = max(1, min(BLOCK_ROWS, BLOCK_VALUES // max(1, values)))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _as_slice(columns: IntArray) -> slice | IntArray:
    """Return positions without gaps as a slice, which costs no copy."""
    if not columns.size:
        return slice(0, 0)
    first, stop = int(columns[0]), int(columns[-1]) + 1
    return slice(first, stop) if stop - first == len(columns) else columns


def _picked(values: Tensor, columns: slice | IntArray) -> Tensor:
    """Return the columns of one unit; those after the last key that was seen have no attention."""
    if isinstance(columns, slice):
        return values[..., columns]
    seen = columns[columns < values.shape[-1]]
    return values[..., torch.as_tensor(seen, device=values.device)]


def _masses(values: Tensor, units: Sequence[slice | IntArray]) -> Tensor:
    """Sum the last axis over each unit's columns: (..., keys) -> (..., units)."""
    if not units:
        return values.new_zeros((*values.shape[:-1], 0))
    return torch.stack([_picked(values, unit).sum(dim=-1) for unit in units], dim=-1)


def _topk(mean: Tensor, units: Sequence[slice | IntArray], k: int, n_keys: int) -> Tensor:
    """Mean of the k largest values of each unit: (heads, keys) -> (heads, units); NaN for none."""
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
