"""From a name to a loaded model."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import ModelNotFoundError
from explorer.models._catalogue.packaged_models import find_packaged
from explorer.run_control import ProgressCallback, RunControl

if TYPE_CHECKING:
    from explorer.models._running.model import Model

_KEPT = 3
_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?(@[\w./-]+)?", re.ASCII)

_loaded: OrderedDict[str, Model] = OrderedDict()
_loading = threading.RLock()


def load_model(
    name: str,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Model:
    """Load a model, in float32 and evaluation mode, on the CPU.

    Parameters
    ----------
    name
        A packaged model (``"SmolLM2-135M-Instruct"``, ``"all-MiniLM-L6-v2"``, in any case), a
        local folder, or a hub id (``"owner/name"``, or ``"owner/name@revision"``). The network is
        touched only for a hub id that was not downloaded before.
    progress
        Called with `Progress` steps, from the calling thread or a download thread.
    cancel
        Set it to stop; `Cancelled` is raised.

    Returns
    -------
    Model
        The last few loaded models stay in memory, so that choosing one again is instant.

    Raises
    ------
    ModelNotFoundError
        If there is no such model.
    HubUnreachableError
        If the hub does not answer within seconds.
    ModelError
        If the weights are pickled, incomplete, or need code from the model's repository.
    Cancelled
        If `cancel` was set.
    """
    control = RunControl(progress, cancel)
    key = _key(name)
    control.check()
    while not _loading.acquire(timeout=0.1):
        control.report("loading", None, "Waiting for what is being loaded already ...")
    try:
        if key in _loaded:
            _loaded.move_to_end(key)
            control.report("loading", 1.0, f"{_loaded[key].name} is ready.")
            return _loaded[key]
        model = _load(name.strip(), control)
        _loaded[key] = model
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
        return model
    finally:
        _loading.release()


def clear_models() -> None:
    """Forget the models that `load_model` keeps in memory."""
    with _loading:
        _loaded.clear()


def warm_up() -> threading.Thread:
    """Import torch and transformers in a background thread, so that the first load is quicker.

    Returns
    -------
    threading.Thread
        Started already; join it to wait.
    """
    thread = threading.Thread(target=_warm_up, name="explorer-warm-up", daemon=True)
    thread.start()
    return thread


def _warm_up() -> None:
    from explorer.models._catalogue.preload import import_libraries

    # A load that begins meanwhile waits: transformers does not bear being imported by two threads.
    with _loading:
        import_libraries()


def _key(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ModelNotFoundError(
            "Give the name of a model: a packaged one such as 'SmolLM2-135M-Instruct', "
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
        No file system takes such a name.
    """
    try:
        folder = Path(name).expanduser()
        folder.is_dir()
    except (OSError, RuntimeError) as error:  # too long; a home folder of nobody
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
