"""Recorded attention on its way to the page: how often it is copied."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from explorer import Explorer
from explorer.attention import record_attention

from ..support.app_driver import AppDriver
from ..support.tiny_models import tiny_model

TOKENS = 512
TINY = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


class LargeCopies(TorchDispatchMode):
    """Notes every tensor of so many numbers that is copied."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = str(func)
        copies = any(word in name for word in ("clone", "copy_", "_to_copy"))
        if copies and isinstance(out, torch.Tensor) and out.numel() >= self.least:
            self.found.append(name)
        return out


def test_recorded_attention_is_copied_twice_on_its_way_to_the_wire() -> None:
    """Once from the blocks of the softmax to one matrix, once from there to bytes."""
    settings = {"vocab_size": 32, "max_position_embeddings": TOKENS}
    model = tiny_model(("LlamaConfig", "LlamaModel", TINY | settings))
    ids = torch.arange(TOKENS)[None] % 32
    app = Explorer.from_attention(record_attention(model, input_ids=ids), layer=0, head=0)
    heatmap = AppDriver(app).plots["code_heatmap"]
    heatmap.settle()
    app.layer = 1  # warm
    heatmap.settle()
    matrix = 4 * TOKENS * TOKENS
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        with LargeCopies(TOKENS * (TOKENS // 2)) as copies:
            app.layer = 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert copies.found == []
    # The matrix, a byte a cell, and small arrays; a copy of the matrix would make it 2.25 times.
    assert matrix < peak - before < 2 * matrix
    expected = app.attention.weights(0, 0)
    codes = np.frombuffer(heatmap.channel.heatmap["codes"], np.uint8).reshape(expected.shape)
    np.testing.assert_array_equal(codes, np.rint(np.sqrt(expected) * np.float32(254)))
