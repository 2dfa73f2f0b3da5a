"""`Plot` in a real browser: what Python changes shows, what a hand does comes back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pages import picture

SETUP = """
import numpy as np, ipywidgets, plotly.graph_objects as go
from explorer.widgets._plot.plot import Plot

def waves(n, turn=0.0):
    rows, columns = np.mgrid[0:n, 0:n] / n
    return ((np.sin(9 * rows + turn) * np.cos(7 * columns - turn) + 1) / 2).astype("float32")

def attention_plot(n=64, **options):
    labels = ["<b>", "<script>", "&amp;", "def"] * (n // 4)
    figure = go.Figure(go.Heatmap(z=waves(n), zmin=0, zmax=1, colorscale="Viridis"))
    figure.update_layout(
        xaxis_title="key", yaxis=dict(title="query", autorange="reversed"),
        margin=dict(l=90, r=20, t=10, b=90), meta=dict(x_labels=labels, y_labels=labels),
    )
    return Plot(figure, height=400, name="attention", **options)

def bar_plot(axis="linear"):
    figure = go.Figure(go.Bar(x=[0.2, 0.05, 0.6], y=["a", "b", "c"], orientation="h"))
    ends = [0, 1] if axis == "linear" else [-3, 0]
    figure.update_layout(
        xaxis=dict(type=axis, range=ends), margin=dict(l=40, r=20, t=10, b=30)
    )
    return Plot(figure, height=200, name="feedback")
"""


def cells(*bodies: str) -> list[str]:
    return [SETUP, *bodies]


@pytest.mark.parametrize("host", ["lab", "notebook", "voila"])
def test_every_kind_of_change_in_python_changes_pixels(show, host):
    with show(host, cells("plot = attention_plot()\nplot", "bars = bar_plot()\nbars")) as shown:
        heat = shown.plot(0)
        before = picture(heat)
        shown.run("plot.restyle_heatmap(waves(64, 2.0))")
        turned = shown.wait_for_change(heat, before)
        shown.run("plot.figure = plot.figure.update_traces(colorscale='Reds')")
        shown.wait_for_change(heat, turned)
        bars = shown.plot(1)
        before = picture(bars)
        shown.run("bars.restyle(x=[0.9, 0.8, 0.1])")
        longer = shown.wait_for_change(bars, before)
        shown.run("bars.set_line('x', 0.5)")
        lined = shown.wait_for_change(bars, longer)
        shown.run("bars.line = 0.7")
        shown.wait_for_change(bars, lined)


def test_cells_have_the_colours_of_their_values(show):
    grey = "[[0, 'rgb(0,0,0)'], [1, 'rgb(254,254,254)']]"
    body = f"""
plot = Plot(go.Figure(go.Heatmap(z=[[0.0, 0.5], [1.0, np.nan]], zmin=0, zmax=1,
    colorscale={grey}, showscale=False)), height=300)
plot.figure = plot.figure.update_layout(margin=dict(l=0, r=0, t=0, b=0),
    xaxis_visible=False, yaxis=dict(visible=False, autorange="reversed"))
plot"""
    with show("lab", cells(body)) as shown:
        plot = shown.plot()
        image = picture(plot).astype(int)
        height, width = image.shape[:2]
        top, bottom, left, right = height // 4, 3 * height // 4, width // 4, 3 * width // 4
        assert image[top, left].tolist() == [0, 0, 0]
        assert np.abs(image[top, right] - 127).max() <= 1
        assert image[bottom, left].tolist() == [254, 254, 254]
        # NaN is drawn as nothing: the notebook's own white shows.
        assert image[bottom, right].tolist() == [255, 255, 255]


def test_a_bright_cell_among_more_cells_than_pixels_still_shows(show):
    body = """
z = np.zeros((2000, 2000), dtype="float32")
z[1234, 777] = 1.0
plot = Plot(go.Figure(go.Heatmap(z=z, zmin=0, zmax=1, showscale=False,
    colorscale=[[0, "rgb(0,0,0)"], [1, "rgb(255,0,0)"]])), height=300)
plot.figure = plot.figure.update_layout(margin=dict(l=0, r=0, t=0, b=0),
    xaxis_visible=False, yaxis_visible=False)
plot"""
    with show("lab", cells(body)) as shown:
        image = picture(shown.plot().locator("canvas")).astype(int)
        red = image[..., 0] - image[..., 1]  # white is not red
        ys, xs = np.nonzero(red > 200)
        assert len(ys) > 0
        assert xs.mean() / red.shape[1] == pytest.approx(777 / 2000, abs=0.01)
        assert 1 - ys.mean() / red.shape[0] == pytest.approx(1234 / 2000, abs=0.01)


def test_a_plot_in_a_hidden_tab_is_drawn_when_it_is_looked_at(show):
    body = """
first, second = bar_plot(), attention_plot()
ipywidgets.Tab([first, ipywidgets.VBox([second])], titles=["one", "two"])"""
    with show("lab", cells(body)) as shown:
        shown.plot(0)
        shown.run("second.restyle_heatmap(np.zeros((64, 64)))")
        shown.page.get_by_role("tab", name="two").click()
        plot = shown.plot(1)
        assert plot.locator("canvas").evaluate("c => c.width") > 100
        dark = picture(plot)
        shown.run("second.restyle_heatmap(np.ones((64, 64)))")
        shown.wait_for_change(plot, dark)


def test_two_views_of_one_plot_are_both_up_to_date(show):
    with show("lab", cells("plot = attention_plot()\nplot", "plot")) as shown:
        shown.plot(0)
        shown.run("plot.restyle_heatmap(waves(64, 1.0)); plot.set_line('x', 20.0)")
        shown.plot(1)
        state = "p => { const c = p.querySelector('canvas'); return c.toDataURL(); }"
        shown.wait_until(
            lambda: shown.plot(0).evaluate(state) == shown.plot(1).evaluate(state),
        )
        drawn = [shown.plot(i).evaluate(state) for i in range(2)]
        shown.run("plot.restyle_heatmap(waves(64, 3.0)); plot.line = 40.0")
        for i in range(2):
            shown.wait_until(lambda i=i: shown.plot(i).evaluate(state) != drawn[i])
            handle = shown.plot(i).get_by_role("slider")
            shown.wait_until(lambda h=handle: h.get_attribute("aria-valuenow") == "40")


SLOW_LIBRARY = """
import asyncio
from explorer.widgets._plot import page_channel as channel
fast = channel.Library.shared().plotly
channel.Library.shared().plotly = b""
loop = asyncio.get_running_loop()
loop.call_later(5, lambda: setattr(channel.Library.shared(), "plotly", fast))
"""

SLOW_MODULE = """
class Slow(Plot):
    _esm = "await new Promise((go) => setTimeout(go, 5000));\\n" + Plot._esm

Plot = Slow
"""


@pytest.mark.parametrize("slow", [SLOW_LIBRARY, SLOW_MODULE], ids=["library", "module"])
@pytest.mark.parametrize("host", ["lab", "voila"])
def test_after_a_load_slowed_to_five_seconds_every_plot_answers_python(show, host, slow):
    """anywidget's own models are deaf for good when an import takes over two seconds."""
    body = f"{slow}\nplots = [attention_plot() for _ in range(3)]\nipywidgets.VBox(plots)"
    with show(host, cells(body)) as shown:
        before = [picture(shown.plot(i)) for i in range(3)]
        shown.run("for plot in plots: plot.restyle_heatmap(waves(64, 2.0))")
        for i in range(3):
            shown.wait_for_change(shown.plot(i), before[i])


def test_a_flood_of_changes_ends_with_the_last_one(show):
    with show("lab", cells("plot = attention_plot()\nplot")) as shown:
        plot = shown.plot()
        shown.run("plot.restyle_heatmap(waves(64, 99.0))")
        shown.wait_until(lambda: shown.value("plot.ready") >= 2)
        code = "p => p.querySelector('canvas').toDataURL()"
        wanted = plot.evaluate(code)
        frames = len(shown.received)
        shown.run("for turn in range(100): plot.restyle_heatmap(waves(64, float(turn)))")
        shown.wait_until(lambda: plot.evaluate(code) == wanted)
        # ... without having sent a hundred pictures.
        large = [frame for frame in shown.received[frames:] if frame.size > 64 * 64]
        assert len(large) < 20


@pytest.mark.parametrize("axis", ["linear", "log"])
def test_dragging_the_line_moves_the_trait(show, axis):
    body = f"bars = bar_plot({axis!r})\nbars.set_line('x', 0.1, minimum=0.001, maximum=1)\nbars"
    with show("lab", cells(body)) as shown:
        plot = shown.plot()
        handle = plot.get_by_role("slider", name="threshold")
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        shown.page.mouse.move(x, y)
        shown.page.mouse.down()
        shown.page.mouse.move(x + 60, y, steps=6)
        # It moves at once, under the hand, before the kernel has said a word.
        moved = handle.bounding_box()
        assert moved["x"] - box["x"] == pytest.approx(60, abs=1.5)
        shown.page.mouse.up()
        length = plot.evaluate("p => p.querySelector('.js-plotly-plot')._fullLayout.xaxis._length")
        step = 60 / length
        expected = 0.1 + step if axis == "linear" else 0.1 * 10 ** (3 * step)
        shown.wait_for_value("bars.line", lambda v: v == pytest.approx(expected, rel=0.03))
        assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(expected, rel=0.03)


def test_the_line_answers_keys_and_stays_within_its_limits(show):
    body = "bars = bar_plot()\nbars.set_line('x', 0.5, minimum=0, maximum=1, step=0.05)\nbars"
    with show("lab", cells(body)) as shown:
        handle = shown.plot().get_by_role("slider", name="threshold")
        handle.focus()
        handle.press("ArrowRight")
        shown.wait_for_value("bars.line", lambda v: v == pytest.approx(0.55))
        handle.press("ArrowLeft")
        handle.press("ArrowLeft")
        shown.wait_for_value("bars.line", lambda v: v == pytest.approx(0.45))
        handle.press("End")
        shown.wait_for_value("bars.line", lambda v: v == 1.0)
        handle.press("ArrowRight")
        assert handle.get_attribute("aria-valuenow") == "1"


def test_hover_shows_tokens_as_text_and_the_true_weight(show):
    body = """
true_values = {r: np.linspace(0, 0.123456, 64).astype("float32") for r in range(64)}
plot = attention_plot(on_exact=lambda rows: {r: true_values[r] for r in rows})
plot"""
    with show("lab", cells(body)) as shown:
        plot = shown.plot()
        x, y = cell_place(plot, row=8, column=61)
        shown.page.mouse.move(x, y)
        tip = plot.get_by_role("tooltip")
        shown.wait_until(lambda: tip.get_attribute("data-exact") == "true")
        text = re.sub(r"\s+", " ", tip.inner_text())
        # Row 8 is a `<b>`, column 61 a `<script>`, letter by letter; 0.123456 * 61 / 63 = 0.1195.
        assert text == "query 8 <b> key 61 <script> weight 0.120"
        hovered = shown.wait_for_value("plot.hovered", bool)
        assert (hovered["row"], hovered["column"]) == (8, 61)
        shown.page.mouse.move(x, 5)
        shown.wait_for_value("plot.hovered", lambda v: v is None)
        assert tip.is_hidden()


def test_tick_labels_are_thinned_and_show_tokens_as_text(show):
    with show("lab", cells("plot = attention_plot(512)\nplot")) as shown:
        plot = shown.plot()
        labels = plot.locator(".ytick text").all_text_contents()
        assert 5 < len(labels) < 40
        assert set(labels) <= {"<b>", "<script>", "&amp;", "def"}
        shown.run("plot.zoom = (99.5, 115.5, 199.5, 215.5)")
        shown.wait_until(
            lambda: (
                plot.locator(".ytick text").all_text_contents()
                == ["<b>", "<script>", "&amp;", "def"] * 4
            ),
            what=lambda: str(plot.locator(".ytick text").all_text_contents()),
        )


def test_a_click_pins_a_cell_and_comes_back(show):
    with show("lab", cells("plot = attention_plot()\nplot")) as shown:
        plot = shown.plot()
        shown.page.mouse.click(*cell_place(plot, row=10, column=20))
        clicked = shown.wait_for_value("plot.clicked", bool)
        assert (clicked["row"], clicked["column"], clicked["x"], clicked["y"]) == (10, 20, 20, 10)
        shown.wait_for_value("(plot.selected_row, plot.selected_column)", lambda v: v == (10, 20))
        pinned = plot.locator(".explorer-plot-band.pinned")
        assert [band.is_visible() for band in pinned.all()] == [True, True]
        shown.run("plot.selected_row = plot.selected_column = None")
        shown.wait_until(lambda: not any(band.is_visible() for band in pinned.all()))


def test_zooming_into_a_long_map_asks_python_for_the_window(show):
    body = """
from explorer.figures._style.pooling import pool_blocks
whole = np.zeros((2048, 2048), dtype="float32")
whole[::2, ::2] = 1.0
labels = [f"t{i}" for i in range(2048)]
figure = go.Figure(go.Heatmap(z=np.zeros((2, 2)), zmin=0, zmax=1))
figure.update_layout(meta=dict(x_labels=labels, y_labels=labels), yaxis_autorange="reversed")
plot = Plot(figure, height=400)
asked = []

def show_window(change):
    x0, x1, y0, y1 = [0, 2048, 0, 2048] if change is None or change["new"] is None else [
        int(max(0, round(v + 0.5))) for v in change["new"]]
    step = max(1, -(-max(x1 - x0, y1 - y0) // 512))
    asked.append((x0, x1, y0, y1, step))
    plot.restyle_heatmap(pool_blocks(whole[y0:y1, x0:x1], step, step),
        x0=x0 + (step - 1) / 2, dx=step, y0=y0 + (step - 1) / 2, dy=step)

show_window(None)
plot.observe(show_window, "zoom")
plot"""
    with show("lab", cells(body)) as shown:
        plot = shown.plot()
        assert shown.value("asked[-1]") == (0, 2048, 0, 2048, 4)
        x0, y0 = cell_place(plot, row=512, column=512)
        x1, y1 = cell_place(plot, row=640, column=640)
        shown.page.mouse.move(x0, y0)
        shown.page.mouse.down()
        shown.page.mouse.move(x1, y1, steps=5)
        shown.page.mouse.up()
        window = shown.wait_for_value("asked[-1]", lambda v: v[-1] == 1)
        assert window[0] == pytest.approx(512, abs=8)
        assert window[1] == pytest.approx(640, abs=8)
        # Single tokens now: the chequered map, where the overview had one flat colour.
        canvas = plot.locator("canvas")
        shown.wait_until(lambda: len(np.unique(picture(canvas).reshape(-1, 3), axis=0)) > 1)
        place = shown.page.locator(".explorer-plot .nsewdrag")
        place.dblclick()
        shown.wait_for_value("plot.zoom", lambda v: v is None)
        shown.wait_for_value("asked[-1]", lambda v: v == (0, 2048, 0, 2048, 4))


def test_axis_colours_follow_the_theme_of_the_page(show):
    with show("lab", cells("plot = attention_plot()\nplot")) as shown:
        plot = shown.plot()
        tick = plot.locator(".xtick text").first
        colour = "t => getComputedStyle(t).fill"
        light = tick.evaluate(colour)
        shown.page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme',"
            " { theme: 'JupyterLab Dark' })"
        )
        shown.wait_until(lambda: tick.evaluate(colour) != light)
        channels = [int(c) for c in re.findall(r"\d+", tick.evaluate(colour))[:3]]
        assert min(channels) > 180  # light ink on a dark page
        assert max(int(c) for c in re.findall(r"\d+", light)[:3]) < 90


