"""The report of the thresholds tab: what is in view, by a button, the save menu and `save`."""

from __future__ import annotations

import errno
import os

import pytest

from explorer import threshold_report
from explorer.errors import InputError
from explorer.validation import Resampling
from explorer.widgets._explorer import Explorer
from explorer.widgets._traces._feedback.scores_controller import ScoresController

from ...support.app_driver import AppDriver
from ..scored_traces import scored_trace


@pytest.fixture
def app() -> Explorer:
    traces = [
        scored_trace("a", [0.5, 0.2, 0.05], [True, False, False]),
        scored_trace("b", [0.3, 0.15, 0.02], [True, True, False]),
    ]
    return Explorer.from_traces(traces, tab="thresholds", threshold=0.18, reference_threshold=0.4)


def test_save_writes_what_is_in_view(app: Explorer, tmp_path) -> None:
    app.save(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    # Called at 0.18: 0.5 and 0.3 (used), 0.2 (not). Missed: 0.15.
    assert "At 0.180, F1 0.67 (" in page
    assert "3 of 6 hyperedges are called used, among them 2 of the 3 that are used." in page
    assert "Calls that change between 0.400 and 0.180" in page
    assert "<h2>Agreement with other methods (not ground truth)</h2>" in page


def test_the_button_hands_the_page_over_when_it_is_written(app: Explorer) -> None:
    page = AppDriver(app)
    page.figures.press("report")
    app.wait()
    (written,) = page.downloads
    assert "At 0.180, F1 0.67 (" in written["text"]
    assert not page.figures["reporting"]


def test_another_tab_saves_its_picture(app: Explorer, tmp_path) -> None:
    app.tab = "traces"
    app.save(tmp_path / "picture.html")
    page = (tmp_path / "picture.html").read_text(encoding="utf-8")
    assert "<title>Attention</title>" in page


def test_nothing_judged_is_nothing_to_report(app: Explorer, tmp_path) -> None:
    app.method = "hybrid"
    app.wait()
    with pytest.raises(InputError, match="There is nothing to report"):
        app.save(tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
    page = AppDriver(app)
    page.figures.press("report")
    app.wait()
    assert page.downloads == []
    assert "There is nothing to report" in app.error


def test_scores_that_are_too_many_to_be_remembered_are_worked_out_anew(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScoresController, "known", lambda *_: None)
    page = AppDriver(app)
    page.figures.press("report")
    assert "At 0.180, F1 0.67 (" in page.downloads[0]["text"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["html", "json", "csv"])
def test_a_file_that_cannot_be_written_is_said_and_what_was_there_stays(
    app: Explorer, tmp_path, monkeypatch, suffix: str
) -> None:
    (tmp_path / f"folder.{suffix}").mkdir()
    for name in ("folder", "missing/folder", "no\0name"):
        with pytest.raises(InputError, match="cannot be written to"):
            app.save(tmp_path / f"{name}.{suffix}")
    kept = tmp_path / f"kept.{suffix}"
    kept.write_text("the last one")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(type(kept), "replace", full)
    with pytest.raises(InputError, match="No space left"):
        app.save(kept)
    assert kept.read_text() == "the last one"
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"folder.{suffix}", f"kept.{suffix}"]


def test_a_report_goes_where_a_link_leads(app: Explorer, tmp_path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "report.html")
    app.save(tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert "At 0.180" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="give the path of a file"):
        threshold_report(
            app.traces, {"method": "citation"}, resampling=Resampling(samples=0), path=3
        )  # type: ignore[arg-type]
