"""Traces that stay on disk: only where each one begins is kept in memory."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from explorer.errors import TraceError
from explorer.traces._files.file_streams import opened
from explorer.traces._io._containers.json_pieces import Piece
from explorer.traces._model.native_format import read_line
from explorer.traces._model.trace import Trace
from explorer.traces._model.trace_set import StoredTraces

_KEPT = 8


class LineOffsets:
    """Positions of the traces in a file, 32 bytes for each trace.

    Parameters
    ----------
    path
        The file. It must not change while its traces are in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = state_of(path)
        self._columns = (array("Q"), array("Q"), array("Q"), array("q"))
        self.renamed: dict[int, str] = {}

    def add(self, piece: Piece, name: str, given: str) -> None:
        """Add one trace: its text, its name in the set, and its name in the file."""
        if name != given:
            self.renamed[len(self)] = name
        row = (piece.offset, len(piece.raw), piece.line, hash(name))
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def __len__(self) -> int:
        return len(self._columns[0])

    def at(self, place: int) -> tuple[int, int, int]:
        """Return offset, length and line of a trace."""
        offsets, lengths, numbers, _ = self._columns
        return offsets[place], lengths[place], numbers[place]

    def hashes(self) -> npt.NDArray[np.int64]:
        """Return the hashes of the names; int64, shape (traces,)."""
        return np.frombuffer(self._columns[3], dtype=np.int64)


class LazyTraces(StoredTraces):
    """Traces that are read from their file when they are accessed.

    Parameters
    ----------
    places
        Their positions in the file.
    chosen
        Indices of the traces, in order; all by default.

    Raises
    ------
    TraceError
        On access, if the file was changed after loading.
    """

    def __init__(self, places: LineOffsets, chosen: range | None = None) -> None:
        self._places = places
        self._chosen = range(len(places)) if chosen is None else chosen
        self._kept: dict[int, Trace] = {}
        self._order: npt.NDArray[np.intp] | None = None

    def __len__(self) -> int:
        """Return the number of traces; nothing is read."""
        return len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> Trace: ...

    @overload
    def __getitem__(self, index: slice) -> LazyTraces: ...

    def __getitem__(self, index: int | slice) -> Trace | LazyTraces:
        """Read one trace, or return some of them unread for a slice."""
        if isinstance(index, slice):
            return LazyTraces(self._places, self._chosen[index])
        place = self._chosen[index]
        if place in self._kept:
            self._check(state_of(self._places.path))
            return self._kept[place]
        ((_, trace),) = self._read((place,))
        self._kept[place] = trace
        while len(self._kept) > _KEPT:  # a panel reads the same trace again and again
            self._kept.pop(next(iter(self._kept)), None)
        return trace

    def __iter__(self) -> Iterator[Trace]:
        """Yield the traces while the file is open."""
        return (trace for _, trace in self._read(self._chosen))

    def index_of(self, name: str) -> int | None:
        """Return the index of the trace with this id; only traces with the same hash are read."""
        if self._order is None:
            self._order = np.argsort(self._places.hashes(), kind="stable")
        hashes = self._places.hashes()
        wanted = np.int64(hash(name))
        begin, end = (
            int(np.searchsorted(hashes, wanted, side, sorter=self._order))
            for side in ("left", "right")
        )
        for place, trace in self._read(int(place) for place in self._order[begin:end]):
            if trace.id == name and place in self._chosen:
                return self._chosen.index(place)
        return None

    def _read(self, places: Iterable[int]) -> Iterator[tuple[int, Trace]]:
        """Yield the traces at these positions."""
        path = self._places.path
        with opened(path) as stream:
            self._check(_state(os.fstat(stream.fileno())))
            for place in places:
                offset, length, line = self._places.at(place)
                try:
                    if stream.tell() != offset:
                        stream.seek(offset)
                    trace = read_line(stream.read(length).strip(b" \t\r\n"), line)
                except (TraceError, OSError):
                    raise self._changed() from None
                trace.id = self._places.renamed.get(place, trace.id)
                trace.folder = path.parent
                yield place, trace

    def _check(self, state: tuple[int, int]) -> None:
        if state != self._places.state:
            raise self._changed()

    def _changed(self) -> TraceError:
        return TraceError(
            f"{self._places.path} was changed since its traces were loaded; load it again."
        )


def state_of(path: Path) -> tuple[int, int]:
    """Return size and modification time of a file, which show whether it was changed.

    Raises
    ------
    TraceError
        The file cannot be read.
    """
    try:
        return _state(path.stat())
    except OSError as error:
        reason = error.strerror or str(error)
        raise TraceError(f"{path} cannot be read ({reason}).") from None


def _state(about: os.stat_result) -> tuple[int, int]:
    return about.st_size, about.st_mtime_ns
