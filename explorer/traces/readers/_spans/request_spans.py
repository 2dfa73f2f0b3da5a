"""Spans of observability systems, and the RAG trace that the spans of one request amount to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from explorer.errors import TraceError
from explorer.traces._model.trace import Hyperedge, Trace, TraceProblem
from explorer.traces.readers._fields.documents import Document, documents_in
from explorer.traces.readers._fields.message_text import answer_in, logprobs_in, question_in, sound
from explorer.traces.readers._fields.record_fields import identifier, shown
from explorer.traces.readers._reader import Record

SpanKind = Literal["retriever", "reranker", "llm", "tool", "aside", "other"]
"""What a span does. An ``"aside"`` (embedding, evaluation) neither asks nor answers."""

_RETRIEVING: tuple[SpanKind, ...] = ("retriever", "reranker")
_GIVING: tuple[tuple[SpanKind, ...], ...] = (_RETRIEVING, ("tool",), ("other",), ("llm",))
_DEEP = "it is nested too deeply to be read."


@dataclass(slots=True)
class RequestSpan:
    """One step of a request, as far as a RAG trace needs it.

    Attributes
    ----------
    trace, id, parent
        Names; `parent` is empty for a root, `id` where the span has none.
    kind
        What the step does.
    start
        When it began, in any unit that all spans of the trace share; None where unknown.
    query, answer
        The question in its input and the answer in its output; empty where there is none.
    documents
        What it retrieved or ranked, in order.
    ranked
        Texts that a reranker was given; empty where unknown.
    logprobs
        Log-probabilities of its answer's tokens, in OpenAI's chat format.
    notes
        What was odd about its documents, in sentences.
    """

    trace: str
    id: str
    parent: str = ""
    kind: SpanKind = "other"
    start: float | None = None
    query: str = ""
    answer: str = ""
    documents: list[Document] = field(default_factory=list)
    ranked: list[str] = field(default_factory=list)
    logprobs: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    line: int = 0

    def look_into(self, taken: Any, given: Any) -> RequestSpan:
        """Find question, answer, documents and log-probabilities in its input and its output."""
        self.query, self.answer = question_in(taken), answer_in(given)
        if self.kind == "llm":
            self.logprobs = logprobs_in(given)
        elif self.kind != "aside":
            self.documents = documents_in(given, self.notes, sure=self.kind == "other")
        if self.kind == "reranker":
            self.ranked = [document.text for document in documents_in(taken, [], sure=True)]
        return self


def span_reader(
    spans_of: Callable[[Mapping[str, Any], int], Iterable[RequestSpan | TraceProblem]],
    source: str,
    complete: Callable[[Mapping[str, Any]], bool] = lambda record: False,
) -> Callable[[Iterable[Record]], Iterator[Trace | TraceProblem]]:
    """Return the `read` of a format made of spans.

    Parameters
    ----------
    spans_of
        The spans of one record and its line. May raise `TraceError`.
    source
        Name of the format; kept as ``metadata["source"]``.
    complete
        Whether a record holds all spans of its traces. Those are read at once; the others wait
        for the end of the file, since spans of a trace may lie anywhere in it.
    """

    def read(records: Iterable[Record]) -> Iterator[Trace | TraceProblem]:
        waiting: dict[str, list[RequestSpan]] = {}
        for line, record in records:
            gathered: dict[str, list[RequestSpan]] = {}
            problems: list[TraceProblem] = []
            try:
                for item in spans_of(record, line):
                    if isinstance(item, TraceProblem):
                        problems.append(item)
                    else:
                        item.line = line
                        gathered.setdefault(item.trace or f"line-{line}", []).append(item)
                at_once = complete(record)
            except TraceError as error:
                problems.append(TraceProblem(line, str(error)))
                at_once = False
            except RecursionError:
                problems.append(TraceProblem(line, _DEEP))
                at_once = False
            yield from problems
            for name, spans in gathered.items():
                if at_once:
                    yield from _assembled(name, spans, source)
                else:
                    waiting.setdefault(name, []).extend(spans)
        for name in list(waiting):
            yield from _assembled(name, waiting.pop(name), source)

    return read


def moment(value: Any) -> float | None:
    """Return a time as a number: seconds for a date, otherwise in the unit of the file."""
    try:
        if isinstance(value, str):
            if not value.strip().lstrip("-").replace(".", "", 1).isdigit():
                return datetime.fromisoformat(value.strip().replace(" UTC", "Z")).timestamp()
            value = float(value) if "." in value else int(value)
        elif isinstance(value, datetime):
            value = value.timestamp()
        number = float(value) if isinstance(value, int | float) else math.nan
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    if not math.isfinite(number):
        return None
    return value if type(value) is int else number  # nanoseconds are too long for a float


def named_kind(kind: SpanKind, name: Any, parent: str) -> SpanKind:
    """Return a kind, or a better one where the name of the step tells it.

    "RetrievalQA" is a chain and "VectorStoreRetriever" none; the root of a request is neither
    retriever nor reranker, whatever it is called.
    """
    if kind in {"llm", "aside"} or not isinstance(name, str) or not parent:
        return kind
    if "rerank" in name.lower():
        return "reranker"
    return "retriever" if kind == "other" and "retrieve" in name.lower() else kind


def name_of(value: Any) -> str:
    """Return an id as text; empty where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return sound(str(value)) if type(value).__name__ == "UUID" else ""
    return sound(identifier(value) or "")


