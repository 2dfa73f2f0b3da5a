"""Readers of foreign trace formats, one file each; `READERS` is the order they are asked in."""

from __future__ import annotations

from explorer.traces.readers import (
    deepeval,
    hotpotqa,
    musique,
    ragas,
    ragbench,
    ragchecker,
)
from explorer.traces.readers.reader import Reader

READERS: tuple[Reader, ...] = (
    musique.READER,
    hotpotqa.READER,
    ragbench.READER,
    ragchecker.READER,
    ragas.READER,
    deepeval.READER,
)
