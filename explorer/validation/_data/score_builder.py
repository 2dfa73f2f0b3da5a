"""Collection of scores and labels, trace by trace, with notes on what does not match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError, ValidationError
from explorer.feedback import Diagnostic
from explorer.traces import Trace
from explorer.validation._data.ground_truth import LabelSource
from explorer.validation._data.labelled_scores import number_array
from explorer.validation._data.score_checks import first_few, no_labels_message

ScoresByTrace = Mapping[str, Mapping[str, float] | Sequence[float] | NDArray[Any]]


def as_traces(traces: Any) -> Iterable[Trace]:
    """Return the traces; a single trace becomes a list of one.

    Raises
    ------
    InputError
        The value is not a collection of traces.
    """
    if isinstance(traces, Trace):
        return [traces]
    if not isinstance(traces, Iterable) or isinstance(traces, str | bytes | Mapping):
        raise InputError(
            f"Expected traces, but got a {type(traces).__name__}. explorer.load_traces reads them "
            "from a file."
        )
    return traces


class ScoreBuilder:
    """Collects labelled units, trace by trace.

    Parameters
    ----------
    source
        Where the labels come from.
    """

    def __init__(self, source: LabelSource) -> None:
        self.seen: set[str] = set()
        self._source = source
        self._traces: list[str] = []
        self._units: list[str] = []
        self._labels: list[bool] = []
        self._counts: list[int] = []
        self._positions: list[float] = []
        self._tokens: list[float] = []
        self._words: list[int] = []
        self._scores: list[NDArray[Any]] = []
        self._other_notes: list[Diagnostic] = []

    def labelled(self, trace: Trace) -> list[tuple[int, bool]]:
        """Return the indices of the labelled hyperedges of a trace, with their labels.

        Raises
        ------
        InputError
            The value is not a trace, or its id was seen before.
        """
        if not isinstance(trace, Trace):
            raise InputError(
                f"Each trace must be a Trace, but one is a {type(trace).__name__}. "
                "explorer.load_traces reads them from a file."
            )
        if trace.id in self.seen:
            raise InputError(
                f"Two traces have the id {trace.id!r:.80}. Give each trace its own id: intervals "
                "resample traces."
            )
        self.seen.add(trace.id)
        labels = self._source.of(trace)
        return [(place, bool(label)) for place, label in enumerate(labels) if label is not None]

    def add(
        self,
        trace: Trace,
        labelled: Sequence[tuple[int, bool]],
        scores: NDArray[Any],
        tokens: Sequence[float] | None,
    ) -> None:
        """Add the labelled hyperedges of a trace; `scores` are (..., hyperedges)."""
        if not labelled:
            return
        places = [place for place, _ in labelled]
        last = max(1, len(trace.hyperedges) - 1)
        self._traces.append(trace.id)
        self._counts.append(len(places))
        self._labels += [label for _, label in labelled]
        self._units += [trace.hyperedges[place].id for place in places]
        self._positions += [place / last for place in places]
        self._words += [len(trace.hyperedges[place].hyperedge.split()) for place in places]
        counts = [0.0] * len(trace.hyperedges) if tokens is None else tokens
        self._tokens += [float(counts[place]) for place in places]
        self._scores.append(scores[..., places])

    def add_notes(self, notes: Iterable[Diagnostic]) -> None:
        """Add notes for the user."""
        self._other_notes += notes

    def scores(self) -> list[NDArray[Any]]:
        """Return the scores of each trace.

        Raises
        ------
        ValidationError
            No unit has a label.
        """
        if not self._scores:
            raise ValidationError(
                no_labels_message(self._source.truth.kind, len(self.seen), self._notes())
            )
        return self._scores

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of `LabelledUnits`, by name."""
        tokens = np.array(self._tokens, dtype=np.float64)
        in_tokens = bool((tokens > 0).all())
        return {
            "labels": np.array(self._labels, dtype=bool),
            "groups": np.repeat(np.arange(len(self._traces)), self._counts),
            "traces": tuple(self._traces),
            "units": tuple(self._units),
            "lengths": tokens if in_tokens else np.array(self._words, dtype=np.float64),
            "positions": np.array(self._positions, dtype=np.float64),
            "truth": self._source.truth.kind,
            "length_in": "tokens" if in_tokens else "words",
            "notes": tuple(self._notes()),
        }

    def _notes(self) -> list[Diagnostic]:
        return self._source.notes() + self._other_notes


def fallen_back(table: Any) -> NDArray[np.bool_]:
    """Return a mask of the rows of an explain_traces table that hold a fallback embedding score."""
    if "diagnostics" not in table:
        return np.zeros(len(table), dtype=bool)
    return np.array(
        [
            isinstance(notes, Iterable)
            and any(getattr(note, "code", "") == "embedding-fallback" for note in notes)
            for notes in table["diagnostics"]
        ],
        dtype=bool,
    )


_COLUMNS = ("trace", "unit", "score", "tokens", "diagnostics")


def _column(table: Any, name: str) -> NDArray[np.float64]:
    try:
        found: NDArray[np.float64] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(
            f"The column {name} of the table of scores must hold numbers, or NaN for no score."
        ) from None
    return found


def own_scores(table: Any) -> NDArray[np.float64]:
    """Return the scores of an explain_traces table, float64, with NaN for fallback scores."""
    return np.where(fallen_back(table), np.nan, _column(table, "score"))


