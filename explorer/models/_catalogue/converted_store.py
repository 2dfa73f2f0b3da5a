"""Converted models stored on disk, so that a conversion happens once."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path

_MANIFEST = "explorer.json"
_SAMPLES = 64
_SAMPLE_BYTES = 65_536
_ABANDONED_AFTER_S = 3_600


def cache_folder() -> Path:
    """Return the folder of files that explorer can create again.

    The environment variable ``EXPLORER_CACHE`` overrides the user's cache directory.
    """
    if override := os.environ.get("EXPLORER_CACHE"):
        return Path(override).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("attention-explorer"))


def is_intact(folder: Path) -> bool:
    """Return whether a stored folder is complete and its files are unchanged.

    Sizes are compared exactly and contents by samples, so that checking half a gigabyte of weights
    takes milliseconds.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        return bool(manifest) and all(
            _fingerprint(folder / name) == fingerprint for name, fingerprint in manifest.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def store(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a folder atomically: it appears under its name only when complete.

    `write` fills a temporary folder in the same parent, which is then renamed. If two processes
    store the same folder, the first one stays and both continue.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.part"
    temporary.mkdir()
    try:
        write(temporary)
        manifest = {
            path.name: _fingerprint(path) for path in sorted(temporary.iterdir()) if path.is_file()
        }
        (temporary / _MANIFEST).write_text(json.dumps(manifest), "utf-8")
        if folder.exists() and not is_intact(folder):
            discard(folder)
        try:
            temporary.rename(folder)
        except OSError:
            if not is_intact(folder):  # another process may have stored the same folder first
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def discard(folder: Path) -> None:
    """Delete a folder; renaming it first takes it out of use at once."""
    renamed = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.part"
    try:
        folder.rename(renamed)
    except FileNotFoundError:
        return
    shutil.rmtree(renamed, ignore_errors=True)


def _fingerprint(path: Path) -> list[int]:
    """Return the size of a file and the checksum of samples spread over it."""
    size = path.stat().st_size
    checksum = 0
    with path.open("rb") as file:
        if size <= _SAMPLES * _SAMPLE_BYTES:
            checksum = zlib.crc32(file.read())
        else:
            for sample in range(_SAMPLES):
                file.seek((size - _SAMPLE_BYTES) * sample // (_SAMPLES - 1))
                checksum = zlib.crc32(file.read(_SAMPLE_BYTES), checksum)
    return [size, checksum]


def _sweep(parent: Path) -> None:
    """Delete temporary folders that a killed process left."""
    for leftover in parent.glob(".*.part"):
        try:
            if time.time() - leftover.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            continue
