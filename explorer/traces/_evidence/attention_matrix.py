"""Evidence: an attention matrix, and the pieces of context that its columns stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.attention import DenseAttention
from explorer.errors import EvidenceError
from explorer.feedback import Diagnostic, Part, Unit
from explorer.traces._evidence.evidence_arrays import array_of
from explorer.traces._evidence.evidence_map import (
    Evidence,
    build_map,
    position_unit,
    text_list,
    whole_number,
)
from explorer.traces._evidence.text_matching import Match, find_in_tokens, match_texts
from explorer.traces._model.trace import Hyperedge, Trace

NEEDS = ("attention_matrix",)


class _Chunks(NamedTuple):
    """The pieces of context with the key columns of each; no columns where nothing maps them."""

    texts: list[str]
    columns: list[tuple[int, ...]]
    notes: list[Diagnostic]


def read(trace: Trace) -> Evidence:
    """Return the evidence of ``attention_matrix``, of 2 to 4 dimensions, with its context.

    The answer's rows begin at ``answer_start_pos`` (default: half of the rows); the context's
    columns end at ``context_end_pos`` (default: where the answer begins). A matrix that is not
    square, and names neither, holds answer rows and context columns only; where it has one column
    for each text, all its columns are context wherever the answer begins.

    Columns are mapped to ``context_texts`` by the first that is there: ``context_spans``; one
    column for each text; ``tokens`` or ``context_tokens``, in which the texts are found. Hyperedges
    are then matched to the texts (`text_matching`): a hyperedge's reduced attention is
    the mean, over the texts that it matches, of similarity x the text's. One that matches nothing
    is unknown.

    Raises
    ------
    EvidenceError
        The matrix, the positions or the texts are not valid.
    """
    array = _matrix(trace)
    n_queries, n_keys = array.shape[-2:]
    start, end, notes = _limits(trace, n_queries, n_keys)
    tokens = text_list(trace.metadata.get("tokens"))
    attention = build_map(trace, "attention_matrix", lambda: DenseAttention(array))
    if tokens is not None and len(tokens) == n_keys:
        shown = tokens if n_queries == n_keys else text_list(trace.metadata.get("answer_tokens"))
        query_tokens = shown if shown is not None and len(shown) == n_queries else None
        attention = attention.with_tokens(tokens, query_tokens)
    chunks = _chunks(trace, tokens, n_keys, end)
    matches = match_texts([edge.hyperedge for edge in trace.hyperedges], chunks.texts)
    units = []
    for edge, found in zip(trace.hyperedges, matches, strict=True):
        units.append(_unit(edge, found, chunks))
    return Evidence(
        "matrix",
        attention,
        units,
        rows=np.arange(start, n_queries),
        diagnostics=(*notes, *chunks.notes),
        matches=tuple(matches),
    )


def _matrix(trace: Trace) -> npt.NDArray[Any]:
    """Return the matrix, without the batch dimension of one that transformers adds."""
    array = array_of(trace, "attention_matrix")
    if array.ndim == 5 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise EvidenceError(
            f"`attention_matrix` of trace {trace.id} has shape {array.shape}; expected (queries, "
            "keys), (heads, queries, keys) or (layers, heads, queries, keys), none of them 0."
        )
    return array


def _limits(trace: Trace, n_queries: int, n_keys: int) -> tuple[int, int, list[Diagnostic]]:
    """Return the first answer row, the end of the context's columns, and the assumptions made."""
    start = _position(trace, "answer_start_pos", n_queries - 1)
    end = _position(trace, "context_end_pos", n_keys)
    if start is None and end is None and n_queries != n_keys:
        return 0, n_keys, []
    notes = []
    if start is None:
        start = n_queries // 2
        note = (
            f"The trace has no `answer_start_pos`: rows from {start} (half) were taken as answer."
        )
        notes.append(Diagnostic("assumed-answer-start", note))
    if end is None:
        # With a column for each text, the first answer row does not limit the columns.
        per_text = n_queries != n_keys and n_keys == _text_count(trace)
        end = start if 0 < start <= n_keys and not per_text else n_keys
    return start, end, notes


def _text_count(trace: Trace) -> int:
    texts = text_list(trace.metadata.get("context_texts"))
    return len(trace.hyperedges if texts is None else texts)


def _position(trace: Trace, name: str, largest: int) -> int | None:
    """Return a checked position of the metadata, or None if it is missing."""
    value = trace.metadata.get(name)
    if value is None:
        return None
    place = whole_number(value)
    if place is None or not 0 <= place <= largest:
        raise EvidenceError(
            f"`{name}` of trace {trace.id} must be a whole number from 0 to {largest} for this "
            f"matrix, and it is {str(value)[:40]}."
        )
    return place


