"""Combined methods: the hybrid of citation and embedding, and the weighted ensemble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import nan
from types import MappingProxyType

from explorer.feedback import Diagnostic
from explorer.rag._methods.attention_feedback import attention_feedback, plan_attention
from explorer.rag._methods.citation_feedback import cite, plan_citation
from explorer.rag._methods.embedding_feedback import plan_embedding
from explorer.rag._methods.extractor_config import ExtractorConfig, Method
from explorer.rag._methods.lexical_feedback import plan_lexical
from explorer.rag._methods.logprob_feedback import plan_logprobs
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult
from explorer.traces import Trace


def plan_hybrid(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:
    """Plan citation where its feedback is at least `hybrid_citation`, else the embedding."""
    cited, notes = cite(trace, config)
    needs = [
        place
        for place, result in enumerate(cited)
        if not (result.known and result.feedback >= config.hybrid_citation)
    ]

    def finish(embedded: Mapping[int, MethodResult]) -> list[MethodResult]:
        rows = []
        for place, citation in enumerate(cited):
            parts = {"citation": citation.feedback if citation.known else nan, "embedding": nan}
            if place in embedded:
                other = embedded[place]
                parts["embedding"] = other.feedback if other.known else nan
                rows.append(other.noting(*citation.diagnostics)._replace(parts=parts))
            else:
                rows.append(citation._replace(parts=parts))
        return rows

    return EmbeddingPlan(needs, finish, notes)


def plan_ensemble(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:
    """Plan the weighted mean of the feedback of attention, embedding and citation.

    Attention takes part when the evidence of the trace is unambiguous and covers the hyperedge.
    Methods without feedback are left out, and the weights of the others are scaled to sum to 1. The
    mean counts as used from halfway between neutral and positive feedback, and as near from halfway
    between negative and neutral.
    """
    attended = attention_feedback(trace, config)
    cited, notes = cite(trace, config)
    left_out = () if attended.doubt is None else (_left_out(attended.doubt),)

    def finish(embedded: Mapping[int, MethodResult]) -> list[MethodResult]:
        rows = []
        for place, citation in enumerate(cited):
            attention = attended.results[place]
            parts = {"attention": attention, "embedding": embedded[place], "citation": citation}
            voices = {
                name: result
                for name, result in parts.items()
                if result.known and config.ensemble_weights[name] > 0.0
            }
            if attended.doubt is not None:
                voices.pop("attention", None)
            rows.append(_weighed(config, parts, voices, left_out))
        return rows

    whole = dict.fromkeys((*attended.notes, *left_out, *notes))
    return EmbeddingPlan(range(len(cited)), finish, tuple(whole))


PLANS: Mapping[Method, Callable[[Trace, ExtractorConfig], EmbeddingPlan]] = MappingProxyType(
    {
        "embedding": plan_embedding,
        "attention": plan_attention,
        "citation": plan_citation,
        "lexical": plan_lexical,
        "hybrid": plan_hybrid,
        "logprobs": plan_logprobs,
        "ensemble": plan_ensemble,
    }
)
"""The planning function of each method."""


def _weighed(
    config: ExtractorConfig,
    parts: Mapping[str, MethodResult],
    voices: Mapping[str, MethodResult],
    left_out: tuple[Diagnostic, ...],
) -> MethodResult:
    """Return the result of one hyperedge from the methods that take part."""
    reasons = dict.fromkeys(
        (*left_out, *(note for result in parts.values() for note in result.diagnostics))
    )
    tokens = parts["attention"].tokens
    shown = {name: voices[name].feedback if name in voices else nan for name in parts}
    threshold = (config.neutral_feedback + config.positive_feedback) / 2
    if not voices:
        nothing = Diagnostic(
            "nothing-known",
            "Neither attention nor embedding nor citation has feedback for this hyperedge; the "
            "feedback is neutral.",
        )
        return MethodResult(
            "ensemble",
            "none",
            tokens,
            nan,
            threshold,
            config.neutral_feedback,
            "unknown",
            "nothing",
            (*reasons, nothing),
            shown,
        )
    total = sum(config.ensemble_weights[name] for name in voices)
    weights = {name: config.ensemble_weights[name] / total for name in voices}
    feedback = sum(weights[name] * result.feedback for name, result in voices.items())
    feedback = min(feedback, 1.0)  # rounding may give a little more than 1
    return MethodResult(
        "ensemble",
        " + ".join(result.evidence for result in voices.values()),
        tokens,
        feedback,
        threshold,
        feedback,
        _verdict(feedback, threshold, config),
        " + ".join(
            f"{weights[name]:.2f} x {name} {result.feedback:.2f}" for name, result in voices.items()
        ),
        tuple(reasons),
        shown,
    )


def _verdict(feedback: float, threshold: float, config: ExtractorConfig) -> str:
    if feedback >= threshold:
        return "used"
    low = (config.negative_feedback + config.neutral_feedback) / 2
    return "near" if feedback >= low else "not used"


def _left_out(doubt: Diagnostic) -> Diagnostic:
    return Diagnostic("attention-left-out", f"Attention is left out here: {doubt.message}")
