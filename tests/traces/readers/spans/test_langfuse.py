"""Langfuse: its API, its blob storage, its spans."""

from __future__ import annotations

import json

import pytest

from explorer.errors import TraceError
from explorer.traces import load_traces
from explorer.traces.readers._spans.langfuse import READER

from ..mutations import FILES, read_all, records_of


def test_a_trace_with_its_observations_in_any_order():
    (trace,) = load_traces(FILES / "langfuse.json")
    assert trace.id == "lf-1"
    assert trace.query == "Who owns the Calla Wren?"
    assert trace.answer == "The harbour guild of Osk."
    # Two retrievers; the second found g-3 again.
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [
        ("g-3", "The harbour guild of Osk bought the Calla Wren in 2003."),
        ("g-5", "The guild has nine members."),
        ("s-1", "Calla Wren, steel ferry, 41 metres."),
    ]
    assert trace.hyperedges[2].extra == {"retrieval_score": 0.61}
    assert trace.metadata == {"source": "langfuse"}


def test_a_page_of_the_api(tmp_path):
    (record,) = records_of("langfuse.json")
    page = {"data": [record, {**record, "id": "lf-2"}], "meta": {"page": 1, "totalItems": 2}}
    assert READER.recognises(page)
    (tmp_path / "page.json").write_text(json.dumps(page))
    assert [trace.id for trace in load_traces(tmp_path / "page.json")] == ["lf-1", "lf-2"]


def test_observations_of_the_blob_storage_where_a_retriever_is_a_span_by_that_name():
    (trace,) = load_traces(FILES / "langfuse_observations.jsonl")
    assert (trace.id, trace.query, trace.answer) == (
        "lf-2",
        "How old is the Calla Wren?",
        "It was built in 1971.",
    )
    assert [edge.hyperedge for edge in trace.hyperedges] == [
        "The Calla Wren was built in 1971.",
        "Ferries are surveyed every year.",
    ]
    assert trace.hyperedges[0].extra == {"metadata": {"source": "ships.md"}}


def test_spans_that_its_sdk_made():
    def span(name, parent, start, kind, taken, given):
        return {
            "name": name,
            "context": {"trace_id": "0xb7", "span_id": name},
            "parent_id": parent,
            "start_time": f"2026-03-01T04:49:59.19{start}Z",
            "attributes": {
                "langfuse.observation.type": kind,
                "langfuse.observation.input": taken,
                "langfuse.observation.output": given,
            },
        }

    found = '[{"page_content": "The guild.", "metadata": {}}]'
    (trace,) = read_all(
        READER,
        span("find", "desk", 5, "retriever", "Who?", found),
        span("desk", None, 1, "chain", '{"question": "Who owns it?"}', "The guild does."),
    )
    assert (trace.id, trace.query, trace.answer) == ("0xb7", "Who owns it?", "The guild does.")
    assert trace.hyperedges[0].hyperedge == "The guild."


def test_contexts_in_the_output_of_the_trace_will_do_where_nothing_retrieved():
    (record,) = records_of("langfuse.json")
    record["output"] = {"answer": "The guild.", "contexts": ["A.", "B."]}
    record["observations"] = [item for item in record["observations"] if item["type"] == "CHAIN"]
    (trace,) = read_all(READER, record)
    assert trace.answer == "The guild."
    assert [edge.hyperedge for edge in trace.hyperedges] == ["A.", "B."]


def test_traces_without_their_observations_say_what_to_do(tmp_path):
    (record,) = records_of("langfuse.json")
    record["observations"] = ["o1", "o2"]
    (tmp_path / "traces.json").write_text(json.dumps([record]))
    with pytest.raises(TraceError, match="export them together with the trace"):
        load_traces(tmp_path / "traces.json")


def test_odd_observations_are_told_and_the_others_read():
    (record,) = records_of("langfuse.json")
    record["observations"] += [3, None]
    found = read_all(READER, record)
    assert [str(item) for item in found[:2]] == [
        "line 1: an observation must be an object, and here it is a number.",
        "line 1: an observation must be an object, and here it is null.",
    ]
    assert len(found[2].hyperedges) == 3
