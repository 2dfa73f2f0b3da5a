"""Readers of foreign trace formats, one file each; `READERS` is the order they are asked in."""

from __future__ import annotations

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
from explorer.traces.readers.reader import Reader

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
