"""Attention reduced to units, layer by layer, while the model runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
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
from explorer.attention._recorder._units.row_attention import (
    BatchRows,
    RowMasks,
    padded_rows,
    row_attention,
)
from explorer.attention._recorder._units.unit_keys import UnitKeys
from explorer.attention._recorder.capture import Capture, add_blocks
from explorer.attention._recorder.layer_stacks import StackKey, StackPositions, main_key
from explorer.attention._recorder.model_preparation import transformers_model
from explorer.attention._recorder.token_positions import TokenPositions
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

    @property
    def row_sets(self) -> list[tuple[str | None, Positions]]:
        """Every set of rows with its name: `rows` under None, then `more_rows`."""
        return [(None, self.rows), *self.more_rows.items()]


class _BatchPlan:
    """Rows and units of a batch as indices on a device, which all layers of a stack share.

    Attributes
    ----------
    rows
        For each text, the rows of each set, counted without padding.
    weights
        float32 (texts, sets, rows): 1 / number of rows where a row belongs to a set, else 0.
    """

    def __init__(
        self,
        texts: Sequence[TextUnits],
        kept: Sequence[tuple[IntArray, IntArray]],
        n_keys: int,
        k: int,
        device: torch.device,
    ) -> None:
        self.rows: list[list[IntArray]] = []
        together, columns = [], []
        for text, (kept_queries, kept_keys) in zip(texts, kept, strict=True):
            of_text = [some_rows(rows, len(kept_queries)) for _, rows in text.row_sets]
            self.rows.append(of_text)
            together.append(kept_queries[np.concatenate(of_text)])
            columns.append([kept_keys[unit] for unit in unit_columns(text.spans, len(kept_keys))])
        positions = padded_rows(together)
        weights = np.zeros(
            (len(texts), max(map(len, self.rows)), positions.shape[1]), dtype=np.float32
        )
        for item, of_text in enumerate(self.rows):
            first = 0
            for number, rows in enumerate(of_text):
                weights[item, number, first : first + len(rows)] = 1 / len(rows)
                first += len(rows)
        self.weights = torch.as_tensor(weights, device=device)
        self.units = UnitKeys(columns, n_keys, k, device)
        self._all_rows = BatchRows.of(positions, device)
        self._parts: dict[int, list[tuple[slice, BatchRows, RowMasks]]] = {}

    def parts(self, values_per_row: int) -> list[tuple[slice, BatchRows, RowMasks]]:
        """Return blocks of rows that bound memory, each with its masks."""
        if values_per_row not in self._parts:
            blocks = row_blocks(self.weights.shape[2], values_per_row)
            self._parts[values_per_row] = [
                (part, self._all_rows.part(part), RowMasks()) for part in blocks
            ]
        return self._parts[values_per_row]


@dataclass
class _ReducedLayers:
    """The reduced layers of one stack."""

    mass: list[Tensor] = field(default_factory=list)  # (heads, sets, units of all texts)
    top: list[Tensor] = field(default_factory=list)  # the same
    by_row: list[Tensor] = field(default_factory=list)  # (texts, heads, rows, most units)
    plan: _BatchPlan | None = None

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]:
        """Return all layers as arrays with layers first: mass, top and mass by row."""
        by_row = _on_cpu(self.by_row) if self.by_row else None
        return _on_cpu(self.mass), _on_cpu(self.top), by_row


class UnitReducer:
    """Reduces the queries and keys of each layer to attention per unit, and stores only that.

    All texts of a batch, all sets of rows and all units are reduced together, on the model's
    device; results are copied to the CPU once, at the end.
    """

    def __init__(
        self,
        module: nn.Module,
        positions: TokenPositions,
        texts: Sequence[TextUnits],
        *,
        k: int,
        keep_rows: bool,
    ) -> None:
        self._find = StackPositions(module).find
        self._positions = positions
        self._texts = texts
        self._k = at_least_one(k)
        self._keep_rows = keep_rows
        self._stacks: dict[StackKey, _ReducedLayers] = {}
        self._maps: list[_ReducedLayers] = []
        self._plans: dict[tuple[int, int, torch.device], _BatchPlan] = {}
        self._notes: tuple[str, ...] = positions.notes
        inner = transformers_model(module)
        self._crossing = inner is not None and bool(
            getattr(inner.config, "is_encoder_decoder", False)
        )

    def add(self, part: nn.Module, capture: Capture) -> None:
        """Reduce one attention call, unless it belongs to a stack that is not read."""
        key, _ = self._find(part)
        if key.cross != self._crossing or key.side_tower:
            return
        n_heads, n_queries, n_keys = capture.shape
        plan = self._plan(n_queries, n_keys, capture.query.device)
        layers = self._stacks.setdefault(key, _ReducedLayers())
        total: Tensor | None = None
        by_row = []
        for some, rows, masks in plan.parts(len(self._texts) * n_heads * n_keys):
            weights = row_attention(capture, rows, masks)
            total = add_blocks(total, plan.weights[:, None, :, some] @ weights)
            if self._keep_rows:
                by_row.append(plan.units.mass_by_row(weights))
        assert total is not None  # noqa: S101 - some_rows gives at least one
        _keep(layers, plan, total, by_row)

    def add_maps(self, attention: AttentionMap) -> None:
        """Reduce the complete maps that eager attention returned."""
        self._notes = attention.notes
        cpu = torch.device("cpu")
        for item, text in enumerate(self._texts):
            whole = attention.batch(item)
            one = whole.cross if whole.cross is not None else whole
            everything = np.arange(one.n_queries), np.arange(one.n_keys)
            plan = _BatchPlan([text], [everything], one.n_keys, self._k, cpu)
            layers = _ReducedLayers()
            for layer in range(one.n_layers):
                total: Tensor | None = None
                by_row = []
                for some, rows, _ in plan.parts(one.n_heads * one.n_keys):
                    weights = torch.as_tensor(one.layer_weights(layer, rows.positions[0]))[None]
                    total = add_blocks(total, plan.weights[:, None, :, some] @ weights)
                    if self._keep_rows:
                        by_row.append(plan.units.mass_by_row(weights))
                assert total is not None  # noqa: S101 - some_rows gives at least one
                _keep(layers, plan, total, by_row)
            self._maps.append(layers)

    def results(self) -> list[dict[str | None, UnitAttention]]:
        """Return each text's attention by set of rows: `rows` under None, `more_rows` by name.

        Raises
        ------
        RecordingError
            There was no attention call.
        """
        if self._maps:
            return [
                found
                for text, layers in zip(self._texts, self._maps, strict=True)
                for found in self._results([text], layers)
            ]
        if not self._stacks:
            raise RecordingError(
                "This model ran without attention over its text, so there is nothing to reduce."
            )
        lengths = {key: len(layers.mass) for key, layers in self._stacks.items()}
        return self._results(self._texts, self._stacks[main_key(lengths)])

    def _results(
        self, texts: Sequence[TextUnits], layers: _ReducedLayers
    ) -> list[dict[str | None, UnitAttention]]:
        plan = layers.plan
        assert plan is not None  # noqa: S101 - set with the first layer
        mass, top, by_row = layers.arrays()
        found: list[dict[str | None, UnitAttention]] = []
        for item, text in enumerate(texts):
            units = slice(plan.units.starts[item], plan.units.starts[item + 1])
            by_name: dict[str | None, UnitAttention] = {}
            for number, (name, _) in enumerate(text.row_sets):
                rows = plan.rows[item][number]
                values: NDArray[np.float32] = mass[:, :, number, units]
                if by_row is not None and name is None:
                    values = by_row[:, item, :, : len(rows), : len(text.names)]
                by_name[name] = UnitAttention(
                    values.copy(),  # the array of the batch can be freed
                    text.names,
                    topk=top[:, :, number, units].copy(),
                    rows=tuple(rows.tolist()),
                    k=self._k,
                    notes=self._notes,
                )
            found.append(by_name)
        return found

    def _plan(self, n_queries: int, n_keys: int, device: torch.device) -> _BatchPlan:
        """Return the positions of rows and units, which all layers of a stack share."""
        name = (n_queries, n_keys, device)
        if name not in self._plans:
            queries = "decoder_attention_mask" if self._crossing else "attention_mask"
            kept = []
            for item in range(len(self._texts)):
                kept_queries = self._positions.kept(queries, n_queries, item)
                kept_keys = self._positions.kept(
                    "attention_mask", n_keys, item, keys=not self._crossing
                )
                kept.append(
                    (
                        np.arange(n_queries) if kept_queries is None else kept_queries,
                        np.arange(n_keys) if kept_keys is None else kept_keys,
                    )
                )
            self._plans[name] = _BatchPlan(self._texts, kept, n_keys, self._k, device)
        return self._plans[name]


def _keep(layers: _ReducedLayers, plan: _BatchPlan, mean: Tensor, by_row: Sequence[Tensor]) -> None:
    """Reduce the mean over each set of rows, (texts, heads, sets, keys), and store it."""
    mass, top = plan.units.mass_and_top(mean)
    layers.mass.append(mass)
    layers.top.append(top)
    if by_row:
        # Of the first set only, whose rows come first.
        most = max(len(of_text[0]) for of_text in plan.rows)
        layers.by_row.append(torch.cat(list(by_row), dim=2)[:, :, :most])
    layers.plan = plan


def _on_cpu(layers: Sequence[Tensor]) -> NDArray[np.float32]:
    """Return the layers in one array; layers of one device are copied in one transfer."""
    if len({layer.device for layer in layers}) > 1:
        layers = [layer.cpu() for layer in layers]
    array: NDArray[np.float32] = torch.stack(list(layers)).cpu().numpy()
    return array
