"""Entities out of a text, where the file names none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.rag._extraction.entity_names import MOST, entities_of, with_entities
from explorer.traces import Hyperedge


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("Franz Schubert was born in 1797 in Vienna.", ["Franz Schubert", "1797", "Vienna"]),
        # Small words stay within a name, and do not end one.
        ("Ludwig van Beethoven saw the Strait of Gibraltar.", None),
        ("At Hamburg the Alster joins the Elbe.", ["Hamburg", "Alster", "Elbe"]),
        ("The House of the Dead is in Dar es Salaam.", ["House of the Dead", "Dar es Salaam"]),
        ("Members of the board met.", ["Members"]),
        # A common word that begins a sentence is no name; any other is.
        ("In May it rained. There the Oder rises. Belgrade slept.", ["Oder", "Belgrade"]),
        # A number goes with the name before it.
        ("Change to Line 6, not to 12% of 4,000.", ["Line 6", "12%", "4,000"]),
        # Initials and titles end no sentence.
        (
            "J. S. Bach's son left St. Malo for the U.S. Army.",
            ["J. S. Bach", "St. Malo", "U.S. Army"],
        ),
        ('They called it "the big one" and “Red Crayfish”.', ["the big one", "Red Crayfish"]),
        # Whatever its case, an entity is named once.
        ("NASA built it. Nasa sold it.", ["NASA"]),
        ("O'Neill and Øresund, Ürümqi", ["O'Neill", "Øresund", "Ürümqi"]),
        ("no names here", []),
        ("", []),
        ("东京", []),
    ],
)
def test_names(text, entities):
    if entities is None:
        entities = ["Ludwig van Beethoven", "Strait of Gibraltar"]
    assert entities_of(Hyperedge("h", text)) == entities


def test_entities_that_are_there_are_not_looked_for():
    edge = Hyperedge("h", "The Nile flows.", ["a river"])
    assert entities_of(edge) == ["a river"]


def test_hyperedges_are_copied_and_not_changed():
    edges = [Hyperedge("a", "The Nile flows.", extra={"x": 1}), Hyperedge("b", "It", ["it"])]
    filled = with_entities(edges)
    assert [edge.entities for edge in filled] == [["Nile"], ["it"]]
    assert filled[0].extra == {"x": 1}
    assert edges[0].entities == []


def test_only_so_many():
    text = ", ".join(f"Name{chr(65 + n)}" for n in range(20))
    found = entities_of(Hyperedge("h", text))
    assert found == [f"Name{chr(65 + n)}" for n in range(MOST)]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("Ab 1.,'\"“”of the-\nÉ東"), max_size=60) | st.text())
def test_any_text_gives_entities_that_stand_in_it(text):
    found = entities_of(Hyperedge("h", text))
    assert len(found) <= MOST
    flat = " ".join(text.split())
    assert all(name and name in flat for name in found)
    assert len({name.casefold() for name in found}) == len(found)
