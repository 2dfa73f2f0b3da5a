"""One recorded attention call, and the attention weights computed from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attention._indexing import IntArray
from explorer.attention._recorder.key_masks import KeyMask
from explorer.attention._recorder.position_bias import PositionBias


@dataclass(frozen=True)
class Capture:
    """The inputs of one attention call, from which its weights are computed again.

    Attributes
    ----------
    query
        (texts, heads, queries, size), after rotary embedding.
    key
        (texts, key heads, keys, size); a group of query heads shares each key head.
    scaling
        Factor of the product of query and key.
    mask
        Which keys each query may attend to.
    bias
        Added to the scores by position (T5).
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

    Computed in float32 for bfloat16 models too. Their own eager attention rounds the scores, so the
    two differ by up to about 0.005. A row that may attend to no key is all zero.

    Returns
    -------
    float32 tensor (heads, rows, keys or fewer). Keys missing at the end have no attention.
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
    return softmax(scores, sinks)


def _scores(
    capture: Capture, item: int, heads: IntArray, rows: IntArray, stop: int, n_heads: int
) -> Tensor:
    """Return query key^T: float32 (heads, rows, stop)."""
    query, key = capture.query[item], capture.key[item, :, :stop]
    picked = torch.as_tensor(rows, device=query.device)
    group = n_heads // key.shape[0]
    if len(heads) == n_heads:
        # Query heads that share a key head are stacked, so that no key is repeated.
        stacked = query.index_select(1, picked).reshape(key.shape[0], -1, query.shape[-1])
        scores = wide(stacked) @ wide(key).mT
        return scores.reshape(n_heads, len(rows), stop)
    chosen = query[heads].index_select(1, picked)
    return wide(chosen) @ wide(key[heads // group]).mT


def wide(tensor: Tensor) -> Tensor:
    """Return a tensor as float32; float64 stays."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def softmax(scores: Tensor, sinks: Tensor | None) -> Tensor:
    """Return the softmax over the last axis; sinks (heads, 1, 1) add to the denominator only."""
    top = scores.amax(dim=-1, keepdim=True)
    if sinks is not None:
        top = torch.maximum(top, sinks)
        exponents = torch.exp_(scores - top)
        return exponents.div_(exponents.sum(dim=-1, keepdim=True) + torch.exp(sinks - top)).float()
    attention = torch.softmax(scores, dim=-1, dtype=scores.dtype).float()
    blind = top == float("-inf")  # rows that may attend to no key
    # On a GPU, testing whether there are any would wait for all queued work.
    rare = blind.device.type != "cpu" or bool(blind.any())
    return attention.masked_fill_(blind, 0.0) if rare else attention


def add_blocks(total: Tensor | None, part: Tensor) -> Tensor:
    """Add a block whose last axis may end at another key to `total`, in place, and return it.

    If `total` is None, `part` itself is returned and later changed.
    """
    if total is None:
        return part
    if part.shape[-1] > total.shape[-1]:
        total = torch.nn.functional.pad(total, (0, part.shape[-1] - total.shape[-1]))
    total[..., : part.shape[-1]] += part
    return total
