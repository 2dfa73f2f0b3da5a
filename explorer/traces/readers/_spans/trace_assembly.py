"""Traces from the spans of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import Hyperedge, Trace, TraceProblem
from explorer.traces.readers._fields.record_fields import shown
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._reader import Record
from explorer.traces.readers._spans.request_spans import RequestSpan, SpanKind
from explorer.traces.readers._spans.step_roles import (
    find_documents,
    says_nothing,
    turns,
    without_documents,
)

_RETRIEVING: tuple[SpanKind, ...] = ("retriever", "reranker")
_GIVING: tuple[tuple[SpanKind, ...], ...] = (_RETRIEVING, ("tool",), ("other",), ("llm",))
_DEEP = "it is nested too deeply to be read."


def span_reader(
    spans_of: Callable[[Mapping[str, Any], int], Iterable[RequestSpan | TraceProblem]],
    source: str,
    complete: Callable[[Mapping[str, Any]], bool] = lambda record: False,
) -> Callable[[Iterable[Record], ReadContext], Iterator[Trace | TraceProblem]]:
    """Return the `read` function of a format made of spans.

    Parameters
    ----------
    spans_of
        Returns the spans of one record and its line. May raise `TraceError`.
    source
        Name of the format; kept as ``metadata["source"]``.
    complete
        Returns True for a record that holds all spans of its traces. These are read immediately;
        the others at the end of the file, since spans of a trace may be anywhere in it.
    """

    def read(records: Iterable[Record], context: ReadContext) -> Iterator[Trace | TraceProblem]:
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
                    yield from _assembled(name, spans, source, context)
                else:
                    waiting.setdefault(name, []).extend(spans)
        for name in list(waiting):
            yield from _assembled(name, waiting.pop(name), source, context)

    return read


def _assembled(
    name: str, spans: list[RequestSpan], source: str, context: ReadContext
) -> Iterator[Trace | TraceProblem]:
    """Yield the traces of one request, one for each turn, and its problems."""
    spans = _merged(spans)
    steps = find_documents(spans, context.retriever)
    parts = turns(spans)
    for number, part in enumerate(parts, start=1):
        yield from _turn(name if number == 1 else f"{name}#{number}", part, source, list(steps))
    if len(parts) > 1:
        message = f"trace {shown(name)} has {len(parts)} turns, and each became a trace."
        yield TraceProblem(spans[0].line, message, loaded=True)


def _turn(
    name: str, spans: list[RequestSpan], source: str, notes: list[str]
) -> Iterator[Trace | TraceProblem]:
    """Yield the trace of one question, and its problems."""
    line = spans[0].line
    hyperedges = _hyperedges(spans, notes)
    if not hyperedges:
        lost = [*notes, *(note for span in spans for note in span.notes)]
        retrievers = sum(span.kind in _RETRIEVING for span in spans)
        steps = sorted({span.name for span in spans if span.name})
        if retrievers:
            reason = f"its retriever has none (retrievers: {retrievers})"
        elif steps:
            more = f" and {len(steps) - 8} more" if len(steps) > 8 else ""
            reason = (
                f"it has no retriever (steps: {', '.join(steps[:8])}{more}). If one of them "
                f"retrieves, name it: retriever={steps[0]!r}"
            )
        else:
            reason = f"it has no retriever (spans: {len(spans)})"
        details = " ".join(f"{note[0].upper()}{note[1:]}" for note in dict.fromkeys(lost[:3]))
        message = f"trace {shown(name)} has no retrieved documents: {reason}. {details}".strip()
        yield TraceProblem(line, message)
        return
    query, answer, logprobs = _exchange(spans, [edge.hyperedge for edge in hyperedges], notes)
    if not query:
        notes.append("no span holds a question, so its question is empty.")
    metadata: dict[str, Any] = {"source": source}
    if logprobs:
        metadata["logprobs"] = logprobs
    yield Trace(name, query, hyperedges, answer, metadata, line=line)
    for note in dict.fromkeys(notes):
        yield TraceProblem(line, f"trace {shown(name)}: {note}", loaded=True)


def _merged(spans: list[RequestSpan]) -> list[RequestSpan]:
    """Return the spans by start time, with the parts of each span merged.

    A span occurs twice if it was exported twice, or if its messages were logged as events.
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
            first.name = first.name or span.name
            first.given = span.given if first.given is None else first.given
            first.failed = first.failed or span.failed
            first.notes += [note for note in span.notes if note not in first.notes]
    listed = [*kept.values(), *nameless]
    dated = [span for span in listed if span.start is not None]
    undated = [span for span in listed if span.start is None]
    return [*sorted(dated, key=lambda span: span.start or 0.0), *undated]


def _exchange(
    spans: list[RequestSpan], documents: list[str], notes: list[str]
) -> tuple[str, str, dict[str, Any] | None]:
    """Return question, answer and log-probabilities: those of the root, else of other spans.

    If the root is missing or has no text (a web request), a step with question and answer (an
    agent) is used; then the retriever for the question, and the last model call for the answer.
    """
    talking = [span for span in spans if span.kind not in {"retriever", "reranker", "aside"}]
    roots = [span for span in talking if not span.parent]
    whole = [span for span in talking if span.kind == "other" and span.query and span.answer]
    models = [span for span in spans if span.kind == "llm"]
    names = {span.id for span in spans}
    tops = [span for span in talking if span.kind == "other" and span.parent not in names]
    asked = [*roots, *whole, *(span for span in spans if span.kind in _RETRIEVING), *models]
    answered = [*roots, *whole, *reversed(models), *tops]
    query = _question([span.query for span in [*asked, *spans] if span.query], documents, notes)
    answer = next((span.answer for span in answered if span.answer), "")
    known = [span for span in reversed(models) if span.logprobs]
    known += [span for span in roots if span.logprobs]
    same = [span for span in known if span.answer == answer]
    return query, answer, (same or known)[0].logprobs if known else None


def _question(candidates: list[str], documents: list[str], notes: list[str]) -> str:
    """Return the first text that is a question, and not a prompt with the documents in it."""
    telling = [text for text in candidates if not says_nothing(text)]
    found = [without_documents(text, documents) for text in telling]
    whole = [text for text, given in zip(found, telling, strict=True) if text == given]
    query = next(filter(None, [*whole, *found]), "")
    if not query and telling:
        notes.append("its only question is a prompt that holds the documents, and was left out.")
    return query or ""


def _hyperedges(spans: list[RequestSpan], notes: list[str]) -> list[Hyperedge]:
    """Return the documents that the model received, as hyperedges."""
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
            f"different documents share the id {shown(shared[0])}; the later ones are named "
            f"{shown(shared[0] + '#2')} and so on."
        )
    return hyperedges


def _last_word(spans: list[RequestSpan]) -> list[RequestSpan]:
    """Return the spans whose documents the model received, in order.

    Retrievers and rerankers come first; without documents of them, tools, and then other steps.
    Steps within a retriever are left out. A reranker replaces the retrievers whose texts it ranked;
    if these are unknown, all since the previous reranker.
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
    """Return the ids of spans below one of `names`; spans in a cycle are not below any."""
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
