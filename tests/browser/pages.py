"""Notebook pages for tests and benchmarks: servers, a browser, and a hand on the kernel behind.

Used through the fixtures of `conftest.py`; the scripts in `benchmarks/` use it directly.

A `Host` is one running server (JupyterLab, Notebook or Voila) with folders of its own. Its `open`
makes a notebook from cells, shows it, runs it, and returns a `Shown`: the Playwright page, the
kernel (`shown.run("code")` returns what the code printed or its last value), and ways to look.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
import numpy as np
import numpy.typing as npt
import psutil
from jupyter_client.blocking import BlockingKernelClient
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Playwright, WebSocket
from playwright.sync_api import Error as PlaywrightError

ROOT = Path(__file__).parents[2]
HostName = Literal["lab", "notebook", "voila"]

CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

# A first start on a slow, shared machine takes its time; everything else waits on conditions.
START_SECONDS = 120
# A wait fails when neither the app nor its kernel has made progress for this long. A test on a
# machine that is busy with other work is slow, and must not fail.
STALL_SECONDS = 60
_LOOK_SECONDS = 1.0


def find_chromium() -> str | None:
    """Return the browser to drive: `$CHROMIUM`, or one of the usual names, or None."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def launch_chromium(playwright: Playwright) -> Browser:
    """Start headless Chromium without anything that reaches for the network."""
    return playwright.chromium.launch(
        executable_path=find_chromium(), headless=True, args=list(CHROMIUM_FLAGS)
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Host:
    """One running Jupyter server with fresh configuration, data and runtime folders.

    Parameters
    ----------
    name
        "lab", "notebook" or "voila".
    folder
        An empty folder for notebooks, settings and logs.
    environment
        Variables on top of the current ones, such as a cache folder.
    """

    def __init__(
        self, name: HostName, folder: Path, environment: dict[str, str] | None = None
    ) -> None:
        self.name, self.folder = name, folder
        self.notebooks = folder / "notebooks"
        self.runtime = folder / "runtime"
        self._numbers = itertools.count(1)
        for part in (self.notebooks, self.runtime, folder / "config", folder / "data"):
            part.mkdir(parents=True)
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            '{"fetchNews": "false", "checkForUpdates": false}'
        )
        self.environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            **(environment or {}),
        }
        self.port = _free_port()
        self.log = folder / "server.log"
        self._started = threading.Event()
        self._process = subprocess.Popen(
            self._command(),
            cwd=self.notebooks,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._started.wait(START_SECONDS):
            self.close()
            raise RuntimeError(f"{name} did not start; its log:\n{self.log.read_text()}")

    def _command(self) -> list[str]:
        jupyter = [sys.executable, "-m"]
        if self.name == "voila":
            return [
                *jupyter, "voila", str(self.notebooks), "--no-browser", f"--port={self.port}",
                "--Voila.ip=127.0.0.1", "--show_tracebacks=True",
                f"--Voila.connection_dir_root={self.runtime}",
            ]  # fmt: skip
        app = {"lab": "jupyterlab", "notebook": "notebook"}[self.name]
        owner = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}[self.name]
        return [
            *jupyter, app, "--no-browser", "--allow-root", f"--port={self.port}",
            "--ip=127.0.0.1", f"--ServerApp.root_dir={self.notebooks}",
            "--IdentityProvider.token=", "--ServerApp.password=",
            "--ServerApp.disable_check_xsrf=True", f"--{owner}.expose_app_in_browser=True",
        ]  # fmt: skip

    def _read_log(self) -> None:
        assert self._process.stdout is not None
        with self.log.open("w") as log, self._process.stdout as lines:
            for line in lines:
                log.write(line)
                log.flush()
                if "is running at" in line:
                    self._started.set()

    def close(self) -> None:
        """Stop the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)

    def address(self, notebook: str) -> str:
        """Return the address that shows a notebook of this server's folder."""
        # A workspace each in Lab: it would open the notebooks of earlier tests again.
        lab = f"lab/workspaces/{Path(notebook).stem}/tree"
        path = {"lab": lab, "notebook": "notebooks", "voila": "voila/render"}[self.name]
        return f"http://127.0.0.1:{self.port}/{path}/{notebook}"

    def write(self, cells: Sequence[str], name: str | None = None) -> str:
        """Write a notebook of code cells and return its file name."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        name = name or f"shown-{next(self._numbers)}.ipynb"
        nbformat.write(notebook, self.notebooks / name)
        return name

    @contextmanager
    def open(
        self,
        browser: Browser,
        cells: Sequence[str],
        *,
        size: tuple[int, int] = (1280, 900),
        dark: bool = False,
        before: Callable[[Page], None] | None = None,
    ) -> Iterator[Shown]:
        """Show a notebook made of `cells`, run all of it, and yield what is shown.

        Parameters
        ----------
        size
            Width and height of the browser window in CSS pixels.
        dark
            Whether the browser asks for dark colours (JupyterLab has a theme of its own).
        before
            Called with the empty page, for routes and scripts that must come first.
        """
        name = self.write(cells)
        kernels = set(self.runtime.rglob("kernel-*.json"))
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(STALL_SECONDS * 1000)
        page = context.new_page()
        shown = Shown(self, page)
        try:
            if before is not None:
                before(page)
            page.goto(self.address(name))
            if self.name != "voila":
                page.wait_for_function(
                    "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
                    "?.connectionStatus === 'connected'"
                )
                page.evaluate(
                    "() => { window.ran = window.jupyterapp.commands"
                    ".execute('notebook:run-all-cells'); }"
                )
            wait_until(page, lambda: set(self.runtime.rglob("kernel-*.json")) - kernels)
            (connection,) = set(self.runtime.rglob("kernel-*.json")) - kernels
            shown.connect(connection)
            yield shown
        finally:
            shown.close()
            context.close()


@dataclass
class Frame:
    """One message that came over a web socket."""

    at: float
    size: int


class Shown:
    """A notebook on a page, and the kernel behind it.

    Attributes
    ----------
    page
        The Playwright page.
    received, sent
        Web-socket messages from and to the server, with sizes in bytes.
    console
        Errors and warnings of the page's console.
    """

    def __init__(self, host: Host, page: Page) -> None:
        self.host, self.page = host, page
        self.received: list[Frame] = []
        self.sent: list[Frame] = []
        self.console: list[str] = []
        self._client: BlockingKernelClient | None = None
        self._kernel: psutil.Process | None = None
        page.on("websocket", self._count)
        page.on(
            "console",
            lambda m: self.console.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.console.append(str(error)))

    def _count(self, socket: WebSocket) -> None:
        def note(frames: list[Frame]) -> Callable[[Any], None]:
            return lambda payload: frames.append(Frame(time.perf_counter(), len(payload)))

        socket.on("framereceived", note(self.received))
        socket.on("framesent", note(self.sent))

    def connect(self, connection: Path) -> None:
        """Attach to the kernel by its connection file."""
        self._client = BlockingKernelClient(connection_file=str(connection))
        self._client.load_connection_file()
        # Without the heart-beat channel: on a busy machine a late beat reads as a dead kernel.
        self._client.start_channels(hb=False)
        self._client.wait_for_ready(timeout=START_SECONDS)
        self._kernel = psutil.Process(int(self.run("import os; print(os.getpid())")))

    def close(self) -> None:
        """Detach from the kernel and shut it down."""
        if self._client is not None:
            self._client.shutdown()
            self._client.stop_channels()

    def run(self, code: str) -> str:
        """Run code in the notebook's kernel; return what it printed and its last value.

        Raises
        ------
        RuntimeError
            When the code fails, with its traceback.
        TimeoutError
            When the kernel stalls.
        """
        assert self._client is not None
        texts: list[str] = []
        request = self._client.execute(code, store_history=False)
        watch = Stall(self._kernel_time)
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=_LOOK_SECONDS)
            except queue.Empty:
                watch.check(lambda: f"the kernel runs {code!r}")
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            match message["header"]["msg_type"]:
                case "stream":
                    texts.append(content["text"])
                case "execute_result":
                    texts.append(content["data"].get("text/plain", ""))
                case "error":
                    raise RuntimeError("\n".join(content["traceback"]))
                case "status" if content["execution_state"] == "idle":
                    return "".join(texts).strip()

    def drive(self) -> None:
        """Make `driver` in the kernel: an `AppDriver` of `app`, to look at its parts by name."""
        self.run("from tests.support.app_driver import AppDriver; driver = AppDriver(app)")

    def execute(self, code: str) -> None:
        """Have code run in the kernel without waiting for it."""
        assert self._client is not None
        self._client.execute(code, store_history=False)

    def _kernel_time(self) -> float:
        """Return the processor time of the kernel in half seconds, whole ones."""
        if self._kernel is None:
            return 0.0
        with contextlib.suppress(psutil.Error):
            times = self._kernel.cpu_times()
            return (times.user + times.system) * 2 // 1
        return 0.0

    def _progress(self) -> tuple[float, str]:
        """Return what changes while work goes on: the kernel's time, and the text of the app."""
        words = "[...document.querySelectorAll('.explorer-app')].map((e) => e.innerText).join()"
        return self._kernel_time(), str(self.page.evaluate(f"() => {words}"))

    def wait_until(
        self,
        condition: Callable[[], Any],
        what: Callable[[], str] = lambda: "condition",
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """Return as soon as `condition()` is true, letting the page live meanwhile.

        Raises
        ------
        TimeoutError
            When app and kernel have come to rest for `stall_seconds` before it was true; the
            message ends with `what()`.
        """
        watch = Stall(self._progress, stall_seconds)
        while not condition():
            watch.check(what)
            self.page.wait_for_timeout(25)

    def wait_for(self, place: Locator, *, visible: bool = True) -> None:
        """Return once a place is visible (or is not)."""
        self.wait_until(
            lambda: place.is_visible() == visible,
            lambda: f"{place} is {'not ' if visible else ''}visible: {self.console}",
        )

    def value(self, expression: str) -> Any:
        """Return the value of an expression of numbers, texts, tuples, lists and dicts."""
        return eval(self.run(f"print(repr(({expression})))"), {"nan": float("nan")})  # noqa: S307

    def wait_for_value(self, expression: str, is_right: Callable[[Any], bool]) -> Any:
        """Return the value of an expression in the kernel once it is right."""
        found: list[Any] = [None]

        def look() -> bool:
            found[0] = self.value(expression)
            return is_right(found[0])

        self.wait_until(look, lambda: f"{expression} is {found[0]!r}")
        return found[0]

    def plot(self, number: int = 0) -> Locator:
        """Return the number-th plot of the page once it is drawn, scrolled into view."""
        plot = self.page.locator(".explorer-plot").nth(number)
        plot.wait_for(state="attached")
        plot.scroll_into_view_if_needed()
        self.wait_until(
            lambda: plot.get_attribute("data-state") == "ready",
            lambda: f"plot {number} is {plot.get_attribute('data-state')}: {self.console}",
        )
        return plot

    def wait_for_change(
        self, place: Locator, before: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.uint8]:
        """Return the picture of a place once it differs from `before`."""
        found = [before]

        def look() -> bool:
            found[0] = picture(place)
            return found[0].shape != before.shape or bool((found[0] != before).any())

        self.wait_until(look, lambda: "the picture is as before")
        return found[0]


def picture(place: Locator | Page) -> npt.NDArray[np.uint8]:
    """Return what a place of the page looks like: uint8 (height, width, 3).

    An element that the page replaces in that moment is looked for again.
    """
    for tries in itertools.count(1):
        try:
            taken = place.screenshot(animations="disabled")
            break
        except PlaywrightError as error:
            if "not attached" not in str(error) or tries == 5:
                raise
    image = Image.open(io.BytesIO(taken))
    return np.asarray(image.convert("RGB"))


class Stall:
    """Says when something that should get further has stood still for too long.

    Parameters
    ----------
    progress
        Returns what differs from the last time as long as there is progress.
    seconds
        How long it may be the same.
    """

    def __init__(self, progress: Callable[[], Any], seconds: float = STALL_SECONDS) -> None:
        self._progress, self._seconds = progress, seconds
        self._last, self._since = progress(), time.monotonic()
        self._looked = self._since

    def check(self, what: Callable[[], str]) -> None:
        """Raise `TimeoutError` when there was no progress for so long."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked, newest = now, self._progress()
        if newest != self._last:
            self._last, self._since = newest, now
        elif now - self._since > self._seconds:
            raise TimeoutError(f"Nothing has changed for {self._seconds:.0f} s: {what()}")


def wait_until(
    page: Page,
    condition: Callable[[], Any],
    seconds: float = STALL_SECONDS,
    what: Callable[[], str] = lambda: "condition",
) -> None:
    """Return as soon as `condition()` is true, for pages without an app: see `Shown.wait_until`.

    Raises
    ------
    TimeoutError
        When it has not become true in time; the message ends with `what()`.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"Not so after {seconds} s: {what()}")
        page.wait_for_timeout(25)
