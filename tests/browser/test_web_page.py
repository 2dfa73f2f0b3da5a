"""The page at `/` in a real browser: the app's Code tab without Jupyter, live as one types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from pages import STALL_SECONDS, picture, wait_until
from playwright.sync_api import Browser, Locator, Page

from explorer.models import Model
from explorer.service import RunningService, ServiceSettings, start_service

from ..support.tiny_models import language_model
from ..support.tiny_tokenizers import byte_level_tokenizer

CODE = "def add(first, second):\n    return first + second\n"
TOKEN = "the-token-of-this-test"


@pytest.fixture(scope="module")
def load() -> Callable[[str], Model]:
    torch_model = language_model("llama", vocab_size=400, max_position_embeddings=512)
    model = Model.wrap(torch_model, byte_level_tokenizer(), name="/models/llama")
    return lambda _: model


def started(load: Callable[[str], Model], **settings: Any) -> RunningService:
    names = {"tiny": "/models/llama"}
    given = {"port": 0, "model": "tiny", "extra_models": names, **settings}
    return start_service(ServiceSettings(**given), load=load)


@pytest.fixture(scope="module")
def service(load) -> Iterator[RunningService]:
    with started(load) as running:
        yield running


class WebPage:
    """A page of the service, and what happened on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.console: list[str] = []
        self.hosts: set[str] = set()
        page.on(
            "console",
            lambda m: self.console.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("websocket", lambda socket: self.hosts.add(urlsplit(socket.url).netloc))

    @property
    def editor(self) -> Locator:
        return self.page.get_by_role("textbox", name="Code to explore")

    def place(self, name: str) -> Locator:
        return self.page.locator(f"[data-place={name}]")

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"{self.url}/{fragment}")
        self.drawn()

    def drawn(self) -> None:
        """Wait until both plots are drawn."""
        for name in ("heatmap", "bars"):
            plot = self.place(name)
            self.until(lambda plot=plot: plot.get_attribute("data-state") == "ready")
        self.until(lambda: "tokens" in self.place("code_text").inner_text())

    def until(self, condition: Callable[[], Any]) -> None:
        wait_until(self.page, condition, what=lambda: f"{self.console} {self.page.url}")

    def changed(self, place: Locator, before: np.ndarray) -> np.ndarray:
        """Return the picture of a place once it differs."""
        found = [before]

        def look() -> bool:
            found[0] = picture(place)
            return found[0].shape != before.shape or bool((found[0] != before).any())

        self.until(look)
        return found[0]

    def tokens(self) -> int:
        """Number of tokens that the heatmap and the title show."""
        title = self.place("code_text").locator(".ex-panel-title").inner_text()
        return int(title.split()[-2].replace(",", ""))


@pytest.fixture
def visit(browser: Browser, service: RunningService) -> Callable[..., Any]:
    @contextmanager
    def opened(
        fragment: str | None = None,
        *,
        url: str = service.url,
        size: tuple[int, int] = (1400, 900),
        dark: bool = False,
    ) -> Iterator[WebPage]:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(STALL_SECONDS * 1000)
        found = WebPage(context.new_page(), url)
        try:
            if fragment is not None:
                found.open(fragment)
            yield found
        finally:
            context.close()

    return opened


def with_code(code: str = CODE, **settings: str) -> str:
    return "#" + "&".join(f"{k}={quote(v)}" for k, v in {**settings, "code": code}.items())


def test_a_typed_key_changes_the_heatmap(visit) -> None:
    with visit(with_code()) as web:
        heatmap = web.place("heatmap")
        count, before = web.tokens(), picture(heatmap)
        web.editor.click()
        web.page.keyboard.press("Control+End")
        web.page.keyboard.type("add(1, 2)")
        web.until(lambda: web.tokens() > count)
        web.changed(heatmap, before)
        assert web.editor.input_value() == CODE + "add(1, 2)"
        shown = web.page.locator(".ex-live .ex-line-text").all_inner_texts()
        assert "\n".join(shown).rstrip() == CODE + "add(1, 2)"
        assert web.console == []
        assert web.hosts == {urlsplit(web.url).netloc}
