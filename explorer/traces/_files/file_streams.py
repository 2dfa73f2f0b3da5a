"""Files on disk, and compressed ones, as streams that fail in words; files that appear whole."""

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
        raise TraceError(f"Give the path of a trace file; {path!r} is none.")
    try:
        return Path(os.fsdecode(path)).expanduser()
    except RuntimeError:  # the home folder of nobody
        return Path(os.fsdecode(path))


def opened(path: Path) -> io.BufferedIOBase:
    """Open a regular file, or say in plain words why that cannot be done."""
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
    """Write a file that appears whole or not at all; what was there stays until then.

    Raises
    ------
    OSError
        It cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(path)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write_whole(path: str | os.PathLike[str], contents: bytes, what: str) -> Path:
    """Write a file, whole or not at all, and return its path.

    Raises
    ------
    InputError
        It cannot be written; `what` it was to be, as in "The report", begins the sentence.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"{what} cannot be written to {path!r:.80}: give the path of a file.")
    file = Path(path)
    try:
        # What a link leads to is written, and the link stays.
        with appearing_whole(file.resolve()) as stream:
            stream.write(contents)
    except (OSError, ValueError, RuntimeError) as error:
        # ValueError: a NUL in the name; RuntimeError: a link to itself.
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{what} cannot be written to {file}: {reason}.") from None
    return file


def unpacked(packed: io.BufferedIOBase) -> io.BufferedIOBase:
    """Return what a gzip stream holds, as a stream."""
    return io.BufferedReader(_Unpacked(packed), 2**18)


def first_bytes(stream: io.BufferedIOBase) -> bytes:
    """Return some bytes of the beginning by one read only: a file cut off may fail at the next."""
    return stream.read1(4096)


class BrokenStream(TraceError):
    """A compressed file cannot be unpacked from here on."""


class _Unpacked(io.RawIOBase):
    """A gzip stream that ends in our own error where it is damaged, or grows beyond reason."""

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
            # One read only, so that what comes before the damage is not lost with it.
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
                f"the compressed file unpacks to more than {_BOMB_RATIO} times its size, which no "
                "file of traces does. Unpack it yourself if you trust it."
            )
        return len(found)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()
