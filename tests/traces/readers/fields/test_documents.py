"""Documents as retrievers of many frameworks give them."""

from __future__ import annotations

import json

import pytest

from explorer.traces.readers._fields.documents import Document, documents_in

ADA = Document("Ada.", "a", 0.5, {})
BARE = Document("Ada.")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada.", BARE),
        (["Ada."], BARE),
        ([["Ada."]], BARE),
        ([["Ada.", 0.5]], Document("Ada.", None, 0.5)),
        ([[{"page_content": "Ada.", "metadata": {"id": "a"}}, 0.5]],
         Document("Ada.", "a", 0.5, {"id": "a"})),
        ([{"page_content": "Ada.", "id": "a", "score": 0.5}], ADA),
        ([{"pageContent": "Ada.", "metadata": {"score": 0.5, "doc_id": "a"}}],
         Document("Ada.", "a", 0.5, {"score": 0.5, "doc_id": "a"})),
        ({"documents": [{"content": "Ada.", "id": "a", "score": 0.5}]}, ADA),
        ({"output": {"documents": [{"text": "Ada.", "id": "a", "score": 0.5}]}}, ADA),
        ([{"document.content": "Ada.", "document.id": "a", "document.score": 0.5}], ADA),
        ([{"document": {"content": "Ada.", "id": "a", "score": 0.5}}], ADA),
        ([{"document.content": "Ada.", "document.metadata": '{"page": 2}'}],
         Document("Ada.", None, None, {"page": 2})),
        ([{"node": {"id_": "a", "text": "Ada."}, "score": 0.5}], ADA),
        ({"source_nodes": [{"node": {"id_": "a", "text": "Ada."}, "score": 0.5}]}, ADA),
        ({"matches": [{"id": "a", "score": 0.5, "metadata": {"text": "Ada."}}]},
         Document("Ada.", "a", 0.5, {"text": "Ada."})),
        ([{"id": "a", "score": 0.5, "payload": {"text": "Ada."}}], ADA),
        ({"hits": [{"_id": "a", "_score": 0.5, "_source": {"text": "Ada."}}]}, ADA),
        ({"data": [{"file_id": "f", "score": 0.5, "id": "a",
                    "content": [{"type": "text", "text": "Ada."}]}]}, ADA),
        ([{"text": "Ada.", "id": 7, "score": "0.5"}], Document("Ada.", "7", 0.5)),
        ([{"text": "Ada.", "score": True}], BARE),
        ([{"text": "Ada.", "score": 10**400}], BARE),
        ([{"text": "Ada.", "id": ""}], BARE),
    ],
    ids=lambda value: json.dumps(value)[:60] if not isinstance(value, Document) else "",
)  # fmt: skip
def test_one_document(value, expected):
    notes: list[str] = []
    assert documents_in(value, notes) == [expected]
    assert documents_in(json.dumps(value) if not isinstance(value, str) else value, notes) == [
        expected
    ]
    assert notes == []


def test_text_is_kept_whole():
    text = "  First line.\n\n\tSecond  line.  "
    assert documents_in([text, {"text": text}], [])[1].text == text
    assert documents_in([text], [])[0].text == text


@pytest.mark.parametrize("value", [None, "", " ", [], {}, 3, True, {"documents": []}])
def test_nothing_is_no_document(value):
    notes: list[str] = []
    assert documents_in(value, notes) == []
    assert notes == []


def test_what_has_no_text_is_counted():
    notes: list[str] = []
    found = documents_in(["Ada.", None, {"id": "x"}, "", 3, {"text": ["Bo."]}], notes)
    assert found == [BARE]
    assert notes == ["5 of 6 documents have no text and were left out."]


@pytest.mark.parametrize(
    "text", ['[{"page_content": "The N', '{"documents": [', "['The Nile', 'The R"]
)
def test_json_that_breaks_off_is_no_document(text):
    notes: list[str] = []
    assert documents_in(text, notes) == []
    assert len(notes) == 1


def test_a_text_that_begins_with_a_bracket_is_a_text():
    assert documents_in("[1] Smith, 2001.", [])[0].text == "[1] Smith, 2001."


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("Ada.", 0),
        (["Ada."], 0),
        ({"answer": "Ada."}, 0),
        ([{"role": "assistant", "content": "Ada."}], 0),
        ({"text": "Ada."}, 0),
        ([{"page_content": "Ada."}], 1),
        ({"answer": "Ada.", "contexts": ["A.", "B."]}, 2),
        ({"answer": "Ada.", "source_documents": [{"page_content": "A."}]}, 1),
        ({"output": {"context": [{"page_content": "A."}]}}, 1),
        ({"context": {"user": "x"}}, 0),
    ],
)
def test_of_a_step_that_is_no_retriever_only_what_is_sure_counts(value, count):
    assert len(documents_in(value, [], sure=True)) == count
