"""RAGBench: sentences are the hyperedges, what was utilised is the label."""

from __future__ import annotations

from explorer.traces import load_traces
from explorer.traces.readers._samples.ragbench import READER

from ..mutations import FILES, read_all, records_of


def test_sentences():
    traces = load_traces(FILES / "ragbench.jsonl")
    trace = traces[0]
    assert (trace.id, trace.query) == ("sund-17", "Why was the tower at Brek built?")
    assert trace.answer == "It was built to warn of floods. It is red."
    assert [(e.id, e.label, e.extra) for e in trace.hyperedges] == [
        ("0a", True, {"document": 0, "relevant": True}),
        ("0b", False, {"document": 0, "relevant": False}),
        ("1a", False, {"document": 1, "relevant": False}),
        ("1b", False, {"document": 1, "relevant": True}),
    ]
    assert trace.hyperedges[3].hyperedge == "Floods reached Brek in 1634."
    assert trace.metadata == {"source": "ragbench"}
    assert trace.extra["unsupported_response_sentence_keys"] == ["b"]
    assert trace.extra["utilization_score"] == 0.25
    assert trace.extra["documents"][1] == "Brek has a harbour. Floods reached Brek in 1634."
    assert traces.problems == ()


def test_documents_where_there_are_no_sentences():
    trace = load_traces(FILES / "ragbench.jsonl")[1]
    assert [(e.id, e.hyperedge, e.label) for e in trace.hyperedges] == [
        ("0", "Its bell weighs two tons.", True),
        ("1", "Brek has a harbour.", False),
    ]


def row(**changed):
    return {**records_of("ragbench.jsonl")[0], **changed}


def test_without_annotations_nobody_knows():
    (trace,) = read_all(READER, row(all_utilized_sentence_keys=None))
    assert {edge.label for edge in trace.hyperedges} == {None}


def test_keys_of_no_sentence_are_told():
    trace, problem = read_all(READER, row(all_utilized_sentence_keys=["0a", "7z", 5, None]))
    assert [edge.id for edge in trace.hyperedges if edge.label] == ["0a"]
    assert problem.loaded
    assert "names 2 keys that no sentence has: '5', '7z'" in problem.message


def test_broken_sentences_are_told():
    sentences = [[["0a", "x"], ["0b"], "0c", None], 7, [["1a", "y"]]]
    trace, problem = read_all(READER, row(documents_sentences=sentences))
    assert [edge.id for edge in trace.hyperedges] == ["0a", "1a"]
    assert problem.loaded
    assert "4 sentences are not a pair of a key and a text" in problem.message
    assert "(document 1, 2)" in problem.message


def test_sentences_out_of_a_table():
    (trace,) = read_all(
        READER,
        row(
            documents_sentences="[[['0a', 'x'], ['0b', 'y']]]",
            all_utilized_sentence_keys="['0b']",
            all_relevant_sentence_keys="[]",
        ),
    )
    assert [(edge.id, edge.label) for edge in trace.hyperedges] == [("0a", False), ("0b", True)]


def test_what_is_wrong_is_said():
    (problem,) = read_all(READER, row(documents_sentences={"0a": "x"}))
    assert problem.message == "`documents_sentences` must be a list, and here it is an object."
