"""Feedback from citation: the share of a hyperedge that the answer repeats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rapidfuzz import fuzz

from explorer.feedback import Diagnostic
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult, quoted, unknown
from explorer.traces import Trace
from explorer.traces._evidence.evidence_finder import hyperedge_diagnostics
from explorer.traces._evidence.text_matching import normalised

_LONGEST_TEXT = 2000
_LONGEST_ANSWER = 20_000
# The time of the search for the best stretch grows with the square of the length. A longer text is
# a document rather than a fact, and only containment is checked.


class Citation(NamedTuple):
    """The ratio in [0, 1] at which an answer repeats a hyperedge, and the stretch of the answer.

    `searched` is False where the two are so long that only containment was checked.
    """

    ratio: float
    stretch: str
    searched: bool = True


def citation(text: str, answer: str) -> Citation:
    """Return how well `answer` repeats `text`; both normalised, neither empty.

    1 where the answer contains the text. Else the ratio 2M/T: M characters in the longest common
    subsequence, of T in both together; for an answer longer than the text that of its best
    matching stretch of the text's length, else of the whole answer. So a short answer that
    lies within a hyperedge does not cite it. Of texts longer than 2,000 characters, and answers
    longer than 20,000, only containment is checked.

    Examples
    --------
    >>> citation("the nile is long", "we know the nile is long indeed").ratio
    1.0
    >>> citation("abcde", "zzabcdfzz").ratio  # in a stretch of five, abcd: 2 * 4 / 10
    0.8
    >>> round(citation("the nile is long", "the nile").ratio, 3)  # 2 * 8 / 24
    0.667
    """
    if text in answer:
        return Citation(1.0, text)
    if len(text) > _LONGEST_TEXT or len(answer) > _LONGEST_ANSWER:
        return Citation(0.0, "", searched=False)
    if len(answer) <= len(text):
        return Citation(fuzz.ratio(text, answer) / 100.0, answer)
    best = fuzz.partial_ratio_alignment(text, answer)
    if best is None:  # rapidfuzz returns None only below a cut-off, which is not set
        return Citation(0.0, "")
    return Citation(best.score / 100.0, answer[best.dest_start : best.dest_end])


def cited_feedback(ratios: ArrayLike, config: ExtractorConfig) -> NDArray[np.float64]:
    """Return the feedback for ratios of `citation`, of the same shape.

    With r the ratio and t the threshold: positive x r for r >= t, so positive for a hyperedge that
    the answer contains; else negative.
    """
    known = np.asarray(ratios, dtype=np.float64)
    used = known >= config.citation_threshold
    return np.where(used, config.positive_feedback * known, config.negative_feedback)


def cite(
    trace: Trace, config: ExtractorConfig
) -> tuple[list[MethodResult], tuple[Diagnostic, ...]]:
    """Return a result for every hyperedge, and diagnostics of the trace; unknown feedback is NaN.

    The feedback is that of `cited_feedback`.
    """
    threshold = config.citation_threshold
    answer = normalised(trace.answer)
    notes = hyperedge_diagnostics(trace)
    texts = [normalised(edge.hyperedge) for edge in trace.hyperedges]
    whole = _whole(answer, texts)
    results = []
    for text, reasons in zip(texts, notes, strict=True):
        if not text or not answer:
            missing = whole if text else (_wordless(),)
            results.append(unknown("citation", "none", threshold, (*reasons, *missing)))
            continue
        found = citation(text, answer)
        used = found.ratio >= threshold
        results.append(
            MethodResult(
                "citation",
                "substring" if text in answer else "similarity",
                0,
                found.ratio,
                threshold,
                float(cited_feedback(found.ratio, config)),
                "used" if used else "not used",
                f"answer: {quoted(found.stretch)}" if used else "nothing",
                (*reasons, *(() if used else whole), *(() if found.searched else (_long(),))),
            )
        )
    return results, whole


def plan_citation(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:
    """Plan citation of every hyperedge, with neutral feedback where nothing can be compared."""
    results, notes = cite(trace, config)
    settled = [
        result if result.known else result._replace(feedback=config.neutral_feedback)
        for result in results
    ]
    return EmbeddingPlan((), lambda _: settled, notes)


def _whole(answer: str, texts: list[str]) -> tuple[Diagnostic, ...]:
    """Return the reason why the answer cannot cite anything."""
    if not answer:
        message = "The answer has no words, so it cannot cite anything."
        return (Diagnostic("empty-answer", message),)
    lengths = [len(text) for text in texts if text]
    if lengths and len(answer) < min(lengths):
        message = (
            f"The answer ({len(answer)} characters) is shorter than every hyperedge (from "
            f"{min(lengths)}), so it cannot contain one. A short answer cites nothing."
        )
        return (Diagnostic("answer-too-short", message),)
    return ()


def _long() -> Diagnostic:
    return Diagnostic(
        "too-long-to-compare",
        f"The hyperedge has more than {_LONGEST_TEXT:,} characters, or the answer more than "
        f"{_LONGEST_ANSWER:,}: only a word-for-word copy was searched for, not a similar one.",
    )


def _wordless() -> Diagnostic:
    return Diagnostic("nothing-to-cite", "The hyperedge has no words that an answer could repeat.")
