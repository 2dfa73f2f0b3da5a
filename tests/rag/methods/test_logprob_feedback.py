"""Log-probabilities as a stand-in for attention, against sums worked out by hand."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.rag._extraction.extractor import FeedbackExtractor
from explorer.rag._methods.logprob_feedback import Word, answer_words, word_scores

EDGES = [
    {"id": "he1", "hyperedge": "The Nile is long."},
    {"id": "he2", "hyperedge": "The Rhine is short."},
    {"id": "he3", "hyperedge": "Quartz!"},
]


def token(text, probability, **more):
    return {"token": text, "logprob": math.log(probability), "top_logprobs": [], **more}


ANSWER = "The Nile, surely."
CONTENT = [
    token("The", 0.5),
    token(" Ni", 0.8),
    token("le", 0.5),
    token(",", 0.1),
    token(" surely", 0.9),
    token(".", 0.2),
]


def explain(metadata, answer=ANSWER, edges=EDGES, **config):
    extractor = FeedbackExtractor(
        lambda texts: [[1.0] for _ in texts], {"method": "logprobs", **config}
    )
    return asyncio.run(extractor.explain(answer, edges, metadata))


def codes(table, row=0):
    return {note.code for note in table.diagnostics[row]}


SHAPES = {
    "content": {"logprobs": {"content": CONTENT, "refusal": None}},
    "bare list": {"logprobs": CONTENT},
    "choice": {"logprobs": {"logprobs": {"content": CONTENT}}},
    "response": {"logprobs": {"choices": [{"index": 0, "logprobs": {"content": CONTENT}}]}},
    "response as metadata": {"choices": [{"logprobs": {"content": CONTENT}}]},
}


@pytest.mark.parametrize("metadata", SHAPES.values(), ids=SHAPES)
def test_each_word_hands_its_probability_out_to_the_hyperedges_that_have_it(metadata):
    table = explain(metadata)
    # the 0.5 is shared by two, nile 0.8 * 0.5 belongs to one, surely to none; three words
    assert table.score.to_numpy() == pytest.approx([(0.25 + 0.4) / 3, 0.25 / 3, 0.0])
    assert table.feedback.to_numpy() == pytest.approx([1.0, 0.3 + 0.25 / 0.3 * 0.2, 0.3])
    assert table.evidence.tolist() == ["logprobs"] * 3
    assert table.matched_to.tolist() == ["answer words: the, nile", "answer words: the", "nothing"]
    assert all("approximation" in codes(table, row) for row in range(3))
    assert table.attrs["notes"] == ()


def test_an_object_of_a_client_is_read_as_what_it_holds():
    class Client:
        def model_dump(self):
            return {"content": CONTENT}

    table = explain({"logprobs": Client()})
    assert table.score[0] == pytest.approx(0.65 / 3)


def test_the_threshold_is_the_attention_s():
    table = explain(SHAPES["content"], attention_threshold=0.5)
    assert table.threshold.tolist() == [0.5] * 3
    assert table.feedback[0] == pytest.approx(0.3 + 0.65 / 3 / 0.5 * 0.2)


def test_tokens_that_spell_another_answer_are_told():
    assert "length-mismatch" in codes(explain(SHAPES["content"], answer="The Nile"))
    assert "length-mismatch" not in codes(explain(SHAPES["content"]))


def test_a_character_over_several_tokens_is_one_character():
    content = [
        token("caf", 0.5),
        token("\\xc3", 0.8, bytes=[0xC3]),
        token("\\xa9", 0.5, bytes=[0xA9]),
        token(" au", 1.0, bytes=list(b" au")),
    ]
    edges = [{"id": "a", "hyperedge": "Café"}]
    table = explain({"logprobs": content}, "café au", edges)
    assert table.score[0] == pytest.approx(0.5 * 0.8 * 0.5 / 2)
    assert "length-mismatch" not in codes(table)


def test_an_impossible_token_has_no_probability():
    content = [{"token": "Nile", "logprob": -math.inf}, token(" is", 0.5)]
    table = explain({"logprobs": content}, "Nile is")
    assert table.score.to_numpy() == pytest.approx([0.25 / 2, 0.25 / 2, 0.0])


@pytest.mark.parametrize(
    "bad",
    [
        {"token": " Nile", "logprob": "high"},
        {"token": " Nile"},
        {"token": " Nile", "logprob": 0.5},
        {"token": " Nile", "logprob": float("nan")},
        {"token": " Nile", "logprob": True},
        {"token": " Nile", "logprob": 10**400},
    ],
    ids=str,
)
def test_an_entry_without_a_logprob_leaves_its_word_out(bad):
    table = explain({"logprobs": [token("The", 0.5), bad]}, "The Nile")
    assert table.score.to_numpy() == pytest.approx([0.25, 0.25, 0.0])
    assert "bad-logprobs" in codes(table)


@pytest.mark.parametrize("bad", [None, 3, "Nile", {}, {"token": 3, "logprob": -1}, []], ids=str)
def test_an_entry_without_a_token_spoils_the_word_it_ends(bad):
    table = explain({"logprobs": [token("The", 0.5), bad, token(" Nile", 0.5)]}, "The Nile")
    # "the" is not known to end there; "nile" is
    assert table.score.to_numpy() == pytest.approx([0.5, 0.0, 0.0])
    assert "bad-logprobs" in codes(table)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({}, "no-logprobs"),
        ({"logprobs": None}, "no-logprobs"),
        ({"logprobs": "none"}, "bad-logprobs"),
        ({"logprobs": {"tokens": ["a"], "token_logprobs": [-1]}}, "bad-logprobs"),
        ({"logprobs": {"content": {}}}, "bad-logprobs"),
        ({"logprobs": [None]}, "bad-logprobs"),
        ({"logprobs": []}, "no-words"),
        ({"logprobs": [token("...", 0.5)]}, "no-words"),
        ({"choices": []}, "no-logprobs"),
    ],
    ids=str,
)
def test_without_them_every_row_says_why_and_takes_the_embedding(metadata, code):
    table = explain(metadata)
    assert table.method.tolist() == ["embedding"] * 3
    assert table.feedback.tolist() == [1.0] * 3
    assert {code, "embedding-fallback"} <= codes(table)
    assert code in {note.code for note in table.attrs["notes"]}
    assert "approximation" not in codes(table)


def test_a_hyperedge_without_words_takes_the_embedding():
    table = explain(SHAPES["content"], edges=[EDGES[0], {"id": "x", "hyperedge": "?!"}])
    assert table.method.tolist() == ["logprobs", "embedding"]


def test_words_keep_their_letters_and_lose_their_commas():
    tokens = [("“", -1.0), ("Don", -0.5), ("'t", -0.25), ("”", -3.0), (" \n", -9.0), ("--", -4.0)]
    # the quotes give the word no letter; "'t" does
    assert answer_words(tokens) == [Word("dont", math.exp(-0.75))]


def test_a_word_that_comes_twice_counts_twice():
    scores = word_scores([Word("a", 0.5), Word("a", 0.25)], ["a b", "a", "b"])
    assert scores == pytest.approx([0.1875, 0.1875, 0.0])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1)), min_size=1, max_size=6),
    st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4), min_size=1, max_size=4),
)
def test_scores_follow_the_formula_and_never_sum_above_one(words, texts):
    scores = word_scores([Word(*word) for word in words], [" ".join(text) for text in texts])
    for place, text in enumerate(texts):
        total = 0.0
        for word, probability in words:
            if word in text:
                total += probability / sum(word in other for other in texts)
        assert scores[place] == pytest.approx(total / len(words))
    assert sum(scores) <= 1 + 1e-9
