"""OpenTelemetry's GenAI conventions, old and new."""

from __future__ import annotations

import json

from explorer.traces import load_traces
from explorer.traces.readers._spans.genai import READER

from ..mutations import FILES, read_all


def span(name, parent="", start=0, events=(), **attributes):
    return {
        "traceId": "t",
        "spanId": name,
        "name": name,
        "parentSpanId": parent,
        "startTimeUnixNano": str(start),
        "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
        "events": list(events),
    }


def messages(*said):
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said]
    )


def test_an_agent_with_a_retrieval_a_tool_and_a_vector_database():
    traces = load_traces(FILES / "genai.json")
    assert traces.problems == ()
    agent, tool, database = traces
    assert (agent.query, agent.answer) == ("When does the first ferry to Meer sail?", "At 6:40.")
    assert [(edge.id, edge.extra["retrieval_score"]) for edge in agent.hyperedges] == [
        ("row-1", 0.92),
        ("row-2", 0.44),
    ]
    assert agent.metadata == {"source": "genai"}
    # Nothing was retrieved but by a tool; question and answer are events of the model's span.
    assert (tool.query, tool.answer) == (
        "What does a ticket for a dog cost?",
        "Nothing: dogs travel free.",
    )
    assert [(edge.id, edge.hyperedge) for edge in tool.hyperedges] == [
        ("dogs", "Dogs travel free on the Calla Wren."),
        ("cats", "Cats must be in a box."),
    ]
    # OpenLLMetry: arguments and answer are JSON, documents are events of the database's span.
    assert (database.query, database.answer) == ("How long is the crossing?", "55 minutes")
    assert [edge.id for edge in database.hyperedges] == ["c7", "c8"]
    assert database.hyperedges[0].extra == {
        "retrieval_score": 0.3,
        "metadata": {"source": "faq.md"},
    }


def test_documents_with_only_ids_and_scores_are_told():
    documents = json.dumps([{"id": "doc_1", "score": 0.9}, {"id": "doc_2", "score": 0.8}])
    made = span("r", gen_ai__operation__name="retrieval", gen_ai__retrieval__documents=documents)
    (problem,) = read_all(READER, made)
    assert problem.message == (
        "trace 't' has no retrieved documents: its retriever has none (retrievers: 1). "
        "2 of 2 documents have no text and were left out."
    )


def test_documents_as_structured_attributes():
    made = span(
        "r",
        gen_ai__operation__name="retrieval",
        gen_ai__retrieval__query__text="Who?",
        gen_ai__retrieval__documents=[{"id": "a", "score": 0.5, "content": "Ada."}],
    )
    (trace,) = read_all(READER, made)
    assert (trace.query, trace.hyperedges[0].hyperedge) == ("Who?", "Ada.")


def test_what_tools_told_the_model_is_taken_from_its_messages_at_last():
    asked = [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "weather"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "Rain."}]},
    ]
    made = span(
        "m",
        gen_ai__operation__name="chat",
        gen_ai__input__messages=json.dumps(asked),
        gen_ai__output__messages=messages(("assistant", "It rains.")),
    )
    (trace,) = read_all(READER, made)
    assert (trace.query, trace.answer) == ("Weather?", "It rains.")
    assert [edge.hyperedge for edge in trace.hyperedges] == ["Rain."]


def test_a_web_request_as_root_says_nothing_and_the_agent_stands_for_it():
    spans = [
        span("GET /ask", http__method="GET"),
        span(
            "agent",
            "GET /ask",
            1,
            gen_ai__operation__name="invoke_agent",
            gen_ai__input__messages=messages(("user", "Who wrote it?")),
            gen_ai__output__messages=messages(("assistant", "Ada did.")),
        ),
        span("chat", "agent", 2, gen_ai__operation__name="chat",
             gen_ai__output__messages=messages(("assistant", "let me look"))),
        span("retrieval", "agent", 3, gen_ai__operation__name="retrieval",
             gen_ai__retrieval__query__text="author",
             gen_ai__retrieval__documents=json.dumps([{"id": "a", "content": "Ada wrote it."}])),
    ]  # fmt: skip
    (trace,) = read_all(READER, {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    assert (trace.query, trace.answer) == ("Who wrote it?", "Ada did.")


def test_messages_that_were_logged_belong_to_their_span():
    def log(name, **body):
        pairs = [{"key": key, "value": {"stringValue": value}} for key, value in body.items()]
        return {
            "eventName": name,
            "traceId": "t",
            "spanId": "m",
            "attributes": [{"key": "gen_ai.system", "value": {"stringValue": "openai"}}],
            "body": {"kvlistValue": {"values": pairs}},
        }

    records = [
        log("gen_ai.user.message", content="Who?"),
        log("gen_ai.choice", message='{"role": "assistant", "content": "Ada."}'),
    ]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    spans = [
        span("m", "root", 2, gen_ai__operation__name="chat"),
        span("r", "root", 1, gen_ai__operation__name="retrieval",
             gen_ai__retrieval__documents=[{"id": "a", "text": "Ada wrote it."}]),
    ]  # fmt: skip
    assert READER.recognises(logs)
    (trace,) = read_all(READER, logs, {"spans": spans})
    assert (trace.query, trace.answer) == ("Who?", "Ada.")


def test_openinference_and_trulens_are_not_taken_for_it():
    both = span("r", gen_ai__operation__name="retrieval", openinference__span__kind="RETRIEVER")
    assert not READER.recognises(both)
    assert not READER.recognises(
        span("r", gen_ai__operation__name="chat", ai__observability__span_type="generation")
    )
    assert READER.recognises(span("r", gen_ai__operation__name="chat"))
