"""Traces with an ablation in their metadata, as `ablate` writes it, without a model."""

from __future__ import annotations

from typing import Any

from explorer.traces import Hyperedge, Trace
from explorer.validation._ablation.ablation_record import texts_digest


def ablated(name: str, effects: list[float | None], *, full: float = -1.0, **more: Any) -> Trace:
    """A trace whose answer loses `effects`; `more` replaces fields of the ablation."""
    edges = [Hyperedge(f"h{place}", f"fact {place} of {name}") for place in range(len(effects))]
    trace = Trace(name, f"What of {name}?", edges, "That.")
    trace.metadata["ablation"] = {
        "model": "reader",
        "reader": "r0",
        "trace": "-",
        "texts": texts_digest(trace),
        "settings": "-",
        "answer_tokens": 2,
        "full_logprob": full,
        "none_logprob": full - 5.0,
        "leave_one_out": effects,
    } | more
    return trace
