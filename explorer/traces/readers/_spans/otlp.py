"""Spans in OpenTelemetry's JSON: their envelopes, their attributes and their convention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.message_text import DEPTH, opened
from explorer.traces.readers._spans.request_spans import RequestSpan, is_failure, moment, name_of

DIALECTS: dict[str, tuple[str, ...]] = {
    "trulens": ("ai.observability.",),
    "mlflow": ("mlflow.",),
    "langfuse": ("langfuse.",),
    "openinference": (
        *("openinference.", "retrieval.documents", "reranker.", "input.value", "output.value"),
        *("llm.input_messages", "llm.output_messages"),
    ),
    "genai": ("gen_ai.", "traceloop."),
}
"""Prefixes of attribute names by system. Systems that also write names of others come first, such
as TruLens, which writes GenAI names as well."""

_PARTS = 16
_LOOKED_AT = 500
_ENVELOPES = (
    *("resourceSpans", "resource_spans", "scopeSpans", "scope_spans"),
    *("instrumentationLibrarySpans", "resourceLogs", "resource_logs", "scopeLogs", "scope_logs"),
    *("logRecords", "log_records", "spans", "data"),
)


class OtlpSpan:
    """One span or log record, of any system.

    Attributes
    ----------
    raw
        The object of the file.
    attributes
        Its attributes as one tree: ``retrieval.documents.0.document.content`` is found below
        `retrieval`, whether the file has a list of keys and values, flat names or objects.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.attributes = tree(raw.get("attributes"))

    def at(self, name: str) -> Any:
        """Return the attribute of this name, or all below it; None if it is missing."""
        return at(self.attributes, name)

    def text(self, name: str) -> str:
        """Return a text attribute, empty for any other value."""
        found = self.at(name)
        return found if isinstance(found, str) else ""

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Go through the events of the span: name, and tree of attributes."""
        listed = opened(self.raw.get("events"))
        for event in listed if isinstance(listed, list) else ():
            if isinstance(event, Mapping):
                name = event.get("name")
                yield name if isinstance(name, str) else "", tree(event.get("attributes"))

    def span(self, **found: Any) -> RequestSpan:
        """Return the `RequestSpan` of this one, with the fields that the caller found."""
        raw, context = self.raw, opened(self.raw.get("context"))
        if not isinstance(context, Mapping):
            context = {}
        names = {**context, **raw}
        step = raw.get("name")
        found.setdefault("given", self.at("output.value"))
        return RequestSpan(
            name=step if isinstance(step, str) else "",
            failed=is_failure(raw.get("status"), raw.get("status_code"), raw.get("statusCode")),
            trace=_first_name(names, "traceId", "trace_id"),
            id=_first_name(names, "spanId", "span_id"),
            parent=_first_name(names, "parentSpanId", "parent_span_id", "parent_id"),
            start=next(
                filter(
                    lambda found: found is not None,
                    (
                        moment(raw.get(name))
                        for name in ("startTimeUnixNano", "start_time_unix_nano", "start_time")
                    ),
                ),
                None,
            ),
            **found,
        )


def dialect(record: Mapping[str, Any]) -> str | None:
    """Return the system that wrote the spans of a record, or None if it is unknown.

    The first 500 spans are looked at. Never raises.
    """
    try:
        seen: set[str] = set()
        for raw in islice(spans_in(record), _LOOKED_AT):
            if isinstance(raw, Mapping):
                seen.update(_names(raw.get("attributes")))
                events = raw.get("events")
                for event in events[:20] if isinstance(events, list) else ():
                    if isinstance(event, Mapping):
                        seen.update(_names(event.get("attributes")))
    except RecursionError:
        return None
    return next(
        (
            system
            for system, marks in DIALECTS.items()
            if any(name.startswith(marks) for name in seen)
        ),
        None,
    )


def each_span(
    read: Callable[[OtlpSpan], RequestSpan | None],
) -> Callable[[Mapping[str, Any], int], Iterator[RequestSpan | TraceProblem]]:
    """Return what goes through the spans of a record with `read`, for `span_reader`."""

    def spans_of(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
        for raw in spans_in(record):
            if not isinstance(raw, Mapping):
                message = f"a span must be an object, and here it is {kind_of(raw)}."
                yield TraceProblem(line, message)
                continue
            found = read(OtlpSpan(raw))
            if found is not None:
                yield found

    return spans_of


def spans_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Go through the spans (and log records) that envelopes hold, outermost first."""
    found = opened(value)
    if isinstance(found, list):
        for item in found:
            yield from spans_in(item, depth)
        return
    within = (
        [name for name in _ENVELOPES if isinstance(opened(found.get(name)), list)]
        if isinstance(found, Mapping) and depth < 6
        else []
    )
    for name in within:
        yield from spans_in(found[name], depth + 1)
    if not within:
        yield found


