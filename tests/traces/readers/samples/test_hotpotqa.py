"""HotpotQA: one hyperedge a paragraph, supporting facts are labels."""

from __future__ import annotations

import pytest

from explorer.traces import load_traces
from explorer.traces.readers._samples.hotpotqa import READER

from ..mutations import FILES, read_all, records_of


def test_pairs():
    traces = load_traces(FILES / "hotpotqa.json")
    trace = traces[0]
    assert (trace.id, trace.answer) == ("5a7e01", "Ina Strand")
    assert trace.metadata == {"source": "hotpotqa", "answer_from": "gold"}
    assert [(e.id, e.entities, e.label) for e in trace.hyperedges] == [
        ("c1", ["Hove"], False),
        ("c2", ["Olaf Bem"], True),
        ("c3", ["Hove Theatre"], True),
    ]
    assert trace.hyperedges[1].hyperedge == "Olaf Bem is a painter. He was born in Hove."
    assert trace.hyperedges[1].extra == {
        "sentences": ["Olaf Bem is a painter.", " He was born in Hove."],
        "supporting_sentences": [1],
    }
    assert trace.extra["type"] == "bridge"
    assert trace.extra["supporting_facts"] == [["Olaf Bem", 1], ["Hove Theatre", 0]]
    assert traces.problems == ()


def test_the_test_set_has_neither_answers_nor_labels():
    trace = load_traces(FILES / "hotpotqa.json")[1]
    assert (trace.answer, trace.metadata) == ("", {"source": "hotpotqa"})
    assert [edge.label for edge in trace.hyperedges] == [None, None]


def test_columns():
    (trace,) = load_traces(FILES / "hotpotqa_columns.jsonl")
    assert [(e.label, e.extra["supporting_sentences"]) for e in trace.hyperedges] == [
        (True, [0]),
        (True, [1]),
        (False, []),
    ]
    assert trace.hyperedges[1].hyperedge == "Lund Quay was dug in 1790. It is only a harbour."


def question(**changed):
    return {**records_of("hotpotqa.json")[0], **changed}


def test_both_columns_as_text_out_of_a_table():
    (trace,) = read_all(
        READER,
        question(
            context="{'title': ['Hove'], 'sentences': [['It is small.', 'It is old.']]}",
            supporting_facts='[["Hove", 1]]',
        ),
    )
    (edge,) = trace.hyperedges
    assert (edge.hyperedge, edge.label) == ("Hove: It is small. It is old.", True)
    assert edge.extra["supporting_sentences"] == [1]


def test_facts_that_name_nothing_are_told():
    facts = [["Olaf Bem", 7], ["Olaf Bem", -1], ["Absent", 0], [None, 0], "x", ["Hove", True]]
    trace, absent, beyond = read_all(READER, question(supporting_facts=facts))
    # The paragraph is one of the right ones, though its sentences are numbered otherwise.
    assert [edge.label for edge in trace.hyperedges] == [True, True, False]
    assert [edge.extra["supporting_sentences"] for edge in trace.hyperedges] == [[], [], []]
    assert absent.loaded
    assert beyond.loaded
    assert "paragraphs that are not there: 'Absent', 'null'" in absent.message
    assert "not in their paragraph: 'Olaf Bem', 'Hove'" in beyond.message


def test_paragraphs_of_one_title_share_their_label_and_it_is_told():
    context = [["Hove", ["a", "b"]], ["Hove", ["c"]], ["Orm", ["d"]]]
    trace, beyond, twice = read_all(
        READER, question(context=context, supporting_facts=[["Hove", 1]])
    )
    assert [(e.label, e.extra["supporting_sentences"]) for e in trace.hyperedges] == [
        (True, [1]),
        (True, []),
        (False, []),
    ]
    assert "'Hove'" in beyond.message
    assert "several paragraphs have one title" in twice.message


def test_broken_paragraphs_are_left_out_and_told():
    context = [["Hove", ["a", None]], ["Orm"], 7, ["Brek", "b"], ["Olaf Bem", ["c", "d"]]]
    trace, problem = read_all(READER, question(context=context, supporting_facts=[["Brek", 0]]))
    assert [(e.id, e.hyperedge, e.label) for e in trace.hyperedges] == [
        ("c4", "Brek: b", True),
        ("c5", "Olaf Bem: c d", False),
    ]
    assert "paragraph 1, 2, 3 is not a title with sentences" in problem.message


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"context": None}, "`context` must be a list or an object, and here it is null"),
        ({"context": "long text"}, "here it is text"),
        ({"context": {"title": ["a"]}}, "needs two lists, `title` and `sentences`"),
        ({"context": {"title": ["a"], "sentences": []}}, "1 of `title` and 0 of `sentences`"),
        ({"supporting_facts": 3}, "`supporting_facts` must be a list or an object"),
        ({"question": None}, "it needs `question`"),
        ({"answer": ["a"]}, "`answer` must be text"),
    ],
)
def test_what_is_wrong_is_said(changed, words):
    (problem,) = read_all(READER, question(**changed))
    assert not problem.loaded
    assert words in problem.message
