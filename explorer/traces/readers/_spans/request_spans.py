"""Spans of observability systems: the steps of a request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from explorer.traces.readers._fields.documents import Document, documents_in
from explorer.traces.readers._fields.message_text import answer_in, logprobs_in, question_in, sound
from explorer.traces.readers._fields.record_fields import identifier

SpanKind = Literal["retriever", "reranker", "llm", "tool", "aside", "other"]
"""The task of a span. An ``"aside"`` (embedding, evaluation) has no question and no answer."""


@dataclass(slots=True)
class RequestSpan:
    """One step of a request, with the fields that a RAG trace needs.

    Attributes
    ----------
    trace, id, parent
        Ids; `parent` is empty for a root, `id` for a span without one.
    kind
        The task of the step.
    start
        Start time, in a unit that all spans of the trace share; None if unknown.
    query, answer
        The question in its input and the answer in its output; empty if missing.
    documents
        Retrieved or ranked documents, in order.
    ranked
        Input texts of a reranker; empty if unknown.
    logprobs
        Log-probabilities of its answer's tokens, in OpenAI's chat format.
    notes
        Problems of its documents, in sentences.
    name
        Name of the step; empty if unknown.
    failed
        Whether the step ended with an error, so that its output is no evidence.
    given
        The output as the file has it, for steps whose documents are not known by their kind.
    """

    trace: str
    id: str
    parent: str = ""
    kind: SpanKind = "other"
    start: float | None = None
    query: str = ""
    answer: str = ""
    documents: list[Document] = field(default_factory=list)
    ranked: list[str] = field(default_factory=list)
    logprobs: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    line: int = 0
    name: str = ""
    failed: bool = False
    given: Any = None

    def look_into(self, taken: Any, given: Any) -> RequestSpan:
        """Set question, answer, documents and log-probabilities from the input and the output."""
        self.query, self.answer = question_in(taken), answer_in(given)
        self.given = given
        if self.kind == "llm":
            self.logprobs = logprobs_in(given)
        elif self.kind != "aside":
            self.documents = documents_in(given, self.notes, sure=self.kind == "other")
        if self.kind == "reranker":
            self.ranked = [document.text for document in documents_in(taken, [], sure=True)]
        return self


def moment(value: Any) -> float | None:
    """Return a time as a number: seconds for a date, otherwise in the unit of the file."""
    try:
        if isinstance(value, str):
            if not value.strip().lstrip("-").replace(".", "", 1).isdigit():
                return datetime.fromisoformat(value.strip().replace(" UTC", "Z")).timestamp()
            value = float(value) if "." in value else int(value)
        elif isinstance(value, datetime):
            value = value.timestamp()
        number = float(value) if isinstance(value, int | float) else math.nan
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    if not math.isfinite(number):
        return None
    return value if type(value) is int else number  # nanoseconds are too long for a float


def named_kind(kind: SpanKind, name: Any, parent: str) -> SpanKind:
    """Return the kind of a step, corrected by its name.

    "RetrievalQA" is a chain, "VectorStoreRetriever" a retriever; the root of a request is neither
    retriever nor reranker, whatever its name.
    """
    if kind in {"llm", "aside"} or not isinstance(name, str) or not parent:
        return kind
    if "rerank" in name.lower():
        return "reranker"
    return "retriever" if kind == "other" and "retrieve" in name.lower() else kind


_FAILURES = frozenset({"2", "error", "status_code_error", "failed", "failure", "cancelled"})


def is_failure(*values: Any) -> bool:
    """Return whether a status, a level or an error of a step says that it failed.

    A status is a code (2 of OpenTelemetry), a word, or an object with either.
    """
    for value in values:
        held = value
        if isinstance(held, Mapping):
            held = next(
                (held[key] for key in ("code", "status_code", "state") if key in held), None
            )
        if isinstance(held, str | int) and str(held).strip().lower() in _FAILURES:
            return True
    return False


def name_of(value: Any) -> str:
    """Return an id as text, empty if it is missing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return sound(str(value)) if type(value).__name__ == "UUID" else ""
    return sound(identifier(value) or "")
