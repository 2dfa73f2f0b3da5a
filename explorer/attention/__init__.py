"""Attention as data: maps of one forward pass, measures per head, rollout.

Importing this package loads NumPy only. The recorder, which needs torch and transformers, is
loaded when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.attention.dense import DenseAttention
from explorer.attention.maps import AttentionMap
from explorer.attention.units import UnitAttention

if TYPE_CHECKING:
    from explorer.attention.recorder import RecordedAttention, record_attention, record_units

__all__ = [
    "AttentionMap",
    "DenseAttention",
    "RecordedAttention",
    "UnitAttention",
    "record_attention",
    "record_units",
]

_LAZY = {
    "RecordedAttention": "explorer.attention.recorder",
    "record_attention": "explorer.attention.recorder",
    "record_units": "explorer.attention.recorder",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
