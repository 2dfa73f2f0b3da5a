"""From a hand on the threshold line to changed pixels, in a real browser.

The line of the thresholds tab is dragged with the mouse in small steps, over labelled scores that
are drawn at random. Each step is timed in the page, from the `pointermove` event to the frame in
which a part of the tab first looks otherwise: the line itself, the bars of the histogram, the
confusion counts, the points on the ROC and PR curves, and what may follow later, the changed calls
and the weights. In between lie a message to the kernel, its work, and its answers. A quick drag, of
many moves without a pause, is timed from its last move until nothing changes any more.

    python benchmarks/dragging.py [--hosts lab voila] [--steps 40] [--traces 100 500]

Prints Markdown tables: the page, and the kernel's part of it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from pages import Host, Shown, launch_chromium, wait_until
from playwright.sync_api import Browser, sync_playwright

PER_TRACE = 20
APP = """
import numpy as np
from explorer import Explorer
from explorer.traces import Hyperedge, Trace

numbers = np.random.default_rng(0)

def made(name):
    used = numbers.random({units}) < 0.12
    scores = np.exp(numbers.normal(-6.0, 1.0, {units}) + used)
    edges = [
        Hyperedge(f"h{{i}}", f"Fact {{i}} of {{name}}: so it is.", label=bool(one))
        for i, one in enumerate(used)
    ]
    found = {{"hyperedge_attention": {{e.id: float(s) for e, s in zip(edges, scores)}}}}
    return Trace(name, f"What is so of {{name}}?", edges, "It is so.", found)

