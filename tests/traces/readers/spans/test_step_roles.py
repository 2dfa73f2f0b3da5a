"""Steps whose kind does not say that they retrieve; steps that failed; several turns."""

from __future__ import annotations

import json

import pytest

from explorer.errors import TraceError
from explorer.traces import load_traces, parse_traces

DOCUMENTS = [{"text": "The Nile is the longest river."}, {"text": "The Rhine is shorter."}]


def langfuse(*observations, name="t1", question="Which river is longest?", answer="the Nile"):
    return {
        "id": name,
        "timestamp": "2026-01-01T00:00:00Z",
        "input": question,
        "output": answer,
        "sessionId": None,
        "htmlPath": "/x",
        "observations": [
            {
                "id": f"o{number}",
                "traceId": name,
                "startTime": f"2026-01-01T00:00:0{number}Z",
                "type": "SPAN",
                **one,
            }
            for number, one in enumerate(observations)
        ],
    }


def retriever(query):
    return {"type": "RETRIEVER", "name": "r", "output": DOCUMENTS, "input": {"query": query}}


@pytest.mark.parametrize(
    "name", ["retrieval", "vector-search", "search_docs", "retrieve", "get_context", "knn lookup"]
)
@pytest.mark.parametrize("output", [DOCUMENTS, {"documents": ["One fact.", "Two facts."]}])
def test_a_step_with_the_name_of_a_retriever(name, output):
    traces = load_traces([langfuse({"name": name, "input": "q", "output": output})])
    assert len(traces[0].hyperedges) == 2
    assert traces[0].query == "Which river is longest?"


def test_a_step_with_results_in_its_output():
    results = [{"title": "Nile", "body": "The longest river.", "url": "https://a"}]
    traces = load_traces([langfuse({"name": "step 2", "input": "q", "output": results})])
    assert [edge.hyperedge for edge in traces[0].hyperedges] == ["The longest river."]


def test_a_refusal_names_the_steps_and_how_to_mark_one():
    record = langfuse({"name": "gather", "input": "q", "output": ["One fact.", "Two facts."]})
    with pytest.raises(TraceError, match=r"steps: gather.*retriever='gather'"):
        load_traces([record])
    trace = load_traces([record], retriever="gather")[0]
    assert [edge.hyperedge for edge in trace.hyperedges] == ["One fact.", "Two facts."]
    with pytest.raises(TraceError, match="retriever must be the name"):
        load_traces([record], retriever="")


def test_a_named_retriever_replaces_the_others():
    record = langfuse(
        {"type": "RETRIEVER", "name": "cache", "output": DOCUMENTS[:1]},
        {"name": "fresh", "output": [{"text": "Another fact."}]},
    )
    trace = load_traces([record], retriever="fresh")[0]
    assert [edge.hyperedge for edge in trace.hyperedges] == ["Another fact."]


OTLP = {
    "trace_id": "t1",
    "span_id": "s1",
    "name": "retrieve",
    "attributes": {
        "openinference.span.kind": "RETRIEVER",
        "input.value": "Which?",
        "retrieval.documents": [{"document.content": "A fact."}],
    },
}


@pytest.mark.parametrize(
    "failed",
    [
        {**OTLP, "status": {"code": 2}},
        {**OTLP, "status": {"code": "STATUS_CODE_ERROR"}},
        {**OTLP, "status_code": "ERROR"},
        langfuse({"type": "RETRIEVER", "name": "r", "level": "ERROR", "output": DOCUMENTS}),
        {
            "id": "r",
            "trace_id": "t",
            "run_type": "retriever",
            "name": "r",
            "error": "TimeoutError()",
            "inputs": {"query": "q"},
            "outputs": {"documents": DOCUMENTS},
        },
    ],
    ids=["code", "word", "phoenix", "langfuse", "langsmith"],
)
def test_a_step_that_failed_is_no_evidence(failed):
    with pytest.raises(TraceError, match="failed steps"):
        load_traces([failed])


def test_the_question_is_not_the_prompt_that_holds_the_documents():
    prompt = f"Context:\n{DOCUMENTS[0]['text']}\n{DOCUMENTS[1]['text']}\nQuestion: Which river?"
    generation = {"type": "GENERATION", "name": "llm", "input": prompt, "output": "Nile"}
    retrieval = {
        "type": "RETRIEVER",
        "name": "r",
        "output": DOCUMENTS,
        "input": {"query": "longest"},
    }
    asked = load_traces([langfuse(retrieval, generation, question=prompt)])[0]
    assert asked.query == "longest"
    silent = {**retrieval, "input": None}
    assert load_traces([langfuse(silent, generation, question=prompt)])[0].query == "Which river?"


def test_a_root_that_holds_an_object_is_passed_over():
    question = json.dumps({"ctx": "<app.Context object at 0x7f00aa>"})
    retrieval = {
        "type": "RETRIEVER",
        "name": "r",
        "output": DOCUMENTS,
        "input": {"query": "Which?"},
    }
    assert load_traces([langfuse(retrieval, question=question)])[0].query == "Which?"


def test_turns_of_one_trace_are_traces():
    def span(name, parent, kind, start, **attributes):
        return {
            "trace_id": "t",
            "span_id": name,
            "parent_id": parent,
            "start_time": start,
            "name": name,
            "attributes": {"openinference.span.kind": kind, **attributes},
        }

    def turn(number, question, fact, answer):
        root = f"turn {number}"
        return [
            span(root, None, "CHAIN", number, **{"input.value": question, "output.value": answer}),
            span(
                f"r{number}",
                root,
                "RETRIEVER",
                number + 0.1,
                **{
                    "input.value": question,
                    "retrieval.documents": [{"document.content": fact}],
                },
            ),
        ]

    spans = [*turn(1, "Which?", "One.", "A"), *turn(2, "Where?", "Two.", "B")]
    text = "".join(json.dumps(one) + "\n" for one in spans)
    traces = parse_traces(text.encode(), "x.jsonl")
    found = [
        (trace.id, trace.query, trace.hyperedges[0].hyperedge, trace.answer) for trace in traces
    ]
    assert found == [("t", "Which?", "One.", "A"), ("t#2", "Where?", "Two.", "B")]
    assert "2 turns" in traces.problems[0].message


def test_deepeval_spans_and_tables_with_bars():
    case = {
        "input": "Which?",
        "actual_output": "Nile",
        "trace": {
            "retrieverSpans": [
                {"name": "r", "status": "SUCCESS", "retrievalContext": ["One.", "Two."]},
                {"name": "r", "status": "ERRORED", "retrievalContext": ["Three."]},
            ]
        },
    }
    traces = load_traces([case], format="deepeval")
    assert [edge.hyperedge for edge in traces[0].hyperedges] == ["One.", "Two."]
    assert "failed" in traces.problems[0].message
    table = "| river | km |\n| --- | --- |\n| Nile | 6650 |"
    whole = load_traces(
        [{"input": "Q", "actual_output": "A", "retrieval_context": table}], format="deepeval"
    )
    assert [edge.hyperedge for edge in whole[0].hyperedges] == [table]
