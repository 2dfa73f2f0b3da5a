"""The recorder: attention of a transformers model at the cost of a plain forward pass.

Everything on the attention floor that needs torch and transformers is in this folder.
"""

from __future__ import annotations

from explorer.attention.recorder.recorded import RecordedAttention
from explorer.attention.recorder.recording import (
    record,
    record_attention,
    record_units,
    reduce_units,
)

__all__ = ["RecordedAttention", "record", "record_attention", "record_units", "reduce_units"]
