"""Texts of the labelled units, and the baseline scores made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EmbeddingError
from explorer.feedback import Diagnostic
from explorer.rag._methods.lexical_feedback import asked_text
from explorer.rag._methods.word_overlap import (
    lexical_overlap as lexical_overlap,  # noqa: PLC0414 - the public name comes from here
)
from explorer.rag._methods.word_overlap import word_overlap
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_builder import as_traces
from explorer.validation._data.score_checks import first_few

Embed = Callable[[list[str]], Any]


class TraceTexts:
    """Texts and text-based scores of the labelled units of one trace; no metadata."""

    def __init__(self, trace: Trace, units: list[int], judged: LabelledScores) -> None:
        self.units = np.array(units, dtype=np.intp)
        self.answer = trace.answer if isinstance(trace.answer, str) else ""
        self.question_and_answer = asked_text(trace.query, trace.answer)
        by_id: dict[str, int] = {}
        for place, edge in enumerate(trace.hyperedges):
            by_id.setdefault(edge.id, place)
        places = [by_id.get(judged.units[unit]) for unit in units]
        everything = [edge.hyperedge for edge in trace.hyperedges]
        self.texts = ["" if place is None else everything[place] for place in places]
        lexical = lexical_overlap(self.question_and_answer, everything)
        plain = word_overlap(self.question_and_answer, everything)
        self.word_overlap = [np.nan if place is None else plain[place] for place in places]
        self.lexical_overlap = [np.nan if place is None else lexical[place] for place in places]
        self.retrieval = [
            np.nan if place is None else _retrieval_score(trace.hyperedges[place].extra)
            for place in places
        ]


class UnitTexts:
    """Texts of all labelled units, and scores made from them.

    Parameters
    ----------
    judged
        The units.
    by_group
        Texts of the traces, by the index of the trace.

    Attributes
    ----------
    notes : tuple of Diagnostic
        Names the traces whose texts are missing.
    """

    def __init__(self, judged: LabelledScores, by_group: dict[int, TraceTexts]) -> None:
        self._judged = judged
        self._by_group = by_group
        missing = [name for group, name in enumerate(judged.traces) if group not in by_group]
        self.notes: tuple[Diagnostic, ...] = ()
        if missing:
            message = f"The texts of some traces are missing: {first_few(missing)}."
            self.notes = (Diagnostic("no-texts", message),)

    @classmethod
    def of(cls, traces: Iterable[Trace], judged: LabelledScores) -> UnitTexts:
        """Collect the texts of the units from traces."""
        group_of = {name: group for group, name in enumerate(judged.traces)}
        units: dict[int, list[int]] = {}
        for place, group in enumerate(judged.groups.tolist()):
            units.setdefault(group, []).append(place)
        texts: dict[int, TraceTexts] = {}
        for trace in as_traces(traces):
            known = group_of.get(trace.id)
            if known is None or known not in units or known in texts:
                continue
            texts[known] = TraceTexts(trace, units[known], judged)
        return cls(judged, texts)

    def _unknown(self) -> NDArray[np.float64]:
        return np.full(len(self._judged), np.nan)

    def retrieval_scores(self) -> tuple[NDArray[np.float64], tuple[Diagnostic, ...]]:
        """Return the scores of the retriever, and notes."""
        scores = self._unknown()
        for texts in self._by_group.values():
            scores[texts.units] = texts.retrieval
        missing = int(np.isnan(scores).sum())
        if not missing:
            return scores, self.notes
        message = f"{missing} of {len(scores)} units have no score of the retriever."
        return scores, (*self.notes, Diagnostic("no-retrieval-score", message))

    def overlaps(self, *, weighted: bool) -> NDArray[np.float64]:
        """Return `lexical_overlap` with the question and answer, or else `word_overlap`."""
        scores = self._unknown()
        for texts in self._by_group.values():
            scores[texts.units] = texts.lexical_overlap if weighted else texts.word_overlap
        return scores

    def similarities(
        self, embed: Embed | None, control: RunControl, *, with_question: bool
    ) -> tuple[NDArray[np.float64], tuple[Diagnostic, ...]]:
        """Return the cosine of each unit and the answer, or question and answer, and notes."""
        scores = self._unknown()
        places: dict[str, int] = {}
        pairs = []
        for texts in self._by_group.values():
            asked = texts.question_and_answer if with_question else texts.answer
            for unit, text in zip(texts.units, texts.texts, strict=True):
                if asked.strip() and text.strip():
                    first = places.setdefault(asked, len(places))
                    pairs.append((unit, first, places.setdefault(text, len(places))))
        if not pairs:
            note = Diagnostic("nothing-to-embed", "There are no texts to embed.")
            return scores, (*self.notes, note)
        try:
            vectors = _embedded(list(places), embed, control)
        except EmbeddingError as error:
            return scores, (*self.notes, Diagnostic("embedding-failed", str(error)))
        unit, first, second = np.array(pairs).T
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.divide(vectors, norms, out=np.full_like(vectors, np.nan), where=norms > 0)
        scores[unit] = np.einsum("ij,ij->i", vectors[first], vectors[second])
        return scores, self.notes


def _retrieval_score(extra: Mapping[str, Any]) -> float:
    value = extra.get("retrieval_score")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return np.nan
    return float(value) if np.isfinite(value) else np.nan


def _embedded(texts: list[str], embed: Embed | None, control: RunControl) -> NDArray[np.float64]:
    from explorer.rag._embeddings.embedders import packaged_embedder
    from explorer.rag._embeddings.embedding_functions import checked_embeddings, failed_embedding

    if embed is None:
        return packaged_embedder().embed(texts, control=control).array
    control.report("embedding", None, f"Embedding {len(texts)} texts ...")
    try:
        value = embed(list(texts))
    except Exception as error:
        raise failed_embedding(error) from error
    if hasattr(value, "__await__"):
        value.close()
        raise EmbeddingError("The embedding function of a baseline must not be async.")
    return checked_embeddings(value, len(texts))