app = Explorer.from_traces(
    [made(f"q{{i}}") for i in range({traces})], tab="thresholds", threshold=0.002
)
app
"""
WATCHED = {
    "line": ".ex-thresholds-histogram .explorer-plot-over [role=slider]",
    "bars": ".ex-thresholds-histogram .explorer-plot-host",
    "counts": ".ex-confusion tbody",
    "curve points": ".ex-thresholds-ranks .explorer-plot-host",
    "changes": ".ex-thresholds-changes .explorer-plot-host",
    "weights": ".ex-thresholds-weights .explorer-plot-host",
}
FIRST = ("line", "bars", "counts", "curve points")
"""What has to follow at once; the others may come a moment later."""

# Notes, for each watched part, the time after every frame in which its document tree has changed.
WATCH = """
(elements) => {
  window.moved = null;
  window.seen = [];
  document.addEventListener("pointermove", () => { window.moved ??= performance.now(); }, true);
  const looks = elements.map((element, i) => {
    let touched = false;
    new MutationObserver(() => { touched = true; }).observe(element, {
      subtree: true, childList: true, characterData: true, attributes: true,
      attributeFilter: ["d", "href", "x", "y", "width", "height", "fill", "style", "transform"],
    });
    return () => {
      if (touched) window.seen.push([i, performance.now()]);
      touched = false;
    };
  });
  // A message posted in a frame's callback arrives when the frame has been handed to the screen.
  const after = new MessageChannel();
  after.port1.onmessage = () => { for (const look of looks) look(); };
  const frame = () => {
    after.port2.postMessage(null);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""
FIRST_SEEN = """
() => {
  const first = {};
  for (const [i, at] of window.seen) first[i] ??= at - window.moved;
  return first;
}
"""
LAST_SEEN = """
() => {
  const last = {};
  for (const [i, at] of window.seen) last[i] = at - window.moved;
  return last;
}
"""
KERNEL = """
import time
taken = {"at once": [], "changes": [], "weights": []}
panel, weights = app._thresholds_panel, app._session.weights
for value in np.geomspace(0.001, 0.004, 25).tolist() * 2:
    parts = (
        ("at once", lambda: setattr(app, "threshold", value)),
        ("changes", panel.scores._draw_changes),
        ("weights", weights.refresh),
    )
    for name, run in parts:
        start = time.perf_counter()
        run()
        taken[name].append(1000 * (time.perf_counter() - start))
print(taken)
"""


def told(milliseconds: Sequence[float]) -> str:
    """Return median and 90th percentile."""
    ordered = sorted(milliseconds)
    p90 = ordered[min(len(ordered) - 1, round(0.9 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered):.0f}, {p90:.0f} ms"


def hold(shown: Shown) -> tuple[float, float]:
    """Take the line with the mouse and return where it is held."""
    box = shown.page.locator(WATCHED["line"]).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    return x, y


def stepped(shown: Shown, steps: int) -> dict[str, list[float]]:
    """Drag in single steps, at a person's pace; milliseconds of each part."""
    page, names = shown.page, list(WATCHED)
    x, y = hold(shown)
    taken: dict[str, list[float]] = {name: [] for name in names}
    wanted = {str(i) for i in range(len(names))}
    places = [x - 9 * (i if i <= 6 else 12 - i) for i in range(12)]
    for step in range(steps + 5):  # the first five warm up
        page.wait_for_timeout(500)
        page.evaluate("() => { window.moved = null; window.seen = []; }")
        page.mouse.move(places[(step + 1) % len(places)], y)
        wait_until(
            page,
            lambda: set(page.evaluate(FIRST_SEEN)) == wanted,
            seconds=20,
            what=lambda step=step: f"step {step}: {page.evaluate(FIRST_SEEN)}",
        )
        if step >= 5:
            for i, at in page.evaluate(FIRST_SEEN).items():
                taken[names[int(i)]].append(at)
    page.mouse.up()
    return taken


def dragged(shown: Shown, drags: int) -> tuple[list[float], list[float]]:
    """Drag quickly, 30 moves without a pause.

    Returns milliseconds from the last move until what has to follow at once, and until everything
    has come to rest.
    """
    page, first, whole = shown.page, [], []
    for drag in range(drags):
        page.wait_for_timeout(700)
        x, y = hold(shown)
        way = -1 if drag % 2 == 0 else 1
        for move in range(29):
            page.mouse.move(x + way * 3 * move, y)
            page.wait_for_timeout(16)
        page.evaluate("() => { window.moved = null; window.seen = []; }")
        page.mouse.move(x + way * 90, y)
        page.wait_for_timeout(1500)
        page.mouse.up()
        last = page.evaluate(LAST_SEEN)
        first.append(max(last.get(str(i), 0.0) for i, part in enumerate(WATCHED) if part in FIRST))
        whole.append(max(last.values()))
    return first, whole


def measure(host: Host, browser: Browser, traces: int, steps: int) -> tuple[str, str]:
    """Return the rows of both tables for one host and one size."""
    cell = APP.format(units=PER_TRACE, traces=traces)
    # As high as all that is watched: what is out of view is drawn too, but not painted.
    with host.open(browser, [cell], size=(1400, 1900)) as shown:
        page = shown.page
        page.get_by_text("In sample").wait_for()
        # On a busy machine the cell has not run yet.
        shown.wait_for_value("'app' in globals()", bool)
        shown.run("app.wait()")
        for selector in WATCHED.values():
            page.locator(selector).first.wait_for(state="attached")
        page.wait_for_timeout(2000)
        page.evaluate(WATCH, [page.locator(s).first.element_handle() for s in WATCHED.values()])
        parts = stepped(shown, steps)
        quick = dragged(shown, max(4, steps // 5))
        kernel: dict[str, list[float]] = eval(shown.run(KERNEL))  # noqa: S307
        error: Any = shown.value("app.error")
        assert error is None, error
    name = f"{host.name}, {traces * PER_TRACE:,} scores"
    first = [max(parts[part][i] for part in FIRST) for i in range(steps)]
    cells = [told(first), *(told(parts[part]) for part in WATCHED), *map(told, quick)]
    at_once = [f"{statistics.median(kernel[part]):.1f} ms" for part in kernel]
    return f"| {name} | {' | '.join(cells)} |", f"| {name} | {' | '.join(at_once)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", nargs="+", default=["lab", "voila"])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--traces", nargs="+", type=int, default=[100, 500])
    options = parser.parse_args()
    found = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch_chromium(playwright)
        for name in options.hosts:
            host = Host(name, Path(folder) / name)
            try:
                found += [measure(host, browser, n, options.steps) for n in options.traces]
            finally:
                host.close()
        browser.close()
    heads = ["median, 90 %", "all that is first", *WATCHED, "quick drag, first", "quick drag, all"]
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    print("\n".join(page for page, _ in found))
    heads = ["kernel, median", "at once", "changes", "weights"]
    print(f"\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    print("\n".join(kernel for _, kernel in found))


if __name__ == "__main__":
    main()
