"""Which steps of a request gave it its facts, where their kinds do not say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.traces.readers._fields.documents import documents_in
from explorer.traces.readers._fields.message_text import opened
from explorer.traces.readers._spans.request_spans import RequestSpan

_RETRIEVING = ("retriever", "reranker")
# Words in the names of steps that fetch documents: "retrieval", "vector-search", "search_docs".
_NAMED = re.compile(
    r"retrieve|retrieval|retrieving|search|vector|lookup|\bfetch|\bknn\b|similar|get_(?:docs|documents|context|passages)|"
    r"find_(?:docs|documents|passages)|query_(?:index|store|db)",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"agent|workflow|pipeline|chain|graph|qa\b|planner|rewrite|request", re.IGNORECASE
)
_OBJECT = re.compile(r"<[\w.\[\]' ]+ object at 0x[0-9a-fA-F]+>")
_SHORTEST = 24
"""Characters of the shortest document by which a prompt that holds its documents is known."""


def find_documents(spans: Sequence[RequestSpan], retriever: str | None) -> list[str]:
    """Find the steps that gave documents, where none of a known kind has any; return notes.

    Parameters
    ----------
    spans
        The steps of one request; kinds and documents are set.
    retriever
        The name of the step that retrieves, as the caller says; no other one does then.

    Returns
    -------
    list of str
        Sentences about steps that failed, or that were taken for a retriever.
    """
    notes: list[str] = []
    if retriever is not None:
        for span in spans:
            if span.name == retriever and not span.failed:
                span.kind = "retriever"
                span.documents = span.documents or documents_in(span.given, span.notes)
            elif span.kind in _RETRIEVING:
                span.kind, span.documents = "other", []
            else:
                span.documents = []
    failed = [span for span in spans if span.failed]
    lost = sorted({span.name or span.kind for span in failed if span.documents or span.answer})
    for span in failed:
        span.documents, span.answer, span.logprobs = [], "", None
    if lost:
        notes.append(f"what its failed steps gave ({', '.join(lost[:5])}) is left out.")
    if retriever is not None or any(span.documents for span in spans):
        return notes
    steps = [span for span in spans if span.kind in {"other", "tool", "retriever"}]
    named = [
        span
        for span in steps
        if not span.failed and _NAMED.search(span.name) and not _ABOVE.search(span.name)
    ]
    for span in named:
        span.documents = documents_in(span.given, span.notes)
    if not any(span.documents for span in named):
        named = [span for span in steps if not span.failed and _is_result_list(span.given)]
        for span in named:
            span.documents = documents_in(span.given, span.notes)
    for span in named:
        if span.documents:
            span.kind = "retriever"
    return notes


def _is_result_list(given: Any) -> bool:
    """Return whether an output is a list of objects with a text each, such as search results."""
    found = opened(given)
    if isinstance(found, Mapping):
        lists = [held for held in map(opened, found.values()) if isinstance(held, list)]
        found = lists[0] if len(lists) == 1 else None
    if not isinstance(found, list) or not found:
        return False
    objects = [held for held in map(opened, found) if isinstance(held, Mapping)]
    is_message = any("role" in held or "tool_calls" in held for held in objects)
    return len(objects) == len(found) and not is_message and bool(documents_in(found, []))


def says_nothing(text: str) -> bool:
    """Return whether a question holds only how Python prints an object that has no text."""
    return _OBJECT.search(text) is not None


def without_documents(text: str, documents: Sequence[str]) -> str | None:
    """Return the question in a text; None where the text holds the documents themselves.

    A whole prompt is no question. If the last lines of one name it, as in "Question: ...", that
    part is returned.
    """
    folded = " ".join(text.split())
    held = any(
        len(document) >= _SHORTEST and " ".join(document.split()) in folded
        for document in documents
    )
    if not held:
        return text
    marked = re.findall(r"(?:^|\n)\s*(?:user )?(?:question|query)\s*:\s*(.+)", text, re.IGNORECASE)
    last = marked[-1].strip() if marked else ""
    return last or None


def turns(spans: list[RequestSpan]) -> list[list[RequestSpan]]:
    """Return the spans of each turn of a conversation whose turns share one id.

    A turn is a step without parent that has documents and an answer below it. With fewer than two
    of them, all spans are one turn.
    """
    by_id = {span.id: span for span in spans if span.id}

    def top(span: RequestSpan) -> RequestSpan:
        seen: set[str] = set()
        while span.parent in by_id and span.parent not in seen:
            seen.add(span.parent)
            span = by_id[span.parent]
        return span

    groups: dict[int, list[RequestSpan]] = {}
    for span in spans:
        groups.setdefault(id(top(span)), []).append(span)
    whole = [
        group
        for group in groups.values()
        if any(span.documents and not span.failed for span in group)
        and any(span.answer for span in group if span.kind not in _RETRIEVING)
        and any(span.query for span in group)
        and len(group) > 1
    ]
    asked = {next(span.query for span in group if span.query) for group in whole}
    if len(whole) < 2 or len(asked) < 2:
        return [spans]
    inside = {id(span) for group in whole for span in group}
    rest = [span for span in spans if id(span) not in inside]
    if any(span.documents for span in rest):
        return [spans]
    return whole
