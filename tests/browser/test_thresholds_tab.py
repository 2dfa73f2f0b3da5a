"""The thresholds tab in a real browser: the line, the map of heads, and changed calls."""

from __future__ import annotations

import json

import pytest
from pages import picture

LAB = (
    "from explorer import Explorer\n"
    'app = Explorer.from_traces(tab="thresholds", layer=21, threshold=0.0015)\napp'
)

JUDGED = """
from explorer.rag import FeedbackExtractor
from explorer.validation import confusion_at, judge

config = {"method": "attention", "layer": app.layer, "head": app.head}
judged = judge(app.traces, await FeedbackExtractor(config=config).explain_traces(app.traces))
"""
"""The scores in view, judged by the labels."""


def test_the_line_the_map_and_changed_calls(show):
    with show("voila", [LAB], size=(1280, 1400)) as shown:
        page = shown.page
        shown.wait_for(page.get_by_text("on new traces").first)
        histogram, ranks, changes, heads = (
            page.locator(f".ex-thresholds-{name}")
            for name in ("histogram", "ranks", "changes", "heads")
        )
        called = page.locator(".ex-confusion tbody tr").first.locator("td")
        assert [int(text) for text in called.all_inner_texts()] == [66, 120]

        # Drag the line to the left: more is called, in the counts and in every picture.
        before = picture(histogram), picture(ranks), picture(changes)
        handle = histogram.get_by_role("slider", name="threshold")
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 7):
            page.mouse.move(x - 10 * step, y)
        page.mouse.up()
        # Where the hand let go of it; the kernel follows.
        shown.wait_for_value(
            "app.threshold",
            lambda value: (
                value == pytest.approx(float(handle.get_attribute("aria-valuenow")), rel=1e-3)
            ),
        )
        threshold = shown.value("app.threshold")
        assert threshold < 0.0012
        for plot, old in zip((histogram, ranks, changes), before, strict=True):
            shown.wait_for_change(plot, old)
        shown.run(JUDGED)
        counts = shown.value("list(confusion_at(judged, app.threshold))")
        assert counts[0] > 66
        assert counts[1] > 120
        shown.wait_until(lambda: [int(t) for t in called.all_inner_texts()] == counts[:2])

        # A cell of the map is that head, everywhere.
        old = picture(histogram)
        area = heads.locator(".nsewdrag").first.bounding_box()
        page.mouse.click(area["x"] + area["width"] * 2.5 / 9, area["y"] + area["height"] * 8.5 / 30)
        shown.wait_for_value("(app.layer, app.head)", lambda value: value == (8, 2))
        shown.wait_for_change(histogram, old)
        shown.wait_for(page.get_by_text("layer 8, head 2. 528 labelled hyperedges"))
        assert shown.value("app.threshold") == threshold

        # The config goes home as a file.
        with page.expect_download() as saved:
            page.get_by_role("button", name="JSON", exact=True).click()
        config = json.loads(saved.value.path().read_text())
        assert (config["layer"], config["head"]) == (8, 2)
        assert config["attention_threshold"] == threshold

        # A changed call opens its trace.
        row = changes.locator(".nsewdrag").first.bounding_box()
        shown.drive()
        unit = shown.value("driver.plots['changes'].meta['units'][0]")
        name = shown.value("driver.plots['changes'].meta['traces'][0]")
        # Above the rows are the summary and the headings, 40 pixels; a row has 22.
        page.mouse.click(row["x"] + 150, row["y"] + 40 + 11)
        shown.wait_for_value("app.tab", lambda value: value == "traces")
        assert shown.value("app.traces[app.trace].id") == name
        assert shown.value("app.selection") == {"kind": "unit", "name": unit}
        shown.wait_until(lambda: page.locator(".ex-card[aria-pressed='true']").count() == 1)
        assert shown.value("app.error") is None


