"""MLflow: versions 2 and 3, as files, pages and tables."""

from __future__ import annotations

import json

import pandas as pd

from explorer.traces import load_traces
from explorer.traces.readers._spans.mlflow import READER

from ..mutations import FILES, read_all, records_of


def test_a_trace_of_version_3():
    (trace,) = load_traces(FILES / "mlflow.json")
    assert trace.id == "tr-fc8119fca0d412b31b1cbaa9677bf79a"
    # The previews beside the spans are cut off; the spans are not.
    assert trace.query == "Which light marks the harbour of Osk?"
    assert trace.answer == "The green one."
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [
        ("x1", "A green light marks the harbour of Osk."),
        ("d2", "A red light marks the reef."),
    ]
    assert trace.hyperedges[0].extra["retrieval_score"] == 0.9
    assert trace.metadata["logprobs"] == {"content": [{"token": "The", "logprob": -0.1}]}
    assert trace.metadata["source"] == "mlflow"


def test_a_trace_of_version_2_with_a_reranker_and_a_row_of_search_traces():
    old, row = load_traces(FILES / "mlflow_old_and_rows.jsonl")
    assert (old.id, old.query, old.answer) == ("8f1c2d", "How long is the Calla Wren?", "41 metres")
    assert [(edge.id, edge.hyperedge) for edge in old.hyperedges] == [
        ("m41", "The Calla Wren is 41 metres long.")
    ]
    assert old.hyperedges[0].extra["retrieval_score"] == 0.98
    assert (row.id, row.query, row.answer) == ("tr-row", "What is the reef called?", "The Comb")
    assert [edge.hyperedge for edge in row.hyperedges] == [
        "The reef before Osk is called the Comb."
    ]


def test_tables_of_search_traces(tmp_path):
    (record,) = records_of("mlflow.json")
    row = {
        "trace_id": record["info"]["trace_id"],
        "trace": json.dumps(record),
        "request": {"question": "Which light marks the harbour of Osk?"},
        "response": "The green one.",
        "trace_metadata": record["info"]["trace_metadata"],
        "spans": record["data"]["spans"],
    }
    frame = pd.DataFrame([row, {**row, "trace_id": "other"}])
    frame.to_csv(tmp_path / "traces.csv", index=False)
    for source in (frame, frame.drop(columns="spans"), tmp_path / "traces.csv"):
        traces = load_traces(source)
        assert [len(trace.hyperedges) for trace in traces] == [2, 2]
        assert traces[0].query == "Which light marks the harbour of Osk?"


def test_the_spans_by_themselves_as_the_artifact_has_them():
    (record,) = records_of("mlflow.json")
    (trace,) = read_all(READER, {"spans": record["data"]["spans"]})
    assert trace.id == "tr-fc8119fca0d412b31b1cbaa9677bf79a"
    assert len(trace.hyperedges) == 2


def test_a_page_of_traces():
    (record,) = records_of("mlflow.json")
    page = {"traces": [record, 7], "next_page_token": "x"}
    assert READER.recognises(page)
    problem, trace = read_all(READER, page)
    assert problem.message == "a trace must be an object, and here it is a number."
    assert len(trace.hyperedges) == 2


def test_outputs_that_are_cut_off_are_told():
    (record,) = records_of("mlflow.json")
    attributes = record["data"]["spans"][1]["attributes"]
    attributes["mlflow.spanOutputs"] = attributes["mlflow.spanOutputs"][:40]
    (problem,) = read_all(READER, record)
    assert "JSON that breaks off" in problem.message
    assert not problem.loaded


def test_without_a_root_span_the_request_of_the_trace_is_asked():
    (record,) = records_of("mlflow_old_and_rows.jsonl")[:1]
    del record["data"]["spans"][0]
    (trace,) = read_all(READER, record)
    assert (trace.query, trace.answer) == ("How long is the Calla Wren?", "41 metres")
