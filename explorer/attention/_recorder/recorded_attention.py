"""Attention worked out from the queries and keys of a forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.attention._attention_map import AttentionMap, FloatArray
from explorer.attention._indexing import IntArray
from explorer.attention._recorder.key_masks import KeyMask, PositionBias

# Means over layers that are kept: four maps of at most 2,048 x 2,048 float32.
_KEPT_MEANS = 4
_KEPT_MEAN_BYTES = 1 << 24


@dataclass(frozen=True)
class Capture:
    """What one attention call needs to be worked out again.

    Attributes
    ----------
    query
        (texts, heads, queries, size), after rotary embedding.
    key
        (texts, key heads, keys, size); a group of query heads shares each key head.
    scaling
        What the product of query and key is multiplied with.
    softcap
        Scores become softcap * tanh(score / softcap) before the mask (Gemma 2).
    sinks
        One learned score per head that takes part in the softmax and is then dropped (gpt-oss), so
        that rows sum to less than 1: (heads,).
    """

    query: Tensor
    key: Tensor
    scaling: float
    mask: KeyMask
    bias: PositionBias | None = None
    softcap: float | None = None
    sinks: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(heads, queries, keys)."""
        return self.query.shape[1], self.query.shape[2], self.key.shape[2]


@torch.no_grad()
def attention_block(capture: Capture, item: int, heads: IntArray, rows: IntArray) -> Tensor:
    """Return softmax(query key^T * scaling + mask) for some heads and rows of one text.

    Worked out in float32 also for bfloat16 models, whose own eager attention rounds the scores:
    there the two differ by up to about 0.005. A row that may look at nothing is all zero.

    Returns
    -------
    float32 tensor (heads, rows, keys or fewer). Keys left out at the end have no attention.
    """
    n_heads, _, n_keys = capture.shape
    stop = capture.mask.stop(rows, n_keys)
    with torch.autocast(capture.query.device.type, enabled=False):
        scores = _scores(capture, item, heads, rows, stop, n_heads)
    scores *= capture.scaling
    if capture.softcap is not None:
        scores = scores.div_(capture.softcap).tanh_().mul_(capture.softcap)
    if capture.bias is not None:
        bias = capture.bias.block(item, rows, stop).to(scores.dtype)  # (1 or heads, rows, stop)
        scores += bias if len(bias) == 1 else bias[heads]
    scores = capture.mask.apply(scores, item, rows, heads)
    sinks = None
    if capture.sinks is not None:
        sinks = capture.sinks.reshape(-1)[heads].to(scores.dtype)[:, None, None]
    return _softmax(scores, sinks)


