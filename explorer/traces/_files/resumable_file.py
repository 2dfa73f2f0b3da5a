"""A file of lines that a stopped job left behind, and which the next one continues."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from explorer.errors import TraceError
from explorer.traces._files.file_streams import appearing_whole

_BEGIN = b'{"id":'


class _LinePosition(NamedTuple):
    start: int
    length: int


class ResumableFile:
    """A file of JSON lines, one for each name, that survives a kill at any time.

    Each line begins with ``{"id":`` and is written in one piece at the end. A kill while a line is
    written leaves a part of it; `read_back` removes that part, and all other lines are complete.
    The memory needed is about 200 bytes a line.

    Parameters
    ----------
    path
        The file; created when the first line is written.

    Raises
    ------
    TraceError
        The path is not valid, is a folder, or its folder does not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        no_name = "\0" in str(self.path)
        if no_name or self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise TraceError(
                f"The traces cannot be written to {str(self.path)!r}: give the path of a file in a "
                "folder that exists."
            )
        self._places: dict[str, _LinePosition] = {}
        self._stream: BinaryIO | None = None

    def __contains__(self, name: str) -> bool:
        """Return True when the line of this name is complete."""
        return name in self._places

    def __len__(self) -> int:
        """Return the number of complete lines."""
        return len(self._places)

    @property
    def has_lines(self) -> bool:
        """True when the file is not empty."""
        return self.path.exists() and self.path.stat().st_size > 0

    def read_back(self, judged: Callable[[bytes, int], tuple[str, bool]]) -> None:
        """Keep the good lines of a file that was written before, and remove the others.

        An incomplete line at the end is cut off in place; the file is rewritten only if a line
        before the end is removed.

        Parameters
        ----------
        judged
            Called with each complete line and its number from 1; returns its name and whether it
            is kept, or raises for a file that this job did not write.

        Raises
        ------
        TraceError
            The file cannot be written, or as `judged`.
        """
        stale = False
        place = end = 0
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                start, place = place, place + len(line)
                whole = line.endswith(b"\n")
                if not whole and _is_torn(line):
                    break
                name, good = judged(line, number)
                if good and whole and name not in self._places:
                    stale = stale or start != end
                    end = place
                    self._places[name] = _LinePosition(start, len(line))
        if stale:
            self._rewrite(sorted(self._places, key=lambda name: self._places[name].start))
        elif end < place:
            self._cut(end)

    def append_line(self, name: str, line: bytes) -> None:
        """Append a line; after an error, such as a full disk, no part of it is left.

        Raises
        ------
        TraceError
            The file cannot be written.
        """
        try:
            if self._stream is None:
                # Unbuffered: the line is written when this returns.
                self._stream = self.path.open("ab", buffering=0)
            start = self._stream.seek(0, os.SEEK_END)
            try:
                rest = memoryview(line)
                while rest:  # a nearly full disk takes a part of a line
                    rest = rest[self._stream.write(rest) or 0 :]
            except OSError:
                with contextlib.suppress(OSError):
                    self._stream.truncate(start)
                raise
        except OSError as error:
            raise self._unwritable(error) from error
        self._places[name] = _LinePosition(start, len(line))

    def sync(self) -> None:
        """Wait until all lines are on the disk, so that they survive a power failure too.

        Raises
        ------
        TraceError
            The disk refuses them.
        """
        if self._stream is not None:
            try:
                os.fsync(self._stream.fileno())
            except OSError as error:
                raise self._unwritable(error) from error

    def finish(self, order: Sequence[str]) -> None:
        """Close the file, and sort its lines into this order.

        Raises
        ------
        TraceError
            The file was removed or cut meanwhile, or cannot be written.
        """
        self.close()
        end = max((place.start + place.length for place in self._places.values()), default=0)
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < end:
            raise TraceError(
                f"{self.path} was removed or cut while the traces were being scored, and its "
                "contents are lost. Score them again; on_trace= receives each finished trace."
            )
        last = -1
        for name in order:
            start = self._places[name].start
            if start < last:
                self._rewrite(order)
                return
            last = start

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self.sync()
            self._stream.close()
            self._stream = None

    def _cut(self, end: int) -> None:
        try:
            os.truncate(self.path, end)
        except OSError as error:
            raise self._unwritable(error) from error

    def _rewrite(self, order: Iterable[str]) -> None:
        """Rewrite the file with some of its lines, whole or not at all."""
        places: dict[str, _LinePosition] = {}
        try:
            with appearing_whole(self.path) as target, self.path.open("rb") as source:
                start = 0
                for name in order:
                    place = self._places[name]
                    source.seek(place.start)
                    places[name] = _LinePosition(start, place.length)
                    start += target.write(source.read(place.length))
        except OSError as error:
            raise self._unwritable(error) from error
        self._places = places

    def _unwritable(self, error: OSError) -> TraceError:
        return TraceError(f"{self.path} cannot be written ({error.strerror or error}).")


def _is_torn(line: bytes) -> bool:
    """Return True for an incomplete line that begins as the lines written here do."""
    if line[: len(_BEGIN)] != _BEGIN[: len(line)]:
        return False
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    return False
