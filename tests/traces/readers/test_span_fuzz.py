"""Nothing that a file can hold makes the readers of observability formats raise."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.errors import TraceError
from explorer.traces import TraceSet, load_traces, save_traces
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._spans import (
    genai,
    langfuse,
    langsmith,
    mlflow,
    openinference,
    trulens,
)

from .mutations import FILES, anything, holds, load_text, mutated, records_of

pytestmark = pytest.mark.slow

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MODULES = (openinference, genai, langfuse, langsmith, mlflow, trulens)
EXAMPLES = {
    module.READER: sorted(
        path.name for path in FILES.iterdir() if path.name.startswith(module.READER.name)
    )
    for module in MODULES
}
CASES = [
    pytest.param(reader, [record for name in names for record in records_of(name)], id=reader.name)
    for reader, names in EXAMPLES.items()
]


def names_in(value):
    """Go through the names of all fields within a value, and the names of attributes."""
    if isinstance(value, dict):
        yield from value
        if isinstance(value.get("key"), str):
            yield value["key"]
        for item in value.values():
            yield from names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_changed_records_give_traces_or_problems(reader, records):
    @QUICK
    @given(st.lists(mutated(records), min_size=1, max_size=3))
    def check(values):
        found = holds(reader, values)
        with_text = [item for item in found if hasattr(item, "hyperedges")]
        for trace in with_text:
            assert trace.hyperedges
            assert all(edge.hyperedge.strip() for edge in trace.hyperedges)
            names = [edge.id for edge in trace.hyperedges]
            assert len(set(names)) == len(names)

    check()


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_anything_gives_traces_or_problems(reader, records):
    names = sorted(set(names_in(records)))
    fields = st.sampled_from(names) | st.text(max_size=6)
    deeper = st.recursive(
        anything,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(fields, inner, max_size=4)
            | st.dictionaries(fields, inner, max_size=3).map(repr)
        ),
        max_leaves=8,
    )

    @settings(QUICK, max_examples=60)
    @given(st.lists(st.dictionaries(fields, deeper, max_size=5), min_size=1, max_size=2))
    def check(values):
        holds(reader, values)

    check()


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_what_is_read_can_be_saved_and_loaded_again(reader, records, tmp_path):
    @QUICK
    @given(mutated(records))
    def check(value):
        traces = [item for item in holds(reader, [value]) if hasattr(item, "hyperedges")]
        if traces:
            save_traces(TraceSet(traces), tmp_path / "saved.jsonl")
            again = load_traces(tmp_path / "saved.jsonl")
            assert [trace.query for trace in again] == [trace.query for trace in traces]

    check()


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_a_file_cut_off_anywhere_gives_traces_or_our_own_error(reader, records):
    text = json.dumps(records, indent=1)

    @settings(QUICK, max_examples=40)
    @given(st.integers(0, len(text) - 1))
    def check(end):
        try:
            found = load_text(text[:end], ".json", load_traces)
        except TraceError:
            return
        assert len(found) + len(found.problems) > 0

    check()


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_deep_nesting_anywhere_is_told(reader, records):
    deep: object = "The Nile."
    for _ in range(5000):
        deep = [deep]
    deep_objects: object = "The Nile."
    for _ in range(5000):
        deep_objects = {"documents": deep_objects}
    for record in records:
        for hostile in (deep, deep_objects, "[" * 100_000, "{" * 100_000, '[{"' * 50_000):
            for name in record:
                changed = copy.copy(record)
                changed[name] = hostile
                assert reader.recognises(changed) in {True, False}
                reader_items = list(reader.read([(1, changed)], ReadContext()))
                assert all(hasattr(item, "line") for item in reader_items)
