"""Reader of plain tables, with one row for each question or for each retrieved fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import Hyperedge, Trace, TraceProblem
from explorer.traces.readers._fields.contexts import context_hyperedges
from explorer.traces.readers._fields.record_fields import (
    Fields,
    extra_of,
    identifier,
    is_missing,
    structure,
    text_of,
)
from explorer.traces.readers._reader import Reader, Record

# The usual spellings, as `_spelt` has them; of several columns the first that is listed counts.
TRACE_ID = ("trace_id", "question_id", "query_id", "qid", "sample_id")
QUERY = ("query", "question", "user_input", "user_query", "input", "prompt")
ANSWER = ("answer", "response", "output", "prediction", "generated_answer", "model_answer")
REFERENCE = ("reference", "ground_truth", "ground_truths", "gold_answer", "expected_answer")
CONTEXTS = (
    "contexts",
    "retrieved_contexts",
    "documents",
    "retrieved_documents",
    "passages",
    "chunks",
    "hyperedges_text",
    "context",
)
SCORES = ("hyperedge_attention", "attention", "attention_scores", "scores", "attention_weights")
LABELS = ("labels", "label")
CONTEXT_IDS = ("hyperedge_ids", "context_ids", "document_ids", "doc_ids", "chunk_ids")

TEXT = ("hyperedge", "text", "context", "passage", "chunk", "document", "content", "fact")
HYPEREDGE_ID = ("hyperedge_id", "context_id", "passage_id", "chunk_id", "document_id", "doc_id")
SCORE = ("hyperedge_attention", "attention", "attention_score", "score", "weight")
LABEL = ("label", "relevant", "is_relevant", "supporting", "is_supporting", "needed", "used")
ENTITIES = ("entities",)

OURS = ("hyperedge", "hyperedge_id", "hyperedge_attention", "attention", "attention_score",
        "attention_scores")  # fmt: skip

_YES = frozenset({"1", "1.0", "true", "yes", "t", "y"})
_NO = frozenset({"0", "0.0", "false", "no", "f", "n"})

NEEDED = (
    f"A table needs a question ({', '.join(QUERY)}), and the retrieved facts: as a list in each "
    f"row ({', '.join(CONTEXTS[:-1])}), or one to a row ({', '.join(TEXT)})."
)
"""The columns that a table must have, in words."""


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a row has a question and retrieved facts, by the usual names of columns."""
    names = {_spelt(name) for name in record}
    return not names.isdisjoint(QUERY) and not names.isdisjoint((*CONTEXTS, *TEXT))


def _read(records: Iterable[Record]) -> Iterator[Trace | TraceProblem]:
    """Read rows; those of one fact each are gathered until the end, whatever their order."""
    gathered: dict[str, _Gathered] = {}
    for place, (line, given) in enumerate(records, start=1):
        row = _usual(given)
        try:
            if any(isinstance(structure(row.get(name)), list | dict) for name in CONTEXTS):
                yield from _wide(row, place, line)
            else:
                yield from _long(row, line, gathered)
        except TraceError as error:
            seen = ", ".join(str(name)[:40] for name in list(given)[:15])
            yield TraceProblem(line, f"{error} The columns are: {seen}.")
    for group in gathered.values():
        yield group.finished()


def _is_ours(record: Mapping[str, Any]) -> bool:
    """Say whether a row has columns of attention, or of hyperedges, which only explorer knows."""
    names = {_spelt(name) for name in record}
    return not names.isdisjoint(QUERY) and not names.isdisjoint(OURS)


TABLES = Reader("table", "plain tables", recognises, _read)
OWN_TABLES = Reader("table", "plain tables", _is_ours, _read)
"""The same reader, tried before all others: many evaluation tools have these columns too."""


def _wide(row: dict[str, Any], place: int, line: int) -> Iterator[Trace | TraceProblem]:
    """Read a row that is a trace."""
    fields = Fields(row, place)
    query = _query(fields.text(*QUERY))
    name = next(name for name in CONTEXTS if isinstance(structure(row.get(name)), list | dict))
    contexts = structure(fields.take(name)[1])
    names = _listed(fields, CONTEXT_IDS, None)
    if isinstance(contexts, dict):  # texts by their ids
        names, contexts = list(contexts), list(contexts.values())
    edges = context_hyperedges(contexts, fields, names)
    complete = len(edges) == len(contexts)
    scores = _listed(fields, SCORES, len(edges) if complete else -1)
    labels = _listed(fields, LABELS, len(edges) if complete else -1)
    for edge, label in zip(edges, labels or (), strict=False):
        edge.label = _label(label)
    answer, reference = fields.text(*ANSWER), structure(fields.take(*REFERENCE)[1])
    trace = fields.trace(
        "table", query, edges, answer, reference, identified=(*TRACE_ID, "id", "_id")
    )
    trace.line = line
    if scores is not None:
        trace.metadata["hyperedge_attention"] = (
            scores if isinstance(scores, dict) else [_number(score) for score in scores]
        )
    yield trace
    for note in fields.notes:
        yield TraceProblem(line, f"trace {trace.id}: {note}", loaded=True)


