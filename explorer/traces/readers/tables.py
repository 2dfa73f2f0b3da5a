"""Reader: plain rows with a question and its contexts, from CSV files and data frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces.readers.contexts import context_hyperedges
from explorer.traces.readers.fields import Fields
from explorer.traces.readers.reader import Reader, Record
from explorer.traces.record import Trace, TraceProblem

QUERY = ("query", "question", "user_input", "input", "prompt")
ANSWER = ("answer", "response", "output", "prediction", "generated_answer")
CONTEXTS = (
    "contexts",
    "context",
    "documents",
    "retrieved_contexts",
    "retrieved_documents",
    "passages",
    "chunks",
)


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a row has a question and contexts, by the usual names of columns."""
    names = {str(name).lower() for name in record}
    return not names.isdisjoint(QUERY) and not names.isdisjoint(CONTEXTS)


def _read(records: Iterable[Record]) -> Iterator[Trace | TraceProblem]:
    for place, (line, value) in enumerate(records, start=1):
        fields = Fields({str(name): cell for name, cell in value.items()}, place)
        try:
            contexts = fields.items(*CONTEXTS)
            query = fields.needed_text(*QUERY)
            edges = context_hyperedges(contexts or [], fields)
            trace = fields.trace("table", query, edges, fields.text(*ANSWER))
        except TraceError as error:
            yield TraceProblem(line, str(error))
            continue
        trace.line = line
        yield trace


TABLES = Reader("table", "plain tables", recognises, _read)
