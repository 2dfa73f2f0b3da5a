"""DeepEval test cases and goldens: data sets, results and test runs, in either spelling.

Data sets are saved as a list, one object per line, or a table, with names such as
``retrieval_context``; test runs are one object with a list under ``testCases`` and names such as
``retrievalContext``. The hyperedges are the retrieval context. A golden without an answer
has only `context`, which the right answer needs by definition: then this is read, and every part of
it is labelled as needed.

In a cell of a table DeepEval joins contexts with ``|``, so they are split there, unless the text is
a table with bars itself. A test run without contexts has those of the retriever spans of its trace.

A conversation (``turns``) becomes one trace of its last answer: the hyperedges are the contexts
retrieved for the turns from the last question to that answer or, without any, for an
earlier turn. The turns themselves stay in `extra`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import Trace
from explorer.traces.readers._fields.contexts import context_hyperedges, label_by_references
from explorer.traces.readers._fields.conversations import last_exchange
from explorer.traces.readers._fields.record_fields import Fields, structure
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._samples.sample_records import sample_by_sample, within

_ANSWER = ("actual_output", "actualOutput")
_REFERENCE = ("expected_output", "expectedOutput", "expected_outcome", "expectedOutcome")
_RETRIEVED = ("retrieval_context", "retrievalContext")
_METADATA = ("additional_metadata", "additionalMetadata")
# Fields that distinguish a golden from other records with an input and an expected output.
_GOLDEN = frozenset({"context", "source_file", "sourceFile", *_METADATA})
_CONVERSATION = frozenset({"scenario", "metrics_data", "metricsData", *_REFERENCE})
_WAYS = (
    ("goldens",),
    ("testCases",),
    ("test_cases",),
    ("test_results",),
    ("testRunData", "testCases"),
)
_TABLE = re.compile(r"\n\s*\||\|\s*\n")
_SOURCED = re.compile(r"deepeval_source=(?P<source>.*?),deepeval_context=(?P<text>.*)", re.DOTALL)


def _recognises(value: Mapping[str, Any]) -> bool:
    """Say whether a record is a test case, a golden, or an object that holds some."""
    held = _spread(value)
    if held is not None:
        return any(isinstance(case, Mapping) and _is_case(case) for case in held.samples[:3])
    return _is_case(value)


def _is_case(value: Mapping[str, Any]) -> bool:
    """Say whether an object is one test case or golden."""
    names = value.keys()
    if "turns" in names:
        return not _CONVERSATION.isdisjoint(names)
    if "input" not in names:
        return False
    if not {*_ANSWER, *_RETRIEVED}.isdisjoint(names):
        return True
    return not names.isdisjoint(_REFERENCE) and not _GOLDEN.isdisjoint(names)


def _trace(fields: Fields) -> Trace:
    """Read one test case or golden."""
    turns = fields.items("turns")
    if turns is not None:
        return _conversation(fields, turns)
    query = fields.needed_text("input")
    retrieved = _contexts(fields, *_RETRIEVED)
    if retrieved is None:
        retrieved = _of_spans(fields)
    needed = _contexts(fields, "context")
    if retrieved is None:
        hyperedges = context_hyperedges(needed or [], fields)
        for edge in hyperedges:
            edge.label = True
    else:
        hyperedges = context_hyperedges(retrieved, fields)
        label_by_references(hyperedges, needed or [])
        fields.put_back("context", needed)
    return _made(fields, query, hyperedges, fields.text(*_ANSWER))


def _conversation(fields: Fields, turns: list[Any]) -> Trace:
    """Read a conversation."""
    exchange = last_exchange(turns)
    if exchange is None:
        raise TraceError("`turns` holds no question; they need a `role` and a `content`.")
    retrieved: list[Any] = []
    for start in (exchange.start, 0):
        for turn in turns[start : exchange.stop]:
            found = turn.get(_RETRIEVED[0]) or turn.get(_RETRIEVED[1]) if _is_turn(turn) else None
            retrieved += _listed(found) or []
        if retrieved:
            break
    hyperedges = context_hyperedges(retrieved, fields)
    fields.put_back("turns", turns)
    # The expected outcome of a conversation is not an answer to its last question.
    return _made(fields, exchange.query, hyperedges, exchange.answer or "")


def _made(fields: Fields, query: str, hyperedges: list[Any], answer: str | None) -> Trace:
    """Make the trace; what users noted themselves is looked at for evidence, as our own is."""
    reference = fields.text(*_REFERENCE)
    name, noted = fields.take("metadata", *_METADATA)
    fields.put_back("metadata" if isinstance(structure(noted), dict) else name, noted)
    return fields.trace(
        "deepeval", query, hyperedges, answer, reference, identified=("id", "identifier", "name")
    )


def _is_turn(value: object) -> bool:
    """Say whether a turn is an object."""
    return isinstance(value, dict)


def _contexts(fields: Fields, *names: str) -> list[Any] | None:
    """Take a list of contexts, each with its source where DeepEval wrote one before it."""
    name, value = fields.take(*names)
    if isinstance(value, str) and not value.strip():
        return None
    found = _listed(value)
    if found is None and value is not None:
        fields.put_back(name, value)
        return fields.items(name)
    return found


def _listed(value: object) -> list[Any] | None:
    """Return contexts as a list; None where the value holds none."""
    held = structure(value)
    if isinstance(held, str):
        held = _joined(held)
    if not isinstance(held, list):
        return None
    return [_sourced(item) for item in held]


def _joined(text: str) -> list[str]:
    """Return contexts that DeepEval joined with a bar; a text with bars of its own stays whole."""
    pieces = text.split("|")
    is_table = any(not piece.strip(" \t:-") for piece in pieces) or _TABLE.search(text)
    return [text] if is_table else pieces


def _of_spans(fields: Fields) -> list[Any] | None:
    """Return what the retriever spans of a test run's trace gave; the trace is kept."""
    name, value = fields.take("trace")
    fields.put_back(name, value)
    trace = structure(value)
    spans = structure(trace.get("retrieverSpans")) if isinstance(trace, dict) else None
    found: list[Any] = []
    for span in spans if isinstance(spans, list) else ():
        held = span if isinstance(span, dict) else {}
        if str(held.get("status", "")).lower() in {"errored", "error", "failed"}:
            fields.note("a retriever span of its trace failed, and was left out.")
            continue
        given = next((held[key] for key in (*_RETRIEVED, "output") if held.get(key)), None)
        found += _listed(given) or []
    return found or None


def _sourced(item: object) -> object:
    """Take the source apart from the text that it was written before."""
    found = _SOURCED.fullmatch(item) if isinstance(item, str) else None
    return item if found is None else found.groupdict()


_spread = within(*_WAYS)

READER = Reader("deepeval", "DeepEval", _recognises, sample_by_sample(_trace, _spread))
