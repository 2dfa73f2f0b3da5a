"""Whatever shape a retriever writes, the ids and texts are found, or the place is named."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

from explorer.errors import InputError
from explorer.rag._extraction.retrieved import hyperedges_of
from explorer.traces import Hyperedge

SHAPES = [
    {"id": "a", "hyperedge": "The Nile."},
    {"id": "a", "text": "The Nile."},
    {"id": "a", "content": "The Nile."},
    {"hyperedge_id": "a", "hyperedge": "The Nile.", "weight": 0.5},
    {"id": "a", "hyperedge": {"text": "The Nile."}},
    {"hyperedge": {"id": "a", "hyperedge": "The Nile."}, "score": 0.9},
    {"node": {"id_": "a", "text": "The Nile."}, "score": 0.9},
    {"document": {"page_content": "The Nile.", "metadata": {"id": "a"}}},
    {"page_content": "The Nile.", "metadata": {"id": "a", "source": "x"}},
    OrderedDict(id="a", hyperedge="The Nile."),
    ({"id": "a", "hyperedge": "The Nile."}, 0.7),
    [{"id": "a", "hyperedge": "The Nile."}, 0.7],
    Hyperedge("a", "The Nile."),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_gives_its_id_and_text(shape):
    (found,) = hyperedges_of([shape])
    assert (found.id, found.hyperedge) == ("a", "The Nile.")


def test_a_mapping_from_id_to_text_is_as_good_as_a_list():
    found = hyperedges_of({"a": "The Nile.", 7: {"hyperedge": "Rhine"}, "x": {"id": "b"}})
    assert [(edge.id, edge.hyperedge) for edge in found] == [
        ("a", "The Nile."),
        ("7", "Rhine"),
        ("b", ""),
    ]


def test_numbers_are_ids_and_text_that_is_missing_is_empty():
    found = hyperedges_of([{"id": 3, "hyperedge": None}, {"id": np.int64(4), "text": 5}])
    assert [(edge.id, edge.hyperedge) for edge in found] == [("3", ""), ("4", "")]
    assert hyperedges_of(iter([Hyperedge("a", None)]))[0].hyperedge == ""


def test_nothing_retrieved_is_nothing():
    assert hyperedges_of([]) == []
    assert hyperedges_of({}) == []


@pytest.mark.parametrize(
    "nameless",
    [
        {"hyperedge": "x"},
        {"id": None},
        {"id": ""},
        {"id": True},
        {"id": 1.5},
        {},
        Hyperedge("", ""),
    ],
    ids=str,
)
def test_the_place_of_a_hyperedge_without_an_id_is_named(nameless):
    with pytest.raises(InputError, match="Hyperedge 2 of the retrieved ones has no `id`"):
        hyperedges_of([{"id": "a", "hyperedge": "x"}, nameless])


@pytest.mark.parametrize("wrong", [None, 3, "he1", b"he1", {"id": "a", "hyperedge": "x"}], ids=str)
def test_what_is_no_list_is_refused(wrong):
    with pytest.raises(InputError, match="must be a list"):
        hyperedges_of(wrong)


@pytest.mark.parametrize("wrong", [None, 3, "text", ["a", "b"], ("a", 0.5)], ids=str)
def test_what_is_no_hyperedge_is_refused_with_its_place(wrong):
    with pytest.raises(InputError, match="Hyperedge 1 of the retrieved ones must be a mapping"):
        hyperedges_of([wrong])
