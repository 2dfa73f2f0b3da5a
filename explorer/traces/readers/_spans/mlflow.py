"""Reader of MLflow: one trace per record, with inputs and outputs as JSON text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.message_text import (
    answer_in,
    from_json,
    opened,
    question_in,
)
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._spans.otlp import OtlpSpan, dialect, each_span
from explorer.traces.readers._spans.request_spans import RequestSpan, SpanKind, name_of
from explorer.traces.readers._spans.trace_assembly import span_reader

_KINDS: dict[str, SpanKind] = {
    "RETRIEVER": "retriever",
    "RERANKER": "reranker",
    "LLM": "llm",
    "CHAT_MODEL": "llm",
    "TOOL": "tool",
    "EMBEDDING": "aside",
    "EVALUATOR": "aside",
    "GUARDRAIL": "aside",
}
_TRACE_IDS = ("trace_id", "request_id", "client_request_id")


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a record is a trace, a row of `search_traces`, or a page of traces."""
    return any(_is_trace(item) for item in _traces(record)[:1]) or dialect(record) == "mlflow"


def _traces(record: Mapping[str, Any]) -> list[Any]:
    """Return the traces of a page, or the record itself if it is not a page."""
    listed = opened(record.get("traces"))
    return listed if isinstance(listed, list) and listed else [record]


def _parts(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the info of a trace, and the object that holds its spans."""
    whole = opened(record.get("trace"))  # a row of search_traces holds the trace as JSON
    if isinstance(whole, Mapping) and "spans" not in record:
        record = {**record, **whole}
    info, held = opened(record.get("info")), opened(record.get("data"))
    about = {**record, **info} if isinstance(info, Mapping) else record
    return about, held if isinstance(held, Mapping) else record


def _is_trace(record: object) -> bool:
    """Return True for a trace: info and spans, or spans with MLflow's attributes."""
    if not isinstance(record, Mapping):
        return False
    about, held = _parts(record)
    spans = opened(held.get("spans"))
    if not isinstance(spans, list):
        return False
    if any(dialect(item) == "mlflow" for item in spans[:50] if isinstance(item, Mapping)):
        return True
    if "attributes" in record or not any(name in about for name in _TRACE_IDS):
        return False
    return any(name in about for name in ("request_metadata", "trace_metadata", "trace_location"))


def _spans_of(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Go through the spans of a record."""
    for item in _traces(record):
        if not isinstance(item, Mapping):
            yield TraceProblem(line, f"a trace must be an object, and here it is {kind_of(item)}.")
        elif _is_trace(item):
            yield from _trace(item, line)
        else:
            yield from each_span(_span)(item, line)


def _trace(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Yield the spans of one trace; its info comes last, as a further root."""
    about, held = _parts(record)
    spans = opened(held.get("spans"))
    name = next(filter(None, (name_of(about.get(key)) for key in _TRACE_IDS)), "")
    for item in each_span(_span)({"spans": spans}, line):
        if isinstance(item, RequestSpan):
            name = item.trace = name or item.trace
        yield item
    noted = opened(about.get("trace_metadata") or about.get("request_metadata"))
    noted = noted if isinstance(noted, Mapping) else {}
    taken = held.get("request"), noted.get("mlflow.traceInputs"), about.get("request_preview")
    given = held.get("response"), noted.get("mlflow.traceOutputs"), about.get("response_preview")
    yield RequestSpan(
        name,
        "",
        query=next(filter(None, (question_in(from_json(item)) for item in taken)), ""),
        answer=next(filter(None, (answer_in(from_json(item)) for item in given)), ""),
    )


def _span(raw: OtlpSpan) -> RequestSpan:
    """Read one span."""
    attribute = raw.attributes.get("mlflow")
    attribute = attribute if isinstance(attribute, Mapping) else {}
    found = from_json(attribute.get("spanType"))
    kind = _KINDS.get(found.upper() if isinstance(found, str) else "", "other")
    taken, given = from_json(attribute.get("spanInputs")), from_json(attribute.get("spanOutputs"))
    span = raw.span(kind=kind).look_into(taken, given)
    request = from_json(attribute.get("traceRequestId"))
    span.trace = request if isinstance(request, str) and request else span.trace
    return span


def _complete(record: Mapping[str, Any]) -> bool:
    """Say whether the record holds whole traces, and not only some of their spans."""
    return any(_is_trace(item) for item in _traces(record)[:1])


READER = Reader("mlflow", "MLflow", recognises, span_reader(_spans_of, "mlflow", _complete))
