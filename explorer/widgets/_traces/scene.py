"""An opened trace: the evidence about its hyperedges, and the attention that a picture shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.feedback import Unit
from explorer.traces import Evidence, Trace


@dataclass(frozen=True, eq=False)
class TraceScene:
    """A trace with the evidence about its hyperedges.

    Parameters
    ----------
    trace
        The trace.
    index
        Its place in the loaded file, from 0.
    evidence
        Attention and units.
    token_attention
        Answer rows x context columns, when a model was run here.
    token_units
        The units as columns of `token_attention`.
    notes
        Sentences the user must know about this attention.
    """

    trace: Trace
    index: int
    evidence: Evidence
    token_attention: AttentionMap | None = None
    token_units: tuple[Unit, ...] = ()
    notes: tuple[str, ...] = ()
    measured: dict[str, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)

    @property
    def attention(self) -> AttentionMap | None:
        """The map that the scores come from; None when the trace brings no evidence."""
        return self.evidence.attention

    def unit_names(self, _: str = "") -> list[str]:
        """Ids of the hyperedges."""
        return [unit.name for unit in self.evidence.units]

    @property
    def picture(self) -> AttentionMap | None:
        """The finest map there is to look at."""
        return self.token_attention if self.token_attention is not None else self.attention

    @property
    def picture_units(self) -> list[Unit]:
        """The units as columns of `picture`."""
        return list(self.token_units) if self.token_attention is not None else self.evidence.units

    @property
    def picture_rows(self) -> NDArray[np.intp]:
        """Rows of `picture` worth showing: those of the answer."""
        picture = self.picture
        if picture is None:
            return np.arange(0)
        if self.token_attention is None and self.evidence.rows is not None:
            return np.asarray(self.evidence.rows, dtype=np.intp)
        return np.arange(picture.n_queries)

    @property
    def picture_columns_are_units(self) -> bool:
        """Whether every column of `picture` is a whole hyperedge."""
        return self.token_attention is None and self.evidence.kind in ("direct", "units")

    @cached_property
    def picture_columns(self) -> NDArray[np.intp]:
        """Columns of `picture` worth showing: those of the context."""
        picture = self.picture
        if picture is None:
            return np.arange(0)
        spans = [span for unit in self.picture_units for span in unit.spans]
        if not spans or self.picture_columns_are_units:
            return np.arange(picture.n_keys)
        first, last = min(start for start, _ in spans), max(stop for _, stop in spans)
        return np.arange(first, last)

    @cached_property
    def picture_boundaries(self) -> list[tuple[int, int, str]]:
        """Where the hyperedges lie among the picture's columns: start, stop, id."""
        if self.picture_columns_are_units or not self.picture_columns.size:
            return []
        first = int(self.picture_columns[0])
        return [
            (start - first, stop - first, unit.name)
            for unit in self.picture_units
            for start, stop in unit.spans
        ]

    @property
    def picture_row_labels(self) -> list[str]:
        """The answer's tokens, or what stands for them."""
        picture = self.picture
        if picture is None:
            return []
        tokens = picture.query_tokens
        if tokens is None and picture.n_queries == 1:
            return ["answer"]
        return [str(i) if tokens is None else tokens[i] for i in self.picture_rows]

    @property
    def picture_column_labels(self) -> list[str]:
        """The context's tokens, or the ids of the hyperedges."""
        picture = self.picture
        if picture is None:
            return []
        return [
            str(i) if picture.tokens is None else picture.tokens[i] for i in self.picture_columns
        ]

    @property
    def picture_height(self) -> int:
        """Height of the picture in CSS pixels: rows as high as they can be read, within reason."""
        return int(min(480, 136 + max(84, 22 * len(self.picture_rows))))
