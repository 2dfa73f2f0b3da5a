"""MuSiQue questions.

One hyperedge is one paragraph under its title, named by its `idx`, with the title as entity and
`is_supporting` as label. The answer is the reference answer; other ways to write
it (``answer_aliases``), the steps of the question (``question_decomposition``) and whether it can
be answered at all stay in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import Hyperedge, Trace
from explorer.traces.readers._fields.record_fields import (
    Fields,
    extra_of,
    identifier,
    places,
    structure,
    text_of,
    titled,
)
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._samples.sample_records import sample_by_sample


def _recognises(value: Mapping[str, Any]) -> bool:
    """Say whether a record is a question with paragraphs."""
    if "question" not in value or "hyperedges" in value:
        return False
    paragraphs = structure(value.get("paragraphs"))
    first = paragraphs[0] if isinstance(paragraphs, list) and paragraphs else None
    return isinstance(first, dict) and "paragraph_text" in first


def _trace(fields: Fields) -> Trace:
    """Read one question."""
    query = fields.needed_text("question")
    paragraphs = fields.items("paragraphs")
    if paragraphs is None:
        raise TraceError("it needs `paragraphs`, a list, which is missing.")
    hyperedges = []
    broken = []
    unclear = []
    for place, paragraph in enumerate(paragraphs, start=1):
        text = text_of(paragraph.get("paragraph_text")) if isinstance(paragraph, dict) else None
        if text is None:
            broken.append(place)
            continue
        edge = _hyperedge(paragraph, text, place)
        if "is_supporting" in edge.extra:
            unclear.append(place)
        hyperedges.append(edge)
    if broken:
        fields.note(f"paragraph {places(broken)} has no `paragraph_text` and was left out.")
    if unclear:
        fields.note(f"`is_supporting` of paragraph {places(unclear)} is neither true nor false.")
    return fields.trace("musique", query, hyperedges, None, fields.text("answer"))


def _hyperedge(paragraph: dict[str, Any], text: str, place: int) -> Hyperedge:
    """Make a hyperedge of one paragraph; a label that cannot be read stays in its `extra`."""
    name, title = identifier(paragraph.get("idx")), text_of(paragraph.get("title"))
    label = paragraph.get("is_supporting")
    clear = label is None or (isinstance(label, int) and label in {0, 1})
    taken = ["paragraph_text"]
    taken += ["idx"] if name else []
    taken += ["title"] if title else []
    taken += ["is_supporting"] if clear else []
    return Hyperedge(
        name or f"c{place}",
        titled(title, text),
        entities=[title] if title else [],
        label=bool(label) if clear and label is not None else None,
        extra=extra_of(paragraph, taken),
    )


READER = Reader("musique", "MuSiQue", _recognises, sample_by_sample(_trace))
