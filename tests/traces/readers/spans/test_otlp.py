"""Attributes as trees, envelopes, and who wrote the spans."""

from __future__ import annotations

import json

import pytest

from explorer.traces.readers._spans.otlp import at, dialect, spans_in, tree

FLAT = {"a.b": 1, "a.docs.0.text": "x", "a.docs.1.text": "y", "a.docs.10.text": "z"}
LISTED = [
    {"key": "a.b", "value": {"intValue": "1"}},
    {"key": "a.docs.0.text", "value": {"stringValue": "x"}},
    {"key": "a.docs.1.text", "value": {"stringValue": "y"}},
    {"key": "a.docs.10.text", "value": {"stringValue": "z"}},
]
NESTED = {"a": {"b": 1, "docs": [{"text": "x"}, {"text": "y"}, {"text": "z"}]}}


@pytest.mark.parametrize("attributes", [FLAT, LISTED, NESTED, json.dumps(FLAT), repr(NESTED)])
def test_attributes_are_one_tree_however_they_are_written(attributes):
    grown = tree(attributes)
    assert at(grown, "a.b") == 1
    assert at(grown, "a.docs") == [{"text": "x"}, {"text": "y"}, {"text": "z"}]
    assert at(grown, "a.docs.text") is None
    assert at(grown, "a.c") is None


def test_a_text_beside_what_lies_below_it_is_not_lost():
    for attributes in ({"a": "x", "a.b": "y"}, {"a.b": "y", "a": "x"}):
        assert at(tree(attributes), "a") == {"": "x", "b": "y"}


@pytest.mark.parametrize("odd", [None, 3, "x", [], [3, {"key": 3}, {"value": 1}], {"": {}}, "[{"])
def test_odd_attributes_are_empty(odd):
    assert at(tree(odd), "a.b") is None


@pytest.mark.parametrize(
    "envelope",
    [
        lambda span: span,
        lambda span: {"spans": [span]},
        lambda span: {"data": [span], "next_cursor": None},
        lambda span: {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]},
        lambda span: {"resource_spans": [{"scope_spans": [{"spans": [span]}]}]},
        lambda span: {"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [span]}]}]},
        lambda span: {"resource": {}, "scopeSpans": [{"spans": [span]}]},
        lambda span: {"spans": json.dumps([span])},
    ],
)
def test_spans_are_found_in_every_envelope(envelope):
    span = {"traceId": "t", "spanId": "s", "attributes": {"input.value": "x"}}
    assert list(spans_in(envelope(span))) == [span]
    assert dialect(envelope(span)) == "openinference"


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ({"openinference.span.kind": "LLM", "gen_ai.system": "x"}, "openinference"),
        ({"ai.observability.span_type": "x", "gen_ai.system": "x"}, "trulens"),
        ({"mlflow.spanType": '"LLM"', "gen_ai.system": "x"}, "mlflow"),
        ({"langfuse.observation.type": "span", "gen_ai.system": "x"}, "langfuse"),
        ({"gen_ai.operation.name": "chat"}, "genai"),
        ({"gen_ai": {"operation": {"name": "chat"}}}, "genai"),
        ({"traceloop.span.kind": "task"}, "genai"),
        ({"http.method": "GET"}, None),
        ({"some.gen_ai.": 1, "xmlflow.": 2}, None),
        (None, None),
        (3, None),
    ],
)
def test_who_wrote_the_spans(attributes, wanted):
    assert dialect({"traceId": "t", "spanId": "s", "attributes": attributes}) == wanted


def test_names_of_events_tell_as_well():
    event = {"name": "x", "attributes": [{"key": "gen_ai.prompt", "value": {"stringValue": "q"}}]}
    assert dialect({"spans": [{"attributes": {}, "events": [event]}]}) == "genai"
