"""`make explore` and `make app` as a user without a browser meets them: an address that answers."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.slow

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S*")


@contextmanager
def served(target: str, repository: Path, home: Path):
    """Run what a make target runs once all is installed; yield the address that it prints."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment["HOME"] = str(home)
    plan = subprocess.run(
        ["make", "--dry-run", target, f"PORT={port}", "NO_BROWSER=1"],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    server = re.search(r"^\.venv/bin/(?:jupyter-lab|voila)\b.*", plan, re.DOTALL | re.MULTILINE)
    command = server.group().replace(".venv/bin", str(Path(sys.executable).parent))
    running = subprocess.Popen(
        ["sh", "-c", command],
        cwd=repository,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in running.stdout:
            lines.put(line)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield next_address(lines, running, deadline=time.monotonic() + 90), port
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=30)
        listener.join(timeout=30)
        running.stdout.close()


def next_address(lines: queue.Queue[str], running: subprocess.Popen[str], deadline: float) -> str:
    """The first address that a starting server prints."""
    said = []
    while time.monotonic() < deadline:
        try:
            line = lines.get(timeout=0.5)
        except queue.Empty:
            assert running.poll() is None, "".join(said)
            continue
        said.append(line)
        if found := ADDRESS.search(line):
            return found.group()
    raise AssertionError(f"no address within the time: {''.join(said)}")


def fetch(address: str, deadline: float) -> tuple[str, str]:
    """Where a page was found in the end, and its text; Jupyter prints before it listens."""
    while True:
        try:
            with urlopen(address, timeout=120) as page:
                return page.url, page.read().decode()
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_explore_prints_an_address_that_leads_to_the_notebook(repository, tmp_path):
    with served("explore", repository, tmp_path) as (address, port):
        assert f":{port}/lab/tree/notebooks/explorer.ipynb" in address
        found, _ = fetch(address, deadline=time.monotonic() + 30)
        assert "/lab/tree/notebooks/explorer.ipynb" in found


def test_app_shows_the_notebook_and_asks_no_other_host(repository, tmp_path):
    with served("app", repository, tmp_path) as (address, port):
        _, text = fetch(address, deadline=time.monotonic() + 30)
    assert f":{port}/" in address
    assert "application/vnd.jupyter.widget-view+json" in text
    assert "Read the feedback" not in text, "cells tagged notebook-only are for the notebook"
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]+?(?:src|href)=["']?([^"'\s>]+)""", text)
    assert [one for one in loaded if re.match(r"(?:https?:)?//", one)] == []
