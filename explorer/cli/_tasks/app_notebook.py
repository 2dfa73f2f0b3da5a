"""A notebook with the app on one file, and the server that shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from explorer.errors import InputError, MissingExtraError

_CODE_NAMES = """
c cc cpp cs css go h hpp html java js jsx kt lua m md php pl py r rb rs scala sh sql swift toml ts
tsx txt yaml yml
"""
_CODE = frozenset(f".{name}" for name in _CODE_NAMES.split())
_MOST_CODE_BYTES = 2**20


def kind_of(path: Path) -> str:
    """Return ``"code"`` or ``"traces"`` by the suffix of a file."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "code" if suffixes and suffixes[-1] in _CODE else "traces"


def app_source(path: Path | None, kind: str | None) -> str:
    """Return the Python of a cell that shows the app on a file; on its examples for None.

    Raises
    ------
    InputError
        The file cannot be read, is too large for the Code tab, or the kind is another word.
    """
    head = "from explorer import Explorer\n\n"
    if path is None:
        return f"{head}app = Explorer()\napp"
    if not path.is_file():
        raise InputError(f"There is no file {path}. Check the path and its spelling.")
    kind = kind or kind_of(path)
    if kind not in ("code", "traces"):
        raise InputError(f'--as takes "code" or "traces", but it is {kind!r}.')
    place = repr(str(path.resolve()))
    if kind == "traces":
        return f"{head}app = Explorer.from_traces({place})\napp"
    if path.stat().st_size > _MOST_CODE_BYTES:
        raise InputError(f"{path} is larger than 1 MB, too much code to look at.")
    return (
        f"from pathlib import Path\n\n{head}code = Path({place}).read_text('utf-8', "
        "errors='replace')\napp = Explorer.from_code(code)\napp"
    )


def write_notebook(folder: Path, source: str) -> Path:
    """Write a notebook of one cell, and return its path."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "app",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = folder / "explorer.ipynb"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(notebook)))
    return path


def server_command(notebook: Path, *, voila: bool, port: int | None, browser: bool) -> list[str]:
    """Return the command of a server on loopback that shows a notebook.

    Raises
    ------
    MissingExtraError
        JupyterLab or Voila is not installed.
    """
    from importlib.util import find_spec

    name = "voila" if voila else "jupyterlab"
    if find_spec(name) is None or find_spec("ipykernel") is None:
        raise MissingExtraError(
            f'Opening a file needs {name}. Install with: pip install "attention-explorer[lab]"',
            extra="lab",
            missing=(name,),
        )
    fixed = [] if port is None else [str(port)]
    if voila:
        command = [sys.executable, "-m", "voila", str(notebook), "--Voila.ip=127.0.0.1"]
        command += ["--template=explorer"] if _has_template() else []
        command += [f"--port={one}" for one in fixed]
        command += ["--Voila.port_retries=0"] * bool(fixed)
    else:
        command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.root_dir={notebook.parent}"]
        command += [f"--LabApp.default_url=/lab/tree/{notebook.name}", "--log-level=WARN"]
        command += [f"--ServerApp.port={one}" for one in fixed]
        command += ["--ServerApp.port_retries=0"] * bool(fixed)
        command += ["--allow-root"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
    return command if browser else [*command, "--no-browser"]


def _has_template() -> bool:
    return (Path(sys.prefix) / "share/jupyter/voila/templates/explorer").is_dir()


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def show(source: str, *, voila: bool, port: int | None, browser: bool) -> int:
    """Show a notebook of one cell until the server ends, and return the server's exit code."""
    with tempfile.TemporaryDirectory(prefix="attention-explorer-") as folder:
        notebook = write_notebook(Path(folder), source)
        command = server_command(notebook, voila=voila, port=port, browser=browser)
        environment = os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"}
        with subprocess.Popen(command, env=environment) as server:  # noqa: S603 - our own words
            old = signal.signal(signal.SIGTERM, _leave)
            try:
                return server.wait()
            finally:
                server.terminate()  # after Ctrl-C it would ask a question
                server.wait()
                signal.signal(signal.SIGTERM, old)
