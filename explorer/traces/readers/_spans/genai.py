"""Reader of OpenTelemetry's conventions for generative AI, old and new, and of OpenLLMetry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.traces.readers._fields.documents import Document, documents_in
from explorer.traces.readers._fields.message_text import (
    answer_in,
    from_json,
    logprobs_in,
    question_in,
)
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._spans.otlp import OtlpSpan, at, dialect, each_span, tree
from explorer.traces.readers._spans.request_spans import RequestSpan, SpanKind
from explorer.traces.readers._spans.trace_assembly import span_reader

_KINDS: dict[str, SpanKind] = {
    "retrieval": "retriever",
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "execute_tool": "tool",
    "embeddings": "aside",
    "tool": "tool",
    "completion": "llm",
    "rerank": "reranker",
}
_RESULTS = ("db.query.result", "db.search.result")
_ASKED = (
    *("gen_ai.retrieval.query.text", "gen_ai.input.messages", "gen_ai.prompt"),
    *("gen_ai.tool.call.arguments", "traceloop.entity.input"),
)
_ANSWERED = ("gen_ai.output.messages", "gen_ai.completion", "traceloop.entity.output")


def recognises(record: Mapping[str, Any]) -> bool:
    """Return True for a record of spans, or log records, with GenAI attributes."""
    return dialect(record) == "genai"


def _span(raw: OtlpSpan) -> RequestSpan | None:
    """Return one span, or one log record that holds the messages of a span."""
    from_events: dict[str, Any] = {}
    notes: list[str] = []
    results: list[Document] = []
    for name, attributes in [*raw.events(), *_logged(raw)]:
        results += _result(name, attributes, notes)
        for attribute in (*_ASKED, *_ANSWERED, "gen_ai.retrieval.documents"):
            found = at(attributes, attribute)
            if found is not None:
                from_events[attribute] = found
        message = {key: value for key, value in attributes.items() if key != "gen_ai"}
        match name:
            case "gen_ai.user.message":
                from_events["gen_ai.prompt"] = message
            case "gen_ai.choice" | "gen_ai.assistant.message":
                from_events["gen_ai.completion"] = message
    if not raw.attributes and not from_events and not results:
        return None

    def held(name: str) -> Any:
        own = raw.at(name)
        return from_events.get(name) if own is None else own

    kind = _kind(raw)
    listed = held("gen_ai.retrieval.documents")
    documents = documents_in(listed, notes) or results
    if documents or (listed is not None and kind == "other"):
        kind = "reranker" if kind == "reranker" else "retriever"
    elif kind not in {"llm", "aside"}:
        given = held("gen_ai.tool.call.result") or held("traceloop.entity.output")
        documents = documents_in(given, notes, sure=kind == "other")
    if kind == "llm" and not documents:
        documents = _tool_responses(held("gen_ai.input.messages"))
    return raw.span(
        kind=kind,
        query=_first(question_in(_arguments(held(name))) for name in _ASKED),
        answer=_first(answer_in(_arguments(held(name))) for name in _ANSWERED),
        documents=documents,
        logprobs=logprobs_in([held(name) for name in _ANSWERED]) if kind == "llm" else None,
        notes=notes,
        given=held("gen_ai.tool.call.result") or held("traceloop.entity.output"),
    )


def _kind(raw: OtlpSpan) -> SpanKind:
    """Return the kind of a span."""
    operation = raw.text("gen_ai.operation.name") or raw.text("traceloop.span.kind")
    operation = operation or raw.text("llm.request.type")
    if operation in _KINDS:
        return _KINDS[operation]
    if "rerank" in str(raw.raw.get("name")).lower():
        return "reranker"
    is_model = raw.at("gen_ai.completion") or raw.at("gen_ai.output.messages")
    return "llm" if is_model and not operation else "other"


def _logged(raw: OtlpSpan) -> list[tuple[str, dict[str, Any]]]:
    """Return the content of a log record as an event of the span that it belongs to."""
    body = raw.raw.get("body")
    name = raw.raw.get("eventName") or raw.raw.get("event_name") or raw.at("event.name")
    if not isinstance(name, str):
        return []
    content = tree([{"key": "body", "value": body}]).get("body")
    return [(name, {**raw.attributes, **(content if isinstance(content, dict) else {})})]


def _result(name: str, attributes: Mapping[str, Any], notes: list[str]) -> list[Document]:
    """Read one document that a vector database gave back, as an event of its span."""
    found = next((at(attributes, kind) for kind in _RESULTS if name == kind), None)
    return [] if found is None else documents_in([found], notes)


def _tool_responses(messages: Any) -> list[Document]:
    """Return the outputs of tools in the messages of a model."""
    found: list[Document] = []
    for message in messages if isinstance(messages, list) else ():
        parts = message.get("parts") if isinstance(message, Mapping) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, Mapping) and part.get("type") == "tool_call_response":
                given = part.get("response", part.get("result"))
                found += documents_in(given, [])
    return found


def _arguments(value: Any) -> Any:
    """Take the arguments of a function out of how OpenLLMetry writes them: as JSON."""
    found = from_json(value)
    if (
        isinstance(found, Mapping)
        and ("args" in found or "kwargs" in found)
        and not (found.keys() - {"args", "kwargs"})
    ):
        return found.get("kwargs") or found.get("args")
    return found


def _first(texts: Any) -> str:
    """Return the first text that is not empty."""
    return next(filter(None, texts), "")


READER = Reader("genai", "OpenTelemetry GenAI", recognises, span_reader(each_span(_span), "genai"))
