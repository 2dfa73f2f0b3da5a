"""The app in a real browser: what a person does, and what they then see."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pages import picture

OPEN = "from explorer import Explorer\napp = Explorer()\napp"
TRACES = "from explorer import Explorer\napp = Explorer.from_traces(layer=21, head=5)\napp"
MATRIX = """
import numpy as np
from explorer import Explorer
rng = np.random.default_rng(0)
weights = np.tril(rng.random((3, 2, 6, 6)) ** 4)
weights /= weights.sum(-1, keepdims=True)
tokens = ["<script>document.body.remove()</script>", " <b>bold</b>", " &amp;", " x", " שלום", " 🙂"]
app = Explorer.from_attention(weights, tokens, layer=0, head=0)
app
"""

HEAT, BARS, TRACE_BARS, SIDES, UNDER, TRACE_HEAT = range(6)


@pytest.mark.parametrize("host", ["lab", "notebook", "voila"])
def test_the_first_view_needs_no_model_and_every_figure_answers_python(show, host):
    with show(host, [OPEN]) as shown:
        heat = shown.plot(HEAT)
        shown.run("app.wait()")
        assert shown.value("__import__('sys').modules.get('torch') is None")
        before, bars_before = picture(heat), picture(shown.plot(BARS))
        shown.run("app.layer = 3")
        shown.wait_for_change(heat, before)
        shown.run("app.threshold = 0.004")
        shown.wait_for_change(shown.plot(BARS), bars_before)
        shown.run("app.tab = 'traces'; app.trace = 4")
        bars, heat = shown.plot(TRACE_BARS), shown.plot(TRACE_HEAT)
        before, heat_before = picture(bars), picture(heat)
        shown.run("app.layer = 22; app.head = 5; app.threshold = 0.02")
        shown.wait_for_change(bars, before)
        shown.wait_for_change(heat, heat_before)
        assert shown.value("app.error") is None


@pytest.mark.parametrize("host", ["lab", "voila"])
def test_walking_heads_and_pinning_tokens(show, host):
    with show(host, [OPEN]) as shown:
        page, heat = shown.page, shown.plot(HEAT)
        shown.run("app.selection = None; app.layer, app.head = 21, None")
        sentence = page.locator(".ex-sentence")
        shown.wait_until(lambda: "on average" in sentence.inner_text())
        before = picture(heat)
        layer = shown.value("app.layer")
        grid = page.locator(".ex-grid")
        grid.focus()
        grid.press("ArrowUp")
        shown.wait_for_value("app.layer", lambda value: value == layer - 1)
        grid.press("ArrowRight")
        head = shown.wait_for_value("app.head", lambda value: value is not None)
        grid.press("ArrowRight")
        shown.wait_for_value("app.head", lambda value: value == head + 1)
        shown.wait_for_change(heat, before)
        # A click in the grid chooses layer and head at once.
        grid.click(position={"x": 3, "y": 3})
        shown.wait_for_value("(app.layer, app.head)", lambda value: value == (0, 0))

        before, bars = picture(heat), picture(shown.plot(BARS))
        token = page.locator(".ex-token", has_text="fib").first
        token.click()
        index = int(token.get_attribute("data-token"))
        shown.wait_for_value("app.selection", lambda s: s == {"kind": "token", "index": index})
        shown.wait_for_change(heat, before)  # the pinned row is marked
        shown.wait_for_change(shown.plot(BARS), bars)  # the bars are those of its row
        status = page.locator(".ex-sentence")
        shown.wait_until(lambda: "looks most at" in status.inner_text())
        page.get_by_role("button", name="looked at by").click()
        shown.wait_until(lambda: "is looked at most by" in status.inner_text())
        page.locator(".ex-code").press("Escape")
        shown.wait_for_value("app.selection", lambda value: value is None)
        # The same token, pinned from Python, is marked in the text.
        shown.run(f"app.selection = {{'kind': 'token', 'index': {index}}}")
        shown.wait_for(page.locator(f".ex-token[data-token='{index}'][data-pinned]").first)


def test_bars_are_laid_out_anew_when_the_page_changes_its_width(show):
    with show("voila", [OPEN], size=(1300, 900)) as shown:
        bars = shown.plot(BARS)
        shown.drive()
        width = "driver.plots['code_bars'].meta['width']"
        wide = shown.wait_for_value(width, lambda width: width > 800)
        shown.page.set_viewport_size({"width": 760, "height": 900})
        shown.wait_for_value(width, lambda width: 300 < width < wide - 300)
        digits = bars.locator("svg text", has_text="0.234")
        edge = bars.bounding_box()
        shown.wait_until(
            lambda: digits.first.bounding_box()["x"] > edge["x"] + edge["width"] / 3,
        )


def test_help_says_what_hands_can_do_and_saving_gives_a_file(show):
    with show("lab", [OPEN]) as shown:
        page = shown.page
        shown.plot(HEAT)
        page.get_by_role("button", name="Help", exact=True).click()
        said = page.get_by_role("dialog", name="Help").inner_text()
        assert "unpin" in said
        assert "[object" not in said
        page.keyboard.press("Escape")
        page.get_by_title("Save this view").click()
        with page.expect_download() as waiting:
            page.get_by_role("menuitem", name="Feedback table (CSV)").click()
        lines = Path(waiting.value.path()).read_text().splitlines()
        assert lines[0].startswith("unit,text,tokens,score,feedback,verdict")
        assert len(lines) - 1 == shown.value("len(app.feedback)")


def test_gestures_made_while_the_kernel_is_busy_all_arrive(show):
    """Only the newest of a flood is sent, and the newest is the one that counts."""
    with show("lab", [TRACES]) as shown:
        page = shown.page
        shown.plot(TRACE_BARS)
        shown.execute("import time; time.sleep(2)")
        grid = page.locator(".ex-grid")
        grid.focus()
        for _ in range(6):
            grid.press("ArrowUp")
        for _ in range(5):
            page.get_by_label("Next trace (PgDn)").click()
        shown.wait_for_value("app.layer", lambda value: value == 15)
        shown.wait_for_value("app.trace", lambda value: value == 5)
        shown.wait_until(
            lambda: page.get_by_label("Number or id of the trace").input_value() == "6"
        )
        assert page.locator(".ex-stepper-value").first.inner_text() == "15"


def test_what_was_typed_is_kept_when_it_cannot_be_run(show):
    with show("lab", [OPEN]) as shown:
        page = shown.page
        shown.plot(HEAT)
        page.get_by_role("button", name="edit").click()
        editor = page.get_by_label("Code to explore")
        editor.fill("def kept(): pass")
        page.get_by_role("button", name="back").click()
        page.get_by_role("button", name="edit").click()
        assert editor.input_value() == "def kept(): pass"
        # A scene that arrives meanwhile does not take the editor away.
        shown.run("from explorer.examples import example_programs")
        shown.run("app.source = example_programs()[2].code")
        shown.wait_for(page.locator(".ex-panel-title", has_text="javascript"))
        assert editor.input_value() == "def kept(): pass"
        assert editor.is_visible()


FIELD_COLOURS = """nodes => nodes.map(node => {
    const style = getComputedStyle(node);
    return [node.ariaLabel, style.colorScheme, style.color, style.backgroundColor];
})"""


@pytest.mark.parametrize("host", ["lab", "voila"])
def test_what_the_browser_draws_is_dark_on_a_dark_page(show, host):
    """Fields, check boxes and scroll bars are the browser's own, and must follow the host."""

    def darken(page):
        page.goto = partial(_goto_dark, page.goto)

    with show(host, [OPEN], before=darken if host == "voila" else None) as shown:
        page = shown.page
        shown.plot(HEAT)
        if host == "lab":
            page.evaluate(
                "() => window.jupyterapp.commands.execute('apputils:change-theme',"
                " { theme: 'JupyterLab Dark' })"
            )
        page.locator("[data-jp-theme-light='false']").wait_for(state="attached")
        shown.run("app.tab = 'thresholds'")
        shown.wait_for(page.locator(".ex-thresholds-between input"))
        fields = page.locator(".explorer-app :is(input, select, textarea)")
        found = fields.evaluate_all(FIELD_COLOURS)
        painted = [(n, paper) for n, _, _, paper in found if channels(paper)[3:] != [0]]
        if host == "lab":  # its settings outlive the page
            page.evaluate(
                "() => window.jupyterapp.commands.execute('apputils:change-theme',"
                " { theme: 'JupyterLab Light' })"
            )
            page.locator("[data-jp-theme-light='true']").wait_for(state="attached")
        assert len(found) > 10
        assert {scheme for _, scheme, _, _ in found} == {"dark"}
        assert [name for name, _, ink, _ in found if min(channels(ink)[:3]) < 130] == []
        assert [name for name, paper in painted if max(channels(paper)[:3]) > 60] == []


