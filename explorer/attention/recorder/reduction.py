"""Reducing attention to units while the model runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from explorer.attention.maps import (
    BLOCK_ROWS,
    AttentionMap,
    FloatArray,
    at_least_one,
    sum_columns,
    top_columns,
)
from explorer.attention.recorder.recorded import Capture, RecordedAttention
from explorer.attention.recorder.running import transformers_model
from explorer.attention.recorder.stacks import Places, StackKey, kept_positions, main_key
from explorer.attention.selection import Positions, Span, some_rows, unit_columns
from explorer.attention.units import UnitAttention
from explorer.errors import RecordingError


@dataclass
class _Reduced:
    """Layers of one stack that were reduced so far."""

    mass: list[FloatArray] = field(default_factory=list)  # (heads, units) or (heads, rows, units)
    topk: list[FloatArray] = field(default_factory=list)  # (heads, units)
    rows: tuple[int, ...] = ()


class UnitReducer:
    """Turns each layer's queries and keys into attention per unit and lets go of them."""

    def __init__(
        self,
        module: nn.Module,
        inputs: Mapping[str, Any],
        spans: Sequence[Span],
        rows: Positions,
        *,
        k: int,
        keep_rows: bool,
    ) -> None:
        self._places = Places(module)
        self._inputs = inputs
        self._spans = spans
        self._rows = rows
        self._k = at_least_one(k)
        self._keep_rows = keep_rows
        self._stacks: dict[StackKey, _Reduced] = {}
        self._notes: tuple[str, ...] = ()
        inner = transformers_model(module)
        self._crossing = inner is not None and bool(
            getattr(inner.config, "is_encoder_decoder", False)
        )

    def add(self, part: nn.Module, capture: Capture) -> None:
        """Reduce one attention call, unless it is of a stack that is not asked for."""
        key, _ = self._places.find(part)
        if key.cross != self._crossing or key.side_tower:
            return
        _, n_queries, n_keys = capture.shape
        names = ("attention_mask", "attention_mask")
        if self._crossing:
            names = ("decoder_attention_mask", "attention_mask")
        layer = RecordedAttention(
            [capture],
            kept_queries=kept_positions(self._inputs, names[0], n_queries, 0),
            kept_keys=kept_positions(self._inputs, names[1], n_keys, 0),
        )
        self._add_layer(key, layer, 0)

    def add_map(self, attention: AttentionMap) -> None:
        """Reduce a map that came in one piece, as eager attention does."""
        self._notes = attention.notes
        for layer in range(attention.n_layers):
            self._add_layer(StackKey("", cross=False), attention, layer)

    def result(self, units: Sequence[str]) -> UnitAttention:
        """Return what all layers together give.

        Raises
        ------
        RecordingError
            No attention call came.
        """
        if not self._stacks:
            raise RecordingError(
                "This model ran without attention over its text, so there is nothing to reduce."
            )
        reduced = self._stacks[main_key({key: len(s.mass) for key, s in self._stacks.items()})]
        return UnitAttention(
            np.stack(reduced.mass),
            units,
            topk=np.stack(reduced.topk),
            rows=reduced.rows,
            k=self._k,
            notes=self._notes,
        )

    def _add_layer(self, key: StackKey, attention: AttentionMap, layer: int) -> None:
        columns = unit_columns(self._spans, attention.n_keys)
        rows = some_rows(self._rows, attention.n_queries)
        reduced = self._stacks.setdefault(key, _Reduced(rows=tuple(rows.tolist())))
        total = np.zeros((attention.n_heads, attention.n_keys), dtype=np.float64)
        by_row = []
        for start in range(0, len(rows), BLOCK_ROWS):
            block = attention.layer_weights(layer, rows[start : start + BLOCK_ROWS])
            total += block.sum(axis=1, dtype=np.float64)  # (heads, rows, keys) -> (heads, keys)
            if self._keep_rows:
                by_row.append(sum_columns(block, columns))
        mean = (total / len(rows)).astype(np.float32)
        mass = np.concatenate(by_row, axis=1) if self._keep_rows else sum_columns(mean, columns)
        reduced.mass.append(mass)
        reduced.topk.append(top_columns(mean, columns, self._k))
