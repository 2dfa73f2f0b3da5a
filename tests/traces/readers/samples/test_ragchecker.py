"""RAGChecker: inputs, and results whose entailments become labels."""

from __future__ import annotations

import pytest

from explorer.traces import load_traces
from explorer.traces.readers._samples.ragchecker import READER

from ..mutations import FILES, read_all, records_of


def test_a_checked_sample():
    trace = load_traces(FILES / "ragchecker.json")[0]
    assert (trace.id, trace.query) == ("0", "What is the flag of Torrin?")
    assert trace.answer == "It shows a white heron and was sewn in 1902."
    assert trace.metadata["reference"] == "A white heron on green."
    # Claim 1 follows from the first document, claim 2 from the third.
    assert [(e.id, e.label, e.extra) for e in trace.hyperedges] == [
        ("000", True, {"relevant": True}),
        ("001", False, {"relevant": False}),
        ("002", True, {"relevant": False}),
    ]
    assert trace.metadata["file"]["metrics"]["overall_metrics"] == {"precision": 50.0}
    assert trace.extra["metrics"] == {"precision": 0.5, "faithfulness": 1.0}
    assert trace.extra["retrieved2answer"] == [["Entailment", "Contradiction", "Neutral"]]


def test_a_sample_that_was_not_checked_has_no_labels():
    trace = load_traces(FILES / "ragchecker.json")[1]
    assert [(e.id, e.hyperedge, e.label, e.extra) for e in trace.hyperedges] == [
        ("001", "Torrin has four rivers.", None, {})
    ]


def sample(**changed):
    return {**records_of("ragchecker.json")[0]["results"][0], **changed}


@pytest.mark.parametrize(
    "rows", [[["Entailment"]], [["Entailment", "Neutral", "Neutral"], 7], ["Entailment"]]
)
def test_entailments_that_do_not_fit_are_not_used_and_told(rows):
    trace, problem = read_all(READER, sample(retrieved2response=rows))
    assert [edge.label for edge in trace.hyperedges] == [None, None, None]
    assert [edge.extra["relevant"] for edge in trace.hyperedges] == [True, False, False]
    assert problem.loaded
    assert "`retrieved2response` does not have one column" in problem.message


def test_a_document_without_text_is_left_out_with_the_labels():
    trace, *problems = read_all(
        READER, sample(retrieved_context=[{"doc_id": "a"}, {"text": "x"}, {"text": "y", "rank": 2}])
    )
    assert [(e.id, e.hyperedge, e.label, e.extra) for e in trace.hyperedges] == [
        ("c2", "x", None, {}),
        ("c3", "y", None, {"rank": 2}),
    ]
    assert ["context 1 of 3 has no text" in problems[0].message, len(problems)] == [True, 3]


def test_samples_one_by_one_and_what_is_wrong():
    found = read_all(READER, sample(), sample(query=7), sample(query={}), {"results": [None]})
    assert [getattr(item, "query", None) for item in found] == [
        "What is the flag of Torrin?",
        "7",
        None,
        None,
    ]
    assert found[2].message == "`query` must be text, and here it is an object."
    assert found[3].message == "number 1 of its list: it must be an object, and here it is null."
