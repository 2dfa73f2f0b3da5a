"""The files of models on this machine: where they are, how large, and how to delete them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ModelError, ModelNotFoundError
from explorer.models._catalogue.converted_store import discard
from explorer.models._catalogue.gguf_conversion import stored_folder
from explorer.models._catalogue.hub import downloaded_folder, repository_folder
from explorer.models._catalogue.packaged_models import find_packaged


@dataclass(frozen=True)
class ModelFiles:
    """The files of one model.

    Attributes
    ----------
    name
        Name of the model.
    installed
        Folder or file that it is loaded from; None if it is not on this machine.
    removable
        Folder that can be deleted: a conversion, which is made again when needed, or a download.
    """

    name: str
    installed: Path | None
    removable: Path | None

    @property
    def removable_bytes(self) -> int:
        """Bytes that deleting would free."""
        return 0 if self.removable is None else folder_bytes(self.removable)


def model_files(name: str) -> ModelFiles:
    """Return the files of a model; the network is not used.

    Parameters
    ----------
    name
        As for `load_model`: a packaged model, a folder, or a hub id.
    """
    packaged = find_packaged(name)
    if packaged is not None:
        path = packaged.locate()
        converted = None if path is None or path.is_dir() else stored_folder(path)
        if converted is not None and not converted.is_dir():
            converted = None
        return ModelFiles(packaged.name, path, converted)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return ModelFiles(name, folder, None)
    plain, _, revision = name.strip().partition("@")
    downloaded = repository_folder(plain)
    return ModelFiles(
        name,
        downloaded_folder(plain, revision or None),
        downloaded if downloaded.is_dir() else None,
    )


def free_model(name: str) -> int:
    """Delete the conversion or the download of a model, and return the number of bytes freed.

    Wheels and folders of the user are not touched.

    Raises
    ------
    ModelNotFoundError
        There is nothing to delete.
    ModelError
        The files cannot be deleted.
    """
    found = model_files(name)
    if found.removable is None:
        raise ModelNotFoundError(
            f"There is no download or conversion of {name!r:.80} to delete. "
            "`attention-explorer models list` shows those that take space."
        )
    size = found.removable_bytes
    try:
        if find_packaged(name) is not None:
            discard(found.removable)
        else:
            shutil.rmtree(found.removable)
    except OSError as error:
        raise ModelError(
            f"{found.removable} cannot be deleted ({error.strerror or error})."
        ) from None
    return size


def folder_bytes(folder: Path) -> int:
    """Return the bytes of a folder's files; a link counts for nothing."""
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