def _scores(
    capture: Capture, item: int, heads: IntArray, rows: IntArray, stop: int, n_heads: int
) -> Tensor:
    """Return query key^T: float32 (heads, rows, stop)."""
    query, key = capture.query[item], capture.key[item, :, :stop]
    picked = torch.as_tensor(rows, device=query.device)
    group = n_heads // key.shape[0]
    if len(heads) == n_heads:
        # Query heads that share a key head are stacked, so keys are never repeated.
        stacked = query.index_select(1, picked).reshape(key.shape[0], -1, query.shape[-1])
        scores = _wide(stacked) @ _wide(key).mT
        return scores.reshape(n_heads, len(rows), stop)
    chosen = query[heads].index_select(1, picked)
    return _wide(chosen) @ _wide(key[heads // group]).mT


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _softmax(scores: Tensor, sinks: Tensor | None) -> Tensor:
    """Softmax over the last axis; sinks (heads, 1, 1) take part and are dropped again."""
    top = scores.amax(dim=-1, keepdim=True)
    if sinks is not None:
        top = torch.maximum(top, sinks)
        exponents = torch.exp_(scores - top)
        return exponents.div_(exponents.sum(dim=-1, keepdim=True) + torch.exp(sinks - top)).float()
    attention = torch.softmax(scores, dim=-1, dtype=scores.dtype).float()
    blind = top == float("-inf")  # rows that may look at nothing
    # On a GPU asking whether there are any would wait for all that it has to do before.
    rare = blind.device.type != "cpu" or bool(blind.any())
    return attention.masked_fill_(blind, 0.0) if rare else attention


class RecordedAttention(AttentionMap):
    """Attention of a forward pass, kept as queries and keys and worked out where somebody looks.

    Made by `record_attention`. Pad positions are dropped: rows and columns are the real tokens.
    Work is done where the model is (a GPU too); what comes back is NumPy.
    """

    def __init__(
        self,
        captures: Sequence[Capture],
        *,
        item: int = 0,
        kept_queries: IntArray | None = None,
        kept_keys: IntArray | None = None,
        query_offset: int | None = 0,
        layer_numbers: Sequence[int] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        heads, queries, keys = captures[0].shape
        self._captures = tuple(captures)
        self._item = item
        self._kept_queries = np.arange(queries) if kept_queries is None else kept_queries
        self._kept_keys = np.arange(keys) if kept_keys is None else kept_keys
        self._all_keys = len(self._kept_keys) == keys
        super().__init__(
            (len(captures), heads, len(self._kept_queries), len(self._kept_keys)),
            query_offset=query_offset,
            notes=notes,
        )
        if layer_numbers is not None:
            self.layer_numbers = tuple(layer_numbers)
        self._last_mean: tuple[bytes, FloatArray] | None = None
        self._means: dict[tuple[bytes, bytes], FloatArray] = {}

    @property
    def nbytes(self) -> int:
        """Memory of the queries and keys that are kept, in bytes."""
        return sum(
            tensor.numel() * tensor.element_size()
            for capture in self._captures
            for tensor in (capture.query, capture.key)
        )

    def device_block(self, layer: int, heads: IntArray, rows: IntArray) -> Tensor:
        """Return (heads, rows, keys or fewer at the end), on the model's device."""
        block = attention_block(self._captures[layer], self._item, heads, self._kept_queries[rows])
        if self._all_keys:
            return block
        kept = self._kept_keys[self._kept_keys < block.shape[-1]]
        return block[..., torch.as_tensor(kept, device=block.device)]

    def _block(self, layer: int, heads: IntArray, rows: IntArray) -> FloatArray:
        if not rows.size:
            return np.zeros((len(heads), 0, self.n_keys), dtype=np.float32)
        block = self.device_block(layer, heads, rows).cpu().numpy()
        if block.shape[-1] == self.n_keys:
            return block
        padded = np.zeros((len(heads), len(rows), self.n_keys), dtype=np.float32)
        padded[..., : block.shape[-1]] = block
        return padded

    def _window(
        self, layers: IntArray, heads: IntArray, rows: IntArray, columns: IntArray
    ) -> FloatArray:
        every_column = np.array_equal(columns, np.arange(self.n_keys))
        whole = every_column and np.array_equal(rows, np.arange(self.n_queries))
        name = (layers.tobytes(), heads.tobytes())
        if name in self._means:
            return self._means[name][np.ix_(rows, columns)]
        window = np.zeros((len(rows), self.n_keys if every_column else len(columns)), np.float32)
        for part in self._row_blocks(rows, len(heads)):
            total: Tensor | None = None
            for layer in layers:
                block = self.device_block(int(layer), heads, rows[part])
                mean = block[0] if len(heads) == 1 else block.mean(dim=0)
                total = add_blocks(total, mean)
            if total is None:
                continue
            values = total.cpu().numpy()
            if every_column:
                window[part, : values.shape[-1]] = values
            else:
                reached = columns < values.shape[-1]
                window[part, reached] = values[:, columns[reached]]
        if len(layers) > 1:
            window /= len(layers)
        if whole and len(layers) > 1 and window.nbytes <= _KEPT_MEAN_BYTES:
            # A mean over all layers takes as long as all of them, and a zoom asks for it again.
            while len(self._means) >= _KEPT_MEANS:
                self._means.pop(next(iter(self._means)), None)
            self._means[name] = window.copy()
        return window

    def _row_mean(self, layers: IntArray, heads: IntArray, rows: IntArray) -> FloatArray:
        whole = len(layers) == self.n_layers and len(heads) == self.n_heads
        last = self._last_mean
        if whole and last is not None and last[0] == rows.tobytes():
            return last[1].copy()
        mean = np.zeros((len(layers), len(heads), self.n_keys), dtype=np.float32)
        for number, layer in enumerate(layers):
            total: Tensor | None = None
            for part in self._row_blocks(rows, len(heads)):
                total = add_blocks(
                    total, self.device_block(int(layer), heads, rows[part]).sum(dim=1)
                )
            if total is not None:
                mean[number, :, : total.shape[-1]] = (total / len(rows)).cpu().numpy()
        if whole:  # moving the threshold or the reduction asks for the same rows again
            self._last_mean = (rows.tobytes(), mean.copy())
        return mean

    def _visible(self, layer: int, rows: IntArray) -> NDArray[np.bool_]:
        capture = self._captures[layer]
        queries = self._kept_queries[rows]
        n_keys = capture.shape[2]
        visible = np.zeros((len(rows), n_keys), dtype=np.bool_)
        stop = capture.mask.stop(queries, n_keys)
        allowed = capture.mask.allowed(self._item, queries, stop, capture.query.device)
        if allowed is None:
            visible[:] = True
        else:
            if allowed.dtype != torch.bool:  # additive: what is pushed far down is not seen
                allowed = allowed > torch.finfo(allowed.dtype).min / 2
            visible[:, :stop] = allowed.any(dim=0).cpu().numpy()
        return visible[:, self._kept_keys]


def add_blocks(total: Tensor | None, part: Tensor) -> Tensor:
    """Add parts whose last axes may end at different keys."""
    if total is None:
        return part.clone()
    if part.shape[-1] > total.shape[-1]:
        total = torch.nn.functional.pad(total, (0, part.shape[-1] - total.shape[-1]))
    total[..., : part.shape[-1]] += part
    return total
