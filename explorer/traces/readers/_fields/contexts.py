"""Hyperedges from the retrieved contexts of evaluation tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from explorer.traces._model.trace import Hyperedge
from explorer.traces.readers._fields.record_fields import (
    Fields,
    extra_of,
    identifier,
    places,
    structure,
    text_of,
    told_structure,
)

_TEXT_NAMES = ("text", "page_content", "content", "context")
_NAME_NAMES = ("doc_id", "id")


def context_hyperedges(
    contexts: Iterable[Any], fields: Fields, names: Sequence[Any] | None = None
) -> list[Hyperedge]:
    """Return one hyperedge for each context.

    Parameters
    ----------
    contexts
        Texts, or objects with a text and perhaps an id (``doc_id`` or ``id``); other fields of an
        object go to the hyperedge's `extra`. A context without text is left out, with a note.
    fields
        Receives the notes.
    names
        An id for each context. Without ids, and where one is not valid, a context is named by its
        position: ``c1``, ``c2``, ...
    """
    hyperedges = []
    left_out = []
    listed = list(contexts)
    if names is not None and len(names) != len(listed):
        fields.note(
            f"there are {len(names)} ids for {len(listed)} contexts, so the contexts are named by "
            "their position."
        )
        names = None
    kept = []
    for place, context in enumerate(listed, start=1):
        if isinstance(context, str):
            context = _object_in(context, fields)
        given = None if names is None else identifier(names[place - 1])
        extra = {}
        if isinstance(context, dict):
            text_name = next(
                (key for key in _TEXT_NAMES if text_of(context.get(key)) is not None), "text"
            )
            id_name = next((key for key in _NAME_NAMES if identifier(context.get(key))), "id")
            text, given = text_of(context.get(text_name)), given or identifier(context.get(id_name))
            extra = extra_of(context, [text_name] + ([id_name] if given else []))
        else:
            text = text_of(context)
        if text is None:
            left_out.append(place)
        else:
            kept.append(place - 1)
            hyperedges.append(Hyperedge(given or f"c{place}", text, extra=extra))
    if left_out:
        fields.note(f"context {places(left_out)} of {len(listed)} has no text and was left out.")
        fields.kept = kept
    return hyperedges


def _object_in(text: str, fields: Fields) -> Any:
    """Return the object that a text holds, such as a printed document, or the text."""
    if text.lstrip()[:1] != "{":
        told_structure(text, "list of facts", fields.context, fields.line)
        return text
    found = structure(text)
    known = isinstance(found, dict) and any(text_of(found.get(name)) for name in _TEXT_NAMES)
    return found if known else text


def label_by_references(hyperedges: Sequence[Hyperedge], references: Iterable[Any]) -> None:
    """Label hyperedges by the contexts that the right answer needs.

    A hyperedge whose text is one of the references (but for case and white space) is needed. Once
    every reference was found, the others are not needed; while one is missing, it may have been
    split differently, and the others get no label.
    """
    wanted = {_normal(text) for item in references if (text := text_of(item)) and text.strip()}
    if not wanted:
        return
    found = {_normal(edge.hyperedge) for edge in hyperedges}
    for edge in hyperedges:
        if _normal(edge.hyperedge) in wanted:
            edge.label = True
        elif wanted <= found:
            edge.label = False


def label_by_names(hyperedges: Sequence[Hyperedge], names: Iterable[Any]) -> None:
    """Label hyperedges by the ids that the right answer needs."""
    wanted = {found for name in names if (found := identifier(name))}
    if wanted:
        for edge in hyperedges:
            edge.label = edge.id in wanted


def _normal(text: str) -> str:
    """Return a text in lower case and with single spaces."""
    return " ".join(text.lower().split())