class ScoreInput:
    """Scores in one of the forms that `judge` takes."""

    def __init__(self, by_trace: Mapping[str, Any] | None, in_order: Sequence[Any] | None) -> None:
        self._by_trace = by_trace
        self._in_order = in_order
        self._tokens: dict[str, Any] = {}
        self._fallbacks = 0
        self._missing: list[str] = []
        self._unknown: list[str] = []

    @classmethod
    def of(cls, scores: Any) -> ScoreInput:
        """Read scores; raise InputError for another form."""
        if hasattr(scores, "columns"):
            return cls._of_table(scores)
        if isinstance(scores, Mapping):
            return cls(scores, None)
        if isinstance(scores, Sequence) and not isinstance(scores, str):
            return cls(None, scores)
        raise InputError(
            "`scores` must be a table of explain_traces, a mapping from the id of a trace to its "
            f"scores, or one list of scores for each trace, but it is a {type(scores).__name__}."
        )

    @classmethod
    def _of_table(cls, table: Any) -> ScoreInput:
        missing = [name for name in ("trace", "unit", "score") if name not in table]
        columns = list(table.columns)
        repeated = [name for name in _COLUMNS if columns.count(name) > 1]
        if repeated:
            raise InputError(
                f"The table of scores repeats the column {repeated[0]}: keep one of them."
            )
        if missing:
            raise InputError(
                f"The table of scores has no column {missing[0]}. FeedbackExtractor.explain_traces "
                "returns one with this column."
            )
        names = table["trace"].to_numpy(dtype=object)
        starts = np.flatnonzero(np.r_[len(names) > 0, names[1:] != names[:-1]])
        units = table["unit"].to_numpy(dtype=object)
        scores = own_scores(table)
        tokens = _column(table, "tokens") if "tokens" in table else None
        if tokens is not None and "evidence" in table:
            # A given score has no tokens: its one key column says nothing of the text.
            tokens = np.where(table["evidence"].to_numpy(dtype=object) == "direct", 0.0, tokens)
        given = cls({}, None)
        given._fallbacks = int(fallen_back(table).sum())
        for start, stop in pairwise([*starts, len(names)]):
            name = str(names[start])
            if name in given._tokens:
                raise InputError(
                    f"The rows of trace {name:.80} are not contiguous. Give each trace its own id, "
                    "and sort the table by trace."
                )
            rows = slice(start, stop)
            given._by_trace[name] = (units[rows], scores[rows])  # type: ignore[index]
            given._tokens[name] = None if tokens is None else tokens[rows]
        return given

    def of_trace(self, trace: Trace, place: int) -> tuple[NDArray[np.float64], Any]:
        """Return the scores (hyperedges,), NaN if unknown, and the numbers of tokens or None."""
        n = len(trace.hyperedges)
        if self._in_order is not None:
            if place >= len(self._in_order):
                raise ShapeError(
                    f"There are more traces than the {len(self._in_order)} lists of scores."
                )
            given: Any = self._in_order[place]
        else:
            given = (self._by_trace or {}).get(trace.id)
        if given is None:
            self._missing.append(trace.id)
            return np.full(n, np.nan), None
        ids = [edge.id for edge in trace.hyperedges]
        tokens = None
        if isinstance(given, tuple) and trace.id in self._tokens:
            units, values = given
            if list(units) == ids:
                return values, self._tokens[trace.id]
            given = dict(zip(units, values, strict=True))
            if len(given) < len(units):
                raise InputError(
                    f"The rows of trace {trace.id:.80} repeat the id of a hyperedge, unlike the "
                    "trace: keep one row for each hyperedge."
                )
        if isinstance(given, Mapping):
            without = [name for name in ids if name not in given]
            self._missing += [f"{name} of trace {trace.id}" for name in without]
            self._unknown += [
                f"{name} of trace {trace.id}" for name in given if name not in set(ids)
            ]
            given = [given.get(name, np.nan) for name in ids]
        values = number_array(f"scores of trace {trace.id:.80}", given)
        if values.shape != (n,):
            raise ShapeError(
                f"Trace {trace.id:.80} has {n} hyperedges, but its scores have shape "
                f"{values.shape}."
            )
        return values, tokens

    def check_used(self, seen: set[str]) -> None:
        """Note scores of unknown traces; raise ShapeError for a wrong number of lists."""
        if self._in_order is not None and len(self._in_order) != len(seen):
            raise ShapeError(
                f"There are {len(self._in_order)} lists of scores for {len(seen)} traces."
            )
        self._unknown += [f"trace {name}" for name in self._by_trace or {} if name not in seen]

    def notes(self) -> list[Diagnostic]:
        """Return notes on scores that are missing or do not match."""
        notes = []
        if self._fallbacks:
            message = (
                f"The method has no score for {self._fallbacks} hyperedges; the table holds the "
                "embedding score instead. They count as unknown, because two methods share no "
                "threshold."
            )
            notes.append(Diagnostic("fallback-scores", message))
        if self._missing:
            message = f"No score was given for {first_few(self._missing)}: they count as unknown."
            notes.append(Diagnostic("scores-missing", message))
        if self._unknown:
            message = f"Scores for ids that no trace has are left out: {first_few(self._unknown)}."
            notes.append(Diagnostic("scores-for-unknown-ids", message))
        return notes
