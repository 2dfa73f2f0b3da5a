"""Whatever traces come in, they are found by content, streamed, and damaged ones end in words."""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from explorer.errors import TraceError
from explorer.traces import TraceProblem, TraceSet, iter_traces, load_traces, parse_traces
from explorer.traces._io import format_detection
from explorer.traces._io._containers import content_detection
from explorer.traces._io._containers.containers import open_container
from explorer.traces._io._containers.json_pieces import BrokenJSON, Scanner
from explorer.traces._io._containers.table_records import plain
from explorer.traces.readers._reader import Reader

T1 = {"id": "t1", "query": "q", "hyperedges": [{"id": "a", "hyperedge": "x"}]}
T2 = T1 | {"id": "t2"}
LINES = f"{json.dumps(T1)}\n{json.dumps(T2)}\n".encode()
COLUMNS = {"id": ["t1", "t2"], "query": ["q", "q"], "hyperedges": [T1["hyperedges"]] * 2}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


def parquet(table):
    stream = io.BytesIO()
    table.to_parquet(stream)
    return stream.getvalue()


FRAME = pd.DataFrame(COLUMNS)
TEXTS = {
    "lines": LINES,
    "lines without an end": LINES.rstrip(),
    "byte order mark": b"\xef\xbb\xbf" + LINES,
    "array": json.dumps([T1, T2]).encode(),
    "indented array": json.dumps([T1, T2], indent=2).encode(),
    "indented objects in a row": (
        json.dumps(T1, indent=2) + "\n" + json.dumps(T2, indent=2)
    ).encode(),
    "in a list": json.dumps({"meta": {"page": 1}, "data": [T1, T2]}).encode(),
    "in a list, indented": json.dumps({"traces": [T1, T2]}, indent=2).encode(),
    "one level down": json.dumps({"data": {"traces": [T1, T2]}}).encode(),
    "by name": json.dumps({"first": T1, "second": T2}).encode(),
    "columns": json.dumps(COLUMNS).encode(),
    "pandas json": FRAME.to_json().encode(),
    "pandas json, split": FRAME.to_json(orient="split").encode(),
    "pandas json, table": FRAME.to_json(orient="table").encode(),
    "pandas json, records": FRAME.to_json(orient="records").encode(),
    "csv": FRAME.to_csv(index=False).encode(),
    "csv with an index": FRAME.to_csv().encode(),
    "csv of json": FRAME.assign(hyperedges=[json.dumps(T1["hyperedges"])] * 2).to_csv().encode(),
    "tsv": FRAME.to_csv(sep="\t", index=False).encode(),
    "semicolons": FRAME.to_csv(sep=";", index=False).encode(),
    "parquet": parquet(FRAME),
    "gzip": gzip.compress(LINES),
    "gzip of csv": gzip.compress(FRAME.to_csv(index=False).encode()),
    "gzip of an array": gzip.compress(json.dumps([T1, T2]).encode()),
}


@pytest.mark.parametrize("contents", TEXTS.values(), ids=TEXTS.keys())
def test_the_same_traces_in_every_container(tmp_path, contents):
    path = tmp_path / "no suffix tells"
    path.write_bytes(contents)
    for found in (load_traces(path), parse_traces(contents, "upload"), TraceSet(iter_traces(path))):
        assert [trace.id for trace in found] == ["t1", "t2"]
        assert [trace.hyperedges[0].hyperedge for trace in found] == ["x", "x"]
        assert found.problems == ()
        assert found.format == "native"


