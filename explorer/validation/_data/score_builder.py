"""Scores and labels are collected, trace by trace, and what does not fit is noted."""

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
from explorer.validation._data.labelled_scores import first_few, no_labels_message, number_array

ScoresByTrace = Mapping[str, Mapping[str, float] | Sequence[float] | NDArray[Any]]


def as_traces(traces: Any) -> Iterable[Trace]:
    """Return the traces, also of one alone.

    Raises
    ------
    InputError
        They are something else.
    """
    if isinstance(traces, Trace):
        return [traces]
    if not isinstance(traces, Iterable) or isinstance(traces, str | bytes | Mapping):
        raise InputError(
            f"Traces are needed, and not a {type(traces).__name__}. explorer.load_traces reads "
            "them from a file."
        )
    return traces


class ScoreBuilder:
    """Labelled units while they are collected, trace by trace.

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
        self._found: list[NDArray[Any]] = []
        self._told: list[Diagnostic] = []

    def labelled(self, trace: Trace) -> list[tuple[int, bool]]:
        """Return the places of the trace's labelled hyperedges, and their labels.

        Raises
        ------
        InputError
            It is no trace, or one with this id was seen before.
        """
        if not isinstance(trace, Trace):
            raise InputError(
                f"Each trace must be a Trace, but one is a {type(trace).__name__}. "
                "explorer.load_traces reads them from a file."
            )
        if trace.id in self.seen:
            raise InputError(
                f"Two traces have the id {trace.id!r:.80}. Give each an id of its own: traces are "
                "what intervals are drawn from."
            )
        self.seen.add(trace.id)
        of = self._source.of(trace)
        return [(place, bool(label)) for place, label in enumerate(of) if label is not None]

    def add(
        self,
        trace: Trace,
        chosen: Sequence[tuple[int, bool]],
        scores: NDArray[Any],
        tokens: Sequence[float] | None,
    ) -> None:
        """Keep the labelled hyperedges of a trace; `scores` are (..., hyperedges)."""
        if not chosen:
            return
        places = [place for place, _ in chosen]
        last = max(1, len(trace.hyperedges) - 1)
        self._traces.append(trace.id)
        self._counts.append(len(places))
        self._labels += [label for _, label in chosen]
        self._units += [trace.hyperedges[place].id for place in places]
        self._positions += [place / last for place in places]
        self._words += [len(trace.hyperedges[place].hyperedge.split()) for place in places]
        of = [0.0] * len(trace.hyperedges) if tokens is None else tokens
        self._tokens += [float(of[place]) for place in places]
        self._found.append(scores[..., places])

    def tell(self, notes: Iterable[Diagnostic]) -> None:
        """Add what the user should know."""
        self._told += notes

    def found(self) -> list[NDArray[Any]]:
        """Return the scores of each trace.

        Raises
        ------
        ValidationError
            Nothing has a label.
        """
        if not self._found:
            raise ValidationError(
                no_labels_message(self._source.truth, len(self.seen), self._notes())
            )
        return self._found

    def rest(self) -> dict[str, Any]:
        """Return the attributes of `LabelledUnits`."""
        tokens = np.array(self._tokens, dtype=np.float64)
        in_tokens = bool((tokens > 0).all())
        return {
            "labels": np.array(self._labels, dtype=bool),
            "groups": np.repeat(np.arange(len(self._traces)), self._counts),
            "traces": tuple(self._traces),
            "units": tuple(self._units),
            "lengths": tokens if in_tokens else np.array(self._words, dtype=np.float64),
            "positions": np.array(self._positions, dtype=np.float64),
            "truth": self._source.truth,
            "length_in": "tokens" if in_tokens else "words",
            "notes": tuple(self._notes()),
        }

    def _notes(self) -> list[Diagnostic]:
        return self._source.notes() + self._told


def fallen_back(table: Any) -> NDArray[np.bool_]:
    """Rows of a table of explain_traces in which the embedding stands in for the method."""
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
            f"The column {name} of the table of scores must hold numbers, NaN where there is none."
        ) from None
    return found


def own_scores(table: Any) -> NDArray[np.float64]:
    """Scores in a table of explain_traces that are the method's own, float64; else NaN."""
    return np.where(fallen_back(table), np.nan, _column(table, "score"))


