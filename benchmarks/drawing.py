"""From a key press to changed pixels, in a real browser.

A slider on the page is moved by an arrow key. The value goes to the kernel, which computes one head
of attention for 512 tokens and hands it to the plot; the page draws it. Measured in the page, from
the `keydown` event to the frame after the one in which the picture differs. Bytes are the sizes of
the web-socket messages from server to page in between.

    python benchmarks/drawing.py [--hosts lab voila] [--changes 60] [--no-bare] [--no-app]

Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from pages import Host, Shown, launch_chromium, wait_until
from playwright.sync_api import Browser, sync_playwright

BARE = """
import numpy as np, ipywidgets, plotly.graph_objects as go
from explorer.widgets._plot.plot import Plot

n, width, heads = 512, 64, 16
numbers = np.random.default_rng(0)
queries = numbers.standard_normal((heads, n, width)).astype("float32")
keys = numbers.standard_normal((heads, n, width)).astype("float32")
future = np.triu(np.full((n, n), -np.inf, dtype="float32"), 1)

def attention(head):
    scores = queries[head] @ keys[head].T / np.float32(width**0.5) + future
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores

tokens = [f"token{i}" for i in range(n)]
figure = go.Figure(go.Heatmap(z=attention(0), zmin=0, zmax=0.5, colorscale="Viridis"))
figure.update_layout(
    yaxis_autorange="reversed", margin=dict(l=80, r=20, t=10, b=80),
    meta=dict(x_labels=tokens, y_labels=tokens),
)
plot = Plot(figure, height=480)
head = ipywidgets.IntSlider(0, 0, heads - 1, description="head")

def show(change):
    plot.restyle_heatmap(attention(change["new"]), zmin=0, zmax=0.5)

head.observe(show, "value")
ipywidgets.VBox([head, plot])
"""

BARS = """
import numpy as np, ipywidgets, plotly.graph_objects as go
from explorer.widgets._plot.plot import Plot

units, policies = 30, 16
scores = np.random.default_rng(0).random((policies, units)) ** 3
names = [f"line {i}" for i in range(units)]
digits = [f"{score:.3f}" for score in scores[0]]
figure = go.Figure(go.Bar(x=scores[0], y=names, orientation="h", text=digits))
figure.update_layout(margin=dict(l=80, r=20, t=10, b=30), xaxis_range=[0, 1])
plot = Plot(figure, height=480)
plot.set_line("x", 0.1)
head = ipywidgets.IntSlider(0, 0, policies - 1, description="head")

def show(change):
    now = scores[change["new"]]
    colours = ["#3b6fb6" if score > 0.1 else "#bbbbbb" for score in now]
    plot.restyle(x=now, text=[f"{score:.3f}" for score in now], marker_color=colours)

head.observe(show, "value")
ipywidgets.VBox([head, plot])
"""

APP = """
from explorer import Explorer
from explorer.examples import example_programs
from explorer.models import load_model

model = load_model("SmolLM2-135M-Instruct")
lines = [line for program in example_programs() * 3 for line in program.code.splitlines()]
code = ""
while lines and len(model.tokenize(code + lines[0] + chr(10)).ids) <= 512:
    code += lines.pop(0) + chr(10)
while lines and len(model.tokenize(code + lines[0][:1]).ids) <= 512:
    code, lines[0] = code + lines[0][:1], lines[0][1:] or "x"
