"""Feedback from embeddings: the similarity of a hyperedge to the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import Diagnostic
from explorer.feedback._feedback_table import reached
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult, quoted
from explorer.traces import Trace
from explorer.traces._evidence.evidence_finder import hyperedge_diagnostics


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of many texts.

    Attributes
    ----------
    places
        The row of each text.
    directions
        float64 (texts, width), each row of length 1; NaN where the embedding was zero.
    cut
        Texts that were longer than the model reads and were cut.
    failure
        The reason why the embedding failed, or None.
    """

    places: Mapping[str, int]
    directions: NDArray[np.float64]
    cut: frozenset[str] = field(default_factory=frozenset)
    failure: str | None = None

    @classmethod
    def of(
        cls, texts: Sequence[str], embeddings: NDArray[np.floating], cut: Iterable[str] = ()
    ) -> Vectors:
        """Return the unit vectors of embeddings (texts, width) of finite numbers."""
        rows = np.asarray(embeddings, dtype=np.float64)
        # Divide by the largest entry first: the square of 1e200 overflows.
        with np.errstate(invalid="ignore", divide="ignore"):
            rows = rows / np.abs(rows).max(axis=1, keepdims=True)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return cls({text: place for place, text in enumerate(texts)}, rows, frozenset(cut))

    @classmethod
    def failed(cls, reason: str) -> Vectors:
        """Return an object without vectors, with the reason."""
        return cls({}, np.empty((0, 1)), failure=reason)


def similarities(vectors: Vectors, answer: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the similarity of each text to the answer, (cosine + 1) / 2; NaN for a zero vector.

    Returns
    -------
    ndarray of float64, shape (texts,)
        In [0, 1].
    """
    found = np.full(len(texts), nan)
    known = [place for place, text in enumerate(texts) if text in vectors.places]
    if answer in vectors.places and known:
        rows = vectors.directions[[vectors.places[texts[place]] for place in known]]
        cosines = rows @ vectors.directions[vectors.places[answer]]
        found[known] = np.clip((cosines + 1.0) / 2.0, 0.0, 1.0)
    return found


def embedding_results(
    trace: Trace, places: Sequence[int], vectors: Vectors, config: ExtractorConfig
) -> dict[int, MethodResult]:
    """Return results for the hyperedges at `places`; neutral, with the reason, where unknown."""
    policy = config.similarity_policy
    texts = [trace.hyperedges[place].hyperedge for place in places]
    scores = reached(similarities(vectors, trace.answer, texts), policy)
    signals = np.nan_to_num(policy.convert(scores), nan=config.neutral_feedback)
    notes = hyperedge_diagnostics(trace)
    found = {}
    compared = f"answer: {quoted(trace.answer)}"
    for place, text, score, signal, verdict in zip(
        places, texts, scores.tolist(), signals.tolist(), policy.verdicts(scores), strict=True
    ):
        reasons = _reasons(trace.answer, text, score, vectors)
        found[place] = MethodResult(
            "embedding",
            "none" if isnan(score) else "cosine",
            0,
            score,
            policy.number,
            signal,
            str(verdict),
            "nothing" if isnan(score) else compared,
            (*notes[place], *reasons),
        )
    return found


def plan_embedding(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:  # noqa: ARG001 - as all plans
    """Plan the similarity of every hyperedge to the answer."""
    places = range(len(trace.hyperedges))
    return EmbeddingPlan(places, lambda embedded: [embedded[place] for place in places])


def _reasons(answer: str, text: str, score: float, vectors: Vectors) -> list[Diagnostic]:
    if not isnan(score):
        cut = [
            what for what, one in (("answer", answer), ("hyperedge", text)) if one in vectors.cut
        ]
        if not cut:
            return []
        message = (
            f"Longer than the embedding model reads: the {' and the '.join(cut)}. Only the "
            "beginning was compared."
        )
        return [Diagnostic("text-cut", message)]
    outcome = "the similarity is unknown"
    if not answer.strip():
        return [Diagnostic("empty-answer", f"There is no answer to compare with; {outcome}.")]
    if not text.strip():
        return [Diagnostic("nothing-to-embed", f"There is no text to compare; {outcome}.")]
    if vectors.failure is not None:
        return [Diagnostic("embedding-failed", f"{vectors.failure} So {outcome}.")]
    return [
        Diagnostic(
            "zero-embedding",
            f"An embedding of only zeros has no direction to compare; {outcome}.",
        )
    ]