def _goto_dark(goto, address):
    return goto(f"{address}?theme=dark")


def channels(colour):
    """Red, green and blue of a CSS colour, and its opacity where it has one."""
    return [float(part) for part in re.findall(r"[\d.]+", colour)]


@pytest.mark.packaged_model
def test_the_five_lines_of_the_readme_end_in_tinted_code(show):
    lines = (
        "from explorer import Explorer\n"
        "app = Explorer.from_code('def area(r):\\n    pi = 3.14159\\n    return pi * r * r')\n"
        "app.layer, app.head, app.threshold = 21, 5, 0.6\napp"
    )
    with show("lab", [lines]) as shown:
        token = shown.page.locator(".ex-token", has_text="pi").first
        shown.wait_for(token)
        token.click()
        shown.wait_for_value("app.selection is not None", bool)
        assert shown.value("(app.layer, app.head, app.threshold)") == (21, 5, 0.6)


def test_a_click_in_the_heatmap_pins_the_same_token_in_the_text(show):
    with show("lab", [MATRIX]) as shown:
        heat = shown.plot(HEAT)
        box = heat.locator(".nsewdrag").first.bounding_box()
        # Five visible columns (the sink is hidden), six rows: the middle of row 4, column 2.
        x, y = box["x"] + box["width"] * 2.5 / 5, box["y"] + box["height"] * 4.5 / 6
        shown.page.mouse.click(x, y)
        chosen = shown.wait_for_value("app.selection", lambda value: value is not None)
        assert chosen == {"kind": "cell", "query": 4, "key": 3}
        shown.wait_for(shown.page.locator(".ex-token[data-token='4'][data-pinned]").first)
        weight = shown.value("float(app.attention.weights(0, 0)[4, 3])")
        status = shown.page.locator(".ex-sentence")
        shown.wait_until(lambda: f"{weight:.3f}" in status.inner_text())