def test_the_weights_and_the_map_follow_the_kernel_and_their_buttons(show):
    with show("voila", [LAB], size=(1280, 1900)) as shown:
        page = shown.page
        shown.wait_for(page.get_by_text("on new traces").first)
        shown.wait_for(page.get_by_text(": used hyperedges end"))
        weights, heads = (page.locator(f".ex-thresholds-{name}") for name in ("weights", "heads"))
        strategies = page.get_by_role("group", name="Update strategy").last
        measures = page.get_by_role("group", name="Quality of a head")
        shown.drive()
        shown.wait_for_value("driver.plots['weight_lines'].plot.ready", lambda drawn: drawn > 0)

        # The threshold is set from Python: the weights end elsewhere, in the picture and in words.
        old = picture(weights)
        moves = page.locator(".ex-thresholds-moves p")
        said = moves.inner_text()
        shown.run("app.threshold = 0.0003")
        old = shown.wait_for_change(weights, old)
        shown.run("from explorer.reporting._analysis.final_weights import final_weights")
        shown.run(JUDGED)
        shown.run("ends = final_weights(app.trajectory, judged)")
        ends = shown.value("(ends.used, ends.not_used)")
        shown.wait_until(lambda: moves.inner_text() != said)
        for end in ends:
            assert f"{end:.3f}" in moves.inner_text()

        # By hand, and by Python.
        strategies.get_by_role("button", name="additive").click()
        shown.wait_for_value("app.update_strategy", lambda value: value == "additive")
        old = shown.wait_for_change(weights, old)
        shown.run('app.update_strategy = "ema"')
        shown.wait_for_change(weights, old)
        pressed = strategies.locator("[aria-pressed=true]")
        shown.wait_until(lambda: pressed.inner_text() == "ema")

        old = picture(heads)
        measures.get_by_role("button", name="avg. precision").click()
        shown.wait_for_value("app.quality", lambda value: value == "average_precision")
        old = shown.wait_for_change(heads, old)
        shown.wait_for(heads.get_by_text("average precision", exact=False).first)
        shown.run('app.quality = "f1"')
        shown.wait_for_change(heads, old)
        shown.wait_until(lambda: measures.locator("[aria-pressed=true]").inner_text() == "best F1")
        assert shown.value("driver.head_measure['measure']") == "f1"
        assert shown.value("app.error") is None


def test_a_drag_moves_the_points_on_the_curves_to_where_plotly_would_draw_them(show):
    with show("voila", [LAB], size=(1280, 1400)) as shown:
        page = shown.page
        shown.wait_for(page.get_by_text("on new traces").first)
        points = page.locator(".ex-thresholds-ranks path.point")
        place = (
            "nodes => nodes.map((n) => n.getAttribute('transform').match(/-?[\\d.]+/g).map(Number))"
        )
        shown.wait_until(lambda: points.count() == 2)
        before = points.evaluate_all(place)
        shown.run("app.threshold = 0.0004")
        shown.wait_until(lambda: points.evaluate_all(place) != before)
        moved = points.evaluate_all(place)
        # The whole figure anew.
        shown.drive()
        shown.run("ranks = driver.plots['ranks']; drawn = ranks.plot.ready")
        shown.run("ranks.plot.figure = ranks.figure")
        shown.wait_for_value("ranks.plot.ready > drawn", bool)
        for one, other in zip(moved, points.evaluate_all(place), strict=True):
            assert one == pytest.approx(other, abs=0.02)


MEASURED = (
    "from explorer import Explorer\n"
    "from explorer.examples import example_traces\n"
    "app = Explorer.from_traces("
    'list(example_traces())[:3], tab="thresholds", layer=21, threshold=0.0015)\napp'
)


@pytest.mark.packaged_model
def test_causal_use_is_measured_and_judged_by(show):
    with show("voila", [MEASURED], size=(1280, 1400)) as shown:
        page = shown.page
        shown.wait_for(page.get_by_text("labelled hyperedges of 3 traces").first)
        truth = page.get_by_role("group", name="Truth")
        truth.get_by_role("button", name="ablation").click()
        # Seven, eight and nine hyperedges, and two prompts more for each trace.
        shown.wait_for(page.get_by_text("prompts of 3 traces"))
        assert "30 prompts" in page.locator(".ex-refused").inner_text()
        page.get_by_role("button", name="measure causal use").click()
        shown.wait_for(page.get_by_role("button", name="cancel").first)
        shown.wait_for(page.get_by_text("24 ablated hyperedges of 3 traces").first)
        heads = page.locator(".ex-confusion thead th").all_inner_texts()
        assert heads == ["used by ablation", "not used by ablation"]
        assert (
            page.locator(".ex-thresholds-histogram").get_by_text("judged by ablation").is_visible()
        )
        effects = "[one for t in app.traces for one in t.metadata['ablation']['leave_one_out']]"
        effects = shown.value(effects)
        used = sum(one >= 0.6931471805599453 for one in effects)
        columns = page.locator(".ex-confusion tbody td").all_inner_texts()
        assert int(columns[0]) + int(columns[2]) == used
        # A larger drop is another truth.
        field = page.get_by_label("Least drop of log-probability")
        field.fill("2")
        field.press("Enter")
        more = sum(one >= 2 for one in effects)
        cells = page.locator(".ex-confusion tbody td")
        shown.wait_until(
            lambda: sum(int(cells.nth(place).inner_text()) for place in (0, 2)) == more != used,
        )
        truth.get_by_role("button", name="labels").click()
        shown.wait_for(page.get_by_text("24 labelled hyperedges of 3 traces").first)
        assert not field.is_visible()