def _chunks(trace: Trace, tokens: list[str] | None, n_keys: int, end: int) -> _Chunks:
    """Return the columns of each piece of context."""
    texts = text_list(trace.metadata.get("context_texts"))
    notes = []
    if texts is None:
        if trace.metadata.get("context_texts") is not None:
            raise EvidenceError(f"`context_texts` of trace {trace.id} must be a list of texts.")
        texts = [edge.hyperedge for edge in trace.hyperedges]
        note = (
            "The trace has no `context_texts`: its hyperedges were taken as the context, in order."
        )
        notes.append(Diagnostic("assumed-context", note))
    spans = trace.metadata.get("context_spans")
    if spans is not None:
        listed = isinstance(spans, list | tuple | np.ndarray)
        if not listed or _length(spans) != len(texts):
            raise EvidenceError(
                f"`context_spans` of trace {trace.id} must be a list of {len(texts)} pairs "
                "[start, stop], one for each of the `context_texts`."
            )
        columns = [_span_columns(place, span, end, notes) for place, span in enumerate(spans)]
    elif len(texts) == end:
        columns = [(place,) for place in range(end)]
    else:
        if tokens is None or len(tokens) != n_keys:
            tokens = text_list(trace.metadata.get("context_tokens"))
        columns, found = _token_columns(texts, tokens, end)
        notes += found
    return _Chunks(texts, columns, notes)


def _span_columns(place: int, span: Any, end: int, notes: list[Diagnostic]) -> tuple[int, ...]:
    """Return the columns of one entry of ``context_spans``: a pair, or a list of pairs."""
    pairs = span if _length(span) and _length(span[0]) else [span]
    columns: set[int] = set()
    for pair in pairs:
        limits = [whole_number(item) for item in pair] if _length(pair) == 2 else []
        start, stop = limits if len(limits) == 2 else (None, None)
        if start is None or stop is None or start < 0:
            start = stop = 0
        inside = range(start, min(stop, end))
        columns.update(inside)
        if not inside or stop > end:
            outcome = "it was cut to fit" if inside else "it was left out"
            message = (
                f"The span {str(pair)[:40]} of context {place + 1} does not lie within the {end} "
                f"context columns [start, stop); {outcome}."
            )
            notes.append(Diagnostic("span-out-of-range", message))
    return tuple(sorted(columns))


def _token_columns(
    texts: Sequence[str], tokens: list[str] | None, end: int
) -> tuple[list[tuple[int, ...]], list[Diagnostic]]:
    """Return the columns of the texts, found in the context's tokens, with diagnostics."""
    if tokens is None:
        message = (
            f"The trace does not map the {end} context columns to the {len(texts)} context texts. "
            "Add `context_spans` ([start, stop) for each text) or `tokens`."
        )
        return [()] * len(texts), [Diagnostic("unmapped-columns", message)]
    columns = find_in_tokens(texts, tokens[:end])
    notes = [
        Diagnostic(
            "chunk-not-in-tokens",
            f"Context {place + 1} does not occur in the tokens before column {end}.",
        )
        for place, found in enumerate(columns)
        if not found
    ]
    return columns, notes


def _unit(edge: Hyperedge, found: Sequence[Match], chunks: _Chunks) -> Unit:
    """Return the unit of one hyperedge: the columns of all texts that it was matched to."""
    parts = [
        Part(Unit.from_positions("", "", columns).spans, len(columns), match.similarity)
        for match in found
        if (columns := chunks.columns[match.chunk])
    ]
    places = sorted({place for match in found for place in chunks.columns[match.chunk]})
    unit = position_unit(edge.id, edge.hyperedge, places, _reasons(edge.id, found, chunks))
    whole = len(parts) == 1 and parts[0].weight == 1.0
    return replace(unit, parts=() if whole else tuple(parts), unknown=not parts)


def _reasons(name: str, found: Sequence[Match], chunks: _Chunks) -> list[Diagnostic]:
    """Return the reasons to doubt the columns of one hyperedge."""
    if not found:
        message = (
            f"{name} resembles none of the {len(chunks.texts)} context texts; it has no score."
        )
        return [Diagnostic("unmatched-hyperedge", message)]
    reasons = []
    for match in found:
        if match.similarity < 1:
            message = (
                f"{name} was matched to context {match.chunk + 1} by similarity "
                f"{match.similarity:.2f}, not word for word."
            )
            reasons.append(Diagnostic("approximate-match", message))
        if not chunks.columns[match.chunk]:
            message = f"{name} is context {match.chunk + 1}, of which no column is known."
            reasons.append(Diagnostic("unmapped-columns", message))
    return reasons


def _length(value: Any) -> int:
    """Return the length of a list or array, and 0 for any other value."""
    if isinstance(value, np.ndarray):
        return len(value) if value.ndim else 0
    return len(value) if isinstance(value, list | tuple) else 0
