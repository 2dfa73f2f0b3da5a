"""Where heads and threshold of the traces tab come from: every file has its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.examples import example_recommendation, example_traces
from explorer.widgets._explorer import Explorer

from ...support.app_driver import AppDriver


def write(path: Path, scores: dict[str, float]) -> Path:
    edges = [{"id": name, "hyperedge": f"Fact {name}."} for name in scores]
    trace = {"id": "a", "query": "q", "answer": "x", "hyperedges": edges}
    path.write_text(json.dumps(trace | {"metadata": {"hyperedge_attention": scores}}) + "\n")
    return path


def test_the_first_view_is_right_on_at_least_eighty_percent_of_the_packaged_facts() -> None:
    app = Explorer()
    app.tab = "traces"
    right = facts = 0
    for index, trace in enumerate(app.traces):
        app.trace = index
        table = app.feedback
        for edge, verdict in zip(trace.hyperedges, table["verdict"], strict=True):
            right += (verdict == "used") == edge.label
            facts += 1
    held_out = example_recommendation().held_out
    assert (right, facts) == (held_out.right, 528)
    assert right / facts >= 0.8


def test_no_trace_is_judged_by_heads_that_saw_it_and_the_page_says_so() -> None:
    app = Explorer.from_traces()
    page = AppDriver(app)
    packaged = example_recommendation()
    for index in (0, 5, 11):
        app.trace = index
        assert app.heads is packaged.heads_for(app.traces[index].id)
    assert page.settings["title"] == "Packaged recommendation"
    assert "chosen without the trace in view" in page.settings["text"]
    assert f"{packaged.held_out.right} of 528" in page.settings["text"]
    assert "calling nothing used: 71%" in page.settings["text"]
    assert "F1 0.764 (0.708 to 0.817)" in page.settings["text"]


def test_reference_settings_are_one_click_away_and_say_that_nothing_reaches_them() -> None:
    app = Explorer.from_traces()
    page = AppDriver(app)
    assert "reference" in [action[0] for action in page.settings["actions"]]
    page.settings.press("reference")
    assert (app.layer, app.head, app.heads, app.threshold) == (None, None, None, 0.1)
    assert set(app.feedback["verdict"]) == {"not used"}
    assert page.settings["title"] == "Reference settings"
    assert page.cards["offer"]["text"].startswith("No hyperedge reaches the threshold of 0.100")
    page.settings.press("packaged")
    assert app.heads is example_recommendation().heads_for(app.traces[0].id)
    assert app.threshold == 0.5


def test_a_head_that_is_picked_ends_the_packaged_threshold_too() -> None:
    app = Explorer.from_traces()
    AppDriver(app).choose_head(8, 0)
    assert app.heads is None
    assert app.threshold_mode == "auto"
    app.trace = 3
    assert app.heads is None  # a packaged set does not come back by itself


def test_a_file_opens_with_auto_and_never_with_the_threshold_of_another(tmp_path: Path) -> None:
    app = Explorer.from_traces()
    page = AppDriver(app)
    app.threshold, app.similarity_threshold = 0.9, 0.3
    page.load_path(write(tmp_path / "mine.jsonl", {"h0": 0.8, "h1": 0.2, "h2": 0.1}))
    assert app.heads is None
    assert app.threshold_mode == "auto"
    assert app.threshold == pytest.approx(0.5)  # the middle between 0.8 and 0.2
    assert app.similarity_threshold == 0.7
    assert page.settings["title"] == "Auto threshold"
    assert "no label was asked" in page.settings["text"]
    assert ["previous", "settings of packaged examples"] in [
        action[:2] for action in page.settings["actions"]
    ]
    page.settings.press("previous")
    assert (app.threshold, app.similarity_threshold) == (0.9, 0.3)


def test_a_file_that_is_opened_again_has_its_settings_back(tmp_path: Path) -> None:
    app = Explorer.from_traces(write(tmp_path / "a.jsonl", {"h0": 0.8, "h1": 0.2}), threshold=0.3)
    page = AppDriver(app)
    page.load_path(write(tmp_path / "b.jsonl", {"h0": 0.6, "h1": 0.4}))
    assert app.threshold == pytest.approx(0.5)
    app.threshold = 0.45
    page.load_path(tmp_path / "a.jsonl")
    assert (app.threshold, app.threshold_mode) == (0.3, "fixed")
    page.load_path(tmp_path / "b.jsonl")
    assert (app.threshold, app.threshold_mode) == (0.45, "fixed")


def test_what_the_app_is_made_with_stays() -> None:
    app = Explorer.from_traces(threshold=0.02, layer=8)
    assert (app.threshold, app.layer, app.heads) == (0.02, 8, None)
    assert AppDriver(app).settings["title"] == "Chosen here"


def test_code_and_traces_have_thresholds_of_their_own() -> None:
    app = Explorer()
    app.tab = "traces"
    assert app.threshold == 0.5
    app.threshold = 0.4
    app.tab = "code"
    assert app.threshold_mode == "auto"
    app.threshold = 0.03
    app.tab = "thresholds"
    assert app.threshold == 0.4
    app.tab = "code"
    assert app.threshold == 0.03


def test_traces_given_while_the_code_is_in_front_have_their_own_threshold() -> None:
    app = Explorer()
    app.traces = list(example_traces())[:2]
    app.threshold = 0.03
    app.tab = "traces"
    assert app.threshold_mode == "auto"
    app.tab = "code"
    assert (app.threshold, app.threshold_mode) == (0.03, "fixed")


def test_settings_for_the_code_leave_the_packaged_recommendation_to_the_traces() -> None:
    app = Explorer(layer=5, head=6, threshold=0.03)
    app.tab = "traces"
    assert app.threshold == 0.5
    assert app.heads is not None