TABLES = {
    "rows": ROWS,
    "one at a time": iter(ROWS),
    "columns": COLUMNS,
    "an object with a list": {"runs": ROWS},
    "pandas": FRAME,
    "pandas with an index": FRAME.set_index("id"),
    "arrow": pa.Table.from_pandas(FRAME),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_the_same_traces_in_every_table_in_memory(table):
    traces = load_traces(table)
    assert [(trace.id, trace.hyperedges[0].hyperedge) for trace in traces] == [
        ("t1", "x"),
        ("t2", "x"),
    ]
    assert traces.problems == ()
    assert traces.path is None


@pytest.mark.slow  # datasets imports torch
@pytest.mark.parametrize("kind", ["whole", "streamed", "splits"])
def test_data_sets_of_the_hub_are_tables(kind):
    import datasets

    def made(**columns):
        return datasets.Dataset.from_dict(columns)

    table = made(**COLUMNS)
    if kind == "streamed":
        table = table.to_iterable_dataset()
    elif kind == "splits":
        first = {name: cells[:1] for name, cells in COLUMNS.items()}
        second = {name: cells[1:] for name, cells in COLUMNS.items()}
        table = datasets.DatasetDict(train=made(**first), test=made(**second))
    test_the_same_traces_in_every_table_in_memory(table)


def test_values_of_tables_become_values_of_json():
    odd = {
        "array": np.array([1.0, np.nan]),
        "number": np.int64(3),
        "nothing": pd.NA,
        "no time": pd.NaT,
        "time": pd.Timestamp("2026-01-02T03:04:05"),
        "pair": ("a", 2),
        "bytes": b"text",
        5: {"nested": np.array(["x"])},
    }
    assert plain(odd) == {
        "array": [1.0, None],
        "number": 3,
        "nothing": None,
        "no time": None,
        "time": "2026-01-02T03:04:05",
        "pair": ["a", 2],
        "bytes": "text",
        "5": {"nested": ["x"]},
    }


@pytest.mark.parametrize(
    "text", [LINES, json.dumps([T1, T2]).encode(), json.dumps({"data": [T1, T2]}).encode()]
)
def test_memory_does_not_grow_with_an_array_or_a_wrapped_list(text, monkeypatch):
    """A text that is longer than what may be decoded at once is streamed."""
    monkeypatch.setattr(content_detection, "WHOLE_BYTES", 100)
    assert [trace.id for trace in parse_traces(text, "x")] == ["t1", "t2"]


def test_spans_of_a_large_object_come_one_by_one(monkeypatch):
    monkeypatch.setattr(content_detection, "WHOLE_BYTES", 10)
    text = json.dumps({"resourceSpans": [{"n": 1}, {"n": 2}]}).encode()
    found = open_container(text, lambda value: "resourceSpans" in value, limit=1000)
    assert [item.value for item in found.records] == [
        {"resourceSpans": [{"n": 1}]},
        {"resourceSpans": [{"n": 2}]},
    ]


def test_lines_are_counted_in_every_text():
    def places(text):
        return [trace.line for trace in parse_traces(text, "x")]

    assert places(b"\n\n" + LINES) == [3, 4]
    assert places(b"[\n" + LINES.strip().replace(b"\n", b",\n\n") + b"]") == [2, 4]
    assert places(b'id,query,hyperedges\n"t\n1",q,[]\nt2,q,[]\n') == [2, 4]
    assert [trace.line for trace in load_traces(FRAME)] == [1, 2]


def test_what_was_read_before_a_file_breaks_is_kept():
    wrapped = json.dumps({"n": 1, "data": [T1, T2]}).encode()
    for text in (LINES, json.dumps([T1, T2]).encode(), wrapped, gzip.compress(LINES * 50)):
        traces = parse_traces(text[:-12], "x")
        assert traces[0].id == "t1"
        assert not traces.problems[-1].loaded


def test_a_bad_item_of_an_array_does_not_end_it():
    text = f'[{json.dumps(T1)}, {{"id": oops}}, {json.dumps(T2)}]'
    traces = parse_traces(text.encode(), "x")
    assert [trace.id for trace in traces] == ["t1", "t2"]
    assert "not valid JSON" in traces.problems[0].message


def test_a_row_with_too_many_cells_is_told():
    traces = parse_traces(b"id,query,hyperedges\nt1,q,[]\nt2,a, b and c,[]\nt3,q,[],,\n", "x.csv")
    assert [trace.id for trace in traces] == ["t1", "t3"]
    assert str(traces.problems[0]).startswith("line 3: it has 4 cells, and the header has 3")


def test_records_of_another_format_are_named():
    other = {"question": "q", "contexts": ["x"], "answer": "a", "ground_truth": "a"}
    text = "\n".join(map(json.dumps, [T1, other, T2]))
    traces = parse_traces(text.encode(), "x")
    assert [trace.id for trace in traces] == ["t1", "t2"]
    assert str(traces.problems[0]).startswith("line 2: this looks like the format of RAGAS")


def test_a_format_can_be_named():
    rows = [{"question": "q", "contexts": ["x"], "answer": "a"}]
    assert load_traces(rows).format == "ragas"
    assert load_traces(rows, format="table").format == "table"
    with pytest.raises(TraceError, match="needs `hyperedges`"):
        load_traces(rows, format="native")
    with pytest.raises(
        TraceError, match=r"There is no trace format 'nope'\. Choose one of native, "
    ):
        load_traces(rows, format="nope")


def test_a_file_of_no_known_format_says_what_was_seen():
    with pytest.raises(TraceError) as caught:
        parse_traces(b'{"foo": 1, "bar": 2}\n', "x")
    for words in ("foo, bar", "RAGAS", "HotpotQA", "format=", "docs/traces.md"):
        assert words in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"PAR1 and no more", "not a Parquet file"),
        (parquet(FRAME)[:-20], "not a Parquet file"),
        (b"\x1f\x8b\x08 and no more", "cannot be unpacked"),
        (gzip.compress(gzip.compress(LINES)), "compressed twice"),
        (b"PK\x03\x04...", "ZIP archive"),
        (b"\x80\x04\x95...", "pickle, which is never opened"),
        (json.dumps(T1).encode("utf-16-be"), "NUL bytes"),
        (b"[" * 10_000, "breaks off"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
        (b'{"data": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}", "nested too deeply"),
        (b'query,contexts\nq,"' + b"[" * 10_000 + b"]" * 10_000 + b'"\n', "no text of a fact"),
        (b'["' + b"x" * 1000, "breaks off"),
        (b'{"id": "t", "query": "q", "n": 1e999}', "too large"),
        (gzip.compress(b"\n" * 20_000_000), "400 times its size"),
        (gzip.compress(b'{"id": "' + b"a" * 20_000_000), "400 times its size"),
        (b"query;hyperedges\n\x81;[]\n", "not UTF-8"),
    ],
    ids=itertools.count(),
)
def test_hostile_and_foreign_files_end_in_words(contents, words, monkeypatch):
    monkeypatch.setattr(
        "explorer.traces._files.file_streams._BOMB_BYTES", 2**18
    )  # sooner than for users
    with pytest.raises(TraceError, match=words):
        parse_traces(contents, "x")


