"""Attention of selected rows of all texts of a batch, in a few operations for a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.attention._indexing import IntArray
from explorer.attention._recorder.capture import Capture, softmax, wide
from explorer.attention._recorder.key_masks import CausalMask, KeyMask


@dataclass(frozen=True)
class BatchRows:
    """The same number of rows of each text.

    Attributes
    ----------
    positions
        int64 (texts, rows), padding included, on the CPU.
    index
        The same on the model's device.
    """

    positions: IntArray
    index: Tensor

    @staticmethod
    def of(positions: IntArray, device: torch.device) -> BatchRows:
        """Return rows whose positions are copied to a device."""
        return BatchRows(positions, torch.as_tensor(positions, device=device))

    def part(self, of: slice) -> BatchRows:
        """Return some of the rows of each text."""
        return BatchRows(self.positions[:, of], self.index[:, of])


class RowMasks:
    """What the rows of a batch may not attend to; worked out once for layers that share a mask."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[KeyMask, Tensor | None, int]] = {}

    def apply(self, scores: Tensor, mask: KeyMask, rows: BatchRows) -> Tensor:
        """Mask scores (texts, heads, rows, keys) in place and return them."""
        stop = scores.shape[-1]
        name = (-1 if isinstance(mask, CausalMask) else id(mask), stop)
        if name not in self._known:
            # All rows of a causal map attend to the keys before the first of them.
            first = min(stop, int(rows.positions.min())) if isinstance(mask, CausalMask) else 0
            allowed = mask.allowed_in_batch(rows.index, stop)
            if allowed is not None and allowed.dtype == torch.bool:
                allowed = ~allowed[..., first:]
            self._known[name] = mask, allowed, first  # while the mask lives, its id is unique
        _, hidden, first = self._known[name]
        if hidden is None:
            return scores
        if hidden.dtype == torch.bool:
            scores[..., first:].masked_fill_(hidden, float("-inf"))
            return scores
        return scores.add_(hidden)


@torch.no_grad()
def row_attention(capture: Capture, rows: BatchRows, masks: RowMasks) -> Tensor:
    """Return the attention of some rows of every text; `attention_block` for a whole batch.

    Parameters
    ----------
    capture
        One attention call.
    rows
        Positions of the rows.
    masks
        Shared by calls with the same rows.

    Returns
    -------
    float32 tensor (texts, heads, rows, keys or fewer). Keys missing at the end have no attention.
    """
    n_heads, _, n_keys = capture.shape
    n_texts, n_rows = rows.positions.shape
    stop = capture.mask.stop(rows.positions, n_keys)
    query, key = capture.query, capture.key
    with torch.autocast(query.device.type, enabled=False):
        place = rows.index[:, None, :, None].expand(-1, n_heads, -1, query.shape[-1])
        # Query heads that share a key head are stacked, so that no key is repeated.
        picked = query.gather(2, place).reshape(n_texts, key.shape[1], -1, query.shape[-1])
        scores = (wide(picked) @ wide(key[:, :, :stop]).mT).reshape(n_texts, n_heads, n_rows, stop)
    scores *= capture.scaling
    if capture.softcap is not None:
        scores = scores.div_(capture.softcap).tanh_().mul_(capture.softcap)
    if capture.bias is not None:
        blocks = [
            capture.bias.block(item, positions, stop)
            for item, positions in enumerate(rows.positions)
        ]
        scores += torch.stack(blocks).to(scores.dtype)  # (texts, 1 or heads, rows, stop)
    scores = masks.apply(scores, capture.mask, rows)
    sinks = None
    if capture.sinks is not None:
        sinks = capture.sinks.reshape(-1).to(scores.dtype)[:, None, None]
    return softmax(scores, sinks)


def padded_rows(rows: list[IntArray]) -> IntArray:
    """Return rows of several texts as one array, padded with the first row of each text.

    Returns
    -------
    int64 (texts, most rows).
    """
    most = max(len(one) for one in rows)
    return np.stack([np.concatenate([one, np.full(most - len(one), one[0])]) for one in rows])
