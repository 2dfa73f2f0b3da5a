"""`load_model`: a name to a loaded model; the most recent models stay in memory."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from explorer.errors import ModelNotFoundError
from explorer.models._catalogue.packaged_models import find_packaged
from explorer.run_control import ProgressCallback, RunControl

if TYPE_CHECKING:
    from explorer.models._running.model import Model

_KEPT = 3
_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?(@[\w./-]+)?", re.ASCII)

_loaded: LRUCache[str, Model] = LRUCache(_KEPT)
_loading = threading.RLock()


def load_model(
    name: str,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Model:
    """Return a model by name, in float32 and evaluation mode, on the CPU.

    Parameters
    ----------
    name
        A packaged model (``"SmolLM2-135M-Instruct"``, ``"all-MiniLM-L6-v2"``, in any case), a
        local folder, or a hub id (``"owner/name"``, or ``"owner/name@revision"``). The network is
        used only for a hub id that was not downloaded before.
    progress
        Called with `Progress` steps, from the calling thread or a download thread.
    cancel
        Set it to stop loading.

    Returns
    -------
    Model
        The three most recent models stay in memory, and loading one of them again is instant.

    Raises
    ------
    ModelNotFoundError
        If there is no model of this name.
    HubUnreachableError
        If the hub does not answer within seconds.
    ModelError
        If the weights are pickled or incomplete, or the model needs code from its repository.
    MissingExtraError
        If the packaged SmolLM2 must be converted and the extra ``gguf`` is not installed.
    Cancelled
        If `cancel` was set.
    """
    control = RunControl(progress, cancel)
    key = _key(name)
    control.check()
    while not _loading.acquire(timeout=0.1):
        control.report("loading", None, "Waiting for another load to finish ...")
    try:
        if key in _loaded:
            model = _loaded[key]
            control.report("loading", 1.0, f"{model.name} is ready.")
            return model
        model = _load(name.strip(), control)
        _loaded[key] = model
        return model
    finally:
        _loading.release()


def load_uncached(name: str) -> Model:
    """Return a model as `load_model` does, without keeping it: the caller decides how long.

    A model that `load_model` keeps is not loaded again. Errors as `load_model`.
    """
    key = _key(name)
    with _loading:
        return _loaded[key] if key in _loaded else _load(name.strip(), RunControl())


def clear_models() -> None:
    """Release the models that `load_model` keeps in memory."""
    with _loading:
        _loaded.clear()


def warm_up() -> threading.Thread:
    """Return a started thread that imports torch and transformers, so that the first load is fast.

    Returns
    -------
    threading.Thread
        Join it to wait.
    """
    thread = threading.Thread(target=_warm_up, name="explorer-warm-up", daemon=True)
    thread.start()
    return thread


def _warm_up() -> None:
    from explorer.models._catalogue.preload import import_libraries

    # A load that starts now waits, because two threads cannot import transformers at once.
    with _loading:
        import_libraries()


def _key(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ModelNotFoundError(
            "Give the name of a model: a packaged model such as 'SmolLM2-135M-Instruct', "
            "a folder, or a hub id such as 'microsoft/codebert-base'."
        )
    packaged = find_packaged(name)
    if packaged is not None:
        return packaged.name
    name = name.strip()
    folder = _path(name)
    return str(folder.resolve()) if folder.is_dir() else name


def _path(name: str) -> Path:
    """Return a name as a path of this machine.

    Raises
    ------
    ModelNotFoundError
        The name is not a valid path.
    """
    try:
        folder = Path(name).expanduser()
        folder.is_dir()
    except (OSError, RuntimeError) as error:  # too long, or the home folder of an unknown user
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelNotFoundError(
            f"There is no model or folder {name[:60]!r} ({reason}). Check the spelling."
        ) from None
    return folder


def _load(name: str, control: RunControl) -> Model:
    from explorer.models._catalogue.gguf_conversion import load_packaged
    from explorer.models._catalogue.model_folder import load_folder
    from explorer.models._running.model import Model

    packaged = find_packaged(name)
    parts: tuple[Any, Any]
    if packaged is not None:
        parts = load_packaged(packaged, control)
        return Model(*parts, name=packaged.name, label=packaged.label)
    folder = _path(name)
    if folder.is_dir():
        parts = load_folder(folder, name, control)
        return Model(*parts, name=name, label=folder.resolve().name)
    if folder.is_file():
        raise ModelNotFoundError(
            f"{name} is a file. Give the folder that holds config.json and model.safetensors."
        )
    if not _HUB_ID.fullmatch(name):
        if name.startswith((".", "/", "~", "\\")) or name.count("/") > 1:
            raise ModelNotFoundError(f"There is no folder {name}. Check the path.")
        raise ModelNotFoundError(
            f"{name!r} is neither a packaged model, nor a folder, nor a hub id "
            "(owner/name). Check the spelling."
        )
    from explorer.models._catalogue.hub import fetch

    hub_id, _, revision = name.partition("@")
    parts = load_folder(fetch(hub_id, revision or None, control), name, control)
    return Model(*parts, name=name, label=name)
