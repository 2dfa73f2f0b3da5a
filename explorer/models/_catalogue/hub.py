"""Models of the hub, downloaded when they are chosen; pickled weights are refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explorer.errors import HubUnreachableError, ModelError
from explorer.models._catalogue.converted_store import cache_folder
from explorer.models._catalogue.file_transfer import download
from explorer.models._catalogue.hub_errors import OFFLINE_ADVICE, plain_errors
from explorer.models._catalogue.model_folder import check_weights, read_config, refuse_remote_code
from explorer.run_control import RunControl

_ANSWER_WITHIN_S = 5.0
# Only the top folder, because exports for other runtimes are in subfolders; and only the plain
# weights, because some repositories hold a second copy ("consolidated", "fp16").
_CONFIGURATION = ["config.json"]
_WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "model-*.safetensors"]
_WANTED = ["*.json", "*.jinja", "*.txt", "*.model", "tokenizer*", *_WEIGHTS]
_UNWANTED = ["*/*", "*.bin", "*.pt", "*.h5", "*.msgpack", "*.onnx", "*.gguf"]

# The hub's robot that opens a pull request with the weights as safetensors.
_CONVERTER = "SFconvertbot"
_CONVERTED_TITLE = "Adding `safetensors` variant of this model"


def is_cached(hub_id: str) -> bool:
    """Return whether a hub model was downloaded before, so that it loads without a network."""
    return downloaded_folder(hub_id, None) is not None


def fetch(hub_id: str, revision: str | None, control: RunControl) -> Path:
    """Return the folder of a hub model, downloaded unless it is in the cache.

    Parameters
    ----------
    hub_id
        ``"owner/name"``.
    revision
        Branch, tag, commit or ``"refs/pr/N"``. None for the main branch; if that has only pickled
        weights, for the pull request of the hub's converter.

    Raises
    ------
    HubUnreachableError
        If the hub does not answer within seconds, or offline mode is on.
    ModelNotFoundError
        If the hub has no such model or revision.
    ModelError
        If the model is gated, pickled, needs its own code, or does not fit on the disk.
    Cancelled
        If the cancel event of `control` was set.
    """
    cached = downloaded_folder(hub_id, revision)
    if cached is not None:
        return cached
    if _offline():
        raise HubUnreachableError(
            f"{hub_id} was not downloaded before and offline mode is on (HF_HUB_OFFLINE). "
            f"Unset it, or {OFFLINE_ADVICE}"
        )
    control.report("download", None, f"Looking up {hub_id} on the model hub ...")
    with plain_errors(hub_id):
        files = _files(hub_id, revision)
        if not any(_is_weights(name) for name in files) and revision is None:
            revision = _converted_revision(hub_id, files)
            if revision is not None:
                files = _files(hub_id, revision)
        _check_files(hub_id, list(files))
        size = sum(size for name, size in files.items() if _is_weights(name))
        _check_disk(hub_id, size)
        folder = _download(hub_id, revision, _CONFIGURATION, 0, control)
        refuse_remote_code(read_config(folder, hub_id), hub_id)
        folder = _download(hub_id, revision, _WANTED, size, control)
    _remember(hub_id, revision)
    return folder


def _files(hub_id: str, revision: str | None) -> dict[str, int]:
    """Return the sizes of a repository's files in bytes, by name."""
    return {
        file.rfilename: int(file.size or 0) for file in _listing(hub_id, revision).siblings or ()
    }


def _listing(hub_id: str, revision: str | None) -> Any:
    return _api().model_info(
        hub_id, revision=revision, timeout=_ANSWER_WITHIN_S, files_metadata=True
    )


def _converted_revision(hub_id: str, files: dict[str, int]) -> str | None:
    """Return the converter's pull request if it was made from the weights of the main branch.

    Only pull requests of the hub's robot are trusted. No conversion is requested.
    """
    if not any(name.endswith(".bin") for name in files):
        return None
    for discussion in _api().get_repo_discussions(
        hub_id,
        author=_CONVERTER,
        discussion_type="pull_request",
        discussion_status="open",
    ):
        made_by_robot = discussion.author == _CONVERTER and discussion.is_pull_request
        if made_by_robot and discussion.title == _CONVERTED_TITLE:
            revision = f"refs/pr/{discussion.num}"
            if _pickled_digests(hub_id, None) <= _pickled_digests(hub_id, revision):
                return revision
    return None


