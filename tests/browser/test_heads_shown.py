"""A recommended set of heads in a real browser: shown by one click, taken away by another."""

from __future__ import annotations

import pytest
from pages import picture

PLANTED = """
import numpy as np
from explorer import Explorer
from explorer.traces import Hyperedge, Trace

rng, traces = np.random.default_rng(0), []
for number in range(24):
    labels = np.arange(5) % 2 == number % 2
    found = {
        name: rng.random((6, 4, 5)) / 20
        for name in ("unit_attention", "question_attention", "content_free_attention")
    }
    for layer in (2, 4):
        found["question_attention"][layer, 1] += 0.02 * labels
    edges = [
        Hyperedge(f"h{i}", f"Fact {i} of {number}.", label=bool(label))
        for i, label in enumerate(labels)
    ]
    traces.append(Trace(f"t{number}", "What is so?", edges, "This is so.", found))
app = Explorer.from_traces(traces, tab="thresholds", layer=0, head=0, threshold=0.03)
app
"""
SCORES = "app.feedback['score'].tolist()"


def told(cards):
    """The scores that cards tell, which have three digits."""
    return [float(text.replace("\N{MINUS SIGN}", "-")) for text in cards.all_inner_texts()]


def test_show_it_and_take_it_away(show):
    with show("voila", [PLANTED], size=(1280, 1400)) as shown:
        page = shown.page
        page.get_by_role("button", name="search all settings", exact=True).click()
        shown.wait_for(page.get_by_text("Recommended: set of heads"))
        histogram = page.locator(".ex-thresholds-histogram")
        chip = page.locator(".ex-set")
        assert not chip.is_visible()
        before = picture(histogram)
        plain = shown.value(SCORES)
        page.get_by_role("button", name="use it in every tab").click()
        shown.wait_for(chip)
        shown.wait_for_change(histogram, before)
        heads = shown.value("app.heads.to_dict()['terms']")
        count = len({(layer, head) for _, layer, head, _ in heads})
        shown.wait_until(lambda: chip.inner_text().startswith(f"set of {count} head"))
        strongest = max(heads, key=lambda term: abs(term[3]))
        first = f"layer {strongest[1]}, head {strongest[2]}, {strongest[0]} rows"
        assert chip.get_attribute("title").startswith(first)
        shown.wait_for(
            page.get_by_text(f"set of {count} heads. 120 labelled hyperedges of 24 traces")
        )
        assert page.locator(".ex-grid-marks path").count() > 0

        # The cards of the traces tab tell its scores, and × gives back those of layer and head.
        page.get_by_role("tab", name="RAG traces").click()
        cards = page.locator(".ex-card .ex-number-text")
        scores = shown.value(SCORES)
        assert scores != plain
        shown.wait_until(lambda: told(cards) == pytest.approx(scores, rel=0.01))
        bars = page.locator(".ex-side .ex-bars")
        before = picture(bars)
        page.get_by_role("button", name="Remove the head set").click()
        shown.wait_for_value("app.heads is None", bool)
        shown.wait_for_change(bars, before)
        shown.wait_for(chip, visible=False)
        assert shown.value(SCORES) == plain
        shown.wait_until(lambda: told(cards) == pytest.approx(plain, rel=0.01))

        # A click on the grid of heads takes it away too, and Esc.
        for leave in ("click", "Escape"):
            shown.run(f"app.heads = {{'terms': {heads!r}}}")
            shown.wait_for(chip)
            grid = page.locator(".ex-grid")
            if leave == "click":
                box = grid.bounding_box()
                page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
            else:
                grid.focus()
                page.keyboard.press("Escape")
            shown.wait_for_value("app.heads is None", bool)
            shown.wait_for(chip, visible=False)
        assert shown.value("(app.layer, app.head)") == (2, 2)
        assert shown.value("app.error") is None


def test_go_back_and_escape_bring_the_threshold_back(show):
    with show("voila", [PLANTED], size=(1280, 1400)) as shown:
        page = shown.page
        before = shown.value("app.threshold")
        page.get_by_role("button", name="search all settings", exact=True).click()
        take = page.get_by_role("button", name="use it in every tab")
        for leave in ("button", "Escape", "x"):
            take.click()
            shown.wait_for_value("app.heads is None", lambda none: not none)
            back = page.get_by_role("button", name="back to the settings before")
            shown.wait_for(back)
            assert shown.value("app.threshold") != before
            if leave == "button":
                back.click()
            elif leave == "Escape":
                # Where the hand already is: on the button that was pressed.
                page.keyboard.press("Escape")
            else:
                page.get_by_role("button", name="Remove the head set").click()
            shown.wait_for_value(
                "(app.heads is None, app.threshold)", lambda now: now == (True, before)
            )
            shown.wait_for(take)
        assert shown.value("app.error") is None


def test_what_is_recommended_is_saved_under_names_of_its_own(show):
    with show("voila", [PLANTED], size=(1280, 1400)) as shown:
        page = shown.page
        page.get_by_role("button", name="search all settings", exact=True).click()
        shown.wait_for(page.get_by_text("Recommended: set of heads"))
        names = []
        for kind in ("JSON", "Python"):
            for button in page.get_by_role("button", name=kind, exact=True).all():
                with page.expect_download() as saved:
                    button.click()
                names.append(saved.value.suggested_filename)
        assert names == [
            "feedback_config.json", "recommendation.json",
            "feedback_extractor.py", "recommended_extractor.py",
        ]  # fmt: skip
