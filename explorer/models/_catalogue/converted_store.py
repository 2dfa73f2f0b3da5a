"""Converted models stored on disk, so that a conversion happens once."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MANIFEST = "explorer.json"
_SAMPLES = 64
_SAMPLE_BYTES = 65_536
_ABANDONED_AFTER_S = 3_600
_BLOCK_BYTES = 2**22
_LOOK_AGAIN_S = 0.1


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
            _fingerprint(folder / name) == fingerprint[:2] for name, fingerprint in manifest.items()
        )
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def is_unchanged(folder: Path) -> bool:
    """Return whether every byte of a stored folder is as it was written.

    Folders of earlier releases have no checksum of the whole: they count as unchanged when intact.
    """
    if not is_intact(folder):
        return False
    manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
    return all(
        len(fingerprint) < 3 or _checksum(folder / name) == fingerprint[2]
        for name, fingerprint in manifest.items()
    )


@contextmanager
def only_writer_of(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the right to write a stored folder, across processes.

    `waiting` is called again and again while another process, or thread, has it; it may raise. The
    lock ends with its process, however that ends.

    Raises
    ------
    OSError
        If the parent folder cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}.lock")
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), lock.stat()):
                break
        except FileNotFoundError:
            pass  # whoever had it has removed it
        except BlockingIOError:
            waiting()
            time.sleep(_LOOK_AGAIN_S)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield
    finally:
        # Removed while it is still locked: whoever opened it meanwhile notices and opens another.
        with suppress(OSError):
            lock.unlink()
        os.close(descriptor)


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
            path.name: [*_fingerprint(path), _checksum(path)]
            for path in sorted(temporary.iterdir())
            if path.is_file()
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


def _checksum(path: Path) -> int:
    """Return the checksum of a whole file."""
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _sweep(parent: Path) -> None:
    """Delete temporary folders that a killed process left."""
    for leftover in parent.glob(".*.part"):
        try:
            if time.time() - leftover.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            continue
