"""What every test runs under: no hub, a cache of its own, and a browser only where there is one."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Set before anything imports torch or transformers, and inherited by the kernels that tests start.
# A test that is about the hub lifts this itself.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# On a big machine the tiny models of the tests spend more time waking threads than computing.
os.environ.setdefault("OMP_NUM_THREADS", str(min(4, os.cpu_count() or 1)))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A kernel spec of the same name in the user's home must not replace the one under test.
os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")

# The converted SmolLM2 is written once a session, by the code under test, and never read from (or
# left in) the user's own cache. Whoever sets EXPLORER_CACHE, to save the conversion, keeps it.
if "EXPLORER_CACHE" not in os.environ:
    os.environ["EXPLORER_CACHE"] = tempfile.mkdtemp(prefix="explorer-test-cache-")
    atexit.register(shutil.rmtree, os.environ["EXPLORER_CACHE"], ignore_errors=True)

_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_NO_BROWSER = (
    "no Chromium found: install one (Debian and Ubuntu: apt install chromium), or name its program "
    "in EXPLORER_CHROMIUM"
)
_skipped_for_want_of_a_browser = pytest.StashKey[int]()


def find_chromium() -> str | None:
    """Path of the Chromium to test with, or None."""
    named = os.environ.get("EXPLORER_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else _BROWSERS)), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the Chromium to test with; a test that asks for it is skipped without one."""
    path = find_chromium()
    if path is None:
        pytest.skip(_NO_BROWSER)
    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the browser tests, and only those, where there is no browser."""
    browser_tests = [item for item in items if item.get_closest_marker("browser")]
    if not browser_tests or find_chromium() is not None:
        return
    config.stash[_skipped_for_want_of_a_browser] = len(browser_tests)
    for item in browser_tests:
        item.add_marker(pytest.mark.skip(reason=_NO_BROWSER))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say in the summary what a missing browser left untested."""
    skipped = config.stash.get(_skipped_for_want_of_a_browser, 0)
    if skipped:
        terminalreporter.section("browser tests", yellow=True)
        terminalreporter.line(f"{skipped} browser tests were skipped: {_NO_BROWSER}.")
