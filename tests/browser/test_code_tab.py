"""The Code tab under a hand: what is seen first, zoom, Esc, search, and how it fits the window."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pages import Shown

Show = Callable[..., AbstractContextManager["Shown"]]

CELL = "from explorer import Explorer\napp = Explorer({})\napp"
HEAT = ".ex-code-panel .ex-heat[data-state=ready]"
ZOOM = "app._code.heat.plot.zoom"


def box(shown: Shown, selector: str) -> dict[str, float]:
    found = shown.page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return dict(found)


@pytest.mark.parametrize("host", ["lab", "voila"])
def test_all_that_matters_is_seen_without_scrolling(show: Show, host: str) -> None:
    with show(host, [CELL.format("")], size=(1000, 700)) as shown:
        shown.page.locator(HEAT).wait_for()
        shown.page.locator(".ex-code-panel .ex-bars[data-state=ready]").wait_for()
        app = shown.page.locator(".explorer-app")
        if host == "lab":  # without its file browser, which leaves 570 of the 1,000 pixels
            shown.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
            shown.wait_until(lambda: box(shown, ".explorer-app")["width"] > 700)

        def at_the_top() -> bool:
            app.evaluate("node => node.scrollIntoView({block: 'start'})")
            return box(shown, ".explorer-app")["y"] < 120

        shown.wait_until(at_the_top)
        bottom = (
            700
            if host == "voila"
            else box(shown, ".jp-WindowedPanel-outer")["y"]
            + box(shown, ".jp-WindowedPanel-outer")["height"]
        )
        top = box(shown, ".ex-header")["y"]
        grid, heat, code = (box(shown, one) for one in (".ex-grid-legend", HEAT, ".ex-code-box"))
        bars = box(shown, ".ex-code-panel .ex-bars")
        assert grid["y"] > top
        assert heat["y"] + heat["height"] <= bottom
        assert code["y"] + code["height"] <= bottom
        assert bars["y"] + 44 + 6 * 26 <= bottom + 1  # title, axis and six bars
        pinned = box(shown, ".ex-token[data-pinned]")
        assert code["y"] <= pinned["y"] <= code["y"] + code["height"]


def test_zoom_belongs_to_the_program_in_view(show: Show) -> None:
    with show("voila", [CELL.format("")], size=(1200, 900)) as shown:
        page = shown.page
        page.locator(HEAT).wait_for()
        shown.run(
            "from explorer.widgets._code.scene import matrix_scene\n"
            "from explorer.attention import DenseAttention\n"
            "import numpy as np\n"
            "weights = np.tril(np.ones((200, 200))); weights /= weights.sum(-1, keepdims=True)\n"
            "app._session.code.show_matrix(matrix_scene(DenseAttention(weights)))"
        )
        shown.wait_for_value("app.code_scene.n_tokens", lambda n: n == 200)
        area = page.locator(f"{HEAT} .nsewdrag")

        def middle() -> tuple[float, float]:
            spot = area.bounding_box()
            assert spot is not None
            return spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2

        x, y = middle()
        page.mouse.move(x, y)
        page.keyboard.down("Control")
        page.mouse.wheel(0, -600)
        page.keyboard.up("Control")
        zoomed = shown.wait_for_value(ZOOM, lambda window: window is not None)
        assert zoomed[1] - zoomed[0] < 120
        assert zoomed[0] < 100 < zoomed[1]  # around the pointer
        everything = page.locator(f"{HEAT} .explorer-plot-all")
        shown.wait_for(everything)
        page.mouse.dblclick(x, y)
        shown.wait_for_value(ZOOM, lambda window: window is None)
        ends = page.locator(f"{HEAT} .js-plotly-plot").evaluate("gd => gd._fullLayout.yaxis.range")
        assert sorted(ends) == [-0.5, 199.5]
        shown.wait_for(everything, visible=False)
        assert shown.value("app.selection") is None


def test_esc_unpins_wherever_the_focus_is(show: Show) -> None:
    with show("voila", [CELL.format("")]) as shown:
        page = shown.page
        page.locator(HEAT).wait_for()
        page.mouse.click(*_centre(page.locator(f"{HEAT} .nsewdrag").bounding_box()))
        shown.wait_for_value("(app.selection or {}).get('kind')", lambda kind: kind == "cell")
        page.keyboard.press("Escape")
        shown.wait_for_value("app.selection", lambda chosen: chosen is None)
        shown.run("app.selection = {'kind': 'token', 'index': 20}")
        page.locator(".ex-view-button").focus()
        page.keyboard.press("Escape")
        shown.wait_for_value("app.selection", lambda chosen: chosen is None)


def test_the_view_menu_stays_as_it_was_left(show: Show) -> None:
    with show("voila", [CELL.format("")]) as shown:
        page = shown.page
        button = page.locator(".ex-view-button")
        button.click()
        page.get_by_role("combobox", name="Units").select_option("token")
        shown.wait_for_value("(app.unit_kind, app.view_open)", lambda now: now == ("token", True))
        assert page.locator(".ex-view-sheet").is_visible()
        button.click()
        shown.wait_for_value("app.view_open", lambda is_open: is_open is False)
        assert page.locator(".ex-view-sheet").is_hidden()


def test_search_counts_and_walks(show: Show) -> None:
    with show("voila", [CELL.format("")]) as shown:
        page = shown.page
        field = page.get_by_label("find", exact=True)
        field.fill("seen")
        count = page.locator(".ex-found-count")
        shown.wait_until(lambda: count.inner_text() == "1 of 8")
        field.press("Enter")
        assert count.inner_text() == "2 of 8"
        assert page.locator(".ex-token[data-found]").inner_text().strip() == "seen"


@pytest.mark.parametrize("width", [640, 800, 1000, 1400])
def test_every_panel_of_every_tab_has_room(show: Show, width: int) -> None:
    with show("voila", [CELL.format("")], size=(width, 900)) as shown:
        shown.page.locator(HEAT).wait_for()
        for tab in ("code", "traces", "thresholds"):
            shown.run(f"app.tab = {tab!r}")
            panel = shown.page.locator(".ex-panel:not(.ex-away)")
            shown.wait_until(lambda panel=panel: panel.count() == 1)
            narrow = panel.evaluate(
                "node => [...node.children].filter((one) => one.offsetHeight"
                " && one.clientWidth < 200).map((one) => one.className)"
            )
            assert narrow == [], tab


def _centre(spot: Any) -> tuple[float, float]:
    assert spot is not None
    return spot["x"] + spot["width"] * 0.3, spot["y"] + spot["height"] * 0.7
