"""Reader of TruLens: recorded calls, rows of its tables, and its newer OpenTelemetry spans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.documents import Document, documents_in, score_of
from explorer.traces.readers._fields.message_text import answer_in, logprobs_in, opened, question_in
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._spans.otlp import OtlpSpan, dialect, each_span
from explorer.traces.readers._spans.request_spans import (
    RequestSpan,
    SpanKind,
    moment,
    name_of,
    named_kind,
)
from explorer.traces.readers._spans.trace_assembly import span_reader

_KINDS: dict[str, SpanKind] = {
    "retrieval": "retriever",
    "reranking": "reranker",
    "generation": "llm",
    "tool": "tool",
    "mcp": "tool",
    "guardrail": "aside",
}
_EVALUATING = frozenset({"eval", "eval_root", "eval_decision"})
_METHODS = re.compile(r"retrieve|relevant_documents|get_context|fetch_context|similarity_search")
_MODELS = re.compile(r"generat|complet|chat|predict|llm", re.IGNORECASE)
_CONTEXTS = ("context", "contexts", "retrieved_contexts", "source")
_BASE = "ai.observability."


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a record is one of TruLens, a row of its tables, or holds spans of it."""
    if "record_attributes" in record and ("trace" in record or "event_id" in record):
        return True
    if "record_id" in record and (
        "record_json" in record
        or {"main_input", "main_output", "calls"} <= record.keys()
        or ({"input", "output", "app_id"} <= record.keys())
    ):
        return True
    return dialect(record) == "trulens"


def _spans_of(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Go through the spans of a record."""
    if "record_attributes" in record:
        yield from each_span(_otlp_span)(_as_span(record), line)
    elif "record_id" in record:
        yield from _record(record)
    else:
        yield from each_span(_otlp_span)(record, line)


def _as_span(event: Mapping[str, Any]) -> dict[str, Any]:
    """Make of a row of the table of events the span that it was."""
    place, about = opened(event.get("trace")), opened(event.get("record"))
    place = place if isinstance(place, Mapping) else {}
    about = about if isinstance(about, Mapping) else {}
    return {
        "trace_id": place.get("trace_id"),
        "span_id": place.get("span_id") or event.get("event_id"),
        "parent_id": place.get("parent_id") or about.get("parent_span_id"),
        "name": about.get("name"),
        "start_time": event.get("start_timestamp"),
        "attributes": event.get("record_attributes"),
    }


def _otlp_span(raw: OtlpSpan) -> RequestSpan | None:
    """Return one span, or None for one of an evaluation."""

    def at(name: str) -> Any:
        return raw.at(f"{_BASE}{name}")

    type_ = raw.text(f"{_BASE}span_type").lower()
    if type_ in _EVALUATING:
        return None
    notes: list[str] = []
    kind = _KINDS.get(type_, "other")
    documents = documents_in(at("retrieval.retrieved_contexts"), notes)
    if kind == "reranker":
        documents = documents_in(at("reranking.output_context_texts"), notes) or documents
        _give_scores(documents, at("reranking.output_context_scores"))
    elif documents:
        kind = "retriever"
    returned = at("call.return")
    if not documents and kind not in {"llm", "aside"}:
        documents = documents_in(returned, notes, sure=kind == "other")
    ranked = at("reranking.input_context_texts")
    taken = at("call.kwargs")
    span = raw.span(
        kind=kind,
        query=question_in(at("record_root.input"))
        or question_in(at("retrieval.query_text"))
        or question_in(at("reranking.query_text"))
        or question_in(taken),
        answer=answer_in(at("record_root.output")) or answer_in(returned),
        documents=documents,
        ranked=[item.text for item in documents_in(ranked, [])],
        logprobs=logprobs_in(returned) if kind == "llm" else None,
        notes=notes,
    )
    span.trace = name_of(at("record_id")) or span.trace
    return span


def _give_scores(documents: list[Document], scores: Any) -> None:
    """Set the scores of ranked documents from the list of scores."""
    if isinstance(scores, list) and len(scores) == len(documents):
        for document, score in zip(documents, scores, strict=True):
            document.score = score_of(score)


def _record(row: Mapping[str, Any]) -> Iterator[RequestSpan]:
    """Go through the calls of one record, or what its evaluations say of its contexts."""
    inner = opened(row.get("record_json"))
    record = inner if isinstance(inner, Mapping) else row
    name = name_of(row.get("record_id")) or name_of(record.get("record_id"))

    def either(*names: str) -> Any:
        held = [opened(place.get(key)) for place in (record, row) for key in names]
        return next((item for item in held if item is not None), None)

    yield RequestSpan(
        name,
        "root",
        query=question_in(either("main_input", "input")),
        answer=answer_in(either("main_output", "output")),
        logprobs=logprobs_in(either("main_output", "output")),
    )
    calls = opened(record.get("calls"))
    listed = (
        [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    )
    stacks: dict[str, str] = {}
    ways = [_way(call) for call in listed]
    for number, way in enumerate(ways):
        stacks.setdefault(way, f"call {number}")
    for number, (call, way) in enumerate(zip(listed, ways, strict=True)):
        yield _call(call, name, f"call {number}", stacks.get(way.rpartition("\n")[0], "root"))
    if not listed:
        documents = _evaluated(row)
        yield RequestSpan(name, "evaluations", "root", "retriever", documents=documents)


def _way(call: Mapping[str, Any]) -> str:
    """Return the stack of a call as lines, outermost first."""
    stack = opened(call.get("stack"))
    lines = []
    for frame in stack if isinstance(stack, list) else ():
        held = frame if isinstance(frame, Mapping) else {}
        lines.append(f"{held.get('path')} {_method(held)}".replace("\n", " ")[:500])
    return "\n".join(lines)


def _method(frame: Mapping[str, Any]) -> str:
    """Return the name of the method that a frame of a stack calls."""
    method = opened(frame.get("method"))
    return str(method.get("name")) if isinstance(method, Mapping) else ""


def _call(call: Mapping[str, Any], trace: str, name: str, parent: str) -> RequestSpan:
    """Return the span of one recorded call; its name shows its kind."""
    way = _way(call).rpartition("\n")[2].lower()
    method = way.rpartition(" ")[2]
    kind: SpanKind = "llm" if _MODELS.search(method) else "other"
    if _METHODS.search(method) or ("retriever" in way and kind == "other"):
        kind = "retriever"
    kind = named_kind(kind, method, parent)
    taken, given = opened(call.get("args")), opened(call.get("rets"))
    times = opened(call.get("perf"))
    start = moment(times.get("start_time")) if isinstance(times, Mapping) else None
    span = RequestSpan(trace, name, parent, kind, start, name=method)
    span.failed = bool(opened(call.get("error")))
    return span.look_into(taken, given)


def _evaluated(row: Mapping[str, Any]) -> list[Document]:
    """Return the contexts that evaluations were called with, where the calls are not kept."""
    for wanted in _CONTEXTS:
        found: list[Document] = []
        for column, value in row.items():
            calls = opened(value) if isinstance(column, str) and column.endswith("_calls") else None
            for call in calls if isinstance(calls, list) else ():
                given = opened(call.get("args")) if isinstance(call, Mapping) else None
                if isinstance(given, Mapping) and wanted in given:
                    found += documents_in(given[wanted], [])
        if found:
            return found
    return []


READER = Reader(
    "trulens",
    "TruLens",
    recognises,
    span_reader(
        _spans_of,
        "trulens",
        lambda record: "record_attributes" not in record and "record_id" in record,
    ),
)
