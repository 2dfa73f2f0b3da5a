"""Documents in the output of a retriever, of any framework."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.traces.readers._fields.message_text import DEPTH, opened, plain, sound
from explorer.traces.readers._fields.record_fields import identifier

_TEXTS = (
    *("page_content", "pageContent", "content", "text", "contents", "passage", "chunk"),
    *("chunk_text", "document", "body", "snippet", "context", "hyperedge"),
)
_IDS = ("id", "id_", "chunk_id", "node_id", "doc_id", "document_id", "_id", "uuid")
_SCORES = ("score", "retrieval_score", "relevance_score", "similarity", "relevance", "_score")
_WRAPPERS = ("document", "node", "payload", "_source", "entity", "kwargs", "metadata")
_LISTS = (
    *("documents", "retrieved_documents", "source_documents", "docs", "contexts"),
    *("retrieved_contexts", "context", "chunks", "passages", "source_nodes", "nodes"),
)
_OUTPUTS = (
    "output",
    "outputs",
    "results",
    "result",
    "matches",
    "hits",
    "data",
    "items",
    "response",
)
_CUT_OFF = re.compile(r"""\s*(\[\s*\{|\[\s*["']|\{\s*["'])""")


@dataclass(slots=True)
class Document:
    """One retrieved document.

    `id` is None where the system gives none; `score` is that of the retriever, None if unknown.
    """

    text: str
    id: str | None = None
    score: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def documents_in(value: Any, notes: list[str], *, sure: bool = False) -> list[Document]:
    """Return the documents of an output, in order.

    Parameters
    ----------
    value
        The output: texts, objects with a text, lists of either, objects that hold such a list,
        or any of these as JSON.
    notes
        Receives a sentence about documents without text and truncated JSON.
    sure
        Accept only values that must be documents: objects with LangChain's `page_content`, and
        lists named documents or contexts. For outputs of steps that are not a retriever.
    """
    found: list[Document] = []
    empty = 0
    for item in _items(opened(value), sure, 0):
        if isinstance(item, Mapping | list):
            document = _document(item)
        elif isinstance(item, str) and _CUT_OFF.match(item):
            notes.append("a retriever's output is JSON that breaks off, so its documents are lost.")
            continue
        else:
            document = Document(sound(item)) if isinstance(item, str) and item.strip() else None
        if document is None:
            empty += 1
        else:
            found.append(document)
    if empty:
        notes.append(f"{empty} of {empty + len(found)} documents have no text and were left out.")
    return found


def score_of(value: Any) -> float | None:
    """Return a finite number, or None."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _items(value: Any, sure: bool, depth: int) -> Iterator[Any]:
    """Yield the values that may be documents; nested lists are flattened."""
    if depth > DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            inner = opened(item)
            if isinstance(inner, list) and not _is_pair(inner):
                yield from _items(inner, sure, depth + 1)
            elif not sure or (isinstance(inner, Mapping | list) and _is_langchain(inner)):
                yield inner
    elif isinstance(value, Mapping):
        kinds = list if sure else list | Mapping
        lists = [name for name in _LISTS if isinstance(opened(value.get(name)), kinds)]
        if _text(value) is not None and not lists:
            if not sure or _is_langchain(value):
                yield value
            return
        for name in lists[:1]:
            yield from _items(opened(value[name]), False, depth + 1)
        for name in () if lists else _OUTPUTS:
            inner = opened(value.get(name))
            if isinstance(inner, list | Mapping) or (isinstance(inner, str) and not sure):
                yield from _items(inner, sure, depth + 1)
                return
        if not lists and not sure and value:
            yield value
    elif isinstance(value, str) and value.strip() and not sure:
        yield value


def _document(item: Mapping[str, Any] | list[Any]) -> Document | None:
    """Return one document, or None without text."""
    score = None
    if isinstance(item, list):  # a document and its score
        held: Any = opened(item[0]) if _is_pair(item) else None
        score = score_of(item[1]) if _is_pair(item) else None
        if isinstance(held, str) and held.strip():
            return Document(sound(held), score=score)
        if not isinstance(held, Mapping):
            return None
        item = held
    layers = list(_layers(item))
    text = next(filter(None, map(_text, layers)), None)
    if text is None:
        return None
    about = opened(next((layer["metadata"] for layer in layers if "metadata" in layer), None))
    metadata = plain(about) if isinstance(about, Mapping) else {}
    everywhere = [*layers, metadata]
    if score is None:
        score = _first(everywhere, _SCORES, score_of)
    return Document(text, _first(everywhere, _IDS, _name), score, metadata)


def _layers(item: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield an object and the objects nested in it, outermost first."""
    if any(isinstance(name, str) and name.startswith("document.") for name in item):
        item = {str(name).removeprefix("document."): held for name, held in item.items()}
    yield item
    for name in _WRAPPERS if depth < 4 else ():
        inner = opened(item.get(name))
        if isinstance(inner, Mapping):
            yield from _layers(inner, depth + 1)


def _text(item: Mapping[str, Any]) -> str | None:
    """Return the text of a document, also of one in parts."""
    for name in (*_TEXTS, *(f"document.{name}" for name in _TEXTS[2:4])):
        found = item.get(name)
        if isinstance(found, str) and found.strip():
            return sound(found)
        if name in {"content", "contents"} and isinstance(found, list):
            parts = [part.get("text") for part in found if isinstance(part, Mapping)]
            joined = "\n".join(part for part in parts if isinstance(part, str) and part)
            if joined:
                return sound(joined)
    return None


def _first(layers: Iterable[Mapping[str, Any]], names: Iterable[str], take: Any) -> Any:
    """Return the first value of these fields for which `take` is not None, outermost first."""
    listed = list(names)
    for layer in layers:
        for name in listed:
            found = take(layer.get(name))
            if found is not None:
                return found
    return None


def _name(value: Any) -> str | None:
    """Return an identifier; None for a list of names, as LangChain writes for a class."""
    found = identifier(value) if isinstance(value, str | int | float) else None
    return None if found is None or isinstance(value, bool) else sound(found)


def _is_pair(item: list[Any]) -> bool:
    """Return True for a pair of a document and its score."""
    return (
        len(item) == 2 and isinstance(item[0], str | Mapping) and isinstance(item[1], int | float)
    )


def _is_langchain(item: Mapping[str, Any] | list[Any]) -> bool:
    """Return True for a document in the form of LangChain."""
    held = item[0] if isinstance(item, list) and item else item
    return isinstance(held, Mapping) and any(
        isinstance(layer.get(name), str)
        for layer in _layers(held)
        for name in ("page_content", "pageContent", "document.content")
    )