def _long(row: dict[str, Any], line: int, gathered: dict[str, _Gathered]) -> Iterator[TraceProblem]:
    """Put a row that is one fact with the others of its trace."""
    name = identifier(_take(row, TRACE_ID))
    query = text_of(_take(row, QUERY))
    text = text_of(_take(row, TEXT))
    if text is None:
        raise TraceError(f"it has no text of a fact. {NEEDED}")
    key = name or _query(query)
    if key not in gathered:
        name = name or f"q{len(gathered) + 1}"
        gathered[key] = _Gathered(
            Trace(name, _query(query), metadata={"source": "table"}, line=line)
        )
    elif query not in (None, gathered[key].trace.query):
        message = f"its question is not the one that trace {key} began with, which is kept."
        yield TraceProblem(line, message, loaded=True)
    gathered[key].add(row, text)


class _Gathered:
    """The rows of one trace in a table with one fact to a row."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._scores: list[float | None] = []

    def add(self, row: dict[str, Any], text: str) -> None:
        """Add the fact of one row; columns that have no place become its `extra`."""
        trace = self.trace
        answer = text_of(_take(row, ANSWER))
        trace.answer = trace.answer or answer or ""
        reference = structure(_take(row, REFERENCE))
        if reference is not None:
            trace.metadata.setdefault("reference", reference)
        self._scores.append(_taken_if(row, SCORE, _number))
        name = identifier(_take(row, (*HYPEREDGE_ID, "id", "_id")))
        label = _taken_if(row, LABEL, _label)
        edge = Hyperedge(
            name or f"c{len(trace.hyperedges) + 1}",
            text,
            _taken_if(row, ENTITIES, _texts) or [],
            label,
        )
        edge.extra = extra_of({key: cell for key, cell in row.items() if not is_missing(cell)}, ())
        trace.hyperedges.append(edge)

    def finished(self) -> Trace:
        """Return the trace, with scores where any row had one."""
        if any(score is not None for score in self._scores):
            self.trace.metadata["hyperedge_attention"] = self._scores
        return self.trace


def _usual(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the names of its columns in the usual spelling, where they are known."""
    return {
        (spelt if (spelt := _spelt(name)) in _KNOWN and spelt not in row else str(name)): cell
        for name, cell in row.items()
    }


def _spelt(name: object) -> str:
    """Write the name of a column as the lists above have it: "User Input" is user_input."""
    return "_".join(str(name).strip().lower().replace("-", " ").split())


def _take(row: dict[str, Any], names: Iterable[str]) -> Any:
    """Take the first of these columns that holds something out of a row."""
    for name in names:
        if not is_missing(row.get(name)):
            return row.pop(name)
    return None


def _taken_if(row: dict[str, Any], names: Iterable[str], read: Callable[[Any], Any]) -> Any:
    """Take the first of these columns that can be read out of a row."""
    for name in names:
        found = read(row.get(name))
        if found is not None:
            del row[name]
            return found
    return None


def _query(found: str | None) -> str:
    if found is None:
        raise TraceError(f"it has no question. {NEEDED}")
    return found


def _listed(fields: Fields, names: Iterable[str], length: int | None) -> Any:
    """Take a list or mapping with one value for each fact, or leave the column where it is."""
    for name in names:
        _, value = fields.take(name)
        found = structure(value)
        if isinstance(found, dict) and name in SCORES:
            return found
        if isinstance(found, list) and length in (None, len(found)):
            return found
        if isinstance(found, list):
            fields.note(
                f"`{name}` has {len(found)} values, not one for each fact; it was left unused."
            )
        fields.put_back(name, value)
    return None


def _texts(value: Any) -> list[str] | None:
    """Return a list of texts, or None for any other value."""
    found = structure(value)
    listed = isinstance(found, list) and all(isinstance(item, str) for item in found)
    return found if listed else None


def _label(value: Any) -> bool | None:
    """Return the label in a cell, or None for any other value."""
    word = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    return True if word in _YES else False if word in _NO else None


def _number(value: Any) -> float | None:
    """Return a score, or None for any other value."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


_KNOWN = frozenset(
    name
    for names in (
        TRACE_ID, QUERY, ANSWER, REFERENCE, CONTEXTS, SCORES, LABELS, CONTEXT_IDS, TEXT,
        HYPEREDGE_ID, SCORE, LABEL, ENTITIES, ("id", "_id"),
    )
    for name in names
)  # fmt: skip
