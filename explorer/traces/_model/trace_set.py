"""The traces of one file, with the labels given to them."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

from explorer.errors import TraceError
from explorer.traces._model.label_store import LabelStore
from explorer.traces._model.trace import Trace, TraceProblem, checked_trace


class StoredTraces(Sequence[Trace]):
    """Traces that are not held in memory, but read when they are asked for."""

    @abstractmethod
    def index_of(self, name: str) -> int | None:
        """Return which trace has this id, or None."""


class TraceSet(Sequence[Trace]):
    """The traces of one file, with the lines that could not be read and the labels given to them.

    Parameters
    ----------
    traces
        The traces that were read, in file order.
    path
        Where they came from: a path, the name of an upload, or None.
    problems
        Lines that were left out or changed, with the reason.
    format
        Name of the format that they were read from.
    labels
        Labels given by people, and where they are kept; in memory by default.
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
        self._others: dict[int, Trace] = {}  # put in the place of those that were read
        self._labels = LabelStore() if labels is None else labels
        self.path = path
        self.problems = tuple(problems)
        self.format = format

    @overload
    def __getitem__(self, index: int) -> Trace: ...

    @overload
    def __getitem__(self, index: slice) -> TraceSet: ...

    def __getitem__(self, index: int | slice) -> Trace | TraceSet:
        """Return one trace as it is labelled, or a `TraceSet`, of the same labels, for a slice."""
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
        """Go through the traces as they are labelled."""
        traces = enumerate(self._traces)
        return (self._labelled(self._others.get(place, trace)) for place, trace in traces)

    def __len__(self) -> int:
        """Return the number of traces that were read."""
        return len(self._traces)

    def __repr__(self) -> str:
        """Say how many traces and problems there are, and where they came from."""
        source = "" if self.path is None else f" from {self.path.name}"
        noted = f", {len(self.problems)} problems" if self.problems else ""
        return f"<TraceSet: {len(self)} traces{source}{noted}>"

    def index_of(self, name: str) -> int:
        """Return which trace has this id, without reading the others.

        Raises
        ------
        TraceError
            None has.
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
        """Return a set with other traces at these places, and further problems.

        It has the path and the labels of this one: what is labelled in either is labelled in both.
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
        """Say whether an answer needs a fact.

        The label is seen wherever the trace is asked for again, in this set and in slices of it. It
        is kept in a file beside the traces, called like theirs with ``.labels.json`` behind it, and
        found there when they are loaded again. Those of uploads, of tables and of the packaged
        traces are kept in memory; `save_traces` writes them with the traces.

        Parameters
        ----------
        trace
            Index or id of the trace.
        hyperedge
            Id of the hyperedge.
        value
            True when the answer needs it, False when it does not, None when nobody knows.

        Raises
        ------
        TraceError
            There is no such trace or hyperedge, the label is none, or it cannot be written; in the
            last case it is kept in memory.
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

    def follow_labels(self, told: Callable[[], None]) -> None:
        """Call a method after every label given in this set, or in one of the same labels.

        It is called in the thread that labels, as long as its object lives; `leave_labels` ends it.
        """
        self._labels.follow(told)

    def leave_labels(self, told: Callable[[], None]) -> None:
        """Call the method no more."""
        self._labels.leave(told)

    def _at(self, index: int) -> Trace:
        trace = self._traces[index]
        return self._others.get(range(len(self))[index], trace) if self._others else trace

    def _labelled(self, trace: Trace) -> Trace:
        return self._labels.applied(trace, keep=not isinstance(self._traces, StoredTraces))
