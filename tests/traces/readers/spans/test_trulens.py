"""TruLens: recorded calls, rows of tables, and OpenTelemetry spans."""

from __future__ import annotations

import json

import pandas as pd

from explorer.traces import load_traces
from explorer.traces.readers._spans.trulens import READER

from ..mutations import FILES, read_all, records_of


def test_recorded_calls_and_a_row_that_keeps_its_contexts_in_evaluations_only():
    called, row = load_traces(FILES / "trulens.jsonl")
    assert (called.id, called.query, called.answer) == (
        "record_hash_1f0c",
        "What does it cost to take a bicycle?",
        "4 crowns",
    )
    # The reranker gave two of the three chunks, each with its score.
    assert [(edge.id, edge.hyperedge, edge.extra) for edge in called.hyperedges] == [
        ("d1", "A bicycle costs 4 crowns.", {"retrieval_score": 0.9}),
        ("d2", "Bicycles are carried on the lower deck.", {"retrieval_score": 0.4}),
    ]
    assert (row.id, row.query, row.answer) == (
        "51da4849-f044",
        "Where are prams kept?",
        "On the lower deck.",
    )
    assert [edge.hyperedge for edge in row.hyperedges] == [
        "Prams are kept on the lower deck.",
        "Prams travel free.",
    ]


def test_rows_whose_record_is_json_in_a_text(tmp_path):
    record, row = records_of("trulens.jsonl")
    rows = [
        {"record_id": record["record_id"], "app_id": "a", "input": "i", "output": "o",
         "record_json": json.dumps(record)},
        {"record_id": row["record_id"], "app_id": "a", "input": row["input"],
         "output": row["output"], "record_json": str(row["record_json"]),
         "Context Relevance_calls": str(row["Context Relevance_calls"])},
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "records.csv", index=False)
    for source in (frame, tmp_path / "records.csv"):
        called, evaluated = load_traces(source)
        assert called.query == "What does it cost to take a bicycle?"
        assert [edge.hyperedge for edge in called.hyperedges] == [
            "A bicycle costs 4 crowns.",
            "Bicycles are carried on the lower deck.",
        ]
        assert [edge.hyperedge for edge in evaluated.hyperedges] == [
            "Prams are kept on the lower deck.",
            "Prams travel free.",
        ]


def test_the_table_of_events(tmp_path):
    frame = pd.DataFrame(records_of("trulens_events.jsonl"))
    frame.to_csv(tmp_path / "events.csv")  # cells as Python prints them
    for source in (FILES / "trulens_events.jsonl", frame, tmp_path / "events.csv"):
        (trace,) = load_traces(source)
        assert (trace.id, trace.query) == ("51da4849", "How many decks has the Calla Wren?")
        assert trace.answer == "Two."
        assert [edge.hyperedge for edge in trace.hyperedges] == [
            "The Calla Wren has a lower and an upper deck.",
            "The upper deck has no roof.",
        ]


def test_otlp_spans_with_a_reranker_a_retriever_within_and_an_evaluation():
    traces = load_traces(FILES / "trulens_otlp.json")
    assert traces.problems == ()  # the evaluation is no part of the record
    (trace,) = traces
    assert (trace.id, trace.query, trace.answer) == (
        "7d3f9c52-1a",
        "Is there coffee on the Calla Wren?",
        "Yes, on the lower deck.",
    )
    assert [(edge.hyperedge, edge.extra["retrieval_score"]) for edge in trace.hyperedges] == [
        ("The lower deck of the Calla Wren has a coffee bar.", 0.9),
        ("The upper deck has no roof.", 0.2),
    ]
    assert trace.metadata == {"source": "trulens"}


def test_documents_of_llamaindex_and_langchain_in_recorded_calls():
    record, _ = records_of("trulens.jsonl")
    call = record["calls"][1]
    for given in (
        [{"node": {"id_": "n1", "text": "Ada.", "metadata": {"page": 2}}, "score": 0.5}],
        [{"page_content": "Ada.", "metadata": {"id": "n1", "score": 0.5}}],
    ):
        (trace,) = read_all(READER, {**record, "calls": [{**call, "rets": given}]})
        (edge,) = trace.hyperedges
        assert (edge.id, edge.hyperedge, edge.extra["retrieval_score"]) == ("n1", "Ada.", 0.5)


def test_a_record_without_calls_or_evaluations_is_a_problem():
    record, _ = records_of("trulens.jsonl")
    (problem,) = read_all(READER, {**record, "calls": []})
    assert "has no retrieved documents" in problem.message
