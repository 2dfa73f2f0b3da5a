"""MuSiQue: one hyperedge a paragraph, what supports the answer is its label."""

from __future__ import annotations

import json

import pytest

from explorer.traces import load_traces
from explorer.traces.readers._samples.musique import READER

from ..mutations import FILES, load_text, read_all, records_of


def test_lines():
    traces = load_traces(FILES / "musique.jsonl")
    first, second = traces
    assert (first.id, first.answer) == ("2hop__11_12", "Brek")
    assert first.metadata == {"source": "musique", "answer_from": "gold"}
    assert [(e.id, e.entities, e.label, e.extra) for e in first.hyperedges] == [
        ("0", ["Vell"], False, {}),
        ("1", ["Kest Ferry"], True, {}),
        ("2", ["Marta Oll"], True, {}),
    ]
    assert first.hyperedges[2].hyperedge == "Marta Oll was born in Brek."
    assert first.extra["answer_aliases"] == ["the town of Brek"]
    assert first.extra["question_decomposition"][1]["paragraph_support_idx"] == 2
    # The test set has neither answers nor labels.
    assert (second.answer, second.metadata) == ("", {"source": "musique"})
    assert [edge.label for edge in second.hyperedges] == [None, None]
    assert traces.problems == ()


def test_an_array():
    text = json.dumps(records_of("musique.jsonl"), indent=1)
    traces = load_text(text, ".json", load_traces)
    assert [trace.id for trace in traces] == ["2hop__11_12", "2hop__13_14"]
    assert [edge.label for edge in traces[0].hyperedges] == [False, True, True]


def test_odd_paragraphs_are_told():
    paragraphs = [
        {"idx": None, "title": None, "paragraph_text": "a", "is_supporting": 1, "url": "u"},
        {"idx": 7, "title": "T", "paragraph_text": "b", "is_supporting": "yes"},
        {"idx": 8, "title": "T"},
        "c",
    ]
    trace, left_out, unclear = read_all(READER, {"question": "q", "paragraphs": paragraphs})
    first, second = trace.hyperedges
    assert (first.id, first.entities, first.label) == ("c1", [], True)
    assert first.extra == {"idx": None, "title": None, "url": "u"}
    assert (second.id, second.entities, second.label) == ("7", ["T"], None)
    assert second.extra == {"is_supporting": "yes"}
    assert "paragraph 3, 4 has no `paragraph_text`" in left_out.message
    assert "`is_supporting` of paragraph 2 is neither true nor false" in unclear.message


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"question": "q"}, "it needs `paragraphs`, a list"),
        ({"question": "q", "paragraphs": "p"}, "`paragraphs` must be a list, and here it is text"),
        ({"paragraphs": []}, "it needs `question`"),
        ({"question": "q", "paragraphs": [], "answer": []}, "`answer` must be text"),
    ],
)
def test_what_is_wrong_is_said(record, words):
    (problem,) = read_all(READER, record)
    assert not problem.loaded
    assert words in problem.message


def test_no_paragraphs_is_a_trace_without_hyperedges():
    (trace,) = read_all(READER, {"id": 5, "question": "q", "paragraphs": [], "answer": "a"})
    assert (trace.id, trace.hyperedges) == ("5", [])
