"""What is saved is what is loaded, and a file is replaced whole or not at all."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.errors import EvidenceError, TraceError
from explorer.traces import Hyperedge, Trace, evidence, load_traces, save_traces

EDGES = [Hyperedge("a", "The Nile.", ["Nile"], True), Hyperedge("b", "Ünïcödé 💧", label=False)]


def test_round_trip(tmp_path):
    trace = Trace(
        "t",
        "q",
        [*EDGES, Hyperedge("c", "x", extra={"rank": 3})],
        "the Nile",
        {"hyperedge_attention": {"a": 0.5}, "run": {"n": 1}},
        {"latency_ms": 12},
    )
    save_traces([trace, Trace("u", "q")], tmp_path / "out.jsonl")
    first, second = load_traces(tmp_path / "out.jsonl")
    assert (first.id, first.query, first.answer) == (trace.id, trace.query, trace.answer)
    assert first.hyperedges == trace.hyperedges
    assert first.metadata == trace.metadata
    assert first.extra == trace.extra
    assert second.hyperedges == []
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[1]) == {"id": "u", "query": "q", "answer": "", "hyperedges": []}


def test_arrays_become_lists_and_nan_null(tmp_path):
    matrix = np.array([[1.0, 0.0], [math.nan, 0.75]], dtype=np.float32)
    trace = Trace(
        "t", "q", EDGES, "", {"attention_matrix": matrix, "answer_start_pos": np.int64(1)}
    )
    save_traces([trace], tmp_path / "out.jsonl")
    loaded = load_traces(tmp_path / "out.jsonl")[0]
    assert loaded.metadata["attention_matrix"] == [[1.0, 0.0], [None, 0.75]]
    assert np.isnan(evidence(loaded).attention.weights(rows=[1])[0, 0])


def test_array_files_come_along(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    np.savez(here / "a.npz", scores=np.array([0.5, 0.25]))
    reference = {"hyperedge_attention": {"file": "a.npz", "key": "scores"}}
    save_traces([Trace("t", "q", EDGES, "", reference)], here / "traces.jsonl")
    trace = load_traces(here / "traces.jsonl")[0]
    save_traces([trace, trace], there / "traces.jsonl")
    found = evidence(load_traces(there / "traces.jsonl")[0])
    assert found.attention.weights().tolist() == [[0.5, 0.25]]
    np.savez(there / "a.npz", scores=np.array([0.0, 0.0]))
    with pytest.raises(TraceError, match="is not the array file"):
        save_traces([trace], there / "again.jsonl")
    (here / "a.npz").unlink()
    with pytest.raises(EvidenceError, match="no such file"):
        save_traces([trace], there / "again.jsonl")


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.jsonl"
    save_traces([Trace("old", "q")], path)
    for bad in ({"f": print}, {"s": "\ud800"}, {"deep": deep(100_000)}, {("a", 1): 2}):
        with pytest.raises(TraceError, match="Trace bad"):
            save_traces([Trace("new", "q"), Trace("bad", "q", metadata=bad)], path)
    assert [trace.id for trace in load_traces(path)] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def test_a_folder_that_is_missing_or_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "none" / "out.jsonl", tmp_path / "file" / "out.jsonl", tmp_path):
        with pytest.raises(TraceError, match="cannot be written"):
            save_traces([Trace("t", "q")], path)


def test_the_file_is_written_with_ordinary_permissions(tmp_path):
    save_traces([Trace("t", "q")], tmp_path / "out.jsonl")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "out.jsonl").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_parquet_holds_typed_columns(tmp_path):
    edges = [
        Hyperedge("a", "x", ["Nile"], True, {"rank": 3}),
        Hyperedge("b", "y", label=None),
    ]
    trace = Trace("t", "q", edges, "n", {"hyperedge_attention": {"a": 0.5}}, {"latency": 12})
    save_traces([trace], tmp_path / "out.PARQUET")
    table = pq.read_table(tmp_path / "out.PARQUET")
    assert table.column_names == ["id", "query", "answer", "hyperedges", "metadata", "extra"]
    (row,) = table.to_pylist()
    assert row["hyperedges"] == [
        {"id": "a", "hyperedge": "x", "entities": ["Nile"], "label": True, "extra": '{"rank":3}'},
        {"id": "b", "hyperedge": "y", "entities": [], "label": None, "extra": None},
    ]
    assert json.loads(row["metadata"]) == {"hyperedge_attention": {"a": 0.5}}
    assert json.loads(row["extra"]) == {"latency": 12}


def test_a_failed_save_of_parquet_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.parquet"
    save_traces([Trace("old", "q")], path)
    with pytest.raises(TraceError, match="Trace bad"):
        save_traces([Trace("new", "q"), Trace("bad", "\ud800")], path)
    assert [trace.id for trace in load_traces(path)] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.parquet"]


def test_labels_beside_a_file_that_is_written_anew_go_into_it(tmp_path):
    path = tmp_path / "out.jsonl"
    save_traces([Trace("t", "q", EDGES), Trace("u", "q", EDGES)], path)
    traces = load_traces(path)
    traces.label("t", "b", True)
    save_traces(traces, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]
    assert [edge.label for edge in load_traces(path)[0].hyperedges] == [True, True]
    traces.label("u", "b", True)
    assert [[edge.label for edge in trace.hyperedges] for trace in traces] == [[True, True]] * 2


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300) | texts,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(texts, part, max_size=3),
    max_leaves=6,
)  # fmt: skip
unknown = st.dictionaries(texts.map(lambda name: "x" + name), json_values, max_size=2)
edges = st.builds(
    Hyperedge,
    id=texts.filter(bool),
    hyperedge=texts,
    entities=st.lists(texts, max_size=2),
    label=st.none() | st.booleans(),
    extra=unknown | st.just({"extra": "of theirs"}),
)
whole_traces = st.lists(
    st.builds(
        Trace,
        id=texts.filter(bool),
        query=texts,
        hyperedges=st.lists(edges, max_size=3),
        answer=texts,
        metadata=st.dictionaries(texts, json_values, max_size=2),
        extra=unknown | st.just({"extra": {"of": "theirs"}}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda trace: trace.id,
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(whole_traces, st.sampled_from(["jsonl", "parquet"]))
def test_what_is_saved_is_loaded(traces, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{suffix}"
        save_traces(traces, path)
        again = load_traces(path)
    assert again.problems == ()
    for found, written in zip(again, traces, strict=True):
        assert msgspec.structs.replace(found, line=None, folder=None) == written
