"""LabelStore that people give: seen at once, kept beside the traces, and never in the way."""

from __future__ import annotations

import copy
import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from explorer.errors import TraceError
from explorer.examples import example_traces
from explorer.examples._example_traces import TRACES
from explorer.traces import Hyperedge, Trace, TraceSet, load_traces, parse_traces, save_traces
from explorer.traces._io import trace_loading

LINES = [
    {"id": "q1", "query": "q", "hyperedges": [
        {"id": "a", "hyperedge": "x", "label": True}, {"id": "b", "hyperedge": "y"}]},
    {"id": "q2", "query": "q", "hyperedges": [{"id": "a", "hyperedge": "z"}]},
]  # fmt: skip


@pytest.fixture(params=["eager", "lazy"])
def file(request, tmp_path, monkeypatch):
    if request.param == "lazy":
        monkeypatch.setattr(trace_loading, "LAZY_BYTES", 0)
    path = tmp_path / "traces.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)))
    return path


def beside(path):
    return path.with_name("traces.jsonl.labels.json")


def labels(traces):
    return [[edge.label for edge in trace.hyperedges] for trace in traces]


def test_a_label_is_seen_at_once_and_when_the_file_is_loaded_again(file):
    traces = load_traces(file)
    part = traces[1:]
    traces.label("q2", "a", False)
    traces.label(0, "b", True)
    assert labels(traces) == [[True, True], [False]]
    assert labels(part) == [[False]]
    assert traces[1].hyperedges[0].label is False
    assert json.loads(beside(file).read_text())["labels"] == {
        "q2": {"a": False},
        "q1": {"b": True},
    }
    again = load_traces(file)
    assert labels(again) == [[True, True], [False]]
    assert again.problems == ()


def test_none_takes_a_label_away_also_one_of_the_file(file):
    traces = load_traces(file)
    traces.label("q1", "b", True)
    traces.label("q1", "b", None)
    assert json.loads(beside(file).read_text())["labels"] == {}
    traces.label("q1", "a", None)
    assert labels(traces) == [[None, None], [None]]
    assert labels(load_traces(file)) == [[None, None], [None]]


def test_two_who_label_one_file_do_not_undo_each_other(file):
    mine, theirs = load_traces(file), load_traces(file)
    theirs.label("q1", "b", True)
    mine.label("q2", "a", True)
    assert labels(mine) == [[True, True], [True]]
    assert labels(load_traces(file)) == [[True, True], [True]]


def test_labels_from_many_threads_are_all_kept(tmp_path):
    path = tmp_path / "traces.jsonl"
    edges = [{"id": f"h{i}", "hyperedge": "x"} for i in range(10)]
    lines = [{"id": f"q{i}", "query": "q", "hyperedges": edges} for i in range(8)]
    path.write_text("\n".join(map(json.dumps, lines)))
    shared = load_traces(path)

    def give(place):
        traces = shared if place % 2 else load_traces(path)
        for edge in traces[place].hyperedges:
            traces.label(place, edge.id, True)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(give, range(8)))
    assert labels(load_traces(path)) == [[True] * 10] * 8
    assert [item.name for item in tmp_path.iterdir() if item.name.endswith(".part")] == []


def test_labels_of_what_is_not_there_are_told_and_kept(file):
    given = {"q1": {"z": True, "b": False}, "q9": {"a": True}}
    beside(file).write_text(json.dumps({"labels": given}))
    traces = load_traces(file)
    assert labels(traces) == [[True, False], [None]]
    (problem,) = traces.problems
    assert (problem.line, problem.loaded) == (0, True)
    assert str(problem) == (
        "2 labels of the label file match no hyperedge of these traces: q9, z of q1."
    )
    traces.label("q2", "a", True)
    assert json.loads(beside(file).read_text())["labels"] == {**given, "q2": {"a": True}}


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b'{"labels": {"q1": {"a": 3}}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"labels": 1}',
    ],
)
def test_a_damaged_file_of_labels_is_told_and_left_as_it_is(file, damaged):
    beside(file).write_bytes(damaged)
    traces = load_traces(file)
    assert "cannot be read" in traces.problems[0].message
    assert labels(traces) == [[True, None], [None]]
    with pytest.raises(TraceError, match="kept in memory only"):
        traces.label("q2", "a", True)
    assert labels(traces) == [[True, None], [True]]
    assert beside(file).read_bytes() == damaged


