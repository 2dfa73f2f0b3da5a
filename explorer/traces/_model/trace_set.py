"""The traces of one file, with the labels given to them."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

from explorer._deprecation import renamed_parameters
from explorer.errors import TraceError
from explorer.traces._model.label_store import LabelStore
from explorer.traces._model.trace import Trace, TraceProblem, checked_trace


class StoredTraces(Sequence[Trace]):
    """Traces that stay on disk and are read when they are accessed."""

    @abstractmethod
    def index_of(self, name: str) -> int | None:
        """Return the index of the trace with this id, or None."""


class TraceSet(Sequence[Trace]):
    """The traces of one file, with the lines that could not be read and the labels given to them.

    Parameters
    ----------
    traces
        The traces that were read, in file order.
    path
        Source of the traces: a path, the name of an upload, or None.
    problems
        Lines that were left out or changed, with the reason.
    format
        Name of the format of the file.
    labels
        The store of labels given by people; in memory by default.
    """

    def __init__(
        self,
        traces: Iterable[Trace],
        path: Path | None = None,
        problems: Iterable[TraceProblem] = (),
        *,
        format: str = "native",  # noqa: A002 - what users call it
        labels: LabelStore | None = None,
    ) -> None:
        self._traces: Sequence[Trace]
        if isinstance(traces, StoredTraces):
            self._traces = traces
        else:
            listed = traces if isinstance(traces, Iterable) else (traces,)
            self._traces = tuple(checked_trace(item) for item in listed)
        self._places: dict[str, int] | None = None
        self._others: dict[int, Trace] = {}  # replace the traces at these indices
        self._labels = LabelStore() if labels is None else labels
        self.path = path
        self.problems = tuple(problems)
        self.format = format

    @overload
    def __getitem__(self, index: int) -> Trace: ...

    @overload
    def __getitem__(self, index: slice) -> TraceSet: ...

    def __getitem__(self, index: int | slice) -> Trace | TraceSet:
        """Return one trace with its labels, or a `TraceSet` with the same labels for a slice."""
        if isinstance(index, slice):
            chosen = self._traces[index]
            if self._others:
                chosen = [self._at(place) for place in range(len(self))[index]]
            return TraceSet(
                chosen,
                self.path,
                self.problems,
                format=self.format,
                labels=self._labels,
            )
        return self._labelled(self._at(index))

    def __iter__(self) -> Iterator[Trace]:
        """Yield the traces with their labels."""
        traces = enumerate(self._traces)
        return (self._labelled(self._others.get(place, trace)) for place, trace in traces)

    def __len__(self) -> int:
        """Return the number of traces."""
        return len(self._traces)

    def __repr__(self) -> str:
        """Return the number of traces and problems, and the source."""
        source = "" if self.path is None else f" from {self.path.name}"
        noted = f", {len(self.problems)} problems" if self.problems else ""
        return f"<TraceSet: {len(self)} traces{source}{noted}>"

    @property
    def is_on_disk(self) -> bool:
        """Whether the traces stay in their file and are read when they are accessed."""
        return isinstance(self._traces, StoredTraces)

    @property
    def given_labels(self) -> LabelStore:
        """The store of the labels that were given here."""
        return self._labels

    def index_of(self, name: str) -> int:
        """Return the index of the trace with this id, without reading the others.

        Raises
        ------
        TraceError
            No trace has this id.
        """
        if isinstance(self._traces, StoredTraces):
            found = self._traces.index_of(name)
        else:
            if self._places is None:
                self._places = {}
                for index, trace in enumerate(self._traces):
                    self._places.setdefault(trace.id, index)
            found = self._places.get(name)
        if found is None:
            raise TraceError(f"No trace here has the id {name!r:.80}; there are {len(self)}.")
        return found

    def replaced(
        self, traces: Mapping[int, Trace], problems: Iterable[TraceProblem] = ()
    ) -> TraceSet:
        """Return a set with other traces at these indices, and further problems.

        It shares the path and the labels of this one: a label given in one is seen in both.
        """
        changed = TraceSet(
            (),
            self.path,
            (*self.problems, *problems),
            format=self.format,
            labels=self._labels,
        )
        changed._traces = self._traces
        changed._others = self._others | {
            place: checked_trace(trace) for place, trace in traces.items()
        }
        return changed

    def label(self, trace: int | str, hyperedge: str, value: bool | None) -> None:
        """Label a hyperedge: whether the answer of the trace needs it.

        The label is seen whenever the trace is read again from this set or a slice of it. It is
        stored in a file next to the trace file, named like it plus ``.labels.json``, and read when
        the traces are loaded again. Labels of uploads, of tables and of the packaged traces are
        kept in memory; `save_traces` writes them with the traces.

        Parameters
        ----------
        trace
            Index or id of the trace.
        hyperedge
            Id of the hyperedge.
        value
            True when the answer needs it, False when it does not, None when it is unknown.

        Raises
        ------
        TraceError
            There is no such trace or hyperedge, the label is not valid, or it cannot be written; in
            the last case it is kept in memory.
        """
        if isinstance(trace, str):
            trace = self.index_of(trace)
        try:
            found = self._at(operator.index(trace))
        except (IndexError, TypeError):
            last = len(self) - 1
            raise TraceError(
                f"trace must lie in 0 to {last}, or be an id; got {trace!r}."
            ) from None
        self._labels.give(found, hyperedge, value)

    @renamed_parameters(callback="told")
    def follow_labels(self, callback: Callable[[], None]) -> None:
        """Call a method after every label given in this set, or in one of the same labels.

        It is called in the thread that labels, as long as its object exists and until
        `leave_labels`.
        """
        self._labels.follow(callback)

    @renamed_parameters(callback="told")
    def leave_labels(self, callback: Callable[[], None]) -> None:
        """Stop calling the method."""
        self._labels.leave(callback)

    def _at(self, index: int) -> Trace:
        trace = self._traces[index]
        return self._others.get(range(len(self))[index], trace) if self._others else trace

    def _labelled(self, trace: Trace) -> Trace:
        return self._labels.applied(trace, keep=not isinstance(self._traces, StoredTraces))
