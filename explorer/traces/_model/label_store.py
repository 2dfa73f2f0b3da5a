"""Labels that people give to hyperedges, stored in a small file next to the trace file.

The file is called like the trace file with ``.labels.json`` behind it. It holds, by trace id and
hyperedge id, true (the answer needs this fact), false, or null (unknown, even if the trace file has
a label).
"""

from __future__ import annotations

import json
import stat
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from explorer.errors import TraceError
from explorer.traces._files.file_streams import appearing_whole
from explorer.traces._model.trace import Hyperedge, Trace

SUFFIX = ".labels.json"
MAX_BYTES = 64 * 2**20
"""Size of the largest label file that is read."""

_PACKAGE = Path(__file__).resolve().parents[2]

_WRITING = threading.Lock()
"""Held while a label file is read and written back, since two sets may share one file."""

GivenLabels = dict[str, dict[str, bool | None]]
"""Labels by trace id and hyperedge id."""


class _LabelFile(msgspec.Struct):
    labels: GivenLabels
    about: str = ""


class LabelStore:
    """The labels that were given to the hyperedges of one set of traces.

    Parameters
    ----------
    path
        The file that keeps them; None for labels that are kept in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._given: GivenLabels = {}
        self._applied: dict[str, tuple[Trace, Trace, Mapping[str, bool | None]]] = {}
        self._followers: list[weakref.WeakMethod[Callable[[], None]]] = []

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a copy: the labels without the callbacks."""
        return self.__dict__ | {"_applied": {}, "_followers": []}

    def follow(self, callback: Callable[[], None]) -> None:
        """Call a method after every label that is given, as long as its object exists."""
        self.leave(callback)
        self._followers.append(weakref.WeakMethod(callback))

    def leave(self, callback: Callable[[], None]) -> None:
        """Stop calling the method."""
        known = [(one, one()) for one in self._followers]
        self._followers = [one for one, method in known if method not in (None, callback)]

    @classmethod
    def of_file(cls, traces: Path) -> LabelStore:
        """Return the store of a trace file's labels; nothing is read yet.

        Labels of the packaged traces are kept in memory, since a package is not written to.
        """
        folder = traces.absolute().parent
        if folder.resolve().is_relative_to(_PACKAGE):
            return cls()
        return cls(folder / (traces.name + SUFFIX))

    def read(self) -> str | None:
        """Read the file, if there is one; return a sentence about a problem with it, or None."""
        if self.path is None:
            return None
        try:
            self._given = _read(self.path)
        except TraceError as error:
            return str(error)
        return None

    def __iter__(self) -> Iterator[str]:
        """Yield the ids of the traces that have labels."""
        return iter(self._given)

    @property
    def count(self) -> int:
        """Number of hyperedges that were labelled, or whose label was taken away."""
        return sum(map(len, self._given.values()))

    def as_json(self) -> str:
        """Return the contents of a label file."""
        return _as_json(self._given)

    def take(self, contents: bytes) -> int:
        """Take over the labels of a label file; return how many these are.

        Raises
        ------
        TraceError
            It is not a label file, or the labels cannot be written.
        """
        try:
            found = msgspec.json.decode(contents, type=_LabelFile).labels
        except (ValueError, RecursionError) as error:
            raise TraceError(f"This is not a file of labels: {error}.") from None
        with _WRITING:
            for trace, labels in found.items():
                self._given[trace] = {**self.of(trace), **labels}
            if self.path is not None:
                _write(self.path, self._given)
        self._tell()
        return sum(map(len, found.values()))

    def of(self, trace: str) -> Mapping[str, bool | None]:
        """Return the labels given to the hyperedges of one trace, by id."""
        return self._given.get(trace, {})

    def applied(self, trace: Trace, *, keep: bool) -> Trace:
        """Return a trace with its labels: itself, or a copy with other hyperedges.

        With `keep`, every call returns the same copy.
        """
        given = self._given.get(trace.id)
        if not given:
            return trace
        known = self._applied.get(trace.id)
        # The labels of a trace are replaced, never changed in place, so identity shows that this
        # copy is current.
        if known is not None and known[0] is trace and known[2] is given:
            return known[1]
        edges: list[Hyperedge] = [
            msgspec.structs.replace(edge, label=given[edge.id]) if edge.id in given else edge
            for edge in trace.hyperedges
        ]
        labelled = msgspec.structs.replace(trace, hyperedges=edges)
        if keep:
            self._applied[trace.id] = (trace, labelled, given)
        return labelled

    def give(self, trace: Trace, hyperedge: str, value: bool | None) -> None:
        """Label a hyperedge, and write the file.

        Parameters
        ----------
        trace
            The trace as its file has it.
        hyperedge
            Id of the hyperedge.
        value
            True, False, or None for unknown.

        Raises
        ------
        TraceError
            The label is not valid, there is no such hyperedge, or the file cannot be written; in
            the last case the label is kept in memory.
        """
        if not (value is None or isinstance(value, bool)):
            raise TraceError(f"A label is True, False or None, not {value!r:.40}.")
        own = [edge.label for edge in trace.hyperedges if edge.id == hyperedge]
        if not own:
            ids = ", ".join(edge.id for edge in trace.hyperedges[:10]) or "none"
            raise TraceError(
                f"Trace {trace.id} has no hyperedge with the id {hyperedge!r:.80}; it has: {ids}"
                f"{' ...' if len(trace.hyperedges) > 10 else '.'}"
            )
        try:
            with _WRITING:
                self._give(trace, hyperedge, value, own)
        finally:  # the label is kept even if it cannot be written
            self._tell()

    def _tell(self) -> None:
        for follower in list(self._followers):
            callback = follower()
            if callback is not None:
                callback()

    def _give(
        self, trace: Trace, hyperedge: str, value: bool | None, own: list[bool | None]
    ) -> None:
        """Label an existing hyperedge; the caller holds the lock."""
        needless = value is None and all(label is None for label in own)
        self._set(trace.id, hyperedge, value, needless)
        if self.path is None:
            return
        try:
            # Another notebook may have labelled the same file since it was read.
            for name, found in _read(self.path).items():
                self._given[name] = {**self._given.get(name, {}), **found}
        except TraceError as error:
            raise TraceError(f"The label is kept in memory only: {error}") from None
        finally:
            self._set(trace.id, hyperedge, value, needless)
        _write(self.path, self._given)

    def _set(self, trace: str, hyperedge: str, value: bool | None, needless: bool) -> None:
        """Set one label, or remove it if it is needless."""
        given = {name: old for name, old in self.of(trace).items() if name != hyperedge}
        if not needless:
            given[hyperedge] = value
        if given:
            self._given[trace] = given
        else:
            self._given.pop(trace, None)


