"""Readers of the trace formats of other tools, in the order in which they are tried."""

from __future__ import annotations

from explorer.traces.readers._reader import Reader, Record, one_by_one
from explorer.traces.readers._samples import (
    deepeval,
    hotpotqa,
    musique,
    ragas,
    ragbench,
    ragchecker,
)
from explorer.traces.readers._spans import (
    genai,
    langfuse,
    langsmith,
    mlflow,
    openinference,
    trulens,
)

__all__ = ["READERS", "Reader", "Record", "one_by_one"]

READERS: tuple[Reader, ...] = (
    musique.READER,
    hotpotqa.READER,
    ragbench.READER,
    ragchecker.READER,
    ragas.READER,
    deepeval.READER,
    openinference.READER,
    genai.READER,
    langfuse.READER,
    langsmith.READER,
    mlflow.READER,
    trulens.READER,
)
