"""What the traces tab shows of the open trace: its evidence, and the rows and columns of a map."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.feedback import Unit
from explorer.traces import Evidence, Trace, TraceSet, evidence

if TYPE_CHECKING:
    from explorer.models._running.recorded_answer import RecordedAnswer


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
        Answer rows x context columns, if a model was run in this session.
    token_units
        The units as columns of `token_attention`.
    notes
        Sentences that the app shows about this attention.
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
        """The finest map of the trace: over tokens where there is one, else over hyperedges."""
        return self.token_attention if self.token_attention is not None else self.attention

    @property
    def picture_units(self) -> list[Unit]:
        """The units as columns of `picture`."""
        return list(self.token_units) if self.token_attention is not None else self.evidence.units

    @property
    def picture_rows(self) -> NDArray[np.intp]:
        """Rows of `picture` that are shown: those of the answer."""
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
        """Columns of `picture` that are shown: those of the context."""
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
        """Start, stop and id of every hyperedge among the shown columns."""
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
        """Labels of the shown rows: the answer's tokens, or their numbers."""
        picture = self.picture
        if picture is None:
            return []
        tokens = picture.query_tokens
        if tokens is None and picture.n_queries == 1:
            return ["answer"]
        return [str(i) if tokens is None else tokens[i] for i in self.picture_rows]

    @property
    def picture_column_labels(self) -> list[str]:
        """Labels of the shown columns: the context's tokens, or the ids of hyperedges."""
        picture = self.picture
        if picture is None:
            return []
        return [
            str(i) if picture.tokens is None else picture.tokens[i] for i in self.picture_columns
        ]

    @property
    def picture_height(self) -> int:
        """Height of the heatmap in CSS pixels, at most 480; 22 for each row."""
        return int(min(480, 136 + max(84, 22 * len(self.picture_rows))))


def recorded_scene(scene: TraceScene, recording: RecordedAnswer, model: str) -> TraceScene:
    """Return the scene of a trace with the attention that a model has just paid to it.

    Parameters
    ----------
    scene
        The trace as it was opened.
    recording
        What the model recorded.
    model
        Name of the model, a stand-in for the one that gave the answer.
    """
    trace = scene.trace
    found = {
        "unit_attention": recording.attention.array,
        "unit_topk": recording.attention.topk,
        "unit_topk_k": recording.attention.k,
        "unit_tokens": [len(tokens) for tokens in recording.unit_tokens],
        "answer_tokens": list(recording.answer_tokens),
        "model": model,
        "stand_in": {"model": model},
    }
    if recording.question is not None:
        found |= {
            "question_attention": recording.question.array,
            "question_topk": recording.question.topk,
            "question_rows": len(recording.question.rows or ()),
        }
    recorded = msgspec.structs.replace(
        trace, answer=recording.answer, metadata={**trace.metadata, **found}
    )
    token_units = tuple(
        Unit(edge.id, edge.hyperedge, spans, sum(stop - start for start, stop in spans))
        for edge, spans in zip(trace.hyperedges, recording.spans, strict=True)
    )
    return TraceScene(
        recorded,
        scene.index,
        evidence(recorded),
        recording.token_attention,
        token_units,
        recording.notes,
    )


def labelled_scene(scene: TraceScene, traces: TraceSet) -> TraceScene:
    """Return a scene with the labels that its trace has now; the scene itself if they are equal."""
    edges = traces[scene.index].hyperedges
    if [edge.label for edge in edges] == [edge.label for edge in scene.trace.hyperedges]:
        return scene
    return replace(scene, trace=msgspec.structs.replace(scene.trace, hyperedges=edges))
