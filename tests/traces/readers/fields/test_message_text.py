"""Question and answer in what steps are given and give, whichever framework wrote it."""

from __future__ import annotations

import json
import math

import pytest

from explorer.traces.readers._fields.message_text import answer_in, logprobs_in, plain, question_in

HUMAN = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "HumanMessage"],
         "kwargs": {"content": "Who?", "type": "human"}}  # fmt: skip
AI = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "AIMessageChunk"],
      "kwargs": {"content": "Ada."}}  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        "Who?",
        {"question": "Who?", "chat_history": []},
        {"chat_history": ["When?"], "input": "Who?"},
        json.dumps({"query": "Who?"}),
        "{'input': {'question': 'Who?'}}",
        {"args": [], "kwargs": {"question": "Who?"}},
        {"anything": {"goes": "Who?"}},
        [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "Then."},
         {"role": "user", "content": "Who?"}],
        {"messages": [{"role": "system", "content": "Be kind."},
                      {"role": "user", "content": "Who?"}]},
        {"messages": [[HUMAN]]},
        [{"role": "user", "parts": [{"type": "text", "content": "Who?"}]}],
        [{"role": "user", "content": [{"type": "text", "text": "Who?"}, {"type": "image_url"}]}],
        [{"message.role": "user", "message.content": "Who?"}],
        [{"message": {"role": "user", "content": "Who?"}}],
        [{"role": "user", "parts": ["Who?"]}],
        {"str_or_query_bundle": {"query_str": "Who?", "image_path": None}},
    ],
    ids=lambda value: json.dumps(value)[:60],
)  # fmt: skip
def test_the_question_is_found(value):
    assert question_in(value) == "Who?"


@pytest.mark.parametrize(
    "value",
    [
        "Ada.",
        {"answer": "Ada.", "source_documents": [{"page_content": "x"}]},
        {"result": "Ada.", "query": "Who?"},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Ada."}}]},
        {"choices": [{"text": "Ada."}]},
        {"generations": [[{"text": "Ada.", "message": AI}]], "llm_output": None},
        {"messages": [{"role": "user", "content": "Who?"},
                      {"role": "assistant", "content": "Ada."}]},
        {"messages": [HUMAN, AI]},
        [{"role": "assistant", "parts": [{"type": "text", "content": "Ada."}]}],
        {"role": "assistant", "content": "Ada."},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Ada."}]}}]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Ada."}]},
        {"response": {"text": "Ada."}},
    ],
    ids=lambda value: json.dumps(value)[:60],
)  # fmt: skip
def test_the_answer_is_found(value):
    assert answer_in(value) == "Ada."


@pytest.mark.parametrize(
    "value", [None, math.nan, "", " ", {}, [], [None], {"question": None}, True]
)
def test_where_nothing_is_said_there_is_no_text(value):
    assert question_in(value) == answer_in(value) == ""


def test_text_is_kept_whole():
    assert answer_in({"answer": " Ada.\n"}) == " Ada.\n"


def test_an_object_without_a_question_is_written_out():
    assert question_in({"city": "Osk", "year": 3}) == '{"city": "Osk", "year": 3}'


def test_a_conversation_in_which_nobody_asked_has_no_question():
    assert question_in([{"role": "assistant", "content": "Hello."}]) == ""


TOKENS = {"content": [{"token": "A", "logprob": -0.5}, {"token": "da", "logprob": 0.0}]}


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"message": {"content": "Ada"}, "logprobs": TOKENS}]},
        json.dumps({"choices": [{"logprobs": TOKENS}]}),
        {"generations": [[{"text": "Ada", "generation_info": {"logprobs": TOKENS}}]]},
        {"response_metadata": {"logprobs": TOKENS}},
        {"logprobs": TOKENS["content"]},
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_log_probabilities_are_found(value):
    assert logprobs_in(value) == TOKENS


@pytest.mark.parametrize(
    "value",
    [{}, "logprobs", {"logprobs": None}, {"logprobs": {"content": []}}, {"logprobs": [1, 2]},
     {"logprobs": {"content": [{"token": "A"}]}}, {"logprobs": {"tokens": ["A"]}}],
)  # fmt: skip
def test_what_are_no_log_probabilities(value):
    assert logprobs_in(value) is None


def test_what_json_cannot_say_is_left_out_or_written_as_text():
    value = {"a": math.nan, "b": 10**30, "c": "\ud800x", 3: (1, 2), "d": {"e": [True, None, 2.5]}}
    assert plain(value) == {
        "a": None,
        "b": None,
        "c": "?x",
        "3": [1, 2],
        "d": {"e": [True, None, 2.5]},
    }