def test_a_folder_in_the_place_of_the_file(file):
    beside(file).mkdir()
    traces = load_traces(file)
    assert "not an ordinary file" in traces.problems[0].message


def test_a_folder_that_cannot_be_written_keeps_the_label_in_memory(file, monkeypatch):
    traces = load_traces(file)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(TraceError, match=r"kept in memory only.*Permission denied"):
        traces.label("q2", "a", True)
    assert labels(traces) == [[True, None], [True]]
    assert sorted(entry.name for entry in file.parent.iterdir()) == ["traces.jsonl"]


@pytest.mark.parametrize(
    ("trace", "edge", "value", "reason"),
    [
        ("q9", "a", True, "No trace here has the id 'q9'"),
        (2, "a", True, "0 to 1"),
        (None, "a", True, "0 to 1"),
        ("q1", "z", True, "it has: a, b."),
        ("q1", "a", "yes", "True, False or None"),
        ("q1", "a", 1, "True, False or None"),
    ],
)
def test_what_cannot_be_labelled_is_said(file, trace, edge, value, reason):
    with pytest.raises(TraceError, match=reason):
        load_traces(file).label(trace, edge, value)
    assert not beside(file).exists()


def test_uploads_and_sets_in_memory_are_labelled_in_memory_and_saved_with_their_labels(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    uploaded = parse_traces("\n".join(map(json.dumps, LINES)).encode(), "upload.jsonl")
    made = TraceSet(uploaded)
    made.label("q2", "a", True)
    assert list(tmp_path.iterdir()) == []
    assert labels(made) == [[True, None], [True]]
    assert labels(uploaded) == [[True, None], [None]]  # a set of its own
    assert made[1] is made[1]
    save_traces(made, tmp_path / "saved.jsonl")
    assert labels(load_traces(tmp_path / "saved.jsonl")) == [[True, None], [True]]


def test_packaged_traces_are_labelled_in_memory_and_nobody_else_sees_it():
    first, second = example_traces(), example_traces()
    before = first[0].hyperedges[0].label
    first.label(0, first[0].hyperedges[0].id, not before)
    assert first[0].hyperedges[0].label is not before
    assert second[0].hyperedges[0].label is before
    assert example_traces()[0].hyperedges[0].label is before
    loaded = load_traces(TRACES)
    loaded.label(0, loaded[0].hyperedges[0].id, not before)
    assert not TRACES.with_name("traces.jsonl.labels.json").exists()


class Follower:
    def __init__(self) -> None:
        self.told = 0

    def tell(self) -> None:
        self.told += 1


def test_who_follows_labels_is_told_of_each_of_them_and_is_held_by_nobody() -> None:
    traces = TraceSet([Trace("q", "Which?", [Hyperedge("h", "The Nile.")])])
    follower = Follower()
    traces.follow_labels(follower.tell)
    traces.follow_labels(follower.tell)
    traces[:1].label("q", "h", True)
    assert follower.told == 1
    with pytest.raises(TraceError):
        traces.label("q", "other", True)
    assert follower.told == 1
    assert copy.deepcopy(traces)[0].hyperedges[0].label is True
    traces.leave_labels(follower.tell)
    traces.label("q", "h", False)
    assert follower.told == 1
    traces.follow_labels(follower.tell)
    gone = weakref.ref(follower)
    del follower
    gc.collect()
    assert gone() is None
    traces.label("q", "h", True)


def test_a_label_given_while_another_thread_reads_is_seen_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traces = TraceSet([Trace("q", "Which?", [Hyperedge("h", "The Nile.")])])
    traces.label("q", "h", False)
    real = msgspec.structs.replace

    def label_meanwhile(trace: Any, **fields: Any) -> Any:
        if "hyperedges" in fields:  # read, and not kept yet
            monkeypatch.setattr(msgspec.structs, "replace", real)
            traces.label("q", "h", True)
        return real(trace, **fields)

    monkeypatch.setattr(msgspec.structs, "replace", label_meanwhile)
    assert traces[0].hyperedges[0].label is False
    assert traces[0].hyperedges[0].label is True
