"""What every test runs under: no hub, a cache of its own, and a word about a missing browser."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
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


# No test asserts how long something takes: a busy machine is no reason to fail.
hypothesis.settings.register_profile("explorer", deadline=None)
hypothesis.settings.load_profile("explorer")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what a missing browser left untested; a line among the skips is overlooked."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "browser" in report.keywords and isinstance(report.longrepr, tuple)
    ]
    if skipped:
        reason = skipped[0].longrepr[2].removeprefix("Skipped: ")
        terminalreporter.section("browser tests", yellow=True)
        terminalreporter.line(f"{len(skipped)} browser tests did not run: {reason}")
