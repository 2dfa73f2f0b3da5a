"""Fixtures for tests in a real browser.

    def test_my_widget(show):
        with show("lab", ["from explorer import Explorer\nex = Explorer(); ex"]) as shown:
            shown.plot(0)                                  # waits until it is drawn
            before = picture(shown.plot(0))
            shown.run("ex.layer = 3")                      # in the notebook's kernel
            shown.wait_for_change(shown.plot(0), before)   # pixels
            shown.page.get_by_role("slider").press("ArrowRight")
            shown.wait_for_value("ex.threshold", lambda t: t > 0.1)

`show(host, cells, size=..., dark=..., before=...)` opens a notebook made of cells in "lab",
"notebook" or "voila"; each server starts once a session. `picture`, `wait_until` come from `pages`
(`from pages import picture`). Without Chromium all of it is skipped, with the reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Tests are imported one file at a time (importlib mode); the harness is an ordinary module beside.
sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from pages import Host, Shown
    from playwright.sync_api import Browser

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder `browser`, and skip them all where there is none.

    They come last: as long as Playwright runs, its event loop is the main thread's, and what is
    tested without a loop must be over by then.
    """
    from pages import find_chromium

    items.sort(key=lambda item: item.path.is_relative_to(_HERE))

    reason = "no Chromium: install it (Debian: apt install chromium) or set CHROMIUM to its path"
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)
            if find_chromium() is None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests; every page has a context of its own."""
    from pages import launch_chromium
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Host]]:
    """Return the running server of a name, started when first asked for."""
    from pages import Host

    running: dict[str, Host] = {}

    def get(name: Any) -> Host:
        if name not in running:
            running[name] = Host(name, tmp_path_factory.mktemp(name))
        return running[name]

    yield get
    for server in running.values():
        server.close()


@pytest.fixture
def show(
    browser: Browser, servers: Callable[[str], Host]
) -> Callable[..., AbstractContextManager[Shown]]:
    """Open cells as a notebook: `with show("lab", cells) as shown: ...`."""

    def open_cells(name: str, cells: list[str], **options: Any) -> AbstractContextManager[Shown]:
        return servers(name).open(browser, cells, **options)

    return open_cells
