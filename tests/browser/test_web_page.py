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


def test_layer_head_and_threshold_change_the_pictures(visit) -> None:
    with visit(with_code(layer="0", head="0")) as web:
        heatmap, bars = web.place("heatmap"), web.place("bars")
        before = picture(heatmap)
        web.page.get_by_role("button", name="Next layer").click()
        second = web.changed(heatmap, before)
        web.page.get_by_role("button", name="Next head").click()
        web.changed(heatmap, second)
        web.until(lambda: "layer=1" in web.page.url and "head=1" in web.page.url)
        before = picture(bars)
        typed = web.page.get_by_role("textbox", name="Threshold, typed")
        typed.fill("0.01")
        typed.press("Enter")
        web.changed(bars, before)
        web.until(lambda: "threshold=0.01" in web.page.url)
        before = picture(bars)
        web.page.locator(".ex-view-button").click()
        web.page.get_by_role("combobox", name="Units").select_option("token")
        web.changed(bars, before)
        web.until(lambda: "unit_kind=token" in web.page.url)
        assert web.console == []


def test_by_keyboard_alone(visit) -> None:
    with visit(with_code()) as web:
        keyboard = web.page.keyboard

        def focused() -> str:
            return str(
                web.page.evaluate(
                    "(document.activeElement.getAttribute('aria-label') ?? "
                    "document.activeElement.innerText).trim()"
                )
            )

        seen: list[str] = []
        while "Code to explore" not in seen:
            keyboard.press("Tab")
            seen.append(focused())
            assert len(seen) < 60, seen
        assert any("Layer" in name for name in seen)  # the grid of heads
        assert {"Model", "copy link", "save", "Help"} <= set(seen)
        assert any(name.lower().startswith("view") for name in seen)  # its menu
        # Tab indents; after Esc it goes on.
        keyboard.press("Control+End")
        keyboard.press("Tab")
        keyboard.type("x")
        web.until(lambda: web.editor.input_value() == CODE + "    x")
        keyboard.press("Control+z")
        keyboard.press("Control+z")
        web.until(lambda: web.editor.input_value() == CODE)
        keyboard.press("Control+Home")
        keyboard.press("Control+Enter")
        pinned = web.page.locator("[data-pinned]")
        web.until(lambda: pinned.all_inner_texts() == ["def"] or pinned.count() == 1)
        first = pinned.first.get_attribute("data-token")
        for _ in range(6):
            keyboard.press("ArrowRight")
        web.until(lambda: pinned.count() and pinned.first.get_attribute("data-token") != first)
        keyboard.press("Escape")
        web.until(lambda: pinned.count() == 0)
        keyboard.press("Tab")
        assert focused() != "Code to explore"
        # Layer and head by arrows on the grid.
        grid = web.page.get_by_role("slider", name="Layer").or_(web.page.locator(".ex-grid"))
        before = picture(web.place("heatmap"))
        grid.first.focus()
        keyboard.press("ArrowUp")
        web.changed(web.place("heatmap"), before)


def test_a_view_is_restored_from_its_address(visit, browser) -> None:
    with visit(with_code(layer="1", head="2", threshold="0.02", unit_kind="token")) as web:
        web.editor.click()
        web.page.keyboard.press("Control+End")
        web.page.keyboard.type("# ü")
        web.until(lambda: quote("# ü", safe="")[-6:] in web.page.url)
        before = {name: picture(web.place(name)) for name in ("heatmap", "bars")}
        web.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        web.page.get_by_role("button", name="copy link").click()
        web.until(lambda: "link copied" in web.place("header").inner_text())
        address = web.page.evaluate("navigator.clipboard.readText()")
        assert address == web.page.url
    with visit() as again:
        again.page.goto(address)
        again.drawn()
        assert again.editor.input_value() == CODE + "# ü"
        for name, expected in before.items():
            again.until(
                lambda name=name, expected=expected: np.array_equal(
                    picture(again.place(name)), expected
                )
            )
        again.page.reload()
        again.drawn()
        assert again.editor.input_value() == CODE + "# ü"


