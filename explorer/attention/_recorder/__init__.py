"""The recorder: attention of a transformers model at the cost of a plain forward pass.

Of `explorer.attention`, this folder alone needs torch and transformers.
"""

from __future__ import annotations

from explorer.attention._recorder._units.unit_recording import (
    ReducedText,
    record_units,
    reduce_texts,
    reduce_units,
)
from explorer.attention._recorder._units.unit_reducer import TextUnits
from explorer.attention._recorder.attention_recording import (
    record,
    record_attention,
    record_with_states,
)
from explorer.attention._recorder.continued_recording import (
    CannotContinueError,
    record_continued,
)
from explorer.attention._recorder.recorded_attention import RecordedAttention

__all__ = [
    "CannotContinueError",
    "RecordedAttention",
    "ReducedText",
    "TextUnits",
    "record",
    "record_attention",
    "record_continued",
    "record_units",
    "record_with_states",
    "reduce_texts",
    "reduce_units",
]
