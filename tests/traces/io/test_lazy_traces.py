"""Large native files stay on disk; what is seen of them is the same as of small ones."""

from __future__ import annotations

import json
import os
import tracemalloc

import pytest

from explorer.errors import TraceError
from explorer.traces._io import trace_loading
from explorer.traces._io.lazy_traces import LazyTraces
from explorer.traces._io.trace_loading import load_traces


def trace(name, **changes):
    edges = [{"id": "a", "hyperedge": f"Fact one of {name}."}, {"id": "b", "hyperedge": "Two."}]
    return {"id": name, "query": "q?", "answer": "é", "hyperedges": edges} | changes


def text(*names):
    return "\n".join(json.dumps(trace(name)) for name in names).encode()


@pytest.fixture
def large(monkeypatch):
    """Let every file count as a large one."""
    monkeypatch.setattr(trace_loading, "LAZY_BYTES", 0)


SHAPES = {
    "lines": text("q1", "q2", "q3") + b"\n",
    "bom, blank lines and CRLF": b"\xef\xbb\xbf\r\n"
    + text("q1", "q2", "q3").replace(b"\n", b"\r\n\r\n"),
    "array": json.dumps([trace(name) for name in ("q1", "q2", "q3")], indent=1).encode(),
    "extra fields": json.dumps(trace("q1", more=1)).encode() + b"\n" + text("q2", "q3"),
    "number ids, NaN": json.dumps(trace("q1", metadata={"x": float("nan")})).encode()
    + b"\n"
    + text("q2", "q3"),
}


@pytest.mark.parametrize("contents", SHAPES.values(), ids=SHAPES.keys())
def test_a_lazy_set_holds_what_an_eager_one_holds(tmp_path, monkeypatch, contents):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(contents)
    eager = load_traces(path)
    monkeypatch.setattr(trace_loading, "LAZY_BYTES", 0)
    lazy = load_traces(path)
    assert isinstance(lazy._traces, LazyTraces)
    assert [repr(item) for item in lazy] == [repr(item) for item in eager]
    assert [repr(lazy[place]) for place in range(3)] == [repr(item) for item in eager]
    assert (len(lazy), lazy.problems, lazy.format) == (3, eager.problems, "native")
    assert lazy[-1].id == "q3"
    with pytest.raises(IndexError):
        lazy[3]


def test_bad_lines_and_ids_used_twice_are_told_as_in_an_eager_set(tmp_path, monkeypatch):
    path = tmp_path / "traces.jsonl"
    bad = [b"{oops}", json.dumps(trace("q1", query=3)).encode(), b"7", text("q1"), text("q1")]
    label = json.dumps(trace("q4", hyperedges=[{"id": "a", "hyperedge": "x", "label": 2}])).encode()
    path.write_bytes(b"\n".join([text("q1"), *bad, label]))
    eager = load_traces(path)
    monkeypatch.setattr(trace_loading, "LAZY_BYTES", 0)
    lazy = load_traces(path)
    assert [item.id for item in lazy] == ["q1", "q1#2", "q1#3"]
    assert [item.line for item in lazy] == [1, 5, 6]
    assert [problem.line for problem in lazy.problems] == [2, 3, 4, 5, 6, 7]
    assert lazy.problems == eager.problems
    assert lazy.index_of("q1#2") == 1
    assert lazy[1].id == "q1#2"


def test_a_file_without_a_trace_raises(tmp_path, large):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(b'{"id": "t", "hyperedges": []}')
    with pytest.raises(TraceError, match="needs `query`"):
        load_traces(path)


def test_a_slice_reads_nothing_and_knows_its_own(tmp_path, large):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(text(*(f"q{place}" for place in range(10))))
    part = load_traces(path)[8:2:-2]
    assert [item.id for item in part] == ["q8", "q6", "q4"]
    assert part[1:][0].id == "q6"
    assert part.index_of("q4") == 2
    with pytest.raises(TraceError, match=r"No trace here has the id 'q3'; there are 3\."):
        part.index_of("q3")


def test_a_changed_file_must_be_loaded_again(tmp_path, large):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(text("q1", "q2"))
    traces = load_traces(path)
    assert traces[0].id == "q1"
    path.write_bytes(text("q2", "q1"))  # of the same size
    os.utime(path, ns=(1, 1))
    for look in (lambda: traces[0], lambda: traces[1], lambda: list(traces)):
        with pytest.raises(TraceError, match="load it again"):
            look()
    path.unlink()
    with pytest.raises(TraceError, match="There is no file"):
        traces[1]


def test_memory_grows_slower_than_the_file(tmp_path, large):
    """A trace takes 32 bytes while the set is in use, whatever its text is."""
    path = tmp_path / "traces.jsonl"
    line = json.dumps(trace("NAME", answer="x" * 2000))
    path.write_text("\n".join(line.replace("NAME", f"q{place}") for place in range(5000)))
    load_traces(path)  # what is imported on the way is not counted
    tracemalloc.start()
    traces = load_traces(path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(traces) == 5000
    assert kept < 5000 * 64
    assert peak < path.stat().st_size / 4
