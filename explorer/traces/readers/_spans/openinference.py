"""Reader of OpenInference: spans in OTLP JSON, and tables of Arize Phoenix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.documents import Document, documents_in, score_of
from explorer.traces.readers._fields.message_text import (
    answer_in,
    logprobs_in,
    opened,
    question_in,
    sound,
)
from explorer.traces.readers._fields.record_fields import is_missing
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._spans.otlp import OtlpSpan, dialect, each_span
from explorer.traces.readers._spans.request_spans import RequestSpan, SpanKind, name_of
from explorer.traces.readers._spans.trace_assembly import span_reader

_KINDS: dict[str, SpanKind] = {
    "RETRIEVER": "retriever",
    "RERANKER": "reranker",
    "LLM": "llm",
    "TOOL": "tool",
    "EMBEDDING": "aside",
    "EVALUATOR": "aside",
    "GUARDRAIL": "aside",
    "PROMPT": "aside",
}
_COLUMN = "attributes."
_PLACES = ("context.trace_id", "context.span_id", "span_kind", "parent_id")


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a record holds OpenInference spans, or is a row of a table from Phoenix."""
    return (
        _is_row(record)
        or _is_retrieval(record)
        or _is_qa(record)
        or (dialect(record) == "openinference")
    )


def _is_row(record: Mapping[str, Any]) -> bool:
    """Say whether this is a row of Phoenix's table of spans."""
    return any(name in record for name in _PLACES) and any(
        isinstance(name, str) and name.startswith(_COLUMN) for name in record
    )


def _is_retrieval(record: Mapping[str, Any]) -> bool:
    """Say whether this is a row of `get_retrieved_documents`: one document of one retriever."""
    return (
        "reference" in record
        and "input" in record
        and ("document_score" in record or "document_position" in record)
        and any(name in record for name in _PLACES[:2])
    )


def _is_qa(record: Mapping[str, Any]) -> bool:
    """Say whether this is a row of `get_qa_with_reference`: a whole trace, documents joined."""
    return (
        "reference" in record
        and "input" in record
        and "output" in record
        and "context.span_id" in record
        and not _is_retrieval(record)
    )


def _spans_of(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Go through the spans of a record."""
    if _is_retrieval(record):
        yield _retrieval(record)
    elif _is_qa(record):
        yield from _qa(record)
    elif _is_row(record):
        yield from each_span(_span)(_as_span(record), line)
    else:
        yield from each_span(_span)(record, line)


def _span(raw: OtlpSpan) -> RequestSpan:
    """Read one span."""
    kind = _KINDS.get(
        (raw.text("openinference.span.kind") or _text(raw.raw.get("span_kind"))).upper(), "other"
    )
    taken, given = raw.at("input.value"), raw.at("output.value")
    notes: list[str] = []
    documents: list[Document] = []
    if kind == "reranker":
        documents = documents_in(raw.at("reranker.output_documents"), notes)
    if not documents:
        documents = documents_in(raw.at("retrieval.documents"), notes)
        kind = "retriever" if documents and kind == "other" else kind
    if not documents and kind not in {"llm", "aside"}:
        documents = documents_in(given, notes, sure=kind in {"other", "reranker"})
    return raw.span(
        kind=kind,
        query=question_in(raw.at("reranker.query") if kind == "reranker" else taken)
        or question_in(taken)
        or question_in(raw.at("llm.input_messages")),
        answer=answer_in(given) or answer_in(raw.at("llm.output_messages")),
        documents=documents,
        ranked=[item.text for item in documents_in(raw.at("reranker.input_documents"), [])],
        logprobs=logprobs_in(given) if kind == "llm" else None,
        notes=notes,
    )


def _as_span(row: Mapping[str, Any]) -> dict[str, Any]:
    """Make of a row of Phoenix's table the span that it was."""
    attributes = {
        name.removeprefix(_COLUMN): value
        for name, value in row.items()
        if isinstance(name, str) and name.startswith(_COLUMN) and not is_missing(value)
    }
    return {
        "trace_id": row.get("context.trace_id"),
        "span_id": row.get("context.span_id"),
        "parent_id": row.get("parent_id"),
        "span_kind": row.get("span_kind"),
        "start_time": row.get("start_time"),
        "name": row.get("name"),
        "status": row.get("status_code"),
        "attributes": attributes,
    }


def _retrieval(row: Mapping[str, Any]) -> RequestSpan:
    """Read one document of one retriever."""
    text = row.get("reference")
    notes: list[str] = []
    documents = documents_in([text], notes)
    for document in documents:
        score = score_of(row.get("document_score"))
        document.score = document.score if score is None else score
    span = name_of(row.get("context.span_id"))
    return RequestSpan(
        trace=name_of(row.get("context.trace_id")) or span,
        id="",  # without an id, the rows of one span stay separate
        parent=span,
        kind="retriever",
        query=question_in(row.get("input")),
        documents=documents,
        notes=notes,
    )


def _qa(row: Mapping[str, Any]) -> Iterator[RequestSpan]:
    """Yield the spans of a whole trace, whose documents Phoenix has joined by blank lines."""
    span = name_of(row.get("context.span_id"))
    trace = name_of(row.get("context.trace_id")) or span
    yield RequestSpan(
        trace,
        f"{span} root",
        query=question_in(row.get("input")),
        answer=answer_in(row.get("output")),
    )
    pieces = [piece.strip() for piece in _text(row.get("reference")).split("\n\n")]
    yield RequestSpan(
        trace,
        f"{span} retriever",
        parent=f"{span} root",
        kind="retriever",
        documents=[Document(sound(piece)) for piece in pieces if piece],
        notes=["its documents came joined, and were cut apart at blank lines."],
    )


def _text(value: Any) -> str:
    """Return a text, empty for any other value."""
    found = opened(value)
    return found if isinstance(found, str) else ""


READER = Reader(
    "openinference",
    "OpenInference (Arize Phoenix)",
    recognises,
    span_reader(_spans_of, "openinference", _is_qa),
)
