"""Plain tables: one row for each question, or one for each fact."""

from __future__ import annotations

import pandas as pd
import pytest

from explorer.errors import TraceError
from explorer.traces import evidence, load_traces, parse_traces


def facts(trace):
    return [(edge.id, edge.hyperedge, edge.label) for edge in trace.hyperedges]


@pytest.mark.parametrize("question", ["question", "Query", "User Input", "user_query", "prompt"])
@pytest.mark.parametrize("answer", ["answer", "Response", "output", "prediction"])
@pytest.mark.parametrize("contexts", ["documents", "Retrieved-Documents", "passages", "chunks"])
def test_a_row_for_each_question_in_the_usual_spellings(question, answer, contexts):
    row = {question: "Which?", answer: "Nile", contexts: ["One.", "Two."], "topic": "rivers"}
    trace = load_traces([row], format="table")[0]
    assert (trace.id, trace.query, trace.answer) == ("q1", "Which?", "Nile")
    assert facts(trace) == [("c1", "One.", None), ("c2", "Two.", None)]
    assert trace.extra == {"topic": "rivers"}


@pytest.mark.parametrize(
    "cell", ['["One.", "Two, too."]', "['One.', 'Two, too.']", "['One.' 'Two, too.']"]
)
def test_lists_in_the_cells_of_separated_text(cell):
    text = pd.DataFrame({"question": ["Which?"], "documents": [cell], "attention": ["[0.5, 0.25]"]})
    trace = parse_traces(text.to_csv(index=False).encode(), "x")[0]
    assert facts(trace) == [("c1", "One.", None), ("c2", "Two, too.", None)]
    assert evidence(trace).attention.weights().tolist() == [[0.5, 0.25]]


def test_scores_labels_and_ids_beside_the_contexts():
    row = {
        "question": "Which?",
        "contexts": ["One.", "Two."],
        "doc_ids": ["d7", "d9"],
        "attention_scores": [0.75, None],
        "labels": [1, "no"],
        "answer": "Rhine",
        "ground_truth": "Nile",
    }
    trace = load_traces([row])[0]
    assert facts(trace) == [("d7", "One.", True), ("d9", "Two.", False)]
    assert trace.metadata["hyperedge_attention"] == [0.75, None]
    assert (trace.answer, trace.metadata["reference"]) == ("Rhine", "Nile")


def test_contexts_by_their_ids_and_scores_by_the_same():
    row = {
        "query": "Q",
        "contexts": {"a": "One.", "b": "Two."},
        "attention": {"a": 0.5, "b": 0.125},
    }
    trace = load_traces([row])[0]
    assert facts(trace) == [("a", "One.", None), ("b", "Two.", None)]
    assert trace.metadata["hyperedge_attention"] == {"a": 0.5, "b": 0.125}


def test_scores_of_another_number_are_told_and_kept():
    traces = load_traces([{"query": "Q", "contexts": ["One."], "attention": [0.5, 0.25]}])
    assert "hyperedge_attention" not in traces[0].metadata
    assert traces[0].extra == {"attention": [0.5, 0.25]}
    assert "2 values" in traces.problems[0].message
    assert traces.problems[0].loaded


LONG = """\
Question ID,Question,Answer,Hyperedge ID,Text,Attention,Label,Source
7,Which?,Nile,a,One.,0.5,yes,wiki
8,Where?,,a,Other.,,,
7,Which?,Nile,b,Two.,0.25,0,
"""


def test_a_row_for_each_fact_in_any_order():
    first, second = parse_traces(LONG.encode(), "x.csv")
    assert (first.id, first.query, first.answer, first.line) == ("7", "Which?", "Nile", 2)
    assert facts(first) == [("a", "One.", True), ("b", "Two.", False)]
    assert first.metadata == {"source": "table", "hyperedge_attention": [0.5, 0.25]}
    assert [edge.extra for edge in first.hyperedges] == [{"Source": "wiki"}, {}]
    assert (second.id, facts(second)) == ("8", [("a", "Other.", None)])
    assert second.metadata == {"source": "table"}


def test_rows_without_an_id_belong_to_their_question():
    rows = [{"query": "A", "text": "1"}, {"query": "B", "text": "2"}, {"query": "A", "text": "3"}]
    traces = load_traces(rows)
    assert [(trace.id, facts(trace)) for trace in traces] == [
        ("q1", [("c1", "1", None), ("c2", "3", None)]),
        ("q2", [("c1", "2", None)]),
    ]


def test_another_question_under_one_id_is_told():
    rows = [{"qid": 1, "query": "A", "text": "1"}, {"qid": 1, "query": "B", "text": "2"}]
    traces = load_traces(rows)
    assert [trace.query for trace in traces] == ["A"]
    assert traces.problems[0].line == 2


@pytest.mark.parametrize("text", ["foo,bar\n1,2\n", "query,bar\nQ,2\n", "text,bar\nT,2\n"])
def test_missing_columns_are_named_with_those_that_are_there(text):
    with pytest.raises(TraceError) as caught:
        parse_traces(text.encode(), "x.csv")
    for words in (text.split("\n")[0].replace(",", ", "), "A table needs a question", "hyperedge"):
        assert words in str(caught.value)


def test_a_row_without_what_it_needs_is_told_with_its_columns():
    traces = parse_traces(b"query,text\nQ,One.\nQ,\n,Two.\n", "x.csv")
    assert facts(traces[0]) == [("c1", "One.", None)]
    assert [problem.line for problem in traces.problems] == [3, 4]
    assert "it has no text of a fact" in traces.problems[0].message
    assert "it has no question" in traces.problems[1].message
    assert traces.problems[1].message.endswith("The columns are: query, text.")
