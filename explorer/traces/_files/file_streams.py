"""Streams of plain and compressed files, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import stat
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from explorer.errors import InputError, TraceError

_BOMB_BYTES = 8 * 2**20
_BOMB_RATIO = 400


def checked_path(path: object) -> Path:
    """Return a path, with ~ for the home folder."""
    if not isinstance(path, str | os.PathLike) or str(path) == "":
        raise TraceError(f"Give the path of a trace file, not {path!r}.")
    try:
        return Path(os.fsdecode(path)).expanduser()
    except RuntimeError:  # there is no home folder
        return Path(os.fsdecode(path))


def opened(path: Path) -> io.BufferedIOBase:
    """Return a regular file opened for reading; raise TraceError with the reason if that fails."""
    try:
        mode = path.stat().st_mode
        stream = path.open("rb") if stat.S_ISREG(mode) else None
    except FileNotFoundError:
        raise TraceError(f"There is no file {path}. Check the path and its spelling.") from None
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the name.
        reason = getattr(error, "strerror", None) or str(error)
        raise TraceError(f"{path} cannot be read ({reason}).") from None
    if stream is None:
        if stat.S_ISDIR(mode):
            raise TraceError(f"{path} is a folder; give the path of a trace file in it.")
        raise TraceError(f"{path} is not an ordinary file.")
    return stream


@contextlib.contextmanager
def appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream to a file that is written whole or not at all; an older file stays until then.

    Raises
    ------
    OSError
        It cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with unfinished.open("wb") as stream:
            yield stream
            # On the disk before it takes the name, so that a power failure leaves the older file.
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write_whole(path: str | os.PathLike[str], contents: bytes, what: str) -> Path:
    """Write a file, whole or not at all, and return its path.

    Raises
    ------
    InputError
        It cannot be written; `what`, as in "The report", begins the sentence.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"{what} cannot be written to {path!r:.80}: give the path of a file.")
    file = Path(path)
    try:
        # Resolved: the target of a link is written, and the link stays.
        with appearing_whole(file.resolve()) as stream:
            stream.write(contents)
    except (OSError, ValueError, RuntimeError) as error:
        # ValueError: a NUL in the name; RuntimeError: a link to itself.
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{what} cannot be written to {file}: {reason}.") from None
    return file


def unpacked(packed: io.BufferedIOBase) -> io.BufferedIOBase:
    """Return the decompressed stream of a gzip stream."""
    return io.BufferedReader(_Unpacked(packed), 2**18)


def first_bytes(stream: io.BufferedIOBase) -> bytes:
    """Return the first bytes with a single read, since the next may fail in a truncated file."""
    return stream.read1(4096)


class BrokenStream(TraceError):
    """A compressed file cannot be unpacked from here on."""


class _Unpacked(io.RawIOBase):
    """A gzip stream that raises BrokenStream where it is damaged or unpacks to far too much."""

    def __init__(self, packed: io.BufferedIOBase) -> None:
        self._packed = packed
        self._stream = gzip.GzipFile(fileobj=packed)
        self._count = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            # A single read, so that the bytes before the damage are not lost.
            found = self._stream.read1(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            reason = str(error) or type(error).__name__
            raise BrokenStream(
                f"the compressed file is damaged or cut off here ({reason})."
            ) from None
        buffer[: len(found)] = found
        self._count += len(found)
        if self._count > _BOMB_BYTES and self._count > _BOMB_RATIO * self._packed.tell():
            raise BrokenStream(
                f"the compressed file unpacks to more than {_BOMB_RATIO} times its size, unlike "
                "any file of traces. Unpack it yourself if you trust it."
            )
        return len(found)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()