def test_tokens_that_are_html_are_text_everywhere(show):
    with show("lab", [MATRIX]) as shown:
        shown.plot(HEAT)
        page = shown.page
        code = page.locator(".ex-code")
        for token in ("<script>document.body.remove()</script>", "<b>bold</b>", "&amp;", "שלום"):
            assert token in code.inner_text()
        assert page.locator(".explorer-app .ex-code b").count() == 0
        labels = " ".join(shown.plot(HEAT).locator("svg text").all_text_contents())
        assert "<b>" in labels
        assert page.locator(".explorer-app svg b").count() == 0
        shown.run("app.selection = {'kind': 'token', 'index': 5}")
        status = page.locator(".ex-sentence")
        shown.wait_until(lambda: "🙂" in status.inner_text())


@pytest.mark.packaged_model
@pytest.mark.parametrize("host", ["lab", "voila"])
def test_pasted_code_runs_and_bad_code_says_why(show, host):
    code = "def add(left, right):\n    return left + right  # <b>sum</b> 🙂"
    with show(host, [OPEN]) as shown:
        page = shown.page
        shown.plot(HEAT)
        before = picture(shown.plot(HEAT))
        page.get_by_role("button", name="edit").click()
        editor = page.get_by_label("Code to explore")
        editor.fill("   \n")
        page.get_by_role("button", name="run", exact=True).click()
        shown.wait_for(page.get_by_role("alert").filter(has_text="no code"))
        page.get_by_role("button", name="edit").click()
        editor.fill(code)
        editor.press("Control+Enter")
        token = page.locator(".ex-token", has_text="left").first
        shown.wait_for(token)
        assert shown.value("app.source") == code
        shown.wait_until(lambda: page.get_by_role("alert").count() == 0)
        shown.wait_for_change(shown.plot(HEAT), before)
        assert page.locator(".ex-code").inner_text().count("<b>sum</b>") == 1
        token.click()
        shown.wait_for_value("app.selection", lambda value: value is not None)
        rows = shown.value("app.attention.weights(3, 1).sum(axis=1).tolist()")
        np.testing.assert_allclose(rows, 1.0, atol=1e-5)


