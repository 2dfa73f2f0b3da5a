"""The same attention in bertviz's `head_view` and in `Explorer`: bytes, and time to switch layers.

Random causal attention of 30 layers x 9 heads, the shape of SmolLM2-135M. bertviz writes all of it
into the page as text; its page is opened as a file, with the three scripts that it takes from a CDN
served from the npm registry's packages (fetched once with `npm pack`). Explorer runs in JupyterLab
and gets what is looked at over its web socket.

    python benchmarks/head_to_head_bertviz.py [--tokens 512] [--switch-tokens 256] [--switches 5]

Prints a Markdown table. At 512 tokens bertviz takes some minutes and about 8 GB of memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from drawing import measure
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from pages import Host, launch_chromium
from playwright.sync_api import Browser, Route, sync_playwright

LAYERS, HEADS = 30, 9
# What bertviz's page asks of a CDN, and where it is in the npm packages.
SCRIPTS = {
    "require.min.js": ("requirejs@2.3.6", "package/require.js"),
    "d3.min.js": ("d3@5.7.0", "package/dist/d3.min.js"),
    "jquery.min.js": ("jquery@2.2.4", "package/dist/jquery.min.js"),
}


def causal(tokens: int) -> NDArray[np.float32]:
    """Return attention (LAYERS, HEADS, tokens, tokens) whose rows sum to 1."""
    numbers = np.random.default_rng(0)
    weights = np.tril(numbers.random((LAYERS, HEADS, tokens, tokens), dtype=np.float32) ** 8)
    weights += np.eye(tokens, dtype=np.float32) * 1e-6
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def bertviz_page(tokens: int) -> str:
    """Return the HTML that bertviz makes for this many tokens."""
    import torch
    from bertviz import head_view

    attention = [torch.from_numpy(layer)[None] for layer in causal(tokens)]
    page = head_view(attention, [f"token{i}" for i in range(tokens)], html_action="return")
    return str(page.data)


def fetch_scripts(folder: Path) -> dict[str, bytes]:
    """Return the CDN's scripts by file name."""
    found = {}
    for name, (package, member) in SCRIPTS.items():
        listed = subprocess.run(
            ["npm", "pack", package, "--json"],
            cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
        with tarfile.open(folder / json.loads(listed.stdout)[0]["filename"]) as packed:
            content = packed.extractfile(member)
            assert content is not None
            found[name] = content.read()
    return found


def bertviz_switch(browser: Browser, folder: Path, tokens: int, switches: int) -> float:
    """Return the median milliseconds from choosing a layer to the next frame."""
    file = folder / "bertviz.html"
    file.write_text(f"<!doctype html><meta charset=utf-8>{bertviz_page(tokens)}")
    scripts = fetch_scripts(folder)
    page = browser.new_page()
    page.set_default_timeout(600_000)

    def serve(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[-1].split("?")[0]
        route.fulfill(body=scripts[name], content_type="text/javascript")

    page.route("https://cdnjs.cloudflare.com/**", serve)
    page.goto(file.as_uri())
    page.wait_for_function("() => document.querySelectorAll('#vis svg line').length > 0")
    taken = [
        page.evaluate(
            """(layer) => new Promise((done) => {
              const choice = document.querySelector("#layer");
              const started = performance.now();
              choice.value = layer;
              choice.dispatchEvent(new Event("change", { bubbles: true }));
              requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
            })""",
            str(layer + 1),
        )
        for layer in range(switches)
    ]
    page.close()
    return float(statistics.median(taken))


def explorer(host: Host, browser: Browser, tokens: int, switches: int) -> tuple[int, float]:
    """Return the bytes until the first picture is drawn, and the median time of a layer switch."""
    cell = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from head_to_head_bertviz import causal
from explorer import Explorer
app = Explorer.from_attention(causal({tokens}), [f"token{{i}}" for i in range({tokens})],
                              layer=0, head=0)
app
"""
    with host.open(browser, [cell], size=(1500, 1300)) as shown:
        shown.plot(0)
        shown.plot(1)
        shown.run("app.wait()")
        size = sum(frame.size for frame in shown.received)
        shown.page.locator(".ex-grid").focus()
        keys = ["ArrowDown"] * 4 + ["ArrowUp"] * 4
        switched = measure(shown, keys, max(20, switches), ".explorer-plot >> nth=0")
    return size, statistics.median(switched.milliseconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--switch-tokens", type=int, default=256)
    parser.add_argument("--switches", type=int, default=5)
    options = parser.parse_args()

    started = time.perf_counter()
    theirs = len(bertviz_page(options.tokens).encode())
    seconds = time.perf_counter() - started
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        browser = launch_chromium(playwright)
        switch = bertviz_switch(browser, folder, options.switch_tokens, options.switches)
        host = Host("lab", folder / "lab")
        try:
            ours, _ = explorer(host, browser, options.tokens, options.switches)
            _, our_switch = explorer(host, browser, options.switch_tokens, options.switches)
            _, our_long_switch = explorer(host, browser, options.tokens, options.switches)
        finally:
            host.close()
        browser.close()
    print("| what | bertviz head_view | explorer |")
    print("| --- | --- | --- |")
    print(
        f"| bytes to the page, {options.tokens} tokens | {theirs / 1e6:,.0f} MB of HTML "
        f"(made in {seconds:.0f} s) | {ours / 1e6:.1f} MB, library included |"
    )
    print(
        f"| layer switch, {options.switch_tokens} tokens | {switch / 1000:.1f} s "
        f"| {our_switch:.0f} ms |"
    )
    print(f"| layer switch, {options.tokens} tokens | not tried | {our_long_switch:.0f} ms |")


if __name__ == "__main__":
    main()
