"""A lock that keeps two writers of one file apart."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from explorer.errors import TraceError


@contextlib.contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the right to write a file, across processes, until the block ends or the process dies.

    The lock is a file next to it, named ``.NAME.lock``, which holds the number of the process; the
    kernel releases it when the process ends in any way, so a lock file that a kill left behind
    locks nothing.

    Raises
    ------
    TraceError
        Another process, or another thread of this one, writes the file; or the folder cannot be
        written.
    """
    lock = path.absolute().with_name(f".{path.name}.lock")
    descriptor = _locked(lock, path)
    try:
        yield
    finally:
        # Removed while it is still locked: whoever opened it meanwhile notices and opens another.
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def _locked(lock: Path, path: Path) -> int:
    """Return the descriptor of a lock file that this process has locked."""
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise TraceError(f"{path} cannot be written ({reason}).") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            named = f"process {owner}" if owner else "another process"
            raise TraceError(
                f"{path} is being written by {named}. Wait until it has finished, or give another "
                "path."
            ) from None
        if _is_current(descriptor, lock):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor
        os.close(descriptor)


def _is_current(descriptor: int, lock: Path) -> bool:
    """Return whether the locked file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except FileNotFoundError:
        return False
