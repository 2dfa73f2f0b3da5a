"""Elements of the app look the same in every host, and the picture outlives its kernel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pages import Shown
    from playwright.sync_api import Browser

Show = Callable[..., AbstractContextManager["Shown"]]


CELL = "from explorer import Explorer\napp = Explorer()\napp"

TAGS = (
    "dl", "dt", "dd", "p", "ul", "ol", "li", "table", "th", "td", "tr", "pre", "code", "kbd",
    "strong", "em", "h1", "h2", "h3", "h4", "button", "input", "select", "textarea", "label",
)  # fmt: skip
PROPERTIES = (
    "float", "display", "marginTop", "marginBottom", "marginLeft", "paddingTop", "paddingLeft",
    "paddingRight", "fontWeight", "fontStyle", "fontSize", "lineHeight", "textAlign",
    "borderTopWidth", "letterSpacing", "textTransform", "boxShadow", "whiteSpace",
    "listStyleType", "maxWidth",
)  # fmt: skip

LOOKS = """([tags, properties]) => {
  const region = document.querySelector('.explorer-app .ex-status');
  const looks = {};
  for (const tag of tags) {
    const parents = {dt: 'dl', dd: 'dl', li: 'ul', tr: 'table', th: 'table', td: 'table'};
    const parent = document.createElement(parents[tag] ?? 'div');
    const node = document.createElement(tag);
    node.textContent = 'x';
    parent.append(node);
    region.append(parent);
    const style = getComputedStyle(node);
    looks[tag] = Object.fromEntries(properties.map((name) => [name, style[name]]));
    parent.remove();
  }
  return looks;
}"""


@pytest.fixture(scope="module")
def plain(browser: Browser) -> dict[str, Any]:
    """What the elements look like on a page that has no style but the app's."""
    css = Path(__file__).parents[2] / "explorer" / "widgets" / "assets" / "explorer.css"
    page = browser.new_page()
    page.set_content(
        f"<!doctype html><style>{css.read_text('utf-8')}</style>"
        "<div class=explorer-app><div class='ex-region ex-status'></div></div>"
    )
    looks: dict[str, Any] = page.evaluate(LOOKS, [TAGS, PROPERTIES])
    page.close()
    return looks


@pytest.mark.parametrize("name", ["lab", "notebook", "voila"])
def test_hosts_leave_the_elements_of_the_app_alone(
    show: Show, plain: dict[str, Any], name: str
) -> None:
    with show(name, [CELL]) as shown:
        shown.page.locator(".explorer-app .ex-status .ex-sentence").wait_for()
        looks = shown.page.evaluate(LOOKS, [TAGS, PROPERTIES])
        assert {tag: looks[tag] for tag in TAGS if looks[tag] != plain[tag]} == {}
        # One line a key in the help: nothing is squeezed into a column of its own.
        shown.page.locator(".ex-header").get_by_role("button", name="Help").click()
        keys = shown.page.locator(".ex-help dt")
        heights = [keys.nth(i).bounding_box()["height"] for i in range(keys.count())]  # type: ignore[index]
        assert max(heights) < 30


def test_the_picture_outlives_its_kernel(show: Show) -> None:
    with show("lab", [CELL]) as shown:
        page = shown.page
        page.locator(".explorer-app .ex-heat[data-state=ready]").wait_for()
        parts = (
            ".ex-head-selector",
            ".ex-code-panel .ex-heat",
            ".ex-code",
            ".ex-code-panel .ex-bars",
        )
        boxes = {part: page.locator(f".explorer-app {part}").bounding_box() for part in parts}
        page.evaluate(
            "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            ".restart(); }"
        )
        alert = page.get_by_text("The kernel is gone. Run the cell again.")
        alert.wait_for()
        down = alert.bounding_box()["height"]  # type: ignore[index]
        for part, before in boxes.items():
            now = page.locator(f".explorer-app {part}").bounding_box()
            assert before is not None
            assert now is not None
            assert (now["x"], now["width"]) == (before["x"], before["width"]), part
            assert abs(now["y"] - before["y"]) <= down + 16, part
        light = page.locator(".ex-light").evaluate("node => getComputedStyle(node).backgroundColor")
        assert light == "rgba(0, 0, 0, 0)"
