"""Attention computed on demand from the queries and keys of a forward pass."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor

from explorer.attention._attention_map import AttentionMap
from explorer.attention._blocks import FloatArray, row_blocks
from explorer.attention._indexing import IntArray
from explorer.attention._recorder.capture import Capture, add_blocks, attention_block

# Means over layers that are stored: four maps of at most 2,048 x 2,048 float32.
_STORED_MEANS = 4
_STORED_MEAN_BYTES = 1 << 24


class RecordedAttention(AttentionMap):
    """Attention of a forward pass, stored as queries and keys and computed for the window read.

    Made by `record_attention`. Pad positions are dropped: rows and columns are the real tokens.
    Weights are computed on the model's device and returned as NumPy arrays.
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
        self._means: LRUCache[tuple[bytes, bytes], FloatArray] = LRUCache(_STORED_MEANS)
        self._means_lock = threading.Lock()

    @property
    def captures(self) -> tuple[Capture, ...]:
        """What was stored of each layer."""
        return self._captures

    @property
    def nbytes(self) -> int:
        """Memory of the stored queries and keys, in bytes."""
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
        with self._means_lock:
            mean = self._means.get(name)
        if mean is not None:
            return mean.copy() if whole else mean[np.ix_(rows, columns)]
        # The one copy of the weights: from the blocks of rows into the window that is returned.
        window = np.zeros((len(rows), len(columns)), dtype=np.float32)
        for part in row_blocks(len(rows), len(heads) * self.n_keys):
            values = self._sum_over_layers(layers, heads, rows[part])
            if values is None:
                continue
            if every_column:
                window[part, : values.shape[-1]] = values.cpu().numpy()
            else:
                # Picked on the device: of a long text, all columns would be a large transfer.
                reached = columns < values.shape[-1]
                index = torch.as_tensor(columns[reached], device=values.device)
                window[part, reached] = values.index_select(1, index).cpu().numpy()
        if len(layers) > 1:
            window /= len(layers)
        if whole and len(layers) > 1 and window.nbytes <= _STORED_MEAN_BYTES:
            # A mean over all layers takes as long as computing all of them, and a zoom reads it
            # again. The caller may change its own array.
            with self._means_lock:
                self._means[name] = window.copy()
        return window

    def _sum_over_layers(self, layers: IntArray, heads: IntArray, rows: IntArray) -> Tensor | None:
        """Return the mean over heads, summed over layers: (rows, keys or fewer at the end).

        None without layers.
        """
        total: Tensor | None = None
        for layer in layers:
            block = self.device_block(int(layer), heads, rows)
            total = add_blocks(total, block[0] if len(heads) == 1 else block.mean(dim=0))
        return total

    def _row_mean(self, layers: IntArray, heads: IntArray, rows: IntArray) -> FloatArray:
        whole = len(layers) == self.n_layers and len(heads) == self.n_heads
        last = self._last_mean
        if whole and last is not None and last[0] == rows.tobytes():
            return last[1].copy()
        mean = np.zeros((len(layers), len(heads), self.n_keys), dtype=np.float32)
        for number, layer in enumerate(layers):
            total: Tensor | None = None
            for part in row_blocks(len(rows), len(heads) * self.n_keys):
                total = add_blocks(
                    total, self.device_block(int(layer), heads, rows[part]).sum(dim=1)
                )
            if total is not None:
                mean[number, :, : total.shape[-1]] = (total / len(rows)).cpu().numpy()
        if whole:  # a change of the threshold or the reduction reads the same rows again
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
            if allowed.dtype != torch.bool:  # additive: entries near the lowest number hide a key
                allowed = allowed > torch.finfo(allowed.dtype).min / 2
            visible[:, :stop] = allowed.any(dim=0).cpu().numpy()
        return visible[:, self._kept_keys]
