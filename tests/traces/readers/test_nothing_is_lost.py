"""Every value of a record is in a trace, in `extra` or in the problems, in every format."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.traces import Trace, load_traces
from explorer.traces._model.native_format import write_object

from .mutations import places
from .test_evaluation_fuzz import EXAMPLES, records_of

pytestmark = pytest.mark.slow

QUICK = settings(max_examples=60, deadline=None)
# Sentence keys and entailment words have a meaning, and ids of another type would not fit.
MEANT = {"type", "level", "role", "retrieved2response", "retrieved2answer", "turns"}


def told_apart(record: dict) -> tuple[dict, list[str]]:
    """Return a record whose texts are all different, and these texts."""
    changed, marks = copy.deepcopy(record), []
    for way in list(places(record)):
        *above, key = way
        holder = changed
        for step in above:
            holder = holder[step]
        if isinstance(holder[key], str) and MEANT.isdisjoint(map(str, way)):
            mark = f"mark{len(marks)}."
            holder[key] = mark + " of this"
            marks.append(mark)
    return changed, marks


def accounted(found: object, problems: object) -> str:
    traces = [write_object(item) for item in found if isinstance(item, Trace)]
    return json.dumps([traces, [str(problem) for problem in problems]], default=str)


@pytest.mark.parametrize(
    ("format", "record"),
    [
        pytest.param(reader.name, record, id=f"{reader.name}-{name}-{number}")
        for reader, names in EXAMPLES.items()
        for name in names
        for number, record in enumerate(records_of(name))
    ],
)
def test_every_text_of_an_example_is_somewhere(format, record):  # noqa: A002 - the parameter's name
    changed, marks = told_apart(record)
    found = load_traces([changed], format=format)
    text = accounted(found, found.problems)
    assert [mark for mark in marks if mark not in text] == []


QUESTIONS = st.sampled_from(["question", "query", "User Input", "prompt"])
ANSWERS = st.sampled_from(["answer", "response", "prediction"])
LISTS = st.sampled_from(["contexts", "retrieved_contexts", "documents", "passages", "chunks"])
SINGLE = st.sampled_from(["hyperedge", "text", "passage", "chunk", "content", "fact"])
LABELS = st.sampled_from(
    [True, False, 0, 1, 2, 3.5, "yes", "no", "relevant", "not relevant", "maybe so", "5", None]
)
NUMBERS = st.floats(0, 1, allow_nan=False) | st.none() | st.just("n/a") | st.integers(0, 3)


@QUICK
@given(
    st.data(),
    QUESTIONS,
    ANSWERS,
    LISTS,
    st.sampled_from(["labels", "relevance", "is_relevant"]),
    st.sampled_from(["attention", "scores", "similarities", "distances"]),
    st.sampled_from(["doc_ids", "chunk_ids", "context_ids"]),
)
def test_wide_rows_are_accounted_for(data, question, answer, contexts, labels, scores, ids):
    n = data.draw(st.integers(1, 4))
    row = {
        question: "mark-question",
        answer: "mark-answer",
        contexts: [f"mark-fact{number}." for number in range(n)],
        labels: data.draw(st.lists(LABELS, min_size=n, max_size=n + 1)),
        scores: data.draw(st.lists(NUMBERS, min_size=n, max_size=n + 1)),
        ids: [f"mark-id{number}" for number in range(n)],
        "other": "mark-other",
    }
    found = load_traces([row], format="table")
    text = accounted(found, found.problems)
    marks = ["mark-question", "mark-answer", "mark-other"]
    marks += [f"mark-fact{number}." for number in range(n)]
    marks += [f"mark-id{number}" for number in range(n)]
    assert [mark for mark in marks if mark not in text] == []
    trace = found[0]
    for edge, label in zip(trace.hyperedges, row[labels], strict=False):
        if len(row[labels]) != n:
            assert edge.label is None
            assert labels in trace.extra
        elif label == "maybe so":
            assert edge.label is None
            assert "maybe so" in text
        elif label is not None:
            positive = label in ("yes", "relevant", "5", 3.5, 2) or label in (True, 1)
            assert edge.label is positive


@QUICK
@given(st.data(), QUESTIONS, ANSWERS, SINGLE, st.sampled_from(["label", "relevant", "grade"]))
def test_long_rows_are_accounted_for(data, question, answer, fact, label):
    rows = [
        {
            "qid": data.draw(st.sampled_from(["a", "b"])),
            question: "mark-question",
            answer: data.draw(st.sampled_from(["mark-answer-x", "mark-answer-y"])),
            fact: f"mark-fact{number}.",
            label: data.draw(LABELS),
            "note": f"mark-note{number}",
        }
        for number in range(data.draw(st.integers(1, 5)))
    ]
    found = load_traces(rows, format="table")
    text = accounted(found, found.problems)
    for number, row in enumerate(rows):
        assert f"mark-fact{number}." in text
        assert f"mark-note{number}" in text
        assert row[answer] in text
        if row[label] is not None:
            edge = next(
                edge
                for trace in found
                for edge in trace.hyperedges
                if edge.hyperedge == f"mark-fact{number}."
            )
            assert edge.label is not None or "maybe so" in text
    answers = {(row["qid"], row[answer]) for row in rows}
    assert len(found) == len(answers)
