"""Nothing that a file can hold raises anything but our own errors."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from explorer.errors import EvidenceError, TraceError
from explorer.feedback import feedback_table
from explorer.traces import (
    Trace,
    TraceProblem,
    evidence,
    iter_traces,
    load_traces,
    parse_traces,
    save_traces,
)

pytestmark = pytest.mark.slow

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
numbers = st.floats() | st.integers(-2, 2) | st.none()
ids = st.sampled_from(["a", "b", "1"])
positions = st.lists(st.integers(-1, 6) | st.sampled_from(["0", "x", 2**70, None]), max_size=5)
edges = st.lists(
    st.fixed_dictionaries(
        {
            "id": ids | anything,
            "hyperedge": st.sampled_from(["The Nile.", "Rhine", "", "x"]) | anything,
        },
        optional={"label": st.booleans() | anything, "entities": anything},
    ),
    max_size=4,
)


def square(size):
    return st.lists(st.lists(numbers, min_size=size, max_size=size), min_size=size, max_size=size)


reference = st.fixed_dictionaries(
    {"file": st.sampled_from(["a.npz", "../a.npz", "/a.npz", "", ".", "a"]) | st.text(max_size=6)},
    optional={"key": st.sampled_from(["k"]) | anything},
)
tensors = st.integers(1, 4).flatmap(square) | reference | anything
metadata = st.fixed_dictionaries(
    {},
    optional={
        "hyperedge_attention": st.dictionaries(ids, numbers) | st.lists(numbers) | tensors,
        "attention_weights": st.dictionaries(st.sampled_from("0123x"), numbers) | tensors,
        "context_mapping": st.dictionaries(ids, positions | anything) | anything,
        "attention_matrix": tensors,
        "context_texts": st.lists(st.sampled_from(["The Nile", "rhine", ""]), max_size=4)
        | anything,
        "context_spans": st.lists(st.lists(st.integers(-1, 5), max_size=3), max_size=4) | anything,
        "answer_start_pos": st.integers(-1, 5) | anything,
        "context_end_pos": st.integers(-1, 5) | anything,
        "tokens": st.lists(st.sampled_from(["Nile", "ĠRh", "ine"]), max_size=5) | anything,
        "answer_tokens": anything,
        "unit_attention": st.integers(1, 3).flatmap(square).map(lambda rows: [rows]) | tensors,
        "unit_topk": tensors,
        "unit_tokens": st.lists(st.integers(-1, 5)) | anything,
        "unit_topk_k": anything,
    },
)
traces = st.fixed_dictionaries(
    {"id": ids, "query": st.text(max_size=5), "hyperedges": edges},
    optional={"answer": st.text(max_size=5) | anything, "metadata": metadata | anything},
)


def score(trace):
    """Take a trace all the way to its table."""
    try:
        found = evidence(trace)
    except EvidenceError:
        return
    assert len(found.units) == len(trace.hyperedges)
    if found.attention is not None:
        with np.errstate(all="ignore"):
            table = feedback_table(found.attention, found.units, rows=found.rows)
        assert len(table) == len(trace.hyperedges)


def load(contents):
    try:
        return parse_traces(contents, "fuzz")
    except TraceError:
        return ()


@QUICK
@given(st.binary(max_size=60))
@example(b"{\x00}")
@example(b"\xff\xfe{")
@example(b'[{"id":1e99999}]')
def test_any_bytes(contents):
    load(contents)


@QUICK
@given(st.lists(traces | anything, max_size=4), st.booleans(), st.integers(0, 400))
def test_any_json(values, as_array, cut):
    text = json.dumps(values) if as_array else "\n".join(map(json.dumps, values))
    for contents in (text.encode(), text.encode()[:cut], text.encode()[cut:]):
        for trace in load(contents):
            score(trace)


@settings(QUICK, max_examples=200)
@given(
    st.lists(ids, min_size=1, max_size=3).map(
        lambda names: [{"id": name, "hyperedge": f"The {name}."} for name in names]
    ),
    metadata,
)
def test_any_evidence(hyperedges, found):
    line = json.dumps({"id": "t", "query": "q", "hyperedges": hyperedges, "metadata": found})
    for trace in load(line.encode()):
        trace.folder = Path(__file__).parent
        score(trace)


@QUICK
@given(traces)
def test_what_was_loaded_can_be_saved_and_loads_the_same(value):
    for trace in load(json.dumps(value).encode()):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.jsonl"
            save_traces([trace], path)
            again = load_traces(path)[0]
        assert (again.id, again.query, again.answer) == (trace.id, trace.query, trace.answer)
        assert again.hyperedges == trace.hyperedges or "NaN" in json.dumps(value)


@QUICK
@given(st.lists(st.binary(max_size=20) | traces.map(lambda v: json.dumps(v).encode()), max_size=5))
def test_streaming_finds_what_loading_finds(lines):
    contents = b"\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.jsonl"
        path.write_bytes(contents)
        problems: list[TraceProblem] = []
        try:
            streamed: list[Trace] = list(iter_traces(path, problems.append))
        except TraceError:
            return  # empty, UTF-16 or one array: loading says the same, or reads it as a whole
    assert [trace.id for trace in streamed] == [trace.id for trace in load(contents)]
