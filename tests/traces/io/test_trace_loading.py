"""What a user may hand to load_traces, and what comes back."""

from __future__ import annotations

import json
import math
import os

import pytest

from explorer.errors import TraceError
from explorer.traces import iter_traces, load_traces, parse_traces

GOOD = {
    "id": "nile",
    "query": "Which river is longest?",
    "answer": "the Nile",
    "hyperedges": [
        {
            "id": "a",
            "hyperedge": "The Nile is the longest river.",
            "entities": ["Nile"],
            "label": 1,
        },
        {"id": "b", "hyperedge": "The Rhine flows through Cologne.", "label": False},
    ],
    "metadata": {"hyperedge_attention": {"a": 0.45, "b": 0.05}},
}


def line(**changes):
    return json.dumps(GOOD | changes).encode()


@pytest.fixture
def file(tmp_path):
    def write(contents: bytes, name: str = "traces.jsonl"):
        path = tmp_path / name
        path.write_bytes(contents)
        return path

    return write


def test_a_trace_comes_back_as_written(file):
    traces = load_traces(file(line() + b"\n"))
    assert len(traces) == 1
    trace = traces[0]
    assert (trace.id, trace.query, trace.answer) == ("nile", "Which river is longest?", "the Nile")
    assert [edge.label for edge in trace.hyperedges] == [True, False]
    assert trace.hyperedges[0].entities == ["Nile"]
    assert trace.metadata == {"hyperedge_attention": {"a": 0.45, "b": 0.05}}
    assert trace.line == 1
    assert traces.problems == ()


@pytest.mark.parametrize(
    "contents",
    [
        line() + b"\n" + line(id="rhine"),
        b"\xef\xbb\xbf" + line() + b"\n" + line(id="rhine") + b"\n",
        line() + b"\r\n\r\n" + line(id="rhine") + b"\r\n",
        b"[" + line() + b",\n  " + line(id="rhine") + b"]\n",
        b"\n\n" + line() + b"\n   \n" + line(id="rhine"),
    ],
    ids=["no-last-line-end", "bom", "crlf", "array", "blank-lines"],
)
def test_shapes_of_files(file, contents):
    traces = load_traces(file(contents))
    assert [trace.id for trace in traces] == ["nile", "rhine"]
    assert traces.problems == ()


def test_one_indented_object_is_a_trace(file):
    assert len(load_traces(file(json.dumps(GOOD, indent=2).encode()))) == 1


def test_the_good_is_loaded_and_the_bad_listed_with_line_numbers(file):
    contents = b"\n".join([line(), b"{not json}", line(id="rhine"), b"[1, 2]", line(query=7)])
    traces = load_traces(file(contents))
    assert [trace.id for trace in traces] == ["nile", "rhine"]
    assert [trace.line for trace in traces] == [1, 3]
    assert [problem.line for problem in traces.problems] == [2, 4, 5]
    assert not any(problem.loaded for problem in traces.problems)
    assert "`query` of a trace must be text, and here it is a number" in str(traces.problems[2])


def test_a_file_cut_off_in_mid_line(file):
    traces = load_traces(file(line() + b"\n" + line(id="rhine")[:60]))
    assert [trace.id for trace in traces] == ["nile"]
    assert str(traces.problems[0]).startswith("line 2: it stops in the middle")


def test_an_array_cut_off_keeps_what_came_before(file):
    traces = load_traces(file(b"[" + line() + b",\n" + line(id="rhine")[:60]))
    assert [trace.id for trace in traces] == ["nile"]
    assert traces.problems[0].line == 2


def test_an_array_with_a_bad_item_keeps_the_others(file):
    traces = load_traces(file(b"[\n" + line() + b",\n7,\n" + line(id="rhine") + b"\n]"))
    assert [(trace.id, trace.line) for trace in traces] == [("nile", 2), ("rhine", 4)]
    assert [problem.line for problem in traces.problems] == [3]


def test_duplicate_ids_are_kept_apart_and_told(file):
    traces = load_traces(file(b"\n".join([line(), line(), line(id="nile#2"), line()])))
    assert [trace.id for trace in traces] == ["nile", "nile#2", "nile#2#2", "nile#3"]
    assert [problem.line for problem in traces.problems] == [2, 3, 4]
    assert all(problem.loaded for problem in traces.problems)


def test_unknown_fields_are_kept(file):
    edge = {"id": "a", "hyperedge": "x", "source": "wiki"}
    traces = load_traces(file(line(latency_ms=12, hyperedges=[edge])))
    assert traces[0].extra == {"latency_ms": 12}
    assert traces[0].hyperedges[0].extra == {"source": "wiki"}


def test_numbers_serve_as_ids_and_a_missing_answer_is_empty(file):
    trace = {"id": 7, "query": "q", "hyperedges": [{"id": 1, "hyperedge": "x"}], "metadata": None}
    loaded = load_traces(file(json.dumps(trace).encode()))[0]
    assert (loaded.id, loaded.answer, loaded.hyperedges[0].id) == ("7", "", "1")
    assert loaded.hyperedges[0].label is None


