"""Reader of plain tables, with one row for each question or for each retrieved fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import Trace, TraceProblem
from explorer.traces.readers._fields.contexts import context_hyperedges
from explorer.traces.readers._fields.record_fields import Fields, structure
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._reader import Reader, Record
from explorer.traces.readers._samples.table_columns import (
    ANSWER,
    CONTEXTS,
    OURS,
    QUERY,
    REFERENCE,
    TEXT,
    TRACE_ID,
    asked,
    spelt,
    usual,
)
from explorer.traces.readers._samples.table_rows import RowGroups


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a row has a question and retrieved facts, by the usual names of columns."""
    names = {spelt(name) for name in record}
    return not names.isdisjoint(QUERY) and not names.isdisjoint((*CONTEXTS, *TEXT))


def _read(records: Iterable[Record], context: ReadContext) -> Iterator[Trace | TraceProblem]:
    """Read rows; those of one fact each are gathered until the end, whatever their order."""
    gathered = RowGroups(context)
    for place, (line, given) in enumerate(records, start=1):
        row = usual(given)
        try:
            if any(isinstance(structure(row.get(name)), list | dict) for name in CONTEXTS):
                yield from _wide(row, place, line, context)
            else:
                yield from gathered.add(row, line)
        except TraceError as error:
            seen = ", ".join(str(name)[:40] for name in list(given)[:15])
            yield TraceProblem(line, f"{error} The columns are: {seen}.")
    yield from gathered.finished()


def _is_ours(record: Mapping[str, Any]) -> bool:
    """Say whether a row has columns of attention, or of hyperedges, which only explorer knows."""
    names = {spelt(name) for name in record}
    return not names.isdisjoint(QUERY) and not names.isdisjoint(OURS)


TABLES = Reader("table", "plain tables", recognises, _read)
OWN_TABLES = Reader("table", "plain tables", _is_ours, _read)
"""The same reader, tried before all others: many evaluation tools have these columns too."""


def _wide(
    row: dict[str, Any], place: int, line: int, context: ReadContext
) -> Iterator[Trace | TraceProblem]:
    """Read a row that is a trace."""
    fields = Fields(row, place, context, line)
    query = asked(fields.text(*QUERY))
    name = next(name for name in CONTEXTS if isinstance(structure(row.get(name)), list | dict))
    contexts = structure(fields.take(name)[1])
    names = None
    if isinstance(contexts, dict):  # texts by their ids
        names, contexts = list(contexts), list(contexts.values())
    edges = context_hyperedges(contexts, fields, names)
    answer, reference = fields.text(*ANSWER), structure(fields.take(*REFERENCE)[1])
    trace = fields.trace(
        "table", query, edges, answer, reference, identified=(*TRACE_ID, "id", "_id")
    )
    trace.line = line
    yield trace
    for note in fields.notes:
        yield TraceProblem(line, f"trace {trace.id}: {note}", loaded=True)
