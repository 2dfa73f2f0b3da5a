"""What the cards of the open trace show, as the page takes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures import colours
from explorer.widgets._traces import texts
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd

MOST_CARDS = 200
"""Largest number of cards: more cannot be read, and slow a page down."""


def card_contents(scene: TraceScene, table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return a card for each hyperedge, in retrieval order.

    Parameters
    ----------
    scene
        The open trace.
    table
        Its feedback table; None while there is none.
    """
    edges = scene.trace.hyperedges[:MOST_CARDS]
    if table is None:
        unknown = [None] * len(edges)
        verdicts = ["unknown"] * len(edges)
        notes = [unit.diagnostics for unit in scene.evidence.units[: len(edges)]]
        scores, feedback = unknown, unknown
    else:
        scores, feedback, verdicts, notes = (
            table[name].tolist()[: len(edges)]
            for name in ("score", "feedback", "verdict", "diagnostics")
        )
    marks = {verdict: colours.verdict_mark(verdict) for verdict in set(verdicts)}
    columns = (_finite(scores), _finite(feedback), verdicts, notes, _colours_of(feedback))
    return [
        {
            "id": edge.id,
            "text": edge.hyperedge,
            "entities": list(edge.entities),
            "label": edge.label,
            "score": score,
            "feedback": signal,
            "verdict": verdict,
            "mark": marks[verdict],
            "colour": colour,
            "diagnostics": [[each.code.replace("-", " "), each.message] for each in diagnostics],
        }
        for edge, score, signal, verdict, diagnostics, colour in zip(edges, *columns, strict=True)
    ]


def shared_notes(cards: list[dict[str, Any]]) -> list[list[str]]:
    """Take the notes that all of several cards have from the cards, and return them."""
    if len(cards) < 2:
        return []
    counts = Counter(word for card in cards for word in {note[0] for note in card["diagnostics"]})
    shared = []
    for word in [word for word, count in counts.items() if count == len(cards)]:
        messages = [note[1] for card in cards for note in card["diagnostics"] if note[0] == word]
        shared.append([word, texts.shared_note(len(set(messages)), messages[0])])
    common = {word for word, _ in shared}
    for card in cards:
        card["diagnostics"] = [note for note in card["diagnostics"] if note[0] not in common]
    return shared


def evidence_source(scene: TraceScene) -> str:
    """Say whose attention the scores of a trace come from; empty without any."""
    attention = scene.attention
    if attention is None:
        return ""
    if scene.evidence.kind in texts.GIVEN_EVIDENCE:
        return texts.GIVEN_EVIDENCE[scene.evidence.kind]
    return texts.attention_source(
        scene.evidence.kind,
        scene.trace.metadata.get("model"),
        attention.n_layers,
        attention.n_heads,
        recorded=scene.token_attention is not None,
        stand_in=isinstance(scene.trace.metadata.get("stand_in"), Mapping),
    )


def trace_notes(scene: TraceScene) -> list[str]:
    """Return notes about the trace as a whole."""
    notes = [
        note.message
        for note in scene.evidence.diagnostics
        if note.code != "no-attention"  # the offer says so
    ]
    more = len(scene.trace.hyperedges) - MOST_CARDS
    return [*notes, texts.more_cards(MOST_CARDS, more)] if more > 0 else notes


def _colours_of(feedback: Sequence[float | None]) -> list[str]:
    """Return the colour of every card; unknown feedback has one too."""
    return colours.feedback_colours(np.array(feedback, dtype=np.float64))


def _finite(values: Sequence[float | None]) -> list[float | None]:
    """Return numbers as JSON takes them: None for NaN."""
    return [None if value is None or math.isnan(value) else value for value in values]