app = Explorer.from_code(code, layer=15, head=4)
app
"""

# Notes, for each watched element, the time after every frame in which it looks other than before:
# a sample of its canvas, or anything in its document tree.
WATCH = """
(elements) => {
  window.pressed = null;
  window.seen = [];
  const watch = window.watching = {};
  document.addEventListener("keydown", () => { window.pressed ??= performance.now(); }, true);
  const looks = elements.map((element, i) => {
    const sample = new OffscreenCanvas(96, 96).getContext("2d", { willReadFrequently: true });
    let last = null, touched = false;
    const host = element.querySelector(".explorer-plot-host"); // without the line under the hand
    new MutationObserver(() => { touched = true; }).observe(host, {
      subtree: true, childList: true, characterData: true, attributes: true,
      attributeFilter: ["d", "href", "x", "y", "width", "height", "fill", "style"],
    });
    return () => {
      const canvas = element.querySelector("canvas");
      let changed = touched;
      touched = false;
      if (canvas?.width) {
        sample.clearRect(0, 0, 96, 96);
        sample.drawImage(canvas, 0, 0, 96, 96);
        const now = sample.getImageData(0, 0, 96, 96).data.join();
        changed = last !== null && now !== last;
        last = now;
      }
      if (changed) window.seen.push([i, performance.now()]);
    };
  });
  // A message posted in a frame's callback arrives when the frame has been handed to the screen.
  const after = new MessageChannel();
  after.port1.onmessage = () => { for (const look of looks) look(); };
  const frame = () => {
    if (window.watching !== watch) return;
    after.port2.postMessage(null);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""


@dataclass
class Measured:
    """Milliseconds and bytes of every change."""

    milliseconds: list[float]
    bytes_each: list[float]

    def row(self, name: str) -> str:
        """Return a line of the Markdown table."""
        ordered = sorted(self.milliseconds)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        size = statistics.median(self.bytes_each) / 1000
        return (
            f"| {name} | {statistics.median(ordered):.0f} ms | {p95:.0f} ms | {ordered[-1]:.0f} ms "
            f"| {size:.0f} KB |"
        )


def measure(shown: Shown, keys: list[str], changes: int, *watched: str) -> Measured:
    """Press the keys in turn and time until each watched element has changed."""
    page = shown.page
    count = len(watched)
    handles = [page.locator(selector).first.element_handle() for selector in watched]
    page.evaluate(WATCH, handles)
    milliseconds, sizes = [], []
    for i in range(changes + 5):  # the first five warm up
        page.wait_for_timeout(120)  # a person's pace; the machine settles
        page.evaluate("() => { window.pressed = null; window.seen = []; }")
        before = sum(frame.size for frame in shown.received)
        page.keyboard.press(keys[i % len(keys)])
        wait_until(
            page,
            lambda: page.evaluate("() => new Set(window.seen.map(([i]) => i)).size") == count,
            seconds=20,
            what=lambda i=i: f"change {i}: {page.evaluate('() => window.seen')}",
        )
        taken = page.evaluate(
            "() => { const first = new Map();"
            " for (const [i, at] of window.seen) if (!first.has(i)) first.set(i, at);"
            " return Math.max(...first.values()) - window.pressed; }"
        )
        page.wait_for_timeout(60)
        if i >= 5:
            milliseconds.append(taken)
            sizes.append(sum(frame.size for frame in shown.received) - before)
    return Measured(milliseconds, sizes)


def bare(host: Host, browser: Browser, changes: int, cell: str) -> Measured:
    """Measure one plot and one slider."""
    with host.open(browser, [cell], size=(1280, 1000)) as shown:
        shown.plot()
        shown.page.locator(".noUi-handle").first.focus()
        keys = ["ArrowRight"] * 12 + ["ArrowLeft"] * 12
        return measure(shown, keys, changes, ".explorer-plot")


def app(host: Host, browser: Browser, changes: int) -> Iterator[tuple[str, Measured]]:
    """Measure the whole app: until both heatmap and bars have changed, or the bars alone."""
    with host.open(browser, [APP], size=(1500, 1300)) as shown:
        # On a busy machine the cell has not run yet.
        shown.wait_for_value("'app' in globals()", bool)
        shown.run("app.wait()")
        tokens = shown.value("app.attention.n_keys")
        heat, bars = shown.plot(0), shown.plot(1)
        shown.page.wait_for_timeout(1000)
        both = ".explorer-plot >> nth=0", ".explorer-plot >> nth=1"
        grid = shown.page.locator(".ex-grid")
        for what, there, back in (
            ("layer", "ArrowUp", "ArrowDown"), ("head", "ArrowRight", "ArrowLeft")
        ):  # fmt: skip
            grid.focus()
            keys = [there] * 4 + [back] * 4
            yield f"{what}, {tokens} tokens", measure(shown, keys, changes, *both)
        bars.get_by_role("slider").focus()
        keys = ["PageDown"] * 4 + ["PageUp"] * 4
        assert heat.count() == 1
        yield f"threshold, {tokens} tokens", measure(shown, keys, changes, both[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", nargs="+", default=["lab", "voila"])
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--bare", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--app", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    print("| what | median | 95th percentile | most | bytes a change |")
    print("| --- | --- | --- | --- | --- |")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch_chromium(playwright)
        for name in options.hosts:
            host = Host(name, Path(folder) / name)
            try:
                plots = (("heatmap, 512 x 512", BARE), ("30 bars", BARS)) if options.bare else ()
                for what, cell in plots:
                    measured = bare(host, browser, options.changes, cell)
                    print(measured.row(f"{name}: {what}"), flush=True)
                if options.app:
                    for what, measured in app(host, browser, options.changes):
                        print(measured.row(f"{name}, app: {what}"), flush=True)
            finally:
                host.close()
        browser.close()


if __name__ == "__main__":
    main()