def _pickled_digests(hub_id: str, revision: str | None) -> set[tuple[str, str]]:
    """Return names and digests of the pickled weights of a revision."""
    return {
        (file.rfilename, file.lfs.sha256 if file.lfs is not None else str(file.blob_id))
        for file in _listing(hub_id, revision).siblings or ()
        if file.rfilename.endswith(".bin") and "/" not in file.rfilename
    }


def _is_weights(name: str) -> bool:
    return "/" not in name and (
        name == "model.safetensors" or (name.startswith("model-") and name.endswith(".safetensors"))
    )


def _check_files(hub_id: str, files: Sequence[str]) -> None:
    if any(_is_weights(name) for name in files):
        return
    if any("adapter_model" in name for name in files):
        raise ModelError(
            f"{hub_id} is an adapter, not a whole model. Load it with peft, merge it into its base "
            "model, save the result to a folder, and load that folder."
        )
    # transformers does not load safetensors of other names.
    check_weights([name for name in files if not name.endswith(".safetensors")], hub_id)


def _check_disk(hub_id: str, size: int) -> None:
    """Raise `ModelError` if the disk has too little space for `size` bytes."""
    folder = _hub_cache()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ModelError(
            f"{hub_id} takes {size / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free in "
            f"{folder}. Free some space, or set HF_HOME to a folder on a larger disk."
        )


def _download(
    hub_id: str, revision: str | None, patterns: list[str], size: int, control: RunControl
) -> Path:
    return download(
        {
            "repo_id": hub_id,
            "revision": revision,
            "allow_patterns": patterns,
            "ignore_patterns": _UNWANTED,
            "cache_dir": str(_hub_cache()),
            "endpoint": os.environ.get("HF_ENDPOINT") or None,
            "etag_timeout": _ANSWER_WITHIN_S,
            "max_workers": 2,
        },
        size,
        control,
    )


def downloaded_folder(hub_id: str, revision: str | None) -> Path | None:
    """Return the folder of a complete earlier download, or None."""
    revisions = [revision] if revision else [None, _remembered(hub_id)]
    if not repository_folder(hub_id).is_dir():
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    for candidate in revisions:
        try:
            folder = Path(
                snapshot_download(
                    hub_id,
                    revision=candidate,
                    cache_dir=str(_hub_cache()),
                    local_files_only=True,
                    allow_patterns=[*_CONFIGURATION, *_WEIGHTS],
                    ignore_patterns=_UNWANTED,
                )
            )
        except (LocalEntryNotFoundError, HFValidationError):
            continue
        names = [path.name for path in folder.iterdir()]
        if "config.json" in names and any(_is_weights(name) for name in names):
            return folder
    return None


def repository_folder(hub_id: str) -> Path:
    """Return the folder of all downloads of a hub model, whether or not it is there."""
    return _hub_cache() / f"models--{hub_id.replace('/', '--')}"


def _remembered(hub_id: str) -> str | None:
    """Return the revision that an earlier download of this model chose."""
    try:
        return _note(hub_id).read_text("utf-8").strip() or None
    except OSError:
        return None


def _remember(hub_id: str, revision: str | None) -> None:
    if revision is None or not revision.startswith("refs/pr/"):
        return
    try:
        _note(hub_id).parent.mkdir(parents=True, exist_ok=True)
        _note(hub_id).write_text(revision, "utf-8")
    except OSError:
        return  # the revision is then looked up again next time


def _note(hub_id: str) -> Path:
    return cache_folder() / "hub" / hub_id.replace("/", "--")


def _api() -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)


def _hub_cache() -> Path:
    if override := os.environ.get("HF_HUB_CACHE"):
        return Path(override).expanduser()
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _offline() -> bool:
    from huggingface_hub import constants

    switch = os.environ.get("HF_HUB_OFFLINE", "").upper()
    return switch in {"1", "ON", "YES", "TRUE"} or bool(constants.HF_HUB_OFFLINE)
