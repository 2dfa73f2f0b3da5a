"""OpenInference: the documents of a trace as a person reads them off the file."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from explorer.errors import TraceError
from explorer.traces import load_traces
from explorer.traces.readers._spans.openinference import READER

from ..mutations import FILES, read_all, records_of

KIND = "openinference.span.kind"


def span(name, parent="", trace="t", start=0, **attributes):
    return {
        "traceId": trace,
        "spanId": name,
        "parentSpanId": parent,
        "startTimeUnixNano": str(start),
        "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
    }


def retriever(name, texts, parent="root", start=1, kind="RETRIEVER", **more):
    where = "reranker.output_documents" if kind == "RERANKER" else "retrieval.documents"
    documents = {f"{where}.{n}.document.content": text for n, text in enumerate(texts)}
    made = span(name, parent, start=start, **more)
    made["attributes"] |= {KIND: kind, **documents}
    return made


def root(**more):
    return span(
        "root", start=0, input__value="Who?", output__value="Ada.", **{KIND: "CHAIN"}, **more
    )


def texts_of(*spans):
    trace = read_all(READER, {"spans": list(spans)})[0]
    return [edge.hyperedge for edge in trace.hyperedges]


def test_otlp_json_with_listed_attributes_a_reranker_and_log_probabilities():
    traces = load_traces(FILES / "openinference.json")
    assert traces.problems == ()
    first, second = traces
    assert first.id == "5b8aa5a2d2c872e8321cf37308d69df0"
    assert first.query == "May the Calla Wren sail in a wind of 35 knots?"
    assert first.answer == "No: Port Osk, where it sails from, is closed."
    # The reranker kept two of the three documents, in its own order and with its own scores.
    assert [(edge.id, edge.extra["retrieval_score"]) for edge in first.hyperedges] == [
        ("tide-09", 0.97),
        ("tide-04", 0.93),
    ]
    assert first.hyperedges[0].hyperedge == "Port Osk closes when the wind is above 30 knots."
    assert first.hyperedges[0].extra["metadata"] == {"source": "rules.md", "page": 9}
    assert first.metadata["source"] == "openinference"
    tokens = first.metadata["logprobs"]["content"]
    assert [(item["token"], item["logprob"]) for item in tokens] == [("No", -0.02), (":", -0.5)]
    # The second trace says question and answer in JSON, and its documents have no ids.
    assert (second.query, second.answer) == ("What is the lighthouse of Meer built of?", "slate")
    assert [edge.id for edge in second.hyperedges] == ["d1", "d2"]
    assert second.hyperedges[1].hyperedge == "Slate is quarried near Port Osk."
    assert second.hyperedges[1].extra == {}


def test_spans_one_a_line_with_flat_attributes_children_first():
    (trace,) = load_traces(FILES / "openinference_flat.jsonl")
    assert trace.query == "Which isle does the Calla Wren sail to?"
    assert trace.answer == "Meer"
    assert [edge.id for edge in trace.hyperedges] == ["tide-04", "tide-09"]


@pytest.mark.parametrize("form", ["jsonl", "frame", "csv", "parquet"])
def test_the_table_of_phoenix_in_every_container(form, tmp_path):
    source = FILES / "openinference_phoenix.jsonl"
    frame = pd.DataFrame(records_of(source.name)).set_index("context.span_id")
    if form == "frame":
        source = frame
    elif form == "csv":
        source = tmp_path / "spans.csv"
        frame.to_csv(source)
    elif form == "parquet":
        source = tmp_path / "spans.parquet"
        frame.to_parquet(source)
    (trace,) = load_traces(source)
    assert (trace.id, trace.query) == ("t1", "Who keeps the light of Meer?")
    assert trace.answer == "Ama Torv keeps it."
    assert [(edge.id, edge.extra["retrieval_score"]) for edge in trace.hyperedges] == [
        ("k1", 0.88),
        ("k2", 0.41),
    ]
    assert trace.hyperedges[0].extra["metadata"] == {"source": "keepers.md"}


def test_nested_attributes_are_the_same_attributes():
    attributes = {
        "openinference": {"span": {"kind": "RETRIEVER"}},
        "input": {"value": "Who?"},
        "retrieval": {"documents": [{"document": {"content": "Ada.", "id": 7, "score": 1}}]},
    }
    (trace, *notes) = read_all(READER, {"trace_id": "t", "span_id": "s", "attributes": attributes})
    assert notes == []
    assert (trace.query, trace.hyperedges[0].id) == ("Who?", "7")
    assert trace.hyperedges[0].extra == {"retrieval_score": 1.0}


def test_all_tags_of_otlp_values_are_understood():
    documents = [
        {
            "kvlistValue": {
                "values": [{"key": "document.content", "value": {"stringValue": "One."}}]
            }
        },
        {
            "kvlistValue": {
                "values": [
                    {"key": "document.content", "value": {"stringValue": "Two."}},
                    {"key": "document.id", "value": {"intValue": "12"}},
                    {"key": "document.score", "value": {"doubleValue": 0.25}},
                ]
            }
        },
    ]
    attributes = [
        {"key": KIND, "value": {"stringValue": "RETRIEVER"}},
        {"key": "input.value", "value": {"stringValue": "Which?"}},
        {"key": "odd", "value": {"boolValue": True}},
        {"key": "retrieval.documents", "value": {"arrayValue": {"values": documents}}},
    ]
    held = {
        "resourceSpans": [
            {"scopeSpans": [{"spans": [{"traceId": "t", "spanId": "s", "attributes": attributes}]}]}
        ]
    }
    (trace,) = read_all(READER, held)
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [
        ("d1", "One."),
        ("12", "Two."),
    ]
    assert trace.hyperedges[1].extra == {"retrieval_score": 0.25}


def test_documents_beyond_the_ninth_keep_their_order():
    texts = [f"Fact {n}." for n in range(12)]
    assert texts_of(root(), retriever("r", texts)) == texts


def test_retrievers_follow_each_other_in_time_and_the_same_document_counts_once():
    spans = [
        retriever("late", ["C", "A"], start=9),
        root(),
        retriever("early", ["A", "B"], start=5),
    ]
    assert texts_of(*spans) == ["A", "B", "C"]


def test_a_retriever_within_a_retriever_is_its_own_affair():
    spans = [root(), retriever("outer", ["B"], start=1), retriever("inner", ["A", "B"], "outer", 2)]
    assert texts_of(*spans) == ["B"]


def test_a_reranker_replaces_only_what_it_was_given():
    ranked = {"reranker__input_documents__0__document__content": "A"}
    spans = [
        root(),
        retriever("first", ["A", "B"], start=1),
        retriever("second", ["C"], start=2),
        retriever("rank", ["A"], start=3, kind="RERANKER", **ranked),
    ]
    assert texts_of(*spans) == ["C", "A"]
    # Unknown input: it ranked all that came before.
    spans[-1] = retriever("rank", ["C", "A"], start=3, kind="RERANKER")
    assert texts_of(*spans) == ["C", "A"]
    # Two of them: each has the retriever before it.
    spans = [
        root(),
        retriever("first", ["A", "B"], start=1),
        retriever("rank 1", ["B"], start=2, kind="RERANKER"),
        retriever("second", ["C", "D"], start=3),
        retriever("rank 2", ["D"], start=4, kind="RERANKER"),
    ]
    assert texts_of(*spans) == ["B", "D"]


def test_a_reranker_without_documents_replaces_nothing():
    spans = [root(), retriever("r", ["A"]), retriever("rank", [], start=2, kind="RERANKER")]
    assert texts_of(*spans) == ["A"]


def test_a_trace_may_lie_in_many_records_and_beside_others():
    other = retriever("x", ["Z"])
    other["traceId"] = "u"
    found = read_all(READER, retriever("r", ["A"]), other, root())
    assert [(item.id, item.query) for item in found if hasattr(item, "query")] == [
        ("t", "Who?"),
        ("u", ""),
    ]
    assert [(item.line, item.loaded) for item in found if not hasattr(item, "query")] == [(2, True)]


def test_the_same_span_twice_is_one_span():
    assert texts_of(root(), retriever("r", ["A", "B"]), retriever("r", ["A", "B"]), root()) == [
        "A",
        "B",
    ]


def test_parents_in_a_circle_do_no_harm():
    first, second = retriever("a", ["A"], "b", 1), retriever("b", ["B"], "a", 2)
    assert texts_of(first, second) == ["A", "B"]
    assert texts_of(retriever("self", ["S"], "self")) == ["S"]


def test_without_a_root_the_retriever_asks_and_the_last_model_answers():
    spans = [
        span("m2", "gone", start=9, output__value="Last.", **{KIND: "LLM"}),
        span("m1", "gone", start=3, output__value="First.", **{KIND: "LLM"}),
        retriever("r", ["A"], "gone", input__value="Who?"),
    ]
    (trace,) = read_all(READER, {"spans": spans})
    assert (trace.query, trace.answer) == ("Who?", "Last.")


def test_a_trace_without_retrieval_is_a_problem_beside_the_others():
    lonely = {**root(), "traceId": "empty"}
    trace, problem = read_all(READER, {"spans": [root(), retriever("r", ["A"]), lonely]})
    assert trace.id == "t"
    assert not problem.loaded
    assert problem.message == (
        "trace 'empty' has no retrieved documents: it has no retriever (spans: 1)."
    )


def test_documents_without_text_are_counted():
    made = retriever("r", ["A"])
    made["attributes"]["retrieval.documents.1.document.id"] = "no text"
    trace, note = read_all(READER, {"spans": [root(), made]})
    assert [edge.hyperedge for edge in trace.hyperedges] == ["A"]
    assert note.loaded
    assert note.message == "trace 't': 1 of 2 documents have no text and were left out."


def test_different_documents_of_one_id_are_told_apart():
    made = retriever("r", ["A", "B"])
    made["attributes"] |= {f"retrieval.documents.{n}.document.id": "x" for n in (0, 1)}
    trace, note = read_all(READER, {"spans": [root(), made]})
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [("x", "A"), ("x#2", "B")]
    assert "share the id 'x'" in note.message


def test_documents_in_the_output_of_a_retriever_will_do():
    output = json.dumps([{"page_content": "A", "metadata": {"id": "a"}}, "B"])
    made = span("r", "root", start=1, output__value=output, **{KIND: "RETRIEVER"})
    (trace,) = read_all(READER, {"spans": [root(), made]})
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [("a", "A"), ("d2", "B")]


def test_json_that_breaks_off_is_told():
    made = span(
        "r", "root", start=1, output__value='[{"page_content": "The N', **{KIND: "RETRIEVER"}
    )
    (problem,) = read_all(READER, {"spans": [root(), made]})
    assert "JSON that breaks off" in problem.message


def test_rows_of_get_retrieved_documents(tmp_path):
    columns = ["context.span_id", "document_position", "context.trace_id", "input", "reference"]
    rows = [
        ["s1", 0, "t1", "Who?", "Ada.", 0.5],
        ["s1", 1, "t1", "Who?", "Bo.", None],
        ["s2", 0, "t2", "When?", "In 1843.", 0.25],
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "document_score"]).set_index(columns[:2])
    frame.to_csv(tmp_path / "documents.csv")
    for source in (frame, tmp_path / "documents.csv"):
        first, second = load_traces(source)
        assert (first.id, first.query, first.answer) == ("t1", "Who?", "")
        assert [(edge.id, edge.hyperedge) for edge in first.hyperedges] == [
            ("d1", "Ada."),
            ("d2", "Bo."),
        ]
        assert [edge.extra for edge in first.hyperedges] == [{"retrieval_score": 0.5}, {}]
        assert second.hyperedges[0].extra == {"retrieval_score": 0.25}


def test_rows_of_get_qa_with_reference():
    frame = pd.DataFrame(
        [["s1", "Who?", "Ada.", "Ada wrote it.\n\nBo read it."]],
        columns=["context.span_id", "input", "output", "reference"],
    ).set_index("context.span_id")
    traces = load_traces(frame)
    assert (traces[0].id, traces[0].query, traces[0].answer) == ("s1", "Who?", "Ada.")
    assert [edge.hyperedge for edge in traces[0].hyperedges] == ["Ada wrote it.", "Bo read it."]
    assert "cut apart at blank lines" in traces.problems[0].message


@pytest.mark.parametrize(
    "record",
    [
        {"input": "Who?", "output": "Ada.", "reference": "Ada."},
        {"attributes": {"http.method": "GET"}, "traceId": "t", "spanId": "s"},
        {"spans": []},
        {"spans": [3, None, "x"]},
        {"resourceSpans": "x"},
    ],
    ids=json.dumps,
)
def test_what_is_not_openinference(record):
    assert not READER.recognises(record)


def test_a_file_without_any_retrieval_says_so(tmp_path):
    (tmp_path / "spans.json").write_text(json.dumps({"spans": [root()]}))
    with pytest.raises(TraceError, match="has no retrieved documents"):
        load_traces(tmp_path / "spans.json")