def _assembled(name: str, spans: list[RequestSpan], source: str) -> Iterator[Trace | TraceProblem]:
    """Make the trace of one request, and tell what was odd about it."""
    line = spans[0].line
    spans = _merged(spans)
    notes: list[str] = []
    hyperedges = _hyperedges(spans, notes)
    if not hyperedges:
        lost = [note for span in spans for note in span.notes]
        retrievers = sum(span.kind in _RETRIEVING for span in spans)
        reason = (
            f"its retriever holds none (retrievers: {retrievers})"
            if retrievers
            else f"it has no retriever (spans: {len(spans)})"
        )
        said = " ".join(f"{note[0].upper()}{note[1:]}" for note in dict.fromkeys(lost[:3]))
        message = f"trace {shown(name)} has no retrieved documents: {reason}. {said}".strip()
        yield TraceProblem(line, message)
        return
    query, answer, logprobs = _exchange(spans)
    if not query:
        notes.append("no span holds a question, so its question is empty.")
    metadata: dict[str, Any] = {"source": source}
    if logprobs:
        metadata["logprobs"] = logprobs
    yield Trace(name, query, hyperedges, answer, metadata, line=line)
    for note in dict.fromkeys(notes):
        yield TraceProblem(line, f"trace {shown(name)}: {note}", loaded=True)


def _merged(spans: list[RequestSpan]) -> list[RequestSpan]:
    """Put the pieces of one span together, and spans in the order in which they began.

    A span comes twice when it was exported twice, or when its messages were logged as events.
    """
    kept: dict[str, RequestSpan] = {}
    nameless: list[RequestSpan] = []
    for span in spans:
        first = kept.setdefault(span.id, span) if span.id else span
        if not span.id:
            nameless.append(span)
        elif first is not span:
            if first.kind == "other":
                first.kind = span.kind
            first.parent = first.parent or span.parent
            first.start = span.start if first.start is None else first.start
            first.query = first.query or span.query
            first.answer = first.answer or span.answer
            first.documents = first.documents or span.documents
            first.ranked = first.ranked or span.ranked
            first.logprobs = first.logprobs or span.logprobs
            first.notes += [note for note in span.notes if note not in first.notes]
    listed = [*kept.values(), *nameless]
    dated = [span for span in listed if span.start is not None]
    undated = [span for span in listed if span.start is None]
    return [*sorted(dated, key=lambda span: span.start or 0.0), *undated]


