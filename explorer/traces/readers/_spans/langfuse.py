"""Reader of Langfuse: traces with their observations, and single observations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.documents import documents_in
from explorer.traces.readers._fields.message_text import answer_in, opened, question_in
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._spans.otlp import OtlpSpan, dialect, each_span
from explorer.traces.readers._spans.request_spans import (
    RequestSpan,
    SpanKind,
    is_failure,
    moment,
    name_of,
    named_kind,
)
from explorer.traces.readers._spans.trace_assembly import span_reader

_KINDS: dict[str, SpanKind] = {
    "SPAN": "other",
    "EVENT": "other",
    "GENERATION": "llm",
    "RETRIEVER": "retriever",
    "TOOL": "tool",
    "AGENT": "other",
    "CHAIN": "other",
    "EMBEDDING": "aside",
    "EVALUATOR": "aside",
    "GUARDRAIL": "aside",
}
# What only Langfuse's traces have, whether they come from its API, its pages or its blob storage.
_OF_TRACES = frozenset({"htmlPath", "bookmarked", "sessionId", "session_id", "totalCost"})


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a record is a trace, an observation, a list of either, or spans for Langfuse."""
    return (
        _is_trace(record)
        or _is_observation(record)
        or any(
            isinstance(item, Mapping) and (_is_trace(item) or _is_observation(item))
            for item in _listed(record)[:1]
        )
        or dialect(record) == "langfuse"
    )


def _is_trace(record: Mapping[str, Any]) -> bool:
    """Say whether this is a trace."""
    if not {"id", "timestamp"} <= record.keys():
        return False
    observations = opened(record.get("observations"))
    if isinstance(observations, list):
        return (
            not observations or isinstance(observations[0], str) or _is_observation(observations[0])
        )
    return len(_OF_TRACES & record.keys()) > 1 and {"input", "output"} <= record.keys()


def _is_observation(record: object) -> bool:
    """Say whether this is an observation, in the names of the API or those of the blob storage."""
    return (
        isinstance(record, Mapping)
        and isinstance(record.get("type"), str)
        and record["type"].upper() in _KINDS
        and ("traceId" in record or "trace_id" in record or "parentObservationId" in record)
        and ("startTime" in record or "start_time" in record)
    )


def _listed(record: Mapping[str, Any]) -> list[Any]:
    """Return the list in a response of the API, or an empty list."""
    found = record.get("data")
    return found if isinstance(found, list) and record.keys() <= {"data", "meta"} else []


def _complete(record: Mapping[str, Any]) -> bool:
    """Say whether a record holds the observations of its traces, and not only their names."""
    listed = opened(record.get("observations"))
    return isinstance(listed, list) and any(isinstance(item, Mapping) for item in listed)


def _spans_of(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Go through the spans of a record; a trace is the root of its observations."""
    if dialect(record) == "langfuse":
        yield from each_span(_otlp_span)(record, line)
        return
    for item in _listed(record) or [record]:
        if not isinstance(item, Mapping):
            yield TraceProblem(line, f"a trace must be an object, and here it is {kind_of(item)}.")
        elif _is_observation(item):
            yield _span(item, "")
        else:
            yield from _trace(item, line)


def _trace(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Go through the spans of one trace."""
    name = name_of(record.get("id"))
    taken, given = opened(record.get("input")), opened(record.get("output"))
    observations = opened(record.get("observations"))
    yield RequestSpan(
        name,
        "",
        start=-math.inf,  # fields of the trace itself come before those of its observations
        query=question_in(taken),
        answer=answer_in(given),
        documents=documents_in(given, [], sure=True),
        notes=[]
        if _complete(record)
        else ["its observations are not in the file; export them together with the trace."],
    )
    for item in observations if isinstance(observations, list) else ():
        if isinstance(item, Mapping):
            yield _span(item, name)
        elif not isinstance(item, str):  # the lists of the API hold names only
            message = f"an observation must be an object, and here it is {kind_of(item)}."
            yield TraceProblem(line, message)


def _span(record: Mapping[str, Any], trace: str) -> RequestSpan:
    """Read one observation."""
    kind = _KINDS.get(str(record.get("type")).upper(), "other")
    parent = name_of(record.get("parentObservationId") or record.get("parent_observation_id"))
    span = RequestSpan(
        trace=trace or name_of(record.get("traceId") or record.get("trace_id")),
        id=name_of(record.get("id")),
        parent=parent,
        kind=named_kind(kind, record.get("name"), parent),
        start=moment(record.get("startTime") or record.get("start_time")),
        name=str(record.get("name") or ""),
        failed=is_failure(record.get("level")),
    )
    return span.look_into(record.get("input"), record.get("output"))


def _otlp_span(raw: OtlpSpan) -> RequestSpan:
    """Read one span that was meant for Langfuse."""
    kind = _KINDS.get(raw.text("langfuse.observation.type").upper(), "other")
    span = raw.span(kind=kind)
    span.kind = named_kind(kind, raw.raw.get("name"), span.parent)
    span.failed = span.failed or is_failure(raw.at("langfuse.observation.level"))
    span.look_into(raw.at("langfuse.observation.input"), raw.at("langfuse.observation.output"))
    if not span.parent:
        span.query = question_in(raw.at("langfuse.trace.input")) or span.query
        span.answer = answer_in(raw.at("langfuse.trace.output")) or span.answer
    return span


READER = Reader("langfuse", "Langfuse", recognises, span_reader(_spans_of, "langfuse", _complete))