@pytest.mark.parametrize("host", ["lab", "voila"])
def test_dragging_the_threshold_in_the_bars(show, host):
    with show(host, [TRACES]) as shown:
        page, bars = shown.page, shown.plot(TRACE_BARS)
        counts = page.locator(".ex-counts")
        said = counts.inner_text()
        before = picture(bars)
        handle = bars.get_by_role("slider")
        box = handle.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] - 60, box["y"] + box["height"] / 2, steps=6)
        page.mouse.up()
        moved = shown.wait_for_value("app.threshold", lambda value: value < 0.06)
        shown.wait_for_change(bars, before)
        shown.wait_until(lambda: counts.inner_text() != said)
        table = shown.value("app.feedback['verdict'].tolist()")
        assert f"{table.count('used')} used" in counts.inner_text()
        scores = shown.value("app.feedback['score'].tolist()")
        assert table.count("used") == sum(score >= moved for score in scores)
        # The slider in the toolbar and the line are the same threshold.
        slider = page.get_by_label("Threshold", exact=True)
        slider.focus()
        slider.press("ArrowRight")
        after = shown.wait_for_value("app.threshold", lambda value: value != moved)
        shown.wait_until(lambda: abs(float(handle.get_attribute("aria-valuenow")) - after) < 1e-9)


def _trace(name: str, **fields: object) -> str:
    edges = [
        {"id": f"h{i}", "hyperedge": f"Fact <i>number</i> {i}.", "entities": ["<b>"]}
        for i in range(3)
    ]
    base = {"id": name, "query": "Why?", "answer": "So.", "hyperedges": edges, "metadata": {}}
    return json.dumps(base | fields)


def test_loading_traces_by_button_path_and_drop_and_what_cannot_be_loaded(show, tmp_path: Path):
    good = tmp_path / "good.jsonl"
    scores = {"hyperedge_attention": {"h0": 0.5, "h1": 0.05, "h2": 0.2}}
    good.write_text(_trace("first", metadata=scores) + "\n{cut off\n" + _trace("second"))
    other = tmp_path / "other.jsonl"
    other.write_text(_trace("third", metadata=scores))
    with show("lab", [TRACES]) as shown:
        page = shown.page
        shown.plot(TRACE_BARS)
        page.get_by_label("Trace file", exact=True).set_input_files(good)
        shown.wait_for_value("[t.id for t in app.traces]", lambda ids: ids == ["first", "second"])
        page.get_by_text("1 line not read").click()
        assert "line 2" in page.locator(".ex-problems").inner_text()
        shown.wait_for(page.locator(".ex-card-text", has_text="Fact <i>number</i> 0."))
        # A new file opens with auto: the largest gap is between 0.5 and 0.2.
        assert page.locator(".ex-counts").inner_text().startswith("●1 used")
        # A trace without attention offers to record some.
        page.get_by_label("Next trace (PgDn)").click()
        shown.wait_for(page.get_by_role("button", name="record attention"))
        page.get_by_label("Previous trace (PgUp)").click()

        path = page.get_by_label("Path of a trace file")
        path.fill(str(tmp_path / "missing.jsonl"))
        path.press("Enter")
        shown.wait_for(page.get_by_role("alert").filter(has_text="missing.jsonl"))
        assert shown.value("len(app.traces)") == 2  # nothing is lost
        path.fill(str(other))
        path.press("Enter")
        shown.wait_for_value("[t.id for t in app.traces]", lambda ids: ids == ["third"])
        shown.wait_until(lambda: page.get_by_role("alert").count() == 0)

        drop = """(area, text) => {
            const files = new DataTransfer();
            files.items.add(new File([text], "dropped.jsonl"));
            for (const kind of ["dragover", "drop"])
                area.dispatchEvent(new DragEvent(kind, {dataTransfer: files, bubbles: true}));
        }"""
        page.locator(".ex-cards-region").evaluate(drop, good.read_text())
        shown.wait_for_value("[t.id for t in app.traces]", lambda ids: len(ids) == 2)
        page.locator(".ex-cards-region").evaluate(drop, "not a trace at all")
        shown.wait_for(page.get_by_role("alert").filter(has_text="dropped.jsonl"))
        assert shown.value("len(app.traces)") == 2


