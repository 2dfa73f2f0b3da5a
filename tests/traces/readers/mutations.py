"""Records with something wrong in them, and what must hold whatever comes out of a reader."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from explorer.errors import TraceError
from explorer.traces import Trace, TraceProblem
from explorer.traces._model.native_format import read_object, write_object
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._reader import Record

FILES = Path(__file__).parent / "files"

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [10**4000, 2**70, -(2**63), "", " ", "[", "[]", "{}", "['a', None]", '["a", 1]', "[1"]
    )
    | st.just([[[[[[[[[[[[]]]]]]]]]]]]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Any JSON, and what Python's own decoder lets through: NaN, infinities, endless integers."""


def records_of(name: str) -> list[dict]:
    """Return the records of an example file."""
    text = (FILES / name).read_text(encoding="utf-8")
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


def read_all(reader, *values) -> list:
    """Read some records."""
    return list(
        reader.read(
            (Record(line, value) for line, value in enumerate(values, start=1)), ReadContext()
        )
    )


def places(value, path=()):
    """Go through the ways to every value within a value."""
    if path:
        yield path
    inner = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield from places(item, (*path, key))


@st.composite
def mutated(draw, records):
    """Draw one of these records, with some values dropped, doubled, replaced or turned to text."""
    value = copy.deepcopy(draw(st.sampled_from(records)))
    for _ in range(draw(st.integers(1, 4))):
        ways = list(places(value))
        if not ways:
            break
        *way, key = draw(st.sampled_from(ways))
        holder = value
        for step in way:
            holder = holder[step]
        change = draw(st.sampled_from(["drop", "replace", "null", "text", "double", "swap"]))
        if change == "drop":
            del holder[key]
        elif change == "replace":
            holder[key] = copy.deepcopy(draw(anything))
        elif change == "null":
            holder[key] = None
        elif change == "text":
            holder[key] = draw(st.sampled_from([repr, json.dumps, str]))(holder[key])
        elif change == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            other = draw(
                st.sampled_from(sorted(map(str, holder)) if isinstance(holder, dict) else [0])
            )
            holder[other] = copy.deepcopy(holder[key])
    return value


def holds(reader, values) -> list:
    """Read records and check what must hold whatever they are; return what was read.

    Only traces and problems come out. Every trace is one that our own format can say, and its
    `extra` takes the place of none of its fields. Nothing that was given is changed.
    """
    before = copy.deepcopy(values)
    for value in values:
        assert reader.recognises(value) in {True, False}
    try:
        found = read_all(reader, *values)
    except TraceError:
        return []
    assert repr(values) == repr(before)
    for item in found:
        assert isinstance(item, Trace | TraceProblem), item
        if isinstance(item, TraceProblem):
            assert item.message[:1] == item.message[:1].lower()
            continue
        again = read_object(write_object(item))
        assert (again.id, again.query, again.answer) == (item.id, item.query, item.answer)
        assert [edge.hyperedge for edge in again.hyperedges] == [
            edge.hyperedge for edge in item.hyperedges
        ]
        assert [(edge.id, edge.label, edge.entities) for edge in again.hyperedges] == [
            (edge.id, edge.label, edge.entities) for edge in item.hyperedges
        ]
    return found


def load_text(text: str, suffix: str, load):
    """Load a text as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_text(text, encoding="utf-8")
        return load(path)
