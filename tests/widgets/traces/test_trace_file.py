"""The file of the traces: what is open, what it brings, and what could not be loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.errors import TraceError
from explorer.traces import Hyperedge, Trace
from explorer.widgets._explorer import Explorer

from ...support.app_driver import AppDriver


def write(path: Path, *, labels: tuple[bool | None, ...] = (True, None)) -> Path:
    edges = [
        {"id": f"h{i}", "hyperedge": f"Fact {i}.", "label": label} for i, label in enumerate(labels)
    ]
    lines = [
        {"id": "a", "query": "q", "answer": "x", "hyperedges": edges,
         "metadata": {"hyperedge_attention": {"h0": 0.5, "h1": 0.1}}},
        {"id": "b", "query": "q", "answer": "", "hyperedges": edges, "metadata": {}},
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return path


def test_the_page_says_which_file_is_open_and_what_it_brings(tmp_path: Path) -> None:
    page = AppDriver(Explorer.from_traces(write(tmp_path / "mine.jsonl")))
    file = page.file
    assert file["name"] == "mine.jsonl"
    assert file["format"] == "native"
    assert ["langfuse", "Langfuse"] in file["formats"]
    assert file["counts"] == [
        "2 traces", "4 hyperedges", "answers: 1", "one score per hyperedge: 1",
    ]  # fmt: skip
    assert file["labels"] == "2 of 4 labelled"
    page.label("h1", False)
    assert page.file["labels"] == "3 of 4 labelled"


def test_packaged_and_given_traces_are_called_so_and_have_one_format() -> None:
    page = AppDriver(Explorer.from_traces())
    assert page.file["name"] == "packaged examples"
    assert page.file["counts"][-1] == "attention: all"
    assert page.file["labels"] == "528 of 528 labelled"
    assert page.file["formats"] == []
    given = AppDriver(Explorer.from_traces([Trace("t", "q", [Hyperedge("h", "x")])]))
    assert given.file["name"] == "traces of the notebook"
    assert given.file["counts"] == ["1 trace", "1 hyperedge", "answers: none", "attention: none"]


@pytest.mark.parametrize("way", ["path", "upload", "python", "too large"])
def test_a_file_that_fails_is_named_at_the_top_with_whose_traces_stay(
    tmp_path: Path, way: str
) -> None:
    app = Explorer.from_traces(write(tmp_path / "mine.jsonl"))
    page = AppDriver(app)
    bad = tmp_path / "bad.json"
    bad.write_text('{"nothing": "known"}')
    if way == "path":
        page.load_path(bad)
    elif way == "upload":
        page.upload(bad.read_bytes(), "bad.json")
    elif way == "too large":
        page.file.press("too_large", name="bad.json", size=300_000_000)
    else:
        with pytest.raises(TraceError):
            app.traces = bad
    failure = page.file["failure"]
    assert failure["title"] == "bad.json was not loaded."
    assert failure["still"] == "Below is still what was open before: mine.jsonl."
    assert app.error in failure["message"] or "Its fields are: nothing." in failure["message"]
    assert page.file["name"] == "mine.jsonl"
    assert [trace.id for trace in app.traces] == ["a", "b"]
    # Said once, where the hand is; in another tab at the foot.
    assert page.status["error"] is None
    page.open("thresholds")
    app.wait()
    assert page.status["error"] == app.error
    page.open("traces")
    page.file.press("dismiss")
    assert page.file["failure"] is None
    assert app.error is None


def test_another_file_ends_the_failure_of_the_last(tmp_path: Path) -> None:
    page = AppDriver(Explorer.from_traces(write(tmp_path / "mine.jsonl")))
    page.load_path(tmp_path / "missing.jsonl")
    assert page.file["failure"]["formats"] == []  # there is nothing to read in any format
    page.load_path(write(tmp_path / "other.jsonl"))
    assert page.file["failure"] is None
    assert page.file["name"] == "other.jsonl"


@pytest.mark.parametrize("way", ["path", "upload"])
def test_a_file_is_read_in_the_format_that_is_chosen(tmp_path: Path, way: str) -> None:
    app = Explorer.from_traces()
    page = AppDriver(app)
    # Rows that several formats could be: RAGAS by detection, a plain table by choice.
    row = {"question": "q", "answer": "a", "contexts": ["Fact 0.", "Fact 1."]}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([row]))
    if way == "path":
        page.load_path(path)
    else:
        page.upload(path.read_bytes(), "rows.json")
    detected = page.file["format"]
    page.file.press("load_as", format="native")
    failure = page.file["failure"]
    assert failure["title"] == "rows.json was not loaded."
    assert ["ragas", "RAGAS"] in failure["formats"]
    page.file.press("load_as", format=detected)
    assert page.file["failure"] is None
    assert page.file["format"] == detected
    assert len(app.traces[0].hyperedges) == 2