def test_the_address_has_what_differs_from_the_app(visit) -> None:
    with visit("") as web:
        web.until(lambda: "layer=" in web.page.url and "code=" in web.page.url)
        names = {pair.partition("=")[0] for pair in urlsplit(web.page.url).fragment.split("&")}
        assert names == {"model", "layer", "head", "code"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [700, 1400])
def test_it_fits_in_both_themes(visit, width, dark) -> None:
    with visit(with_code(CODE * 6), size=(width, 900), dark=dark) as web:
        assert web.page.evaluate("document.documentElement.scrollWidth") == width
        corner = picture(web.page)[-1, -1].astype(int)
        assert (corner.mean() < 60) == dark
        # Letters of the text area lie on those of the tokens: the token under the pointer is the
        # one whose letters are there.
        place = web.page.locator(".ex-live .ex-token", has_text="return").first
        box = place.bounding_box()
        assert box is not None
        web.page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
        caret = web.editor.evaluate("node => node.selectionStart")
        assert abs(caret - CODE.index("return")) <= 1
        web.until(lambda: place.get_attribute("data-pinned") is not None)
        assert web.console == []


def test_an_example_takes_the_place_of_the_code(visit) -> None:
    with visit(with_code()) as web:
        web.page.get_by_role("combobox", name="Example programs").select_option(index=2)
        web.until(lambda: web.editor.input_value() != CODE)
        chosen = web.editor.input_value()
        assert chosen.strip()
        web.editor.click()
        web.page.keyboard.press("Control+End")
        web.page.keyboard.type("z")
        web.until(lambda: web.editor.input_value().endswith("z"))
        web.page.wait_for_timeout(300)
        assert web.editor.input_value() == chosen + "z"


def test_files_are_saved(visit) -> None:
    with visit(with_code()) as web:
        web.page.get_by_role("button", name="save").click()
        items = web.page.get_by_role("menuitem").all_inner_texts()
        assert not [item for item in items if "Traces" in item]
        with web.page.expect_download() as caught:
            web.page.get_by_role("menuitem", name="Feedback table").click()
        text = caught.value.path().read_text()
        assert text.splitlines()[0].startswith("unit,text,tokens,score")


def test_a_lost_connection_is_told_and_comes_back(visit, load) -> None:
    first = started(load)
    port = int(first.url.rpartition(":")[2])
    with visit(with_code(), url=first.url) as web:
        notice = web.page.get_by_role("alert").first
        first.stop()
        web.until(lambda: "connection to the service is lost" in notice.inner_text())
        web.editor.click()
        web.page.keyboard.press("Control+End")
        web.page.keyboard.type("kept")
        with started(load, port=port):
            web.until(lambda: not notice.is_visible())
            web.drawn()
            assert web.editor.input_value() == CODE + "kept"
            web.until(lambda: web.editor.evaluate("node => node === document.activeElement"))
            web.page.keyboard.type("!")
            web.until(lambda: web.editor.input_value() == CODE + "kept!")


def test_a_service_with_a_token_asks_for_it(visit, load) -> None:
    with started(load, token=TOKEN) as running, visit(url=running.url) as web:
        web.page.goto(running.url + "/" + with_code())
        field = web.page.get_by_label("Token of the service")
        field.fill("not-the-token-of-this-test")
        field.press("Enter")
        web.until(lambda: "not the token" in web.page.get_by_role("alert").first.inner_text())
        field = web.page.get_by_label("Token of the service")
        field.fill(TOKEN)
        field.press("Enter")
        web.drawn()
        assert TOKEN not in web.page.url
        assert web.editor.input_value() == CODE


def test_a_model_that_does_not_exist_is_told(visit) -> None:
    with visit() as web:
        web.page.goto(web.url + "/" + with_code(model="../secret"))
        web.until(lambda: "no model of this name" in web.place("status").inner_text())
