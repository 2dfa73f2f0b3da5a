"""The traces tab in a real browser: methods, labels, weights, and traces without attention."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pages import picture

TRACES = "from explorer import Explorer\napp = Explorer.from_traces(threshold=0.0015)\napp"
BARS, SIDES, UNDER = 2, 3, 4


@pytest.mark.parametrize("host", ["lab", "voila"])
def test_methods_one_at_a_time_and_side_by_side(show, host):
    with show(host, [TRACES]) as shown:
        page, bars = shown.page, shown.plot(BARS)
        before = picture(bars)
        page.get_by_role("button", name="citation", exact=True).click()
        shown.wait_for_value("app.method", lambda value: value == "citation")
        shown.wait_for_change(bars, before)
        assert page.locator(".ex-threshold-field").inner_text().startswith("citation")
        # The answer is one word, and no fact is that short: nothing can be cited.
        assert page.locator(".ex-cards-region .ex-badge", has_text="answer too short").count() == 1
        page.get_by_role("button", name="compare", exact=True).click()
        # The bars stay until the comparison is there: the embedding model loads first.
        shown.wait_until(lambda: not page.locator(".explorer-plot").nth(BARS).is_visible())
        sides = shown.plot(SIDES)
        drawn = picture(sides)
        shown.run("app.trace = 4")
        shown.wait_for_change(sides, drawn)
        text = sides.inner_text()
        assert "agrees" in text
        page.get_by_role("button", name="attention", exact=True).click()
        page.get_by_role("button", name="compare", exact=True).click()
        shown.wait_for_value("(app.method, app.compare)", lambda v: v == ("attention", False))
        assert shown.value("app.error") is None


def test_an_entity_picture_pins_what_is_clicked_and_weights_follow_the_threshold(show):
    with show("voila", [TRACES]) as shown:
        page, under = shown.page, shown.plot(UNDER)
        before = picture(under)
        square = under.locator(".scatterlayer .trace path.point").last
        square.click(force=True)
        pinned = shown.wait_for_value("app.selection", lambda value: value is not None)
        assert pinned["kind"] == "unit"
        shown.wait_for_change(under, before)
        assert page.locator(".ex-card[aria-pressed='true']").count() == 1
        page.get_by_role("button", name="weights", exact=True).click()
        shown.wait_for(page.get_by_text("Weights over 67 traces"))
        moved = picture(shown.plot(UNDER))
        shown.run("app.threshold = 0.0001")
        shown.wait_for_change(under, moved)
        page.get_by_label("Update strategy").select_option("additive")
        shown.wait_for_value("app.update_strategy", lambda value: value == "additive")


def test_labels_by_click_are_kept_beside_the_trace(show, tmp_path: Path):
    path = tmp_path / "traces.jsonl"
    edges = [{"id": f"h{i}", "hyperedge": f"Fact {i}."} for i in range(2)]
    line = {"id": "t", "query": "q", "answer": "a", "hyperedges": edges}
    path.write_text(json.dumps(line | {"metadata": {"hyperedge_attention": [0.5, 0.01]}}) + "\n")
    cell = f"from explorer import Explorer\napp = Explorer.from_traces({str(path)!r})\napp"
    with show("lab", [cell]) as shown:
        page = shown.page
        page.get_by_label("Label h0 as used", exact=True).click()
        shown.wait_for(page.get_by_text("✓ labelled used"))
        page.get_by_label("Label h1 as not used", exact=True).click()
        shown.wait_for(page.get_by_text("✗ labelled not used"))
        again = f"__import__('explorer').load_traces({str(path)!r})[0]"
        kept = shown.value(f"[edge.label for edge in {again}.hyperedges]")
        assert kept == [True, False]
        # Pressing a label again takes it back.
        page.get_by_label("Label h0 as used", exact=True).click()
        shown.wait_for_value(
            "[e.label for e in app.traces[0].hyperedges]", lambda v: v == [None, False]
        )
        # The same facts as the text that was read.
        page.get_by_role("button", name="text", exact=True).click()
        fact = page.locator(".ex-fact", has_text="Fact 0.")
        fact.click()
        shown.wait_for_value("app.selection", lambda v: v == {"kind": "unit", "name": "h0"})
        shown.wait_until(lambda: fact.get_attribute("aria-pressed") == "true")


def test_a_fact_that_turns_its_direction_does_not_turn_the_next(show, tmp_path: Path):
    path = tmp_path / "traces.jsonl"
    texts = ("one \u202eturned", "two stays")
    edges = [{"id": f"h{i}", "hyperedge": text} for i, text in enumerate(texts)]
    line = {"id": "t", "query": "q", "answer": "a", "hyperedges": edges}
    path.write_text(json.dumps(line | {"metadata": {"hyperedge_attention": [0.5, 0.01]}}) + "\n")
    cell = f"from explorer import Explorer\napp = Explorer.from_traces({str(path)!r})\napp"
    with show("voila", [cell]) as shown:
        shown.page.get_by_role("button", name="text", exact=True).click()
        fact = shown.page.locator(".ex-fact", has_text="two stays")
        mark, name = (
            fact.locator(".ex-fact-mark").bounding_box(),
            fact.locator("sub").bounding_box(),
        )
        assert mark["x"] < name["x"]


@pytest.mark.packaged_model
def test_all_traces_are_read_at_one_click(show, tmp_path: Path):
    path = tmp_path / "traces.jsonl"
    lines = [
        {
            "id": f"t{i}", "query": "Which river is longest?", "answer": "the Nile",
            "hyperedges": [
                {"id": "a", "hyperedge": "The Nile is the longest river."},
                {"id": "b", "hyperedge": f"The Rhine is {i} short."},
            ],
        }
        for i in range(3)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)))
    cell = f"from explorer import Explorer\napp = Explorer.from_traces({str(path)!r})\napp"
    with show("lab", [cell]) as shown:
        page = shown.page
        page.get_by_role("button", name="all 3 traces").click()
        shown.wait_for(page.locator(".ex-source", has_text="attention of SmolLM2"))
        shown.drive()
        shown.wait_for_value("driver.jobs", lambda jobs: jobs == [])
        found = shown.value("[t.metadata['unit_attention'].shape for t in app.traces]")
        assert found == [(30, 9, 2)] * 3
        scores = shown.value("app.feedback['score'].tolist()")
        assert all(0 < score < 1 for score in scores)
        assert shown.value("app.error") is None


def test_the_first_view_shows_used_and_not_used_and_says_what_was_held_out(show):
    with show(
        "voila", ["from explorer import Explorer\napp = Explorer(tab='traces')\napp"]
    ) as shown:
        page = shown.page
        shown.plot(BARS)
        settings = page.get_by_label("Where heads and threshold come from")
        shown.wait_for(settings.get_by_text("Packaged recommendation"))
        assert "458 of 528 calls are right" in settings.inner_text()
        verdicts = page.locator(".ex-card .ex-verdict").all_inner_texts()
        assert any(text.endswith(" used") and "not" not in text for text in verdicts)
        assert any(text.endswith("not used") for text in verdicts)
        page.get_by_role("button", name="reference settings (mean, 0.1)").click()
        shown.wait_for(page.get_by_text("No hyperedge reaches the threshold of 0.100"))
        page.get_by_role("button", name="packaged recommendation").click()
        shown.wait_for_value("app.threshold", lambda value: value == 0.5)


def test_a_failed_load_is_seen_at_the_path_without_scrolling(show, tmp_path: Path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"nothing": "known"}')
    with show("voila", [TRACES], size=(1000, 700)) as shown:
        page = shown.page
        shown.plot(BARS)
        path = page.get_by_label("Path of a trace file")
        path.fill(str(bad))
        path.press("Enter")
        alert = page.get_by_role("alert").filter(has_text="bad.json was not loaded")
        shown.wait_for(alert)
        assert "still what was open before: packaged examples" in alert.inner_text()
        below = alert.bounding_box()["y"] - path.bounding_box()["y"]
        assert 0 < below < 80
        assert path.input_value() == str(bad)  # to be mended
        assert page.locator(".ex-file-name").inner_text() == "packaged examples"
        alert.get_by_role("button", name="dismiss").click()
        shown.wait_for(alert, visible=False)


def test_long_texts_fold_keep_their_direction_and_labels_go_by_keys(show, tmp_path: Path):
    path = tmp_path / "long.jsonl"
    edges = [{"id": "עברית-0", "hyperedge": "עברית."}, {"id": "h1", "hyperedge": "Fact. " * 200}]
    line = {"id": "t", "query": "why? " * 300, "answer": "one\ntwo", "hyperedges": edges}
    path.write_text(json.dumps(line | {"metadata": {"hyperedge_attention": [0.5, 0.01]}}) + "\n")
    cell = f"from explorer import Explorer\napp = Explorer.from_traces({str(path)!r})\napp"
    with show("voila", [cell]) as shown:
        page = shown.page
        question = page.locator(".ex-question")
        shown.wait_for(page.locator(".ex-qa").get_by_role("button", name="more"))
        folded = question.bounding_box()["height"]
        assert folded <= 4 * 20 + 2
        page.locator(".ex-qa").get_by_role("button", name="more").click()
        shown.wait_until(lambda: question.bounding_box()["height"] > 2 * folded)
        directions = page.locator(".ex-card-text").evaluate_all(
            "all => all.map((one) => getComputedStyle(one).direction)"
        )
        assert directions == ["rtl", "ltr"]
        assert page.locator(".ex-answer").bounding_box()["height"] >= 2 * 20
        page.locator(".ex-card").first.focus()
        page.keyboard.press("y")
        page.keyboard.press("n")
        shown.wait_for_value(
            "[e.label for e in app.traces[0].hyperedges]", lambda v: v == [True, False]
        )
        shown.wait_for(page.get_by_text("2 of 2 labelled"))
