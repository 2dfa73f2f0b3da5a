"""How long a start takes: `import explorer`, and a cell until heatmap and bars can be seen.

    python benchmarks/start.py [--runs 5]

The import is timed in fresh interpreters, with the file cache warm. The first view is a fresh
kernel each time: from the press that runs the cell `Explorer.from_traces()` to the moment when
heatmap and bars of the first packaged trace are drawn. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from pages import Host, launch_chromium, wait_until
from playwright.sync_api import Browser, sync_playwright

IMPORT = """
import sys, time
start = time.perf_counter()
import explorer
print(time.perf_counter() - start, "torch" in sys.modules)
"""

CELL = "from explorer import Explorer\nExplorer.from_traces()"
TRACE_BARS, TRACE_HEAT = 2, 5


def import_seconds(runs: int) -> list[float]:
    """Time `import explorer` in fresh interpreters."""
    seconds = []
    for _ in range(runs + 1):
        printed = subprocess.run(
            [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
        ).stdout.split()
        if printed[1] != "False":
            raise SystemExit("import explorer has imported torch")
        seconds.append(float(printed[0]))
    return seconds[1:]


def first_view_seconds(host: Host, browser: Browser, runs: int) -> list[float]:
    """Time a cell until heatmap and bars of the first packaged trace are drawn."""
    seconds = []
    for _ in range(runs + 1):
        with host.open(browser, ["1 + 1"], size=(1400, 1200)) as shown:
            page = shown.page
            shown.run("1 + 1")  # the kernel is up
            page.evaluate(
                """async (source) => {
                    const panel = window.jupyterapp.shell.currentWidget;
                    panel.content.activeCell.model.sharedModel.setSource(source);
                }""",
                CELL,
            )
            page.wait_for_timeout(500)
            start = time.perf_counter()
            page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
            wait_until(
                page,
                lambda page=page: all(
                    page.locator(".explorer-plot").nth(i).get_attribute("data-state", timeout=60000)
                    == "ready"
                    for i in (TRACE_BARS, TRACE_HEAT)
                ),
            )
            seconds.append(time.perf_counter() - start)
    return seconds[1:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print("| what | median | slowest |")
    print("| --- | --- | --- |")
    found = import_seconds(max(runs, 10))
    print(f"| import explorer | {statistics.median(found):.3f} s | {max(found):.3f} s |")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch_chromium(playwright)
        host = Host("lab", Path(folder) / "lab")
        try:
            found = first_view_seconds(host, browser, runs)
        finally:
            host.close()
            browser.close()
    print(
        "| cell run to first heatmap and bars, packaged trace, Lab "
        f"| {statistics.median(found):.2f} s | {max(found):.2f} s |"
    )


if __name__ == "__main__":
    main()
