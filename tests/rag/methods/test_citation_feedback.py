"""Citation, against values counted by hand and a longest common subsequence of our own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.rag._extraction.extractor import FeedbackExtractor
from explorer.rag._methods.citation_feedback import citation
from explorer.traces._evidence.text_matching import normalised

FACT = {"id": "he1", "hyperedge": "The Nile is the longest river."}


def never(texts):
    raise AssertionError("citation needs no embedding")


def explain(answer, *edges, **config):
    extractor = FeedbackExtractor(never, {"method": "citation", **config})
    return asyncio.run(extractor.explain(answer, edges))


def codes(table, row=0):
    return {note.code for note in table.diagnostics[row]}


@pytest.mark.parametrize(
    "answer",
    [
        "The Nile is the longest river.",
        "As we know, the NILE is -- the longest river! Indeed.",
        "It is said that the Nile is   the\nlongest river",
    ],
)
def test_a_hyperedge_within_the_answer_is_positive(answer):
    table = explain(answer, FACT)
    assert table.feedback.tolist() == [1.0]
    assert table.verdict.tolist() == ["used"]
    assert table.evidence.tolist() == ["substring"]
    assert table.matched_to.tolist() == ["answer: 'the nile is the longest river'"]
    assert table.threshold.tolist() == [0.8]


def test_a_near_copy_is_positive_times_its_ratio():
    # whole answer, not longer: "the nile is longest river" has 25 of 29 characters in order
    table = explain("The Nile is longest river.", FACT, positive_feedback=0.9)
    assert table.score[0] == pytest.approx(2 * 25 / (25 + 29))
    assert table.feedback[0] == pytest.approx(0.9 * 50 / 54)
    assert table.evidence.tolist() == ["similarity"]
    assert table.verdict.tolist() == ["used"]


def test_a_near_copy_within_a_long_answer_is_found():
    # ten characters, of which one differs: 2 * 9 / 20 in the best stretch
    table = explain("zzzz abcdeXghij zzzz zzzz", {"id": "a", "hyperedge": "abcdefghij"})
    assert table.score[0] == pytest.approx(0.9)
    assert table.feedback[0] == pytest.approx(0.9)
    assert table.matched_to[0] == "answer: 'abcdexghij'"


def test_the_ratio_at_the_threshold_counts():
    # "abcd" of five: 2 * 4 / 10 = 0.8
    assert explain("abcdX", {"id": "a", "hyperedge": "abcde"}).feedback.tolist() == [0.8]
    below = explain("abcXY", {"id": "a", "hyperedge": "abcde"})
    assert below.score.tolist() == [0.6]
    assert below.feedback.tolist() == [0.3]
    assert below.verdict.tolist() == ["not used"]
    assert below.matched_to.tolist() == ["nothing"]


def test_a_short_answer_within_a_hyperedge_is_no_citation_of_it():
    table = explain("the Nile", FACT, {"id": "he2", "hyperedge": "The Rhine flows."})
    assert table.feedback.tolist() == [0.3, 0.3]
    # 8 of 8 characters: 2 * 8 / (8 + 29)
    assert table.score[0] == pytest.approx(16 / 37)
    assert "answer-too-short" in codes(table)
    assert [note.code for note in table.attrs["notes"]] == ["answer-too-short"]


def test_an_answer_that_could_hold_one_of_them_is_long_enough():
    table = explain("the Nile river", FACT, {"id": "he2", "hyperedge": "the Nile"})
    assert table.feedback.tolist() == [0.3, 1.0]
    assert codes(table) == set()


@pytest.mark.parametrize("answer", ["", None, " -- ", "..."])
def test_an_answer_without_words_tells_nothing(answer):
    table = explain(answer, FACT)
    assert table.feedback.tolist() == [0.5]
    assert table.verdict.tolist() == ["unknown"]
    assert "empty-answer" in codes(table)


@pytest.mark.parametrize("text", ["", "  ", "...", None])
def test_a_hyperedge_without_words_is_neither_cited_nor_not(text):
    table = explain("the Nile", {"id": "a", "hyperedge": text})
    assert table.feedback.tolist() == [0.5]
    assert "nothing-to-cite" in codes(table)


def test_of_documents_only_a_copy_word_for_word_is_looked_for():
    document = "a river " * 300
    table = explain(f"We read {document} and more", {"id": "a", "hyperedge": document})
    assert table.feedback.tolist() == [1.0]
    assert codes(table) == set()
    table = explain(f"We read {document[4:-4]} and more", {"id": "a", "hyperedge": document})
    assert table.feedback.tolist() == [0.3]
    assert "too-long-to-compare" in codes(table)
    table = explain("z" * 20_001, {"id": "a", "hyperedge": "abc"})
    assert "too-long-to-compare" in codes(table)


def common(first, second):
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for sign in first:
        above = row
        row = [0]
        for place, other in enumerate(second):
            row.append(above[place] + 1 if sign == other else max(above[place + 1], row[place]))
    return row[-1]


def by_loops(text, answer):
    """The ratio, tried over every stretch of the answer."""
    if text in answer:
        return 1.0
    if len(answer) <= len(text):
        stretches = [answer]
    else:  # of the text's length, and shorter where the answer begins or ends
        width = len(text)
        starts = range(1 - width, len(answer))
        stretches = [answer[max(0, start) : start + width] for start in starts]
    return max(2 * common(text, one) / (len(text) + len(one)) for one in stretches)


@settings(max_examples=200, deadline=None)
@given(st.text("ab c", min_size=1, max_size=12), st.text("ab c", min_size=1, max_size=24))
def test_the_ratio_is_that_of_the_best_stretch(text, answer):
    text, answer = normalised(text), normalised(answer)
    if text and answer:
        assert citation(text, answer).ratio == pytest.approx(by_loops(text, answer))
