"""RAGChecker inputs, and its results with claims and entailments.

The hyperedges are the retrieved documents. Once RAGChecker has checked a sample, each claim of the
response is compared with each document (``retrieved2response``): a document that entails at least
one of them was used, which is the label. Whether it entails a claim of the right answer
(``retrieved2answer``), which RAGChecker calls a relevant chunk, is kept as ``extra["relevant"]``.
The claims, the entailments and the metrics stay in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.traces._model.trace import Trace
from explorer.traces.readers._fields.contexts import context_hyperedges
from explorer.traces.readers._fields.record_fields import Fields
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._samples.sample_records import sample_by_sample, within

_spread = within(("results",))


def _recognises(value: Mapping[str, Any]) -> bool:
    """Say whether a record is a sample, or an object with a list of them under ``results``."""
    held = _spread(value)
    if held is not None:
        return any(
            isinstance(sample, Mapping) and _is_sample(sample) for sample in held.samples[:3]
        )
    return _is_sample(value)


def _is_sample(value: Mapping[str, Any]) -> bool:
    """Say whether an object is one sample."""
    if "query" not in value or "hyperedges" in value:
        return False
    return "retrieved_context" in value or {"gt_answer", "response"} <= value.keys()


def _trace(fields: Fields) -> Trace:
    """Read one sample."""
    query = fields.needed_text("query")
    contexts = fields.items("retrieved_context") or []
    hyperedges = context_hyperedges(contexts, fields)
    whole = len(hyperedges) == len(contexts)
    used = _entailing(fields, "retrieved2response", len(contexts), whole=whole)
    relevant = _entailing(fields, "retrieved2answer", len(contexts), whole=whole)
    for place, edge in enumerate(hyperedges):
        edge.label = None if used is None else used[place]
        if relevant is not None:
            edge.extra["relevant"] = relevant[place]
    answer, reference = fields.text("response"), fields.text("gt_answer")
    return fields.trace(
        "ragchecker", query, hyperedges, answer, reference, identified=("query_id", "id")
    )


def _entailing(fields: Fields, name: str, documents: int, *, whole: bool) -> list[bool] | None:
    """Return for each document whether it entails a claim.

    The field, one row per claim and one column per document, is kept. None if it is missing, empty,
    or does not fit the documents.
    """
    rows = fields.items(name)
    fields.put_back(name, rows)
    if not rows:
        return None
    if not whole or not all(isinstance(row, list) and len(row) == documents for row in rows):
        fields.note(f"`{name}` does not have one column for each document, and was not used.")
        return None
    return [any(row[place] == "Entailment" for row in rows) for place in range(documents)]


READER = Reader("ragchecker", "RAGChecker", _recognises, sample_by_sample(_trace, _spread))