def tree(attributes: Any) -> dict[str, Any]:
    """Return attributes as one tree of names, whichever way they are written."""
    grown: dict[str, Any] = {}
    _grow_all(grown, attributes, 0)
    return grown


def at(attributes: Mapping[str, Any], name: str) -> Any:
    """Return what lies at a dotted name of a `tree`; None where nothing does.

    Numbered children are a list, and a text that is a list or an object is that.
    """
    found: Any = attributes
    for part in name.split("."):
        found = opened(found)
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return _listed(opened(found), 0)


def _grow_all(grown: dict[str, Any], attributes: Any, depth: int) -> None:
    """Add attributes to a tree: a list of keys and values, or an object."""
    attributes = opened(attributes)
    if depth > DEPTH:
        return
    if isinstance(attributes, Mapping):
        for name, value in attributes.items():
            _grow(grown, str(name), _branch(value, depth + 1), depth)
    elif isinstance(attributes, list):
        for item in attributes:
            if isinstance(item, Mapping) and isinstance(item.get("key"), str):
                _grow(
                    grown,
                    item["key"],
                    _branch(_any_value(item.get("value"), depth), depth + 1),
                    depth,
                )


def _grow(grown: dict[str, Any], name: str, value: Any, depth: int) -> None:
    """Add one attribute to a tree, at the position of its dotted name."""
    *way, last = name.split(".", _PARTS)
    for part in way:
        below = grown.get(part)
        if not isinstance(below, dict):
            below = {} if below is None else {"": below}
            grown[part] = below
        grown = below
    held = grown.get(last)
    if isinstance(held, dict) and isinstance(value, Mapping):
        if depth <= DEPTH:
            for inner, item in value.items():
                _grow(held, inner, item, depth + 1)
    elif isinstance(held, dict):
        held[""] = value
    else:
        grown[last] = value


def _branch(value: Any, depth: int) -> Any:
    """Return the value of an attribute, with the objects in it as trees."""
    if isinstance(value, Mapping):
        grown: dict[str, Any] = {}
        _grow_all(grown, value, depth)
        return grown
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_branch(item, depth + 1) for item in value] if depth <= DEPTH else None
    return value


def _any_value(value: Any, depth: int) -> Any:
    """Return the value of an OTLP tagged value; a value without a tag is returned unchanged."""
    if not isinstance(value, Mapping) or len(value) != 1 or depth > DEPTH:
        return None if isinstance(value, Mapping) and not value else value
    tag, held = next(iter(value.items()))
    match tag:
        case "intValue" | "int_value" if isinstance(held, str):
            return int(held) if held.lstrip("-").isdecimal() and len(held) < 20 else held
        case "stringValue" | "boolValue" | "intValue" | "doubleValue" | "bytesValue":
            return held
        case "string_value" | "bool_value" | "int_value" | "double_value" | "bytes_value":
            return held
        case "arrayValue" | "array_value":
            items = held.get("values") if isinstance(held, Mapping) else None
            return (
                [_any_value(item, depth + 1) for item in items] if isinstance(items, list) else []
            )
        case "kvlistValue" | "kvlist_value":
            pairs = held.get("values") if isinstance(held, Mapping) else None
            return {
                pair["key"]: _any_value(pair.get("value"), depth + 1)
                for pair in (pairs if isinstance(pairs, list) else ())
                if isinstance(pair, Mapping) and isinstance(pair.get("key"), str)
            }
    return value


def _listed(value: Any, depth: int) -> Any:
    """Return a tree in which numbered children are lists."""
    if depth > DEPTH:
        return value
    if isinstance(value, list):
        return [_listed(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        ordered = sorted(value, key=lambda name: (len(name), name))
        return [_listed(value[name], depth + 1) for name in ordered]
    return {name: _listed(item, depth + 1) for name, item in value.items()}


def _names(attributes: Any, depth: int = 0) -> Iterable[str]:
    """Return the dotted names of attributes, two objects deep, without looking at their values."""
    attributes = opened(attributes)
    if isinstance(attributes, list):
        return [
            item["key"]
            for item in attributes
            if isinstance(item, Mapping) and isinstance(item.get("key"), str)
        ]
    if not isinstance(attributes, Mapping):
        return []
    names = []
    for name, value in attributes.items():
        names.append(str(name))
        if isinstance(value, Mapping) and depth < 2:
            names += [f"{name}.{inner}" for inner in _names(value, depth + 1)]
    return names


def _first_name(values: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that is a name."""
    return next(filter(None, (name_of(values.get(name)) for name in names)), "")
