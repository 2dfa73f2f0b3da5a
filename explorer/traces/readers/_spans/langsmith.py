"""Reader of LangSmith: runs, one per record or nested in their parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.message_text import opened
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._spans.request_spans import (
    RequestSpan,
    SpanKind,
    is_failure,
    moment,
    name_of,
    named_kind,
)
from explorer.traces.readers._spans.trace_assembly import span_reader

_KINDS: dict[str, SpanKind] = {
    "retriever": "retriever",
    "llm": "llm",
    "tool": "tool",
    "chain": "other",
    "prompt": "aside",
    "parser": "other",
    "embedding": "aside",
}


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a record is a run, or a page of runs as the API answers."""
    return _is_run(record) or any(map(_is_run, _listed(record)[:1]))


def _is_run(record: object) -> bool:
    """Say whether this is a run."""
    return (
        isinstance(record, Mapping)
        and isinstance(record.get("run_type"), str)
        and ("inputs" in record or "outputs" in record)
        and any(name in record for name in ("id", "run_id", "trace_id", "dotted_order"))
    )


def _listed(record: Mapping[str, Any]) -> list[Any]:
    """Return the runs of a page, or of a trace that was exported as one object."""
    found = opened(record.get("runs"))
    return found if isinstance(found, list) else []


def _spans_of(record: Mapping[str, Any], line: int) -> Iterator[RequestSpan | TraceProblem]:
    """Go through the runs of a record, parents before children."""
    left: list[tuple[Any, str, str]] = [
        (item, name_of(record.get("trace_id")), "")
        for item in reversed(_listed(record) or [record])
    ]
    while left:
        run, trace, parent = left.pop()
        if not isinstance(run, Mapping):
            yield TraceProblem(line, f"a run must be an object, and here it is {kind_of(run)}.")
            continue
        span = _span(run, trace, parent)
        yield span
        children = opened(run.get("child_runs"))
        if isinstance(children, list):
            left += [(child, span.trace, span.id) for child in reversed(children)]


def _span(run: Mapping[str, Any], trace: str, parent: str) -> RequestSpan:
    """Return the span of one run; `trace` and `parent` are those of the run around it."""
    taken, given = opened(run.get("inputs")), opened(run.get("outputs"))
    name = name_of(run.get("id")) or name_of(run.get("run_id"))
    parent = name_of(run.get("parent_run_id")) or parent
    kind = named_kind(_KINDS.get(str(run.get("run_type")), "other"), run.get("name"), parent)
    span = RequestSpan(
        trace=name_of(run.get("trace_id")) or trace or _root(run) or parent or name,
        id=name,
        parent=parent,
        kind=kind,
        start=moment(run.get("start_time")),
        name=str(run.get("name") or ""),
        failed=bool(run.get("error")) or is_failure(run.get("status")),
    )
    return span.look_into(taken, given)


def _root(run: Mapping[str, Any]) -> str:
    """Return the id of the root run, with which a dotted order begins; empty where unknown."""
    order = run.get("dotted_order")
    if isinstance(order, str) and "Z" in order:
        return order.split(".", 1)[0].split("Z", 1)[1]
    above = opened(run.get("parent_run_ids"))
    return name_of(above[0]) if isinstance(above, list) and above else ""


READER = Reader("langsmith", "LangSmith", recognises, span_reader(_spans_of, "langsmith"))