def test_nan_literals_of_pythons_json_are_read(file):
    traces = load_traces(file(line(metadata={"hyperedge_attention": {"a": float("nan")}})))
    assert math.isnan(traces[0].metadata["hyperedge_attention"]["a"])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'"text"', "this is text"),
        (b"null", "this is null"),
        (b'{"query": "q", "hyperedges": []}', "needs `id`"),
        (b'{"id": "", "query": "q", "hyperedges": []}', "is empty"),
        (b'{"id": true, "query": "q", "hyperedges": []}', "true or false"),
        (b'{"id": "t", "hyperedges": []}', "needs `query`"),
        (b'{"id": "t", "query": "q"}', "needs `hyperedges`"),
        (b'{"id": "t", "query": "q", "hyperedges": {}}', "must be a list"),
        (b'{"id": "t", "query": "q", "hyperedges": ["x"]}', "hyperedge 1 is text"),
        (b'{"id": "t", "query": "q", "hyperedges": [{"id": "a"}]}', "needs `hyperedge`"),
        (b'{"id": "t", "query": "q", "hyperedges": [], "metadata": []}', "must be an object"),
        (b'{"id": "t", "query": "q", "hyperedges": [], "answer": 4}', "`answer`"),
        (line(hyperedges=[{"id": "a", "hyperedge": "x", "label": "yes"}]), "`label`"),
        (line(hyperedges=[{"id": "a", "hyperedge": "x", "entities": "Nile"}]), "`entities`"),
        (b'{"id": "t", "query": "q\x00"}', "NUL"),
        (b'{"id": "t", "query": "caf\xe9", "hyperedges": []}', "not UTF-8"),
        (b'{"id": "t", "query": "q", "hyperedges": [], "n": 1e999}', "too large"),
        (b'{"id": "t", "query": "q", "n": ' + b"9" * 5000 + b"}", "too large"),
        (b"[" * 50_000 + b"]" * 50_000, "nested too deeply"),
        (b'{"a": ' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b'{"a": NaN, "b": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
    ],
)
def test_a_bad_line_says_what_is_wrong(raw, reason):
    with pytest.raises(TraceError, match=r"No trace could be read from upload\.jsonl") as caught:
        parse_traces(raw, "upload.jsonl")
    assert reason in str(caught.value)


def test_half_a_surrogate_pair_is_no_text():
    raw = line(query="X").replace(b'"X"', rb'"\ud800"')
    for contents in (raw, raw.replace(b"0.05", b"NaN"), b"[" + raw + b"]"):
        with pytest.raises(TraceError):
            parse_traces(contents, "x")


@pytest.mark.parametrize("contents", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"[]"])
def test_an_empty_file(file, contents):
    with pytest.raises(TraceError, match="empty"):
        load_traces(file(contents))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_is_read(file, encoding):
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    traces = load_traces(file(mark + line().decode().encode(encoding)))
    assert (traces[0].id, traces.problems) == (load_traces(file(line()))[0].id, ())


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(TraceError, match="There is no file"):
        load_traces(tmp_path / "none.jsonl")
    with pytest.raises(TraceError, match="is a folder without trace files"):
        load_traces(tmp_path)
    with pytest.raises(TraceError, match="cannot be read"):
        load_traces("a\x00b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TraceError, match="not an ordinary file"):
        load_traces(tmp_path / "pipe")


def test_a_gigabyte_of_nothing_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as stream:
        stream.truncate(2**30)  # takes no room on disk
    with pytest.raises(TraceError, match="begins with NUL bytes"):
        load_traces(path)


def test_max_bytes_can_be_set(file):
    path = file(line())
    with pytest.raises(TraceError, match="longer than 100 bytes"):
        load_traces(path, max_bytes=100)


def test_iter_traces_streams_and_hands_over_problems(file):
    path = file(b"\n".join([b"\xef\xbb\xbf" + line(), b"oops", line(), line(id="rhine")]))
    problems = []
    traces = list(iter_traces(path, problems.append))
    assert [trace.id for trace in traces] == ["nile", "nile#2", "rhine"]
    assert [problem.line for problem in problems] == [2, 3]
    assert traces[0].folder == path.parent


def test_iter_traces_raises_at_a_bad_line_when_nobody_listens(file):
    stream = iter_traces(file(line() + b"\noops\n"))
    assert next(stream).id == "nile"
    with pytest.raises(TraceError, match="line 2"):
        next(stream)


def test_iter_traces_skips_a_line_that_is_too_long(file):
    path = file(line() + b"\n" + line(query="x" * 5000) + b"\n" + line(id="rhine"))
    problems = []
    traces = list(iter_traces(path, problems.append, max_line_bytes=1000))
    assert [trace.id for trace in traces] == ["nile", "rhine"]
    assert [problem.line for problem in problems] == [2]


def test_iter_traces_streams_an_array(file):
    traces = list(iter_traces(file(b" [" + line() + b",\n" + line(id="rhine") + b"]")))
    assert [(trace.id, trace.line) for trace in traces] == [("nile", 1), ("rhine", 2)]


def test_a_slice_is_a_trace_set(file):
    traces = load_traces(file(b"\n".join(line(id=str(number)) for number in range(5))))
    part = traces[1:3]
    assert [trace.id for trace in part] == ["1", "2"]
    assert part.path == traces.path
    assert repr(traces) == "<TraceSet: 5 traces from traces.jsonl>"
