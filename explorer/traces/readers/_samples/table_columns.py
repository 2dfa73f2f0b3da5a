"""The usual names of a table's columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces.readers._fields.fact_columns import LIST_COLUMNS
from explorer.traces.readers._fields.record_fields import is_missing

# The usual spellings, as `spelt` has them; of several columns the first that is listed counts.
TRACE_ID = ("trace_id", "question_id", "query_id", "qid", "sample_id")
QUERY = ("query", "question", "user_input", "user_query", "input", "prompt")
ANSWER = ("answer", "response", "output", "prediction", "generated_answer", "model_answer")
REFERENCE = ("reference", "ground_truth", "ground_truths", "gold_answer", "expected_answer")
CONTEXTS = (
    "contexts",
    "retrieved_contexts",
    "retrieval_context",
    "retrieved_context",
    "documents",
    "retrieved_documents",
    "passages",
    "chunks",
    "hyperedges_text",
    "context",
)
TEXT = ("hyperedge", "text", "context", "passage", "chunk", "document", "content", "fact")
HYPEREDGE_ID = ("hyperedge_id", "context_id", "passage_id", "chunk_id", "document_id", "doc_id")
ATTENTION = ("hyperedge_attention", "attention", "attention_score", "attention_weight")
RETRIEVAL = (
    *("retrieval_score", "score", "similarity", "similarity_score", "relevance_score"),
    *("retriever_score", "rerank_score", "cosine_similarity", "bm25", "weight"),
)
DISTANCE = ("distance", "cosine_distance", "l2_distance", "dist")
LABEL = (
    *("label", "relevant", "is_relevant", "relevance", "relevance_label", "qrel", "grade"),
    *("supporting", "is_supporting", "is_selected", "needed", "used"),
)
RUN = ("run", "run_id", "run_name", "experiment", "system", "model", "model_name", "config")
"""Columns that tell apart the answers of several systems to one question."""

OURS = ("hyperedge", "hyperedge_id", "hyperedge_attention", "attention", "attention_score",
        "attention_scores")  # fmt: skip

NEEDED = (
    f"A table needs a question ({', '.join(QUERY)}), and the retrieved facts: as a list in each "
    f"row ({', '.join(CONTEXTS[:-1])}), or one to a row ({', '.join(TEXT)})."
)
"""The columns that a table must have, in words."""

KNOWN = frozenset(
    name
    for names in (
        TRACE_ID, QUERY, ANSWER, REFERENCE, CONTEXTS, TEXT, HYPEREDGE_ID, ATTENTION, RETRIEVAL,
        DISTANCE, LABEL, RUN, LIST_COLUMNS, ("id", "_id", "entities"),
    )
    for name in names
)  # fmt: skip


def usual(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the names of its columns in the usual spelling, where they are known."""
    return {
        (known if (known := spelt(name)) in KNOWN and known not in row else str(name)): cell
        for name, cell in row.items()
    }


def spelt(name: object) -> str:
    """Write the name of a column as the lists above have it: "User Input" is user_input."""
    return "_".join(str(name).strip().lower().replace("-", " ").split())


def take(row: dict[str, Any], names: Iterable[str]) -> Any:
    """Take the first of these columns that holds something out of a row."""
    for name in names:
        if not is_missing(row.get(name)):
            return row.pop(name)
    return None


def asked(found: str | None) -> str:
    """Return a question; raise TraceError if there is none."""
    if found is None:
        raise TraceError(f"it has no question. {NEEDED}")
    return found
