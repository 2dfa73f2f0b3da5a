"""Feedback from the attention of a trace, by the scores and the policy of `explorer.feedback`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._number_format import three_digits
from explorer.errors import EvidenceError, InputError
from explorer.feedback import Diagnostic, HeadCombination, ScoreSettings, Unit
from explorer.feedback._auto_threshold import auto_threshold
from explorer.feedback._feedback_table import measure, reached
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult, unknown
from explorer.traces import Evidence, Trace, evidence, head_readings
from explorer.traces._evidence.evidence_finder import hyperedge_diagnostics
from explorer.traces._evidence.reduced_attention import token_counts

_DOUBTFUL = frozenset(
    {
        "assumed-answer-start",
        "assumed-context",
        "bad-position",
        "broken-evidence",
        "no-such-attention",
        "odd-attention",
        "unmapped-columns",
    }
)
"""Diagnostics of a trace that exclude its attention from an ensemble."""

# Rounding of float16 rows, as explorer.attention allows it.
_ROUNDING = 5e-3


class AttentionFeedback(NamedTuple):
    """The results of attention for every hyperedge; the feedback is NaN where it is unknown.

    Attributes
    ----------
    results
        One result for each hyperedge.
    notes
        Diagnostics of the whole trace.
    doubt
        The first of the notes that makes the attention doubtful; None when none does.
    """

    results: list[MethodResult]
    notes: tuple[Diagnostic, ...]
    doubt: Diagnostic | None


def attention_feedback(trace: Trace, config: ExtractorConfig) -> AttentionFeedback:
    """Score every hyperedge of a trace by the attention that the trace brings.

    Evidence that is broken is a diagnostic, not an error: the caller has something to fall back on.
    Layer and head apply to matrices and recorded units; direct scores and token weights have none.
    """
    policy = config.attention_policy
    if config.heads is not None:
        return attend_heads(trace, config, head_set_scores(trace, config.heads))
    try:
        found = evidence(trace)
    except EvidenceError as error:
        return _nothing(trace, config, Diagnostic("broken-evidence", str(error)))
    if found.attention is None:
        results = [
            unknown("attention", "none", policy.number, unit.diagnostics) for unit in found.units
        ]
        doubt = found.diagnostics[-1] if found.diagnostics else None
        return AttentionFeedback(results, found.diagnostics, doubt)
    single = found.attention.n_layers == found.attention.n_heads == 1
    try:
        settings = ScoreSettings(
            layer=None if single else config.layer,
            head=None if single else config.head,
            rows=found.rows,
            reduction=config.reduction,
            normalisation=config.normalisation,
            k=config.top_k,
        )
        measured = measure(found.attention, found.units, policy, settings)
    except InputError as error:
        return _nothing(trace, config, Diagnostic("no-such-attention", str(error)))
    policy = measured.policy
    signals = policy.convert(measured.scores).tolist()
    verdicts = policy.verdicts(measured.scores).tolist()
    places = range(len(found.units))
    results = [
        MethodResult(
            "attention",
            found.kind,
            unit.tokens,
            score,
            policy.number,
            signal,
            verdict,
            _matched(found, place, unit),
            reasons,
        )
        for place, unit, score, signal, verdict, reasons in zip(
            places,
            found.units,
            measured.scores.tolist(),
            signals,
            verdicts,
            measured.reasons,
            strict=True,
        )
    ]
    notes = (*found.diagnostics, *measured.notes, *_row_sums(found))
    return AttentionFeedback(results, notes, _doubt(found, notes))


def head_set_scores(trace: Trace, heads: HeadCombination) -> NDArray[np.float64] | Diagnostic:
    """Score by a combination of heads, which needs the readings that it was made from.

    Returns
    -------
    float64 (hyperedges,), or the reason why the trace cannot be scored by these heads.
    """
    try:
        readings = head_readings(trace, heads.reduction, heads.k)
        if readings:
            return heads.scores(readings)
    except EvidenceError as error:
        return Diagnostic("broken-evidence", str(error))
    except InputError as error:
        return Diagnostic("no-such-attention", str(error))
    return Diagnostic(
        "no-attention",
        "The trace has no attention head by head, which a head set needs. "
        "score_traces records it for traces without attention.",
    )


def attend_heads(
    trace: Trace, config: ExtractorConfig, known: NDArray[np.float64] | Diagnostic
) -> AttentionFeedback:
    """Convert what `head_set_scores` found for the heads of a config."""
    if isinstance(known, Diagnostic):
        return _nothing(trace, config, known)
    policy = config.attention_policy
    description = "" if config.heads is None else config.heads.description
    found = (auto_threshold(known).diagnostic,) if policy.is_auto else ()
    policy = policy.for_scores(known)
    scores = reached(known, policy)
    counts = token_counts(trace) or [0] * len(trace.hyperedges)
    notes = hyperedge_diagnostics(trace)
    signals = policy.convert(scores)
    results = [
        MethodResult(
            "attention",
            "heads",
            counts[place],
            score,
            policy.number,
            signal,
            str(verdict),
            description,
            notes[place],
        )
        for place, (score, signal, verdict) in enumerate(
            zip(scores.tolist(), signals.tolist(), policy.verdicts(scores), strict=True)
        )
    ]
    return AttentionFeedback(results, found, None)


def plan_attention(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:
    """Plan attention, and the embedding for every hyperedge without a score of attention."""
    attended = attention_feedback(trace, config)
    causes = ("broken-evidence", "half-evidence", "no-attention", "no-such-attention")
    broken = [note for note in attended.notes if note.code in causes]
    return with_embedding_fallback(attended.results, attended.notes, broken)


def with_embedding_fallback(
    results: Sequence[MethodResult],
    notes: tuple[Diagnostic, ...] = (),
    reasons: Sequence[Diagnostic] = (),
) -> EmbeddingPlan:
    """Plan to keep known results and to use the embedding for the others, with a diagnostic.

    `reasons` are further diagnostics for those rows.
    """
    needs = [place for place, result in enumerate(results) if not result.known]

    def finish(embedded: Mapping[int, MethodResult]) -> list[MethodResult]:
        return [
            embedded[place].noting(*reasons, *result.diagnostics, _fallback(result.method))
            if place in embedded
            else result
            for place, result in enumerate(results)
        ]

    return EmbeddingPlan(needs, finish, notes)


def _doubt(found: Evidence, notes: Sequence[Diagnostic]) -> Diagnostic | None:
    """Return the first note that makes the evidence ambiguous, or None."""
    doubts = _DOUBTFUL
    if found.kind == "direct":
        # Direct scores do not come from one softmax, so their sum has no meaning.
        doubts = doubts - {"odd-attention"}
        if any(note.code == "missing-score" for unit in found.units for note in unit.diagnostics):
            doubts = doubts | {"unknown-hyperedge"}  # the ids of the two may be different things
    return next((note for note in notes if note.code in doubts), None)


def _fallback(method: str) -> Diagnostic:
    what = {"attention": "the attention", "logprobs": "the log-probabilities"}.get(method, method)
    return Diagnostic(
        "embedding-fallback", f"There is no score from {what}; the embedding was used instead."
    )


def _nothing(trace: Trace, config: ExtractorConfig, reason: Diagnostic) -> AttentionFeedback:
    row = unknown("attention", "none", config.attention_policy.number, (reason,))
    return AttentionFeedback([row] * len(trace.hyperedges), (reason,), reason)


def _matched(found: Evidence, place: int, unit: Unit) -> str:
    """Return in words what the attention of a hyperedge was read from."""
    if found.kind == "direct":
        missing = any(note.code == "missing-score" for note in unit.diagnostics)
        return "nothing" if missing else "its own score"
    if not unit.filled:
        return "nothing"
    if found.kind == "matrix":
        return "; ".join(
            f"context {match.chunk + 1}"
            if match.similarity >= 1
            else f"similarity {match.similarity:.2f} to context {match.chunk + 1}"
            for match in found.matches[place]
        )
    if found.kind == "units":
        return f"its {unit.tokens} tokens" if unit.tokens > 1 else "its tokens"
    runs = [f"{start}-{stop - 1}" if stop - start > 1 else str(start) for start, stop in unit.spans]
    shown = ", ".join(runs[:5]) + (" ..." if len(runs) > 5 else "")
    return f"token{'' if unit.tokens == 1 else 's'} {shown}"


def _row_sums(found: Evidence) -> list[Diagnostic]:
    """Return a diagnostic if rows sum to less than 1; the attention map reports sums above 1."""
    attention = found.attention
    if found.kind != "matrix" or attention is None or attention.n_queries != attention.n_keys:
        return []
    sums = attention.weights(rows=found.rows).sum(axis=1, dtype=np.float64)
    low = float(sums.min())
    if not low < 1.0 - _ROUNDING:
        return []
    return [
        Diagnostic(
            "rows-do-not-sum-to-1",
            "The answer's rows of attention should sum to 1, but one sums to "
            f"{three_digits(low)}: columns are missing, these are not attention weights, or the "
            "model has an attention sink.",
        )
    ]