def _exchange(spans: list[RequestSpan]) -> tuple[str, str, dict[str, Any] | None]:
    """Return question, answer and log-probabilities: the root's, else those of what is next to it.

    Where the root is missing or says nothing (a web request), a step that both asks and answers
    (an agent) stands for it; then the retriever is asked for the question, and the last call of a
    model for the answer.
    """
    talking = [span for span in spans if span.kind not in {"retriever", "reranker", "aside"}]
    roots = [span for span in talking if not span.parent]
    whole = [span for span in talking if span.kind == "other" and span.query and span.answer]
    models = [span for span in spans if span.kind == "llm"]
    names = {span.id for span in spans}
    tops = [span for span in talking if span.kind == "other" and span.parent not in names]
    asked = [*roots, *whole, *(span for span in spans if span.kind in _RETRIEVING), *models]
    answered = [*roots, *whole, *reversed(models), *tops]
    query = next((span.query for span in [*asked, *spans] if span.query), "")
    answer = next((span.answer for span in answered if span.answer), "")
    known = [span for span in reversed(models) if span.logprobs]
    known += [span for span in roots if span.logprobs]
    same = [span for span in known if span.answer == answer]
    return query, answer, (same or known)[0].logprobs if known else None


def _hyperedges(spans: list[RequestSpan], notes: list[str]) -> list[Hyperedge]:
    """Return the documents that the model was given, as hyperedges."""
    seen: set[tuple[str | None, str]] = set()
    hyperedges: list[Hyperedge] = []
    taken: dict[str, int] = {}
    shared: list[str] = []
    for span in _last_word(spans):
        notes += span.notes
        for document in span.documents:
            if (document.id, document.text) in seen:
                continue
            seen.add((document.id, document.text))
            wanted = name = document.id or f"d{len(hyperedges) + 1}"
            while name in taken:
                taken[wanted] = taken.get(wanted, 1) + 1
                name = f"{wanted}#{taken[wanted]}"
            if name != wanted and document.id:
                shared.append(wanted)
            taken[name] = 1
            extra: dict[str, Any] = {}
            if document.score is not None:
                extra["retrieval_score"] = document.score
            if document.metadata:
                extra["metadata"] = document.metadata
            hyperedges.append(Hyperedge(name, document.text, extra=extra))
    if shared:
        notes.append(
            f"different documents share the id {shown(shared[0])}; the later ones are called "
            f"{shown(shared[0] + '#2')} and so on."
        )
    return hyperedges


def _last_word(spans: list[RequestSpan]) -> list[RequestSpan]:
    """Return the spans whose documents went on to the model, in order.

    Retrievers and rerankers come first; where none has documents, tools, and then other steps.
    What happens within a retriever is its own affair. A reranker takes the place of the retrievers
    that gave it its texts; where these are unknown, of all since the reranker before it.
    """
    giving: list[RequestSpan] = []
    for kinds in _GIVING:
        giving = [span for span in spans if span.documents and span.kind in kinds]
        if giving:
            break
    within = _within({span.id for span in giving}, spans)
    kept: list[RequestSpan] = []
    for span in giving:
        if span.id and span.id in within:
            continue
        if span.kind == "reranker":
            texts = set(span.ranked)
            given = [
                item for item in kept if any(document.text in texts for document in item.documents)
            ]
            if not given:
                last = max(
                    (n for n, item in enumerate(kept) if item.kind == "reranker"), default=-1
                )
                given = kept[last + 1 :] or kept[-1:]
            kept = [item for item in kept if not any(item is other for other in given)]
        kept.append(span)
    return kept


def _within(names: set[str], spans: list[RequestSpan]) -> set[str]:
    """Return the ids of spans that lie below one of `names`; spans in a circle lie nowhere."""
    parents = {span.id: span.parent for span in spans if span.id}
    inside: dict[str, bool] = {}
    for start in parents:
        way: list[str] = []
        walked: set[str] = set()
        at = start
        while at in parents and at not in inside and at not in walked:
            way.append(at)
            walked.add(at)
            at = parents[at]
        circle = at in walked
        below = inside.get(at, False) or (at in names and at in inside)
        for name in reversed(way):
            inside[name] = below and not circle
            below = below or name in names
    return {name for name, lies in inside.items() if lies}
