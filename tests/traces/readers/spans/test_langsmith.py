"""LangSmith: runs one by one, nested, and in tables."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from explorer.traces import load_traces
from explorer.traces.readers._spans.langsmith import READER

from ..mutations import FILES, read_all, records_of

ROOT = "01a20179-44f0-7bdb-863f-32da71a7e43b"


@pytest.mark.parametrize("form", ["jsonl", "page", "parquet", "csv"])
def test_runs_in_any_order(form, tmp_path):
    source = FILES / "langsmith.jsonl"
    runs = records_of(source.name)
    if form == "page":
        source = tmp_path / "page.json"
        source.write_text(json.dumps({"runs": runs, "cursors": {"next": None}}))
    elif form in {"parquet", "csv"}:
        # As the bulk export does: what is an object is JSON in a text.
        source = tmp_path / f"runs.{form}"
        frame = pd.DataFrame([{**run, "inputs": json.dumps(run["inputs"]),
                               "outputs": json.dumps(run["outputs"]),
                               "extra": json.dumps(run["extra"])} for run in runs])  # fmt: skip
        frame = frame.drop(columns=["events", "tags"])
        frame.to_parquet(source) if form == "parquet" else frame.to_csv(source, index=False)
    (trace,) = load_traces(source)
    assert trace.id == ROOT
    assert trace.query == "Which flag does the Calla Wren fly?"
    assert trace.answer == "A blue one with a white oar."
    # The first document has no id of its own; its metadata names the chunk.
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [
        ("f2", "Ships of the guild fly a blue flag with a white oar."),
        ("5f1c", "The Calla Wren belongs to the guild."),
    ]
    assert trace.hyperedges[1].extra == {"metadata": {"source": "ships.md"}}
    tokens = trace.metadata["logprobs"]["content"]
    assert [(item["token"], item["logprob"]) for item in tokens] == [("A", -0.1), (" blue", -0.3)]


def test_nested_runs():
    (trace,) = load_traces(FILES / "langsmith_nested.json")
    assert (trace.id, trace.query, trace.answer) == (
        "root-2",
        "Is the Calla Wren surveyed?",
        "Yes, every year.",
    )
    assert [edge.extra["retrieval_score"] for edge in trace.hyperedges] == [0.5]


def test_runs_without_a_trace_id_are_put_together_by_their_order():
    runs = records_of("langsmith.jsonl")
    for run in runs:
        del run["trace_id"]
    (trace,) = read_all(READER, *runs)
    assert (trace.id, len(trace.hyperedges)) == (ROOT, 2)


def test_children_a_thousand_deep():
    run = {"id": "r", "run_type": "retriever", "inputs": {"query": "Who?"},
           "outputs": {"documents": [{"page_content": "Ada."}]}}  # fmt: skip
    for depth in range(1000):
        run = {"id": f"c{depth}", "run_type": "chain", "inputs": {}, "child_runs": [run]}
    (trace,) = read_all(READER, {**run, "outputs": {"output": "Ada"}, "trace_id": "t"})
    assert (trace.id, trace.query, trace.answer) == ("t", "Who?", "Ada")


def test_documents_that_langchain_serialised():
    held = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "Document"],
            "kwargs": {"page_content": "Ada.", "metadata": {"id": "a", "score": 0.7}}}  # fmt: skip
    run = {"id": "r", "trace_id": "t", "run_type": "retriever",
           "inputs": {"query": "Who?"}, "outputs": {"documents": [held]}}  # fmt: skip
    (trace,) = read_all(READER, run)
    (edge,) = trace.hyperedges
    assert (edge.id, edge.hyperedge, edge.extra["retrieval_score"]) == ("a", "Ada.", 0.7)


@pytest.mark.parametrize("name", ["RetrievalQA", "retrieve_and_answer", "create_retrieval_chain"])
def test_a_chain_is_no_retriever_for_its_name(name):
    runs = records_of("langsmith.jsonl")
    runs[2]["name"] = name
    (trace,) = read_all(READER, *runs)
    assert trace.answer == "A blue one with a white oar."
    assert [edge.id for edge in trace.hyperedges] == ["f2", "5f1c"]


def test_a_step_of_a_graph_that_is_called_retrieve_is_a_retriever():
    runs = records_of("langsmith.jsonl")
    runs[1] |= {"name": "retrieve", "run_type": "chain", "outputs": {"context": ["A.", "B."]}}
    (trace,) = read_all(READER, *runs)
    assert [edge.hyperedge for edge in trace.hyperedges] == ["A.", "B."]


def test_outputs_of_chains_count_where_nothing_retrieved():
    runs = records_of("langsmith.jsonl")
    runs[2]["outputs"] = {"answer": "Blue.", "context": runs[1]["outputs"]["documents"]}
    (trace,) = read_all(READER, runs[0], runs[2])
    assert trace.answer == "Blue."
    assert [edge.id for edge in trace.hyperedges] == ["f2", "5f1c"]