class ScoreInput:
    """Scores as the caller brought them."""

    def __init__(self, by_trace: Mapping[str, Any] | None, in_order: Sequence[Any] | None) -> None:
        self._by_trace = by_trace
        self._in_order = in_order
        self._tokens: dict[str, Any] = {}
        self._another = 0
        self._missing: list[str] = []
        self._odd: list[str] = []

    @classmethod
    def of(cls, scores: Any) -> ScoreInput:
        """Read scores in any of the forms that `judge` takes; InputError for another."""
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
        lacking = [name for name in ("trace", "unit", "score") if name not in table]
        columns = list(table.columns)
        twice = [name for name in _COLUMNS if columns.count(name) > 1]
        if twice:
            raise InputError(
                f"The table of scores has the column {twice[0]} more than once: keep one of them."
            )
        if lacking:
            raise InputError(
                f"The table of scores has no column {lacking[0]}. FeedbackExtractor.explain_traces "
                "makes one that has."
            )
        names = table["trace"].to_numpy(dtype=object)
        starts = np.flatnonzero(np.r_[len(names) > 0, names[1:] != names[:-1]])
        units = table["unit"].to_numpy(dtype=object)
        scores = own_scores(table)
        tokens = _column(table, "tokens") if "tokens" in table else None
        given = cls({}, None)
        given._another = int(fallen_back(table).sum())
        for start, stop in pairwise([*starts, len(names)]):
            name = str(names[start])
            if name in given._tokens:
                raise InputError(
                    f"The rows of trace {name:.80} do not stand together. Give each trace an id "
                    "of its own, and sort the table by trace."
                )
            rows = slice(start, stop)
            given._by_trace[name] = (units[rows], scores[rows])  # type: ignore[index]
            given._tokens[name] = None if tokens is None else tokens[rows]
        return given

    def of_trace(self, trace: Trace, place: int) -> tuple[NDArray[np.float64], Any]:
        """Return the scores (hyperedges,), NaN where there is none, and the tokens if known."""
        n = len(trace.hyperedges)
        if self._in_order is not None:
            if place >= len(self._in_order):
                raise ShapeError(
                    f"There are {len(self._in_order)} lists of scores, but more traces."
                )
            of: Any = self._in_order[place]
        else:
            of = (self._by_trace or {}).get(trace.id)
        if of is None:
            self._missing.append(trace.id)
            return np.full(n, np.nan), None
        ids = [edge.id for edge in trace.hyperedges]
        tokens = None
        if isinstance(of, tuple) and trace.id in self._tokens:
            units, values = of
            if list(units) == ids:
                return values, self._tokens[trace.id]
            of = dict(zip(units, values, strict=True))
            if len(of) < len(units):
                raise InputError(
                    f"The rows of trace {trace.id:.80} name a hyperedge more than once, and not as "
                    "the trace does: keep one row for each."
                )
        if isinstance(of, Mapping):
            without = [name for name in ids if name not in of]
            self._missing += [f"{name} of trace {trace.id}" for name in without]
            self._odd += [f"{name} of trace {trace.id}" for name in of if name not in set(ids)]
            of = [of.get(name, np.nan) for name in ids]
        values = number_array(f"scores of trace {trace.id:.80}", of)
        if values.shape != (n,):
            raise ShapeError(
                f"Trace {trace.id:.80} has {n} hyperedges, but its scores have shape "
                f"{values.shape}."
            )
        return values, tokens

    def check_used(self, seen: set[str]) -> None:
        """Note scores of traces that are not there; refuse lists beyond the traces."""
        if self._in_order is not None and len(self._in_order) != len(seen):
            raise ShapeError(
                f"There are {len(self._in_order)} lists of scores for {len(seen)} traces."
            )
        self._odd += [f"trace {name}" for name in self._by_trace or {} if name not in seen]

    def notes(self) -> list[Diagnostic]:
        """Return what did not fit."""
        notes = []
        if self._another:
            message = (
                f"For {self._another} hyperedges the method has no score, and the embedding would "
                "stand in: they count as unknown, since two methods have no threshold in common."
            )
            notes.append(Diagnostic("fallback-scores", message))
        if self._missing:
            message = f"No score was given for {first_few(self._missing)}: they count as unknown."
            notes.append(Diagnostic("scores-missing", message))
        if self._odd:
            message = f"Scores for ids that are not there are left out: {first_few(self._odd)}."
            notes.append(Diagnostic("scores-for-unknown-ids", message))
        return notes
