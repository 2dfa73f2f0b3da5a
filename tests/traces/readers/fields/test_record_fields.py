"""Names that are taken, and fields that hold nothing."""

from __future__ import annotations

import math

import pytest

from explorer.errors import TraceError
from explorer.traces._model.native_format import read_object, write_object
from explorer.traces.readers._fields.record_fields import Fields, renamed_fields


def test_a_taken_name_gets_underscores_until_it_is_free():
    assert renamed_fields({"id"}, {"id": 1, "id_": 2, "x": 3}) == {"id_": 2, "x": 3, "id__": 1}


def test_fields_of_ours_in_a_foreign_record_do_not_replace_ours():
    fields = Fields({"question": "q", "hyperedges": 7, "answer": "theirs", "id": [1]})
    trace = fields.trace("made-up", fields.needed_text("question"), [], "ours")
    assert trace.extra == {"hyperedges_": 7, "answer_": "theirs"}
    written = read_object(write_object(trace))
    assert (written.id, written.answer, written.extra) == ("1", "ours", trace.extra)


def test_their_metadata_is_looked_at_for_evidence_and_keeps_what_clashes():
    fields = Fields({"metadata": '{"hyperedge_attention": [0.5], "source": "faq"}'}, 3)
    trace = fields.trace("made-up", "q", [], "a", "b")
    assert trace.id == "q3"
    assert trace.metadata == {
        "source": "made-up",
        "reference": "b",
        "hyperedge_attention": [0.5],
        "source_": "faq",
    }


def test_metadata_that_is_no_object_is_kept_beside():
    trace = Fields({"metadata": [1]}).trace("made-up", "q", [], "a")
    assert trace.extra == {"metadata_": [1]}


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_the_first_field_that_holds_something_is_taken(nothing):
    fields = Fields({"a": nothing, "b": "x", "c": "y"})
    assert fields.text("a", "b", "c") == "x"
    assert fields.trace("made-up", "q", [], "").extra == {"c": "y"}


def test_numbers_are_texts_and_other_things_are_not():
    assert Fields({"a": 35}).text("a") == "35"
    assert Fields({"a": 0.5}).text("a") == "0.5"
    for value in (True, [], {}, 10**5000):
        with pytest.raises(TraceError, match="`a` must be text"):
            Fields({"a": value}).text("a")


@pytest.mark.parametrize(
    ("value", "name"), [("x", "x"), (7, "7"), (7.0, "7"), ("", "q1"), (True, "q1"), (0.5, "q1")]
)
def test_names(value, name):
    assert Fields({"id": value}).trace("made-up", "q", [], "").id == name
