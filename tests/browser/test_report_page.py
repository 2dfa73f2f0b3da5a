"""A report opened in a real browser: drawn in any light and width, loading and running nothing."""

from __future__ import annotations

import pytest
from pages import wait_until

from explorer.examples import example_traces
from explorer.reporting import ReportOptions, threshold_report
from explorer.traces import Hyperedge, Trace, TraceSet
from explorer.validation import Resampling

LAYER = {"method": "attention", "layer": 21, "attention_threshold": 0.0015}
TAB = (
    "from explorer import Explorer\n"
    'app = Explorer.from_traces(tab="thresholds", layer=21, threshold=0.0015)\napp'
)
MAPS = ("heads auc", "heads average_precision", "heads f1")
FIGURES = ("histogram", "curves", "ranks", *MAPS, "bias", "dots", "weights")
ATTACK = "</script><script>window.attacked=1</script><img src=x onerror=window.attacked=1>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return threshold_report(example_traces(), LAYER, path=path, resampling=Resampling(samples=100))


@pytest.fixture
def opened(browser):
    """Open a file: `opened(path, size, dark)` gives the page, what it asked for and complained."""
    contexts = []

    def show(path, size=(1200, 900), *, dark=False, **settings):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            **settings,
        )
        contexts.append(context)
        page, told = context.new_page(), []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: told.append(request.url))
        page.goto(path.as_uri())
        assert told.pop(0) == path.as_uri()
        return page, told

    yield show
    for context in contexts:
        context.close()


def width_of(page):
    return page.evaluate("[document.documentElement.scrollWidth, innerWidth]")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1200, 700])
def test_every_figure_is_drawn_and_nothing_is_loaded(report, opened, width, dark):
    page, told = opened(report, (width, 900), dark=dark)
    folded = page.locator("figure[data-figure='heads f1']")
    assert folded.locator("svg").count() == 0
    page.get_by_text("Maps of average precision and of the best F1").click()
    folded.locator("svg.main-svg").first.wait_for()
    for name in FIGURES:
        place = page.locator(f"figure[data-figure='{name}']")
        assert place.locator("svg.main-svg").count() >= 2, name
        drawn = place.locator("svg.main-svg").first.bounding_box()
        assert drawn["width"] == {1200: 920, 700: 620}[width]
    assert told == []
    assert page.get_by_text("Figures need JavaScript").is_hidden()
    scrolled, there = width_of(page)
    assert scrolled <= there
    ink = page.locator("figure[data-figure=histogram] .xtick text").first
    colour = ink.evaluate("node => getComputedStyle(node).fill")
    assert colour == ("rgb(226, 228, 233)" if dark else "rgb(36, 41, 47)")


def test_figures_follow_the_page(report, opened):
    page, _ = opened(report)
    drawn = page.locator("figure[data-figure=curves] svg.main-svg").first
    assert drawn.bounding_box()["width"] == 920
    page.set_viewport_size({"width": 720, "height": 900})
    wait_until(page, lambda: drawn.bounding_box()["width"] == 620)
    page.emulate_media(color_scheme="dark")
    ink = page.locator("figure[data-figure=curves] .xtick text").first
    wait_until(page, lambda: ink.evaluate("n => getComputedStyle(n).fill") == "rgb(226, 228, 233)")
    # On paper it is light again, whatever the screen is.
    page.emulate_media(media="print", color_scheme="dark")
    wait_until(page, lambda: ink.evaluate("n => getComputedStyle(n).fill") == "rgb(36, 41, 47)")


def test_the_map_tells_its_numbers_under_the_pointer(report, opened):
    page, _ = opened(report)
    heads = page.locator("figure[data-figure='heads auc']")
    heads.scroll_into_view_if_needed()
    box = heads.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    hover = heads.locator(".hovertext")
    hover.wait_for()
    said = hover.text_content()
    assert "layer 1" in said
    for word in ("ROC-AUC", "average precision", "best F1"):
        assert word in said


def test_without_scripts_the_tables_stand(report, opened):
    page, told = opened(report, java_script_enabled=False)
    assert page.get_by_text("Figures need JavaScript").is_visible()
    assert page.locator(".lead").inner_text().startswith("At 0.00150, F1")
    assert page.get_by_role("rowheader", name="lexical-overlap").is_visible()
    page.get_by_text("All 500 thresholds").click()
    assert page.get_by_role("columnheader", name="coverage").is_visible()
    assert told == []


def test_texts_of_traces_run_nothing(opened, tmp_path):
    traces = TraceSet(
        [
            Trace(
                f"{number} {ATTACK}",
                ATTACK,
                [
                    Hyperedge(f"a {ATTACK}", f"{ATTACK} {number}", label=number % 2 == 0),
                    Hyperedge("b", ATTACK, label=number % 3 == 0),
                ],
                ATTACK,
                metadata={"model": ATTACK},
            )
            for number in range(24)
        ]
    )
    scores = {trace.id: [0.2 + number / 40, 0.6] for number, trace in enumerate(traces)}
    path = threshold_report(
        traces,
        scores,
        threshold=0.4,
        options=ReportOptions(title=ATTACK),
        path=tmp_path / "attack.html",
        resampling=Resampling(samples=20),
    )
    page, told = opened(path)
    assert page.evaluate("window.attacked") is None
    assert page.locator("h1").inner_text() == ATTACK
    assert page.locator("img").count() == 0
    assert page.locator("figure svg.main-svg").count() > 0
    assert told == []


@pytest.mark.parametrize("way", ["button", "menu"])
def test_the_tab_hands_over_its_report(show, opened, tmp_path, way):
    with show("voila", [TAB], size=(1280, 1200)) as shown:
        page = shown.page
        shown.wait_for(page.get_by_text("on new traces").first)
        with page.expect_download() as saved:
            if way == "button":
                page.get_by_role("button", name="report", exact=True).click()
            else:
                page.get_by_role("button", name="save").first.click()
                page.get_by_role("menuitem", name="Page (HTML, interactive)").click()
        assert saved.value.suggested_filename == "threshold_report.html"
        saved.value.save_as(tmp_path / "report.html")
    page, told = opened(tmp_path / "report.html")
    assert page.locator(".lead").inner_text().startswith("At 0.00150, F1 0.39 (")
    assert page.locator("figure svg.main-svg").count() > 0
    assert told == []
