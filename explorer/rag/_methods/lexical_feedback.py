"""Feedback from words: what a hyperedge shares with question and answer, rare words counting more.

No model is needed. It is the baseline `lexical-overlap` of `explorer.validation` as a method: where
attention ranks no better, these scores can be used instead.
"""

from __future__ import annotations

import numpy as np

from explorer.feedback import Diagnostic
from explorer.feedback._feedback_table import reached
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult, quoted, unknown
from explorer.rag._methods.word_overlap import content_words, lexical_overlap
from explorer.traces import Trace
from explorer.traces._evidence.evidence_finder import hyperedge_diagnostics

_WORDS_SHOWN = 6


def plan_lexical(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:
    """Plan the lexical overlap of every hyperedge; nothing has to be embedded.

    Feedback is neutral, with the reason, where question and answer have no content words, and for
    a hyperedge without any.
    """
    policy = config.lexical_policy
    asked = asked_text(trace.query, trace.answer)
    texts = [edge.hyperedge for edge in trace.hyperedges]
    wanted = list(dict.fromkeys(content_words(asked)))
    whole: tuple[Diagnostic, ...] = ()
    if not wanted:
        message = "Question and answer have no content words, so no hyperedge can share any."
        whole = (Diagnostic("no-words-asked", message),)
    scores = lexical_overlap(asked, texts)
    words = [set(content_words(text)) for text in texts]
    scores[[not (wanted and found) for found in words]] = np.nan
    scores = reached(scores, policy)
    results = []
    for found, score, signal, verdict, notes in zip(
        words,
        scores.tolist(),
        policy.convert(scores).tolist(),
        policy.verdicts(scores),
        hyperedge_diagnostics(trace),
        strict=True,
    ):
        if np.isnan(score):
            reasons = (*notes, *(whole or (_wordless(),)))
            result = unknown("lexical", "none", policy.number, reasons)
            results.append(result._replace(feedback=config.neutral_feedback))
            continue
        shared = [word for word in wanted if word in found]
        results.append(
            MethodResult(
                "lexical",
                "words",
                0,
                score,
                policy.number,
                signal,
                str(verdict),
                _matched(shared),
                notes,
            )
        )
    return EmbeddingPlan((), lambda _: results, whole)


def asked_text(query: str, answer: object) -> str:
    """Return question and answer as one text."""
    return f"{query} {answer if isinstance(answer, str) else ''}".strip()


def _matched(shared: list[str]) -> str:
    if not shared:
        return "nothing"
    more = len(shared) - _WORDS_SHOWN
    named = f"words: {quoted(', '.join(shared[:_WORDS_SHOWN]))}"
    return named + (f" and {more} more" if more > 0 else "")


def _wordless() -> Diagnostic:
    return Diagnostic("no-content-words", "The hyperedge has no content words to compare.")
