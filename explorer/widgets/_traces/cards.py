"""What the cards of the open trace show, as the page takes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from explorer.figures import colours
from explorer.widgets._traces import texts
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd

MOST_CARDS = 200
"""Largest number of cards at once: more slow a page down."""


Which = Literal["all", "doubtful", "unlabelled"]


class CardFilter(NamedTuple):
    """Which hyperedges have a card: those of a kind that contain words, some from `first` on."""

    words: str = ""
    which: Which = "all"
    first: int = 0


class ChosenCards(NamedTuple):
    """The places of the hyperedges with a card, and the filter as the page takes it."""

    places: list[int]
    filter: dict[str, Any]


def chosen_cards(
    scene: TraceScene, table: pd.DataFrame | None, wanted: CardFilter, threshold: float
) -> ChosenCards:
    """Return which hyperedges have a card.

    A hyperedge is doubtful if its label and its verdict disagree, or if its score is near the
    threshold: at least half of it, and less than twice.
    """
    edges = scene.trace.hyperedges
    kinds = {
        "all": range(len(edges)),
        "unlabelled": [place for place, edge in enumerate(edges) if edge.label is None],
        "doubtful": _doubtful(scene, table, threshold),
    }
    words = wanted.words.casefold().strip()
    matching = [
        place
        for place in kinds[wanted.which]
        if words in edges[place].hyperedge.casefold() or words in edges[place].id.casefold()
    ]
    first = wanted.first if 0 <= wanted.first < len(matching) else 0
    counts = [len(kinds[which]) for which in ("all", "unlabelled", "doubtful")]
    shown = wanted._asdict() | {"first": first, "matching": len(matching), "counts": counts}
    return ChosenCards(matching[first : first + MOST_CARDS], shown)


def _doubtful(scene: TraceScene, table: pd.DataFrame | None, threshold: float) -> list[int]:
    if table is None:
        return []
    found = []
    columns = (scene.trace.hyperedges, table["score"].tolist(), table["verdict"].tolist())
    for place, (edge, score, verdict) in enumerate(zip(*columns, strict=True)):
        if verdict == "unknown":
            continue
        wrong = edge.label is not None and edge.label != (verdict == "used")
        if wrong or threshold / 2 <= score < 2 * threshold:
            found.append(place)
    return found


def card_contents(
    scene: TraceScene, table: pd.DataFrame | None, places: Sequence[int]
) -> list[dict[str, Any]]:
    """Return a card for each of these hyperedges.

    Parameters
    ----------
    scene
        The open trace.
    table
        Its feedback table; None while there is none.
    places
        Places of the hyperedges in retrieval order.
    """
    edges = [scene.trace.hyperedges[place] for place in places]
    if table is None:
        unknown = [None] * len(edges)
        verdicts = ["unknown"] * len(edges)
        notes = [scene.evidence.units[place].diagnostics for place in places]
        scores, feedback = unknown, unknown
    else:
        chosen = table.iloc[list(places)] if len(places) < len(table) else table
        scores, feedback, verdicts, notes = (
            chosen[name].tolist() for name in ("score", "feedback", "verdict", "diagnostics")
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
    return [
        note.message
        for note in scene.evidence.diagnostics
        if note.code != "no-attention"  # the offer says so
        # Given scores are no rows of attention.
        and not (note.code == "odd-attention" and scene.evidence.kind == "direct")
    ]


def _colours_of(feedback: Sequence[float | None]) -> list[str]:
    """Return the colour of every card; unknown feedback has one too."""
    return colours.feedback_colours(np.array(feedback, dtype=np.float64))


def _finite(values: Sequence[float | None]) -> list[float | None]:
    """Return numbers as JSON takes them: None for NaN."""
    return [None if value is None or math.isnan(value) else value for value in values]
