"""Rows of one fact each, gathered into traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from explorer.errors import TraceError
from explorer.traces._model.trace import Hyperedge, Trace, TraceProblem
from explorer.traces.readers._fields.fact_columns import graded, number
from explorer.traces.readers._fields.record_fields import (
    extra_of,
    identifier,
    is_missing,
    structure,
    text_of,
    told_structure,
)
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._samples.table_columns import (
    ANSWER,
    ATTENTION,
    DISTANCE,
    HYPEREDGE_ID,
    LABEL,
    NEEDED,
    QUERY,
    REFERENCE,
    RETRIEVAL,
    RUN,
    TEXT,
    TRACE_ID,
    asked,
    take,
)


class RowGroups:
    """The rows of a table with one fact to a row, by trace.

    Rows belong together by the id of their trace, or by their question; a row with another answer
    or right answer, or of another run, begins a trace of its own.
    """

    def __init__(self, context: ReadContext) -> None:
        self._context = context
        self._groups: dict[str, list[_Gathered]] = {}
        self._count = 0

    def add(self, row: dict[str, Any], line: int) -> Iterator[TraceProblem]:
        """Put a row with the others of its trace."""
        name = identifier(take(row, TRACE_ID))
        query = text_of(take(row, QUERY))
        text = text_of(told_structure(take(row, TEXT), "list of facts", self._context, line))
        if text is None:
            raise TraceError(f"it has no text of a fact. {NEEDED}")
        key = asked(query) if name is None else name
        fact = _Fact(
            line,
            row,
            text,
            text_of(take(row, ANSWER)),
            structure(take(row, REFERENCE)),
            tuple(str(row[name]) for name in RUN if not is_missing(row.get(name))),
        )
        groups = self._groups.setdefault(key, [])
        group = next((one for one in groups if one.fits(fact)), None)
        if group is None:
            self._count += 1
            own = groups[0].query if groups and query is None else asked(query)
            group = _Gathered(name, f"q{self._count}", own, fact)
            groups.append(group)
        elif query not in (None, group.query):
            message = f"its question is not the one that trace {key} began with, which is kept."
            yield TraceProblem(line, message, loaded=True)
        group.facts.append(fact)

    def finished(self) -> Iterator[Trace | TraceProblem]:
        """Yield the traces, in the order of their first rows."""
        groups = [group for found in self._groups.values() for group in found]
        rows = sum(len(group.facts) for group in groups)
        if 2 * len(groups) > rows and all(group.has_own_ids for group in groups):
            # Most questions stand in one row, so that a row with an id of its own is a record.
            groups = [
                _Gathered(group.name, f"{group.place}", group.query, fact, [fact], own_id=True)
                for group in groups
                for fact in group.facts
            ]
        for group in sorted(groups, key=lambda one: one.facts[0].line):
            yield group.trace(self._context)


class _Fact(NamedTuple):
    """A row that is one fact: its own columns, and what it says of its trace."""

    line: int
    row: dict[str, Any]
    text: str
    answer: str | None
    reference: Any
    run: tuple[str, ...]


class _Gathered:
    """The rows of one trace."""

    def __init__(
        self,
        name: str | None,
        place: str,
        query: str,
        first: _Fact,
        facts: list[_Fact] | None = None,
        *,
        own_id: bool = False,
    ) -> None:
        self.name = name
        self.place = place
        self.query = query
        self.facts = facts or []
        self._own_id = own_id
        self._answer, self._reference, self._run = first.answer, first.reference, first.run

    def fits(self, fact: _Fact) -> bool:
        """Return whether a row says nothing else of the trace than the rows before it."""
        if fact.run != self._run:
            return False
        if fact.answer is not None and self._answer not in (None, fact.answer):
            return False
        if fact.reference is not None and self._reference not in (None, fact.reference):
            return False
        self._answer = fact.answer if self._answer is None else self._answer
        self._reference = fact.reference if self._reference is None else self._reference
        return True

    @property
    def has_own_ids(self) -> bool:
        """Whether every row has an id that is not that of a trace or of a fact."""
        return self.name is None and all(
            identifier(fact.row.get("id", fact.row.get("_id"))) is not None
            and all(is_missing(fact.row.get(name)) for name in HYPEREDGE_ID)
            for fact in self.facts
        )

    def trace(self, context: ReadContext) -> Trace:
        """Return the trace, with attention where any row had some."""
        metadata: dict[str, Any] = {"source": "table"}
        if self._reference is not None:
            metadata["reference"] = self._reference
        name = self.name
        if self._own_id:
            name = identifier(take(self.facts[0].row, ("id", "_id")))
        edges: list[Hyperedge] = []
        attention: list[float | None] = []
        for fact in self.facts:
            edge, weight = _edge(fact, f"c{len(edges) + 1}", context)
            edges.append(edge)
            attention.append(weight)
        if any(weight is not None for weight in attention):
            metadata["hyperedge_attention"] = attention
        return Trace(
            name or self.place,
            self.query,
            edges,
            self._answer or "",
            metadata,
            line=self.facts[0].line,
        )


def _edge(fact: _Fact, name: str, context: ReadContext) -> tuple[Hyperedge, float | None]:
    """Return the fact of one row and its attention; columns without a place become its `extra`."""
    row, line = fact.row, fact.line
    given = identifier(take(row, (*HYPEREDGE_ID, "id", "_id")))
    extra: dict[str, Any] = {}
    label = None
    for column in LABEL:
        if not is_missing(row.get(column)):
            label = context.label(row[column], line, column)
            if label is None:
                continue
            if graded(value := row.pop(column)):
                extra["grade"] = value
            break
    weight = _numbered(row, ATTENTION, context, line)
    score = _numbered(row, RETRIEVAL, context, line)
    distance = None if score is not None else _numbered(row, DISTANCE, context, line, keep=True)
    if distance is not None:
        score = -distance
        context.distance(next(name for name in DISTANCE if name in row), line)
    if score is not None:
        extra["retrieval_score"] = score
    entities = _texts(row.get("entities"))
    if entities is not None:
        del row["entities"]
    edge = Hyperedge(given or name, fact.text, entities or [], label)
    left = {key: cell for key, cell in row.items() if not is_missing(cell)}
    edge.extra = {**extra_of(left, ()), **extra}
    return edge, weight


def _numbered(
    row: dict[str, Any],
    names: Iterable[str],
    context: ReadContext,
    line: int,
    *,
    keep: bool = False,
) -> float | None:
    """Take the first of these columns that holds a number out of a row."""
    for name in names:
        found = None if is_missing(row.get(name)) else number(row[name], name, context, line)
        if found is not None:
            if not keep:
                del row[name]
            return found
    return None


def _texts(value: Any) -> list[str] | None:
    """Return a list of texts, or None for any other value."""
    found = structure(value)
    listed = isinstance(found, list) and all(isinstance(item, str) for item in found)
    return found if listed else None
