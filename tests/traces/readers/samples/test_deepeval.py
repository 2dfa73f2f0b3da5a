"""DeepEval: data sets, test runs, conversations, tables."""

from __future__ import annotations

import csv
import io

import pytest

from explorer.traces import Trace, load_traces, parse_traces
from explorer.traces.readers._samples.deepeval import READER

from ..mutations import FILES, read_all


def test_a_data_set():
    traces = load_traces(FILES / "deepeval.json")
    cranes, dyke = traces
    assert (cranes.id, cranes.answer) == ("cranes", "Mostly acorns.")
    assert [(edge.id, edge.label) for edge in cranes.hyperedges] == [
        ("c1", True),
        ("c2", False),
        ("c3", False),
    ]
    assert cranes.hyperedges[1].hyperedge == "Cranes reach Halse Bay in October."
    assert cranes.hyperedges[1].extra == {"source": "birds.md"}
    assert cranes.metadata == {
        "source": "deepeval",
        "reference": "Acorns and spilt barley.",
        "topic": "birds",
        "source_": "field notes",
    }
    assert cranes.extra["source_file"] == "birds.md"
    assert (dyke.id, dyke.answer) == ("q2", "The farmers of Orm.")
    assert dyke.metadata == {"source": "deepeval", "answer_from": "gold"}
    assert [edge.label for edge in dyke.hyperedges] == [True, True]
    assert traces.problems == ()


def test_a_test_run():
    first, second = load_traces(FILES / "deepeval_run.json")
    assert (first.id, first.query) == ("test_case_0", "How long does Marn tea steep?")
    assert [edge.hyperedge for edge in first.hyperedges] == [
        "Marn tea steeps for four minutes.",
        "Marn tea grows on shaded slopes.",
    ]
    assert first.metadata["reference"] == "Four minutes."
    assert first.extra["metricsData"][0]["score"] == 1.0
    # What the run says about itself stands once.
    assert first.metadata["file"]["testPassed"] == 1
    assert "file" not in second.metadata
    assert (second.answer, second.hyperedges) == ("In the hills.", [])


def test_the_local_copy_of_a_run_and_a_list_of_goldens():
    case = {"input": "q", "actualOutput": "a", "retrievalContext": ["x"], "name": "n"}
    (trace,) = read_all(READER, {"testRunData": {"testCases": [case], "identifier": "i"}})
    assert trace.metadata["file"] == {"testRunData": {"identifier": "i"}}
    traces = read_all(READER, {"goldens": [{"input": "q", "context": ["x"]}, 7]})
    assert traces[0].hyperedges[0].label is True
    assert (
        traces[1].message == "number 2 of its list: it must be an object, and here it is a number."
    )


def test_a_conversation():
    (trace,) = load_traces(FILES / "deepeval_turns.jsonl")
    assert (trace.query, trace.answer) == ("What does it cost?", "Eight crowns.")
    assert [edge.hyperedge for edge in trace.hyperedges] == [
        "A ticket costs eight crowns.",
        "Children pay nothing.",
    ]
    assert trace.metadata["reference"] == "The visitor knows the price."
    assert len(trace.extra["turns"]) == 4


def test_a_conversation_whose_last_turns_retrieved_nothing_has_what_came_before():
    turns = [
        {"role": "user", "content": "Is it open?"},
        {"role": "assistant", "content": "Yes.", "retrieval_context": ["Open from ten."]},
        {"role": "user", "content": "Thanks. And on Sunday?"},
        {"role": "assistant", "content": "Also."},
    ]
    (trace,) = read_all(READER, {"scenario": "s", "turns": turns})
    assert (trace.query, trace.answer) == ("Thanks. And on Sunday?", "Also.")
    assert [edge.hyperedge for edge in trace.hyperedges] == ["Open from ten."]


def test_a_table_joins_contexts_with_bars():
    table = io.StringIO()
    names = ["input", "actual_output", "expected_output", "retrieval_context", "context", "name"]
    names += ["additional_metadata"]
    writer = csv.writer(table)
    writer.writerow(names)
    writer.writerow(["q1?", "a", "e", "one|two, three", "one", "first", '{"topic": "x"}'])
    writer.writerow(["q2?", "", "35", "", "", "", ""])
    first, second = parse_traces(table.getvalue().encode(), "goldens.csv")
    assert [(edge.hyperedge, edge.label) for edge in first.hyperedges] == [
        ("one", True),
        ("two, three", False),
    ]
    assert first.metadata == {"source": "deepeval", "reference": "e", "topic": "x"}
    assert (second.answer, second.hyperedges) == ("35", [])


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"input": ["q", {"url": "x"}], "actual_output": "a"}, "`input` must be text"),
        ({"actual_output": "a", "input": None}, "it needs `input`"),
        ({"input": "q", "actual_output": "a", "retrieval_context": {}}, "must be a list"),
        ({"scenario": "s", "turns": []}, "holds no question"),
        ({"scenario": "s", "turns": "soon"}, "`turns` must be a list, and here it is text"),
        ({"testCases": []}, "its list of samples is empty"),
    ],
)
def test_what_is_wrong_is_said(record, words):
    (problem,) = read_all(READER, record)
    assert not isinstance(problem, Trace)
    assert words in problem.message