def test_of_two_fields_of_one_name_the_last_counts():
    text = b'{"id": "t", "query": "first", "query": "last", "hyperedges": []}'
    assert parse_traces(text, "x")[0].query == "last"


@pytest.mark.parametrize("source", [b"{}", 3, None, {}, [], "", np.eye(2), FRAME.iloc[:0]])
def test_what_holds_no_traces_is_refused(source):
    with pytest.raises(TraceError):
        load_traces(source)


def test_a_data_set_that_fails_on_the_way_is_told():
    def failing():
        yield T1
        raise ConnectionError("gone")

    traces = load_traces(failing())
    assert [trace.id for trace in traces] == ["t1"]
    assert "ConnectionError: gone" in traces.problems[0].message


def test_too_many_problems_are_counted_and_not_kept(monkeypatch):
    monkeypatch.setattr("explorer.traces._io.load_problems.MAX_PROBLEMS", 3)
    traces = parse_traces(LINES + b"oops\n" * 10, "x")
    assert len(traces.problems) == 4
    assert "7 more problems" in traces.problems[-1].message


def test_a_row_group_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "large.parquet"
    FRAME.to_parquet(path)
    with pytest.raises(TraceError, match="row group"):
        load_traces(path, max_bytes=10)


class Trickle(io.BytesIO):
    """A stream that gives one byte at a time, so that every value crosses a border."""

    def read1(self, size=-1):
        return super().read1(min(size, 1))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(values, max_size=4), st.sampled_from([None, 2]), st.booleans())
