"""RAGAS: old and new columns, several turns, references as labels."""

from __future__ import annotations

import pytest

from explorer.traces import Trace, TraceProblem, load_traces
from explorer.traces.readers._samples.ragas import READER

from ..mutations import FILES, read_all


@pytest.fixture(scope="module")
def traces():
    return load_traces(FILES / "ragas.jsonl")


def test_new_columns(traces):
    trace = traces[0]
    assert trace.query == "Which lamp did the lighthouse on Oda Point burn before 1911?"
    assert trace.answer == "It burned rapeseed oil."
    assert [(edge.id, edge.label) for edge in trace.hyperedges] == [
        ("c1", True),
        ("c2", False),
        ("c3", False),
    ]
    assert (
        trace.hyperedges[1].hyperedge == "Oda Point lies on the north coast of the island of Vell."
    )
    assert trace.metadata == {"source": "ragas", "reference": "A rapeseed oil lamp."}
    assert trace.extra["faithfulness"] == 1.0
    assert traces.problems == ()


def test_ids_name_the_contexts_and_the_references(traces):
    assert [(edge.id, edge.label) for edge in traces[1].hyperedges] == [
        ("h-7", False),
        ("12", True),
    ]
    assert traces[1].extra["reference_context_ids"] == [12, "h-9"]


def test_a_test_set_has_the_right_answer_and_what_it_needs(traces):
    trace = traces[2]
    assert (trace.answer, trace.metadata) == (
        "212 metres",
        {"source": "ragas", "answer_from": "gold"},
    )
    assert [edge.label for edge in trace.hyperedges] == [True]
    assert trace.extra == {"synthesizer_name": "single_hop_specific_query_synthesizer"}


def test_a_conversation_is_about_its_last_answer(traces):
    trace = traces[3]
    assert trace.query == "When does the last one leave?"
    assert trace.answer == "The last ferry leaves at 16:40."
    assert [edge.hyperedge for edge in trace.hyperedges] == [
        "Vell ferry: runs daily, 07:10 and 16:40."
    ]
    assert len(trace.extra["user_input"]) == 6
    assert trace.metadata["reference"] == "At 16:40."


def test_old_columns(traces):
    trace = traces[4]
    assert trace.query == "What do the bakers of Sund put on rye bread?"
    assert trace.answer == "Caraway and salt."
    assert [edge.label for edge in trace.hyperedges] == [None, None]
    assert trace.metadata["reference"] == "Caraway and coarse salt."


def one(**fields):
    (trace,) = [item for item in read_all(READER, fields) if isinstance(item, Trace)]
    return trace


@pytest.mark.parametrize(
    "contexts", ["['a b', \"c's\"]", '["a b", "c\'s"]', "['a b'\n \"c's\"]", ["a b", "c's"]]
)
def test_contexts_out_of_a_table(contexts):
    trace = one(question="q", answer="a", contexts=contexts)
    assert [edge.hyperedge for edge in trace.hyperedges] == ["a b", "c's"]


@pytest.mark.parametrize(
    ("contexts", "texts"),
    [("one text", ["one text"]), ("", []), (None, []), ([], []), ("[]", []), (["", 3], ["", "3"])],
)
def test_odd_contexts(contexts, texts):
    trace = one(question="q", answer="a", contexts=contexts)
    assert [edge.hyperedge for edge in trace.hyperedges] == texts


def test_contexts_without_text_are_left_out_and_told():
    trace, problem = read_all(
        READER, {"user_input": "q", "response": "a", "retrieved_contexts": ["x", None, [1], "y"]}
    )
    assert [(edge.id, edge.hyperedge) for edge in trace.hyperedges] == [("c1", "x"), ("c4", "y")]
    assert problem == TraceProblem(
        1, "trace 'q1': context 2, 3 of 4 has no text and was left out.", loaded=True
    )


def test_documents_keep_their_ids_and_the_rest():
    trace = one(
        user_input="q",
        response="a",
        retrieved_contexts=[{"page_content": "x", "id": "d1", "metadata": {"page": 3}}],
    )
    (edge,) = trace.hyperedges
    assert (edge.id, edge.hyperedge, edge.extra) == ("d1", "x", {"metadata": {"page": 3}})


def test_a_number_of_ids_that_does_not_fit_is_told():
    trace, problem = read_all(
        READER,
        {"user_input": "q", "retrieved_contexts": ["x", "y"], "retrieved_context_ids": ["only"]},
    )
    assert [edge.id for edge in trace.hyperedges] == ["c1", "c2"]
    assert problem.loaded
    assert "1 ids for 2 contexts" in problem.message


def test_while_a_reference_was_not_retrieved_nothing_is_said_about_the_others():
    trace = one(
        user_input="q",
        response="a",
        retrieved_contexts=["The  Nile is LONG.", "Other."],
        reference_contexts=["The Nile is long.", "Never retrieved."],
    )
    assert [edge.label for edge in trace.hyperedges] == [True, None]


def test_the_first_of_several_responses_counts():
    trace = one(user_input="q", multi_responses=["first", "second"], reference="gold")
    assert (trace.answer, trace.metadata["reference"]) == ("first", "gold")
    assert trace.extra["multi_responses"] == ["first", "second"]


def test_several_right_answers_are_all_kept():
    trace = one(question="q", contexts=[], ground_truths=["gold", "Gold"])
    assert trace.answer == "gold"
    assert trace.metadata == {
        "source": "ragas",
        "answer_from": "gold",
        "reference": ["gold", "Gold"],
    }


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"user_input": None, "response": "a"}, "it needs `user_input`, a text"),
        ({"question": ["q"], "contexts": []}, "`question` must be text, and here it is a list"),
        ({"question": "q", "contexts": 7}, "`contexts` must be a list, and here it is a number"),
        ({"question": "q", "contexts": [], "answer": {}}, "`answer` must be text"),
        ({"user_input": [{"content": "x", "type": "ai"}], "reference": "r"}, "holds no question"),
    ],
)
def test_what_is_wrong_is_said(record, words):
    (problem,) = read_all(READER, record)
    assert not problem.loaded
    assert words in problem.message


def test_a_conversation_without_an_answer_has_none():
    trace = one(user_input=[{"content": "q?", "type": "human"}], reference="The user is helped.")
    assert (trace.query, trace.answer) == ("q?", "")
    assert trace.metadata["reference"] == "The user is helped."
