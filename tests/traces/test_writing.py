"""What is saved is what is loaded, and a file is replaced whole or not at all."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

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