def test_the_scanner_cuts_an_array_where_json_does(items, indent, ascii_only):
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    scanner = Scanner(Trickle(text), 10_000)
    pieces = list(scanner.items())
    assert [json.loads(piece.raw) for piece in pieces] == json.loads(text)
    assert scanner.peek() == b""
    for piece in pieces:
        assert text[piece.offset :].startswith(piece.raw)
        assert piece.line == 1 + text[: piece.offset].count(b"\n")


def test_the_scanner_holds_no_more_than_its_limit():
    scanner = Scanner(io.BytesIO(b'["' + b"x" * 2_000_000 + b'"]'), 1000)
    with pytest.raises(BrokenJSON, match="longer than 1000 bytes"):
        list(scanner.items())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(TEXTS)),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), max_size=3),
    st.integers(0, 2000),
)
@example("lines", [(0, b"\xff\xfe")], 0)
@example("parquet", [(4, b"\xff\xff\xff")], 0)
@example("gzip", [(20, b"\x00")], 0)
def test_damage_anywhere_ends_in_words(name, changes, cut):
    contents = bytearray(TEXTS[name])
    for place, put in changes:
        contents[place % len(contents) : place % len(contents) + len(put)] = put
    contents = contents[: len(contents) - cut % len(contents)]
    try:
        traces = parse_traces(bytes(contents), name)
    except TraceError:
        return
    assert len(traces)
    assert all(isinstance(problem, TraceProblem) for problem in traces.problems)


cells = st.none() | st.floats() | st.text(max_size=6) | values
names = st.sampled_from(
    [
        "id",
        "query",
        "question",
        "contexts",
        "hyperedges",
        "text",
        "score",
        "label",
        "metadata",
        "Scores",
    ]
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(names, cells, max_size=5), max_size=4))
def test_any_rows_end_in_traces_or_words(rows):
    frame = pd.DataFrame(rows)
    for source in (rows, frame):
        with contextlib.suppress(TraceError):
            assert len(load_traces(source))
    for text in (frame.to_csv(), json.dumps(rows), json.dumps({"data": rows})):
        with contextlib.suppress(TraceError):
            parse_traces(text.encode("utf-8", "replace"), "x")


@pytest.mark.skipif(os.name == "nt", reason="needs names without suffix")
def test_a_name_that_lies_about_the_contents_does_no_harm(tmp_path):
    for suffix, contents in ((".parquet", LINES), (".csv", LINES), (".jsonl", TEXTS["parquet"])):
        path = tmp_path / f"traces{suffix}"
        path.write_bytes(contents)
        assert [trace.id for trace in load_traces(path)] == ["t1", "t2"]


def test_a_named_format_is_not_asked_about_what_is_no_object(tmp_path):
    path = tmp_path / "trace.json"
    path.write_text('{"info": {"trace_id": "t"}, "data": "text"}')
    for name in ("mlflow", "openinference", "ragas"):
        with pytest.raises(TraceError):
            load_traces(path, format=name)


def test_the_rows_of_a_table_are_asked_about_by_the_reader_of_tables_alone(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        format_detection,
        "READERS",
        (Reader("other", "other", lambda record: bool(asked.append(1)), iter),),
    )
    path = tmp_path / "table.csv"
    path.write_text("question,context\n" + "q,fact\n" * 100)
    traces = load_traces(path)
    assert traces.format == "table"
    assert len(traces[0].hyperedges) == 100
    assert len(asked) <= 64  # the first records only, to tell the format