def test_a_trace_that_cannot_be_drawn_says_so_and_the_next_figure_is_drawn(show):
    body = "plot = attention_plot()\nplot"
    with show("lab", cells(body)) as shown:
        plot = shown.plot()
        shown.run("plot.figure = go.Figure(go.Scatter3d(x=[1], y=[1], z=[1]))")
        alert = plot.get_by_role("alert")
        shown.wait_for(alert)
        assert "“scatter3d” are not drawn here" in alert.inner_text()
        shown.wait_for_value("plot.error", lambda v: "scatter3d" in v)
        shown.run("plot.figure = go.Figure(go.Heatmap(z=waves(8)))")
        shown.plot()
        assert alert.count() == 0
        shown.wait_for_value("plot.error", lambda v: v == "")


def test_what_a_screen_reader_says(show):
    body = "plot = attention_plot()\nplot.set_line('y', 30.0, name='boundary')\nplot"
    with show("lab", cells(body)) as shown:
        shown.plot()
        assert shown.page.get_by_role("img", name="attention").count() == 1
        slider = shown.page.get_by_role("slider", name="boundary")
        assert slider.get_attribute("aria-valuenow") == "30"
        shown.run("plot.name = 'layer 3, head 1'")
        shown.wait_until(lambda: shown.page.get_by_role("img", name="layer 3").count() == 1)