def remove_label_file(traces: Path) -> None:
    """Remove the label file of a trace file that was rewritten with its labels.

    Raises
    ------
    OSError
        The file cannot be removed.
    """
    path = LabelStore.of_file(traces).path
    if path is not None and path.is_file():
        path.unlink()


class UnmatchedLabels:
    """Finds labels that belong to none of the traces seen."""

    def __init__(self, labels: LabelStore) -> None:
        self._labels = labels
        self._traces: set[str] = set()
        self._hyperedges: list[str] = []

    def saw(self, trace: str, hyperedges: Iterable[str]) -> None:
        """Record a trace and its hyperedges."""
        given = self._labels.of(trace)
        if given:
            self._traces.add(trace)
            self._hyperedges += [f"{name} of {trace}" for name in given.keys() - set(hyperedges)]

    def message(self) -> str | None:
        """Return a sentence about labels without a hyperedge, or None."""
        lost = [name for name in self._labels if name not in self._traces] + self._hyperedges
        if not lost:
            return None
        shown = ", ".join(name[:60] for name in lost[:3]) + (" ..." if len(lost) > 3 else "")
        return f"{len(lost)} labels of the label file match no hyperedge of these traces: {shown}."


def _read(path: Path) -> GivenLabels:
    """Return the labels of a file; a missing file holds none.

    Raises
    ------
    TraceError
        It is damaged, too large, or cannot be opened.
    """
    what = f"the labels in {path.name} cannot be read"
    try:
        about = path.stat()
        if stat.S_ISREG(about.st_mode) and about.st_size <= MAX_BYTES:
            return msgspec.json.decode(path.read_bytes(), type=_LabelFile).labels
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        # ValueError: no JSON, no labels, or no UTF-8.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    else:
        reason = "it is not an ordinary file, or too large"
    raise TraceError(f"{what} ({reason}). Repair or remove that file.")


def _as_json(given: GivenLabels) -> str:
    contents = {
        "about": "Labels given in explorer, by trace and hyperedge. true: the answer needs it.",
        "labels": given,
    }
    return json.dumps(contents, indent=1, ensure_ascii=False)


def _write(path: Path, given: GivenLabels) -> None:
    """Write a file of labels, whole or not at all."""
    try:
        text = _as_json(given)
        with appearing_whole(path) as stream:
            stream.write(text.encode() + b"\n")
    except (OSError, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or "an id in it is not valid text"
        raise TraceError(
            f"The label is kept in memory only: {path} cannot be written ({reason}). "
            "save_traces writes the traces with their labels elsewhere."
        ) from error
