"""Labels in the traces tab: progress, filters, and where they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.traces import Hyperedge, Trace, load_traces
from explorer.widgets._explorer import Explorer

from ...support.app_driver import AppDriver

LINES = "\n".join(
    json.dumps(
        {"id": name, "query": "q", "answer": "a",
         "hyperedges": [{"id": f"h{i}", "hyperedge": f"Fact {i}."} for i in range(3)],
         "metadata": {"hyperedge_attention": {"h0": 0.9, "h1": 0.22, "h2": 0.01}}}
    )
    for name in ("a", "b")
)  # fmt: skip


@pytest.fixture
def page() -> AppDriver:
    driver = AppDriver(Explorer.from_traces([Trace("x", "q", [Hyperedge("h", "x")])]))
    driver.upload(LINES.encode(), "mine.jsonl")
    driver.app.threshold = 0.2
    return driver


def test_labels_of_an_upload_are_said_to_be_in_memory_until_they_are_saved(page: AppDriver) -> None:
    assert page.file["kept"] == "Labels given here stay in memory until they are saved."
    assert not page.file["unsaved"]
    page.label("h0", True)
    page.label("h1", False)
    assert page.file["kept"] == (
        "2 labels given here are in memory only, and lost when the kernel stops."
    )
    assert page.file["unsaved"]
    assert page.file["labels"] == "2 of 6 labelled"
    page.file.press("save_labels")
    (file,) = page.downloads
    assert file["name"] == "mine.jsonl.labels.json"
    assert json.loads(file["text"])["labels"] == {"a": {"h0": True, "h1": False}}
    assert not page.file["unsaved"]


def test_a_downloaded_file_of_labels_can_be_dropped_on_the_traces_again(page: AppDriver) -> None:
    page.label("h0", True)
    page.file.press("save_labels")
    page.upload(LINES.encode(), "mine.jsonl")
    assert page.file["labels"] == "0 of 6 labelled"
    page.upload(page.downloads[0]["text"].encode(), "mine.jsonl.labels.json")
    assert page.file["labels"] == "1 of 6 labelled"
    assert page.card("h0")["label"] is True
    page.upload(b"{}", "other.labels.json")
    assert page.file["failure"]["title"] == "other.labels.json was not loaded."


def test_traces_with_labels_are_written_to_a_path_that_the_app_goes_on_with(
    page: AppDriver, tmp_path: Path
) -> None:
    page.app.trace = 1
    page.label("h2", False)
    path = tmp_path / "labelled.jsonl"
    page.file.press("write_labels", path=str(path))
    assert page.file["name"] == "labelled.jsonl"
    assert page.file["kept"] == "Labels are kept in labelled.jsonl.labels.json."
    assert (page.app.trace, page.app.threshold) == (1, 0.2)
    page.label("h0", True)
    kept = [edge.label for edge in load_traces(path)[1].hyperedges]
    assert kept == [True, None, False]


def test_unlabelled_and_doubtful_hyperedges_can_be_shown_alone(page: AppDriver) -> None:
    page.label("h0", False)  # its verdict is used
    page.label("h2", False)
    assert page.cards["filter"]["counts"] == [3, 1, 2]
    page.cards.press("filter", words="", which="unlabelled", first=0)
    assert [card["id"] for card in page.cards["cards"]] == ["h1"]
    # h0 disagrees with its label; h1 is between half and twice the threshold.
    page.cards.press("filter", words="", which="doubtful", first=0)
    assert [card["id"] for card in page.cards["cards"]] == ["h0", "h1"]
    page.cards.press("filter", words="fact 1", which="doubtful", first=0)
    assert [card["id"] for card in page.cards["cards"]] == ["h1"]


def test_the_next_trace_without_a_label_is_found(page: AppDriver) -> None:
    for name in ("h0", "h1", "h2"):
        page.label(name, True)
    page.app.trace = 1
    page.cards.press("next_unlabelled")
    assert page.app.trace == 1  # the other one is labelled
    page.label("h0", None)
    page.app.trace = 0
    page.cards.press("next_unlabelled")
    assert page.app.trace == 1


def test_a_trace_is_opened_by_its_id(page: AppDriver) -> None:
    page.choose("trace", "b")
    assert page.app.trace == 1
    page.choose("trace", "nowhere")
    assert page.app.trace == 1
    assert "nowhere" in page.app.error