def test_a_page_that_is_loaded_again_shows_the_newest_state(show):
    with show("lab", cells("plot = attention_plot()\nplot")) as shown:
        plot = shown.plot()
        before = picture(plot.locator("canvas"))
        shown.run("plot.restyle_heatmap(waves(64, 2.0))")
        changed = shown.wait_for_change(plot.locator("canvas"), before)
        shown.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        shown.page.reload()
        again = shown.plot()
        shown.run("plot.restyle_heatmap(waves(64, 3.0))")
        shown.wait_for_change(again.locator("canvas"), changed)


FEEDBACK = """
import pandas as pd
from explorer.attention import DenseAttention
from explorer.feedback import FeedbackPolicy, Unit, feedback_table
from explorer.figures import feedback_bars

def feedback_figure(seed, axis="log"):
    numbers = np.random.default_rng(seed)
    weights = numbers.random((8, 40)) ** 6
    weights /= weights.sum(axis=1, keepdims=True)
    units = [
        Unit.from_positions(f"line {i}", f"if a < {i} && b:", range(2 * i, 2 * i + (i != 3) * 2))
        for i in range(12)
    ]
    table = feedback_table(DenseAttention(weights), units, FeedbackPolicy(threshold=0.03))
    return feedback_bars(table, FeedbackPolicy(threshold=0.03), axis=axis, threshold_line=False)
"""


