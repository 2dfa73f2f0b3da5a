"""Labels, scores and ids that stand beside the facts of a record, in lists of the same length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from explorer.traces._model.trace import Hyperedge
from explorer.traces.readers._fields.literals import parsed, seems_printed
from explorer.traces.readers._read_context import ReadContext

ATTENTION_LISTS = (
    *("hyperedge_attention", "attention", "attention_scores", "attention_weights"),
    *("attention_score", "attention_weight"),
)
RETRIEVAL_LISTS = (
    *("retrieval_scores", "retrieval_score", "scores", "similarities", "similarity"),
    *("similarity_scores", "relevance_scores", "retriever_scores", "rerank_scores", "weights"),
    *("document_scores", "context_scores"),
)
DISTANCE_LISTS = ("distances", "distance", "cosine_distances", "l2_distances")
LABEL_LISTS = (
    *("labels", "label", "context_labels", "relevance_labels", "relevance", "is_relevant"),
    *("is_supporting", "supporting", "is_selected", "qrels"),
)
ID_LISTS = (
    *("hyperedge_ids", "context_ids", "document_ids", "doc_ids", "chunk_ids", "passage_ids"),
    "retrieved_context_ids",
)
LIST_COLUMNS = (*ATTENTION_LISTS, *RETRIEVAL_LISTS, *DISTANCE_LISTS, *LABEL_LISTS, *ID_LISTS)


class FactColumns:
    """Takes the columns with one value for each fact out of a record, and gives them to the facts.

    Labels and ids that the format itself has set stay. A retriever's scores become
    ``extra["retrieval_score"]`` of the facts, distances with a minus sign: the nearest ranks
    highest.

    Parameters
    ----------
    left
        The fields of the record that were not taken before.
    hyperedges
        The facts.
    kept
        For each fact, its position in the record's list of facts; None if nothing was left out.
    context, line
        Receive values that cannot be understood.
    note
        Receives a sentence about a column of another length.
    """

    def __init__(
        self,
        left: dict[str, Any],
        hyperedges: Sequence[Hyperedge],
        kept: Sequence[int] | None,
        context: ReadContext,
        line: int,
        note: Callable[[str], None],
    ) -> None:
        self._left = left
        self._edges = hyperedges
        self._kept = kept
        self._context = context
        self._line = line
        self._note = note

    def take_all(self, metadata: dict[str, Any]) -> None:
        """Take every known column; attention becomes ``metadata["hyperedge_attention"]``."""
        self._labels()
        self._ids()
        self._attention(metadata)
        self._retrieval(RETRIEVAL_LISTS, 1.0)
        self._retrieval(DISTANCE_LISTS, -1.0)

    def _labels(self) -> None:
        name, labels = self._column(LABEL_LISTS, "labels")
        if labels is None or any(edge.label is not None for edge in self._edges):
            return
        understood = True
        for edge, value in zip(self._edges, labels, strict=True):
            edge.label = self._context.label(value, self._line, name)
            understood = understood and (edge.label is not None or is_empty(value))
            if graded(value):
                edge.extra.setdefault("grade", value)
        if understood:
            del self._left[name]

    def _ids(self) -> None:
        name, ids = self._column(ID_LISTS, "ids")
        by_position = all(edge.id[:1] == "c" and edge.id[1:].isdecimal() for edge in self._edges)
        if ids is None or not by_position or not any(map(_name, ids)):
            return
        for edge, value in zip(self._edges, ids, strict=True):
            edge.id = _name(value) or edge.id
        if all(map(_name, ids)):
            del self._left[name]

    def _attention(self, metadata: dict[str, Any]) -> None:
        name, attention = self._column(ATTENTION_LISTS, "numbers", mapping=True)
        if attention is None or "hyperedge_attention" in metadata:
            return
        if isinstance(attention, list):
            attention = [number(value, name, self._context, self._line) for value in attention]
        metadata["hyperedge_attention"] = attention
        del self._left[name]

    def _retrieval(self, names: Sequence[str], sign: float) -> None:
        name, scores = self._column(names, "numbers")
        if scores is None:
            return
        for edge, value in zip(self._edges, scores, strict=True):
            score = number(value, name, self._context, self._line)
            if score is not None and math.isfinite(score):
                edge.extra.setdefault("retrieval_score", sign * score)
        if sign < 0:
            self._context.distance(name, self._line)
        else:
            del self._left[name]

    def _column(self, names: Sequence[str], what: str, *, mapping: bool = False) -> tuple[str, Any]:
        """Return the first of these columns with one value for each fact, and its values."""
        places = range(len(self._edges)) if self._kept is None else self._kept
        for name in names:
            value = self._left.get(name)
            found = parsed(value) if isinstance(value, str) else value
            if isinstance(found, tuple):
                found = list(found)
            if found is None and seems_printed(value):
                self._context.unread(f"list of {what} in `{name}`", value, self._line)
            if mapping and isinstance(found, dict):
                return name, found
            if not isinstance(found, list) or not self._edges:
                continue
            if self._kept is None and len(found) == len(self._edges):
                return name, found
            if self._kept is not None and len(found) > max(places, default=-1):
                return name, [found[place] for place in places]
            self._note(
                f"`{name}` has {len(found)} values, not one for each fact; it was left unused."
            )
        return "", None


def graded(value: Any) -> bool:
    """Return True for a label that is a number other than 0 and 1."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not math.isnan(value) and value not in (0, 1)


def number(value: Any, name: str, context: ReadContext, line: int) -> float | None:
    """Return a score; None for an empty value, and, with a word to `context`, for any other."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    context.unread(f"number in `{name}`", value, line)
    return None


def _name(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def is_empty(value: Any) -> bool:
    """Return True for a cell without a value."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