SLOW_LIBRARY = """
import asyncio
from explorer.widgets._plot import page_channel as channel
fast = channel.Library.shared().plotly
channel.Library.shared().plotly = b""
asyncio.get_running_loop().call_later(
    5, lambda: setattr(channel.Library.shared(), "plotly", fast)
)
"""

SLOW_PARTS = """
from explorer.widgets._base import panel_part
quick = panel_part.asset
panel_part.asset = lambda name: (
    "await new Promise((go) => setTimeout(go, 5000));" + chr(10) if name == "widget.js" else ""
) + quick(name)
"""


@pytest.mark.parametrize("slow", [SLOW_LIBRARY, SLOW_PARTS], ids=["figures", "parts"])
@pytest.mark.parametrize("host", ["lab", "voila"])
def test_after_a_load_slowed_to_five_seconds_everything_answers_python(show, host, slow):
    with show(host, [slow + OPEN]) as shown:
        heat, bars = shown.plot(HEAT), shown.plot(BARS)
        shown.wait_for(shown.page.locator(".ex-code .ex-token").first)
        before, bars_before = picture(heat), picture(bars)
        shown.run("app.layer = 2; app.head = 1; app.threshold = 0.003")
        shown.wait_for_change(heat, before)
        shown.wait_for_change(bars, bars_before)
        shown.run("app.tab = 'traces'")
        traces, heat = shown.plot(TRACE_BARS), shown.plot(TRACE_HEAT)
        before, heat_before = picture(traces), picture(heat)
        shown.run("app.trace = 7")
        shown.wait_for_change(traces, before)
        shown.wait_for_change(heat, heat_before)
        place = shown.page.get_by_label("Number or id of the trace")
        shown.wait_until(lambda: place.input_value() == "8")
        # ... and Python hears the page.
        shown.page.get_by_label("Next trace (PgDn)").click()
        shown.wait_for_value("app.trace", lambda value: value == 8)


def test_an_executed_notebook_shows_a_still_picture_without_a_kernel(show):
    with show("lab", [OPEN]) as shown:
        shown.plot(HEAT)
        page = shown.page
        still = page.locator(".explorer-still img")
        still.wait_for(state="attached")
        assert not still.is_visible()  # the living app is there
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        notebook = max(shown.host.notebooks.glob("*.ipynb"), key=lambda p: p.stat().st_mtime)
        shown.wait_until(lambda: "explorer-still" in notebook.read_text())
        assert "widget-state" not in notebook.read_text()
        # A copy of it, opened and not run: whatever kernel it gets knows of no widget.
        copy = shutil.copy(notebook, notebook.with_name(f"copy-of-{notebook.name}"))
        page.goto(shown.host.address(Path(copy).name))
        shown.wait_for(still)
        shown.wait_until(lambda: still.evaluate("image => image.naturalWidth") > 300)


@pytest.mark.packaged_model
def test_a_question_without_attention_is_answered_read_and_can_be_stopped(show, tmp_path: Path):
    file = tmp_path / "questions.jsonl"
    edges = [
        {"id": "h1", "hyperedge": "Lena Vold built the lighthouse of Skarn in 1911."},
        {"id": "h2", "hyperedge": "The town of Skarn lies on the island of Ume."},
    ]
    file.write_text(
        _trace(
            "q",
            query="On which island is the lighthouse that Lena Vold built?",
            answer="",
            hyperedges=edges,
        )
    )
    with show(
        "lab", [f"from explorer import Explorer\napp = Explorer.from_traces({str(file)!r})\napp"]
    ) as shown:
        page = shown.page
        ask = page.get_by_role("button", name="answer and record")
        ask.click()
        page.get_by_role("button", name="cancel").click()
        shown.drive()
        shown.wait_for_value("driver.jobs", lambda jobs: jobs == [])
        assert shown.value("app.feedback is None")
        ask.click()
        shown.wait_for_value("app.feedback is not None", bool)
        assert shown.value("(app.attention.n_layers, app.attention.n_heads)") == (30, 9)
        answer = shown.value("app.trace_scene.trace.answer")
        assert answer.strip()
        shown.wait_until(lambda: answer in page.locator(".ex-answer").inner_text())
        heat = shown.plot(TRACE_HEAT)
        labels = " ".join(heat.locator("svg text").all_text_contents())
        assert "h1" in labels  # the boundaries are named
        before = picture(heat)
        shown.run("app.head = 4")
        shown.wait_for_change(heat, before)