@pytest.mark.parametrize("axis", ["linear", "log"])
def test_bars_changed_in_place_look_as_if_drawn_anew(show, axis):
    body = f"""
changed = Plot(feedback_figure(0, {axis!r}), height=380)
anew = Plot(feedback_figure(2, {axis!r}), height=380)
ipywidgets.VBox([changed, anew])"""
    with show("lab", cells(FEEDBACK, body), size=(1280, 1200)) as shown:
        plots = [shown.plot(i) for i in range(2)]
        draw = f"changed.figure = feedback_figure({{}}, {axis!r})"

        def drawn() -> bool:
            newest = shown.value(
                "changed._outbox.serial, changed._outbox.waiting('figure') is None"
            )
            return newest == (int(plots[0].get_attribute("data-drawn")), True)

        for seed in (1, 2, 0):
            shown.run(draw.format(seed))
            shown.wait_until(drawn)
        # plotly builds elements anew when it draws; what is changed in place stays the same one.
        plots[0].evaluate("p => { p.kept = p.querySelector('.textpoint text'); }")
        before = picture(plots[0])
        shown.run(draw.format(2))
        shown.wait_for_change(plots[0], before)
        shown.wait_until(drawn)
        assert plots[0].evaluate("p => p.kept.isConnected")
        difference = np.abs(picture(plots[0]).astype(int) - picture(plots[1]).astype(int))
        # Corners of bars are rounded by other arithmetic; nothing else may differ.
        assert (difference.max(axis=-1) > 40).sum() < 60
        texts = [plot.locator("svg text").all_text_contents() for plot in plots]
        assert texts[0] == texts[1]
        # A transform for every text makes each frame longer.
        moved = [plot.locator(".textpoint[transform]").count() for plot in plots]
        assert moved == [0, 0]
        assert plots[0].locator(".textpoint").count() > 12
        # What plotly knows of the bars is as new as what is seen: hovering tells the new score.
        x = [
            plot.evaluate("p => p.querySelector('.js-plotly-plot').calcdata[1].map((d) => d.s1)")
            for plot in plots
        ]
        assert x[0] == pytest.approx(x[1], rel=1e-6)


def cell_place(plot, row, column):
    """Where on the page the middle of a position of the map is."""
    x, y = plot.evaluate(
        """(p, [row, column]) => {
          const { xaxis: x, yaxis: y } = p.querySelector('.js-plotly-plot')._fullLayout;
          const box = p.getBoundingClientRect();
          return [box.left + x._offset + x.d2p(column), box.top + y._offset + y.d2p(row)];
        }""",
        [row, column],
    )
    return x, y
