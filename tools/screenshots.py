"""Take the pictures of README.md: each tab of the app, with the packaged examples.

`make screenshots` runs this. It needs Chromium, and overwrites the PNG files in docs/images/.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from pages import Host, Shown, find_chromium, launch_chromium  # noqa: E402 - its folder is on the path only now

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 250_000
"""Size of a picture at most; they stay in the history of the repository."""

STILL_LOOKS = 5
"""Looks in a row, 0.4 s apart, at which the page must be the same before it is taken."""


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes
    ----------
    name
        Name of the file, without its ending.
    start
        Arguments of `Explorer`, as Python.
    then
        Code that runs in the kernel once the app is shown.
    width, height
        Size in CSS pixels. The height is that of the app where None.
    """

    name: str
    start: str
    then: str
    width: int
    height: int | None = None


SHOTS = (
    # The first view: a name pinned at its fifth use, and a head that looks at the uses before it.
    Shot("explorer", "", "", width=1220),
    Shot(
        "traces",
        "tab='traces', trace=1, layer=8, head=0, reduction='top-k', normalisation='share',"
        " threshold=0.15",
        "app.selection = {'kind': 'unit', 'name': 'h5'}",
        width=1220,
    ),
    Shot(
        "thresholds",
        "tab='thresholds', layer=8, head=0, threshold=0.006, reference_threshold=0.01",
        "",
        width=1280,
        height=930,
    ),
)


def main() -> None:
    """Take all pictures; nothing is written unless all of them are small enough."""
    if find_chromium() is None:
        raise SystemExit("No Chromium: install it (Debian: apt install chromium) or set CHROMIUM.")
    with (
        tempfile.TemporaryDirectory(prefix="explorer-screenshots-") as folder,
        sync_playwright() as playwright,
    ):
        browser = launch_chromium(playwright)
        host = Host("voila", Path(folder) / "voila")
        try:
            pictures = {shot.name: take(host, browser, shot) for shot in SHOTS}
        finally:
            host.close()
            browser.close()
    large = [name for name, png in pictures.items() if len(png) > MOST_BYTES]
    if large:
        raise SystemExit(f"Larger than {MOST_BYTES:,} bytes: {', '.join(large)}. Nothing written.")
    for name, png in pictures.items():
        (IMAGES / f"{name}.png").write_bytes(png)
        print(f"docs/images/{name}.png  {len(png):,} bytes")


def take(host: Host, browser: Browser, shot: Shot) -> bytes:
    """Return a picture of the app as a PNG file."""
    cell = f"from explorer import Explorer\napp = Explorer({shot.start})\napp"
    # Room at the sides, so that the app itself has the width; what is above its size is cut off.
    with host.open(browser, [cell], size=(shot.width + 200, 2400)) as shown:
        app = shown.page.locator(".explorer-app")
        app.wait_for()
        app.evaluate(f"node => {{ node.style.width = '{shot.width}px' }}")
        shown.run(shot.then)
        wait_until_still(shown)
        png = app.screenshot(animations="disabled")
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = image.crop((0, 0, shot.width, shot.height or image.height))
    packed = io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def wait_until_still(shown: Shown) -> None:
    """Return once nothing on the page has changed for a while."""
    last: list[bytes] = []

    def still() -> bool:
        shown.page.wait_for_timeout(400)
        last.append(_look(shown.page))
        del last[:-STILL_LOOKS]
        return len(last) == STILL_LOOKS and len(set(last)) == 1

    shown.wait_until(still, lambda: "the page goes on changing")


def _look(page: Page) -> bytes:
    return page.screenshot(animations="disabled")


if __name__ == "__main__":
    main()
