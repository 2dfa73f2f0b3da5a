"""Traces that bring a score for each hyperedge."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.traces import Hyperedge, Trace


def scored_trace(name: str, scores: Sequence[float], labels: Sequence[bool | None]) -> Trace:
    """A trace with hyperedges h0, h1 ..., of these scores and labels."""
    edges = [
        Hyperedge(f"h{i}", f"Fact {i} of {name}.", label=label) for i, label in enumerate(labels)
    ]
    found = {f"h{i}": score for i, score in enumerate(scores)}
    return Trace(name, "What is so?", edges, "This is so.", {"hyperedge_attention": found})
