"""Streams of plain and compressed files, and files that are written whole or not at all."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import os
import stat
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

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
            raise TraceError(f"{path} is a folder; load_traces reads all trace files in one.")
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


COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""The first bytes of compressed files, and the name of their compression."""


def compression_of(head: bytes) -> str | None:
    """Return the compression of a file with these first bytes, or None."""
    return next((name for magic, name in COMPRESSED.items() if head.startswith(magic)), None)


def unpacked(packed: io.BufferedIOBase, compression: str = "gzip") -> io.BufferedIOBase:
    """Return the decompressed stream of a compressed stream."""
    return io.BufferedReader(_Unpacked(packed, compression), 2**18)


def recoded(stream: io.BufferedIOBase, encoding: str) -> io.BufferedIOBase:
    """Return a text stream of another encoding as UTF-8."""
    return io.BufferedReader(_Recoded(stream, encoding), 2**18)


def first_bytes(stream: io.BufferedIOBase) -> bytes:
    """Return the first bytes with a single read, since the next may fail in a truncated file."""
    return stream.read1(4096)


class BrokenStream(TraceError):
    """A compressed file cannot be unpacked from here on."""


class _ForwardStream(io.RawIOBase):
    """A stream that is made from another one, and can be read again from its beginning."""

    def __init__(self) -> None:
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go forward, by reading; to go back, open the file again."""
        target = offset + (self._position if whence == 1 else 0)
        if whence == 2 or target < self._position:
            raise io.UnsupportedOperation("only forward")
        while self._position < target and self.read(min(2**20, target - self._position)):
            pass
        return self._position

    def readinto(self, buffer: Any) -> int:
        found = self._more(len(buffer))
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def _more(self, size: int) -> bytes:
        raise NotImplementedError


class _Unpacked(_ForwardStream):
    """A compressed stream; BrokenStream where it is damaged or unpacks to far too much."""

    def __init__(self, packed: io.BufferedIOBase, compression: str) -> None:
        super().__init__()
        self._packed = packed
        self._stream = _decompressor(packed, compression)

    def _more(self, size: int) -> bytes:
        try:
            # A single read, so that the bytes before the damage are not lost.
            found: bytes = self._stream.read1(size)
        except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
            reason = str(error) or type(error).__name__
            raise BrokenStream(
                f"the compressed file is damaged or cut off here ({reason})."
            ) from None
        unpacked_bytes = self._position + len(found)
        if unpacked_bytes > _BOMB_BYTES and unpacked_bytes > _BOMB_RATIO * self._packed.tell():
            raise BrokenStream(
                f"the compressed file unpacks to more than {_BOMB_RATIO} times its size, unlike "
                "any file of traces. Unpack it yourself if you trust it."
            )
        return found

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()


def _decompressor(packed: io.BufferedIOBase, compression: str) -> Any:
    """Return a stream with `read1`."""
    if compression == "bz2":
        return bz2.BZ2File(packed)
    if compression == "xz":
        return lzma.LZMAFile(cast("IO[bytes]", packed))
    if compression == "zstd":
        import pyarrow as pa  # type: ignore[import-untyped]

        return _Read1(pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd"))
    return gzip.GzipFile(fileobj=packed)


class _Read1:
    """The stream of pyarrow, whose `read` gives what there is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read1(self, size: int) -> bytes:
        return bytes(self._stream.read(min(size, 2**16)))

    def close(self) -> None:
        self._stream.close()


class _Recoded(_ForwardStream):
    """Text of another encoding as UTF-8."""

    def __init__(self, stream: io.BufferedIOBase, encoding: str) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        self._waiting = b""
        self._encoding = encoding

    def _more(self, size: int) -> bytes:
        while len(self._waiting) < size:
            raw = self._stream.read(2**16)
            try:
                text = self._decoder.decode(raw, final=not raw)
            except UnicodeDecodeError:
                raise BrokenStream(f"the text is not {self._encoding} from here on.") from None
            self._waiting += text.encode("utf-8", "replace")
            if not raw:
                break
        found, self._waiting = self._waiting[:size], self._waiting[size:]
        return found

    def close(self) -> None:
        self._stream.close()
        super().close()
