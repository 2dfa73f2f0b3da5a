"""The page that `make app` serves, as its own command serves it: the app is alive on it."""

from __future__ import annotations

import sys
from pathlib import Path

from pages import wait_until

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from test_serving import served  # noqa: E402 - its folder is on the path only now


def test_the_page_of_make_app_is_alive_and_asks_no_other_host(browser, tmp_path):
    asked: list[str] = []
    with served("app", ROOT, tmp_path) as (address, port):
        page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.locator(".ex-code .ex-token").first.wait_for()
        wait_until(
            page,
            lambda: page.locator(".explorer-plot").first.get_attribute("data-state") == "ready",
        )
        page.get_by_role("tab", name="RAG traces").click()
        page.get_by_label("Next trace (PgDn)").click()
        place = page.get_by_label("Number or id of the trace")
        wait_until(page, lambda: place.input_value() == "2")
        page.locator(".ex-card").first.wait_for()
        page.context.close()
    hosts = (f"http://127.0.0.1:{port}/", f"ws://127.0.0.1:{port}/", "blob:", "data:")
    assert [url for url in asked if not url.startswith(hosts)] == []
