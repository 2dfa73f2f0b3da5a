"""The endpoints for RAG traces: feedback for each hyperedge, by any method."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from explorer.run_control import RunControl
from explorer.service._endpoints.recorded_code import read_request
from explorer.service._http.content_negotiation import JSON, chosen_format
from explorer.service._http.openapi import WITH_BODY, answers_of, body_of
from explorer.service._http.problems import ProblemError
from explorer.service._work.service_state import service_of

if TYPE_CHECKING:
    from explorer.feedback import Diagnostic
    from explorer.rag import ExtractorConfig
    from explorer.rag._extraction.explanation import TraceExplanation
    from explorer.traces import Trace, TraceProblem

_CONFIG = Meta(
    description="Settings of the extractor (docs/rag.md), such as attention_threshold, layer, head."
)
_METHOD = Meta(
    description="embedding, attention, citation, lexical, hybrid, logprobs or ensemble; null for "
    "the one of the config."
)
_FORMAT = Meta(description="Name of the format, such as ragas; null to detect it.")


class TraceBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """One trace, and how to compute its feedback."""

    trace: Annotated[
        dict[str, Any],
        Meta(description="explorer's own format, or a record of another (docs/traces.md)."),
    ]
    method: Annotated[str | None, _METHOD] = None
    config: Annotated[dict[str, Any], _CONFIG] = {}
    format: Annotated[str | None, _FORMAT] = None


class TracesBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """Many traces, and how to compute their feedback."""

    traces: Annotated[
        list[dict[str, Any]] | dict[str, Any] | str,
        Meta(
            description="Records of any format, an object that holds them, or the text of a file: "
            "JSON Lines, JSON or CSV."
        ),
    ]
    method: Annotated[str | None, _METHOD] = None
    config: Annotated[dict[str, Any], _CONFIG] = {}
    format: Annotated[str | None, _FORMAT] = None


class Reason(Struct, kw_only=True):
    """A named reason to doubt a number."""

    code: str
    message: str


class FeedbackRow(Struct, kw_only=True):
    """The feedback of one hyperedge."""

    unit: Annotated[str, Meta(description="Id of the hyperedge.")]
    text: str
    method: Annotated[str, Meta(description="The method that gave the number.")]
    evidence: str
    tokens: Annotated[int, Meta(description="Tokens whose attention was read.")]
    score: Annotated[float | None, Meta(description="In [0, 1]; null if unknown.")]
    threshold: float | None
    feedback: Annotated[float | None, Meta(description="In [0, 1]; null if unknown.")]
    verdict: Annotated[str, Meta(description="used, near, not used or unknown.")]
    matched_to: str
    diagnostics: list[Reason]


class TraceFeedback(Struct, kw_only=True):
    """The feedback of one trace."""

    trace: Annotated[str, Meta(description="Id of the trace.")]
    feedback: Annotated[
        dict[str, float], Meta(description="Feedback by hyperedge, as `extract_feedback` gives it.")
    ]
    rows: list[FeedbackRow]
    notes: list[Reason]


class BadRecord(Struct, kw_only=True):
    """A record that is not a trace, or a note on one that is."""

    line: Annotated[
        int, Meta(description="Line of the text, or number of the record, counted from 1.")
    ]
    message: str


class FeedbackAnswer(TraceFeedback, kw_only=True):
    """The feedback of one trace, and notes on its record."""

    problems: list[BadRecord]


class FeedbackBatchAnswer(Struct, kw_only=True):
    """The feedback of many traces."""

    format: Annotated[str, Meta(description="The format of the traces.")]
    results: list[TraceFeedback]
    problems: list[BadRecord]


TYPES = (FeedbackAnswer, FeedbackBatchAnswer, TraceBody, TracesBody)
"""The bodies and answers of these endpoints."""

router = APIRouter(tags=["traces"])
_TRACE = {
    "id": "t1",
    "query": "Which river is longest?",
    "answer": "The Nile.",
    "hyperedges": [
        {"id": "h1", "hyperedge": "The Nile is the longest river."},
        {"id": "h2", "hyperedge": "The Rhine flows through Cologne."},
    ],
    "metadata": {"hyperedge_attention": {"h1": 0.45, "h2": 0.02}},
}
_PROBLEMS = (*WITH_BODY, 504)


@router.post(
    "/feedback",
    summary="Feedback for the hyperedges of a trace",
    responses=answers_of(FeedbackAnswer, "The feedback.", problems=_PROBLEMS),
    openapi_extra=body_of(TraceBody, {"By attention": {"trace": _TRACE, "method": "attention"}}),
)
async def feedback(request: Request) -> Response:
    """Return the feedback of each hyperedge of one trace, with the evidence for it."""
    chosen_format(request.headers.get("accept"), (JSON,))
    body = await read_request(request, TraceBody)
    source = msgspec.json.encode(body.trace)
    answer = await _answer(request, source, body)
    if len(answer.results) != 1:
        raise ProblemError(
            "invalid-input",
            f"One trace was expected, but the record has {len(answer.results)}. "
            "POST /v1/feedback/batch takes many.",
            errors=[("/trace", "There must be one trace.")],
        )
    (found,) = answer.results
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return _json(FeedbackAnswer(**fields, problems=answer.problems))


@router.post(
    "/feedback/batch",
    summary="Feedback for many traces",
    responses=answers_of(FeedbackBatchAnswer, "The feedback.", problems=_PROBLEMS),
    openapi_extra=body_of(
        TracesBody,
        {
            "Two traces": {"traces": [_TRACE, {**_TRACE, "id": "t2"}], "method": "attention"},
            "A file": {"traces": '{"id": "t1", "query": "?", "answer": "Yes.", "hyperedges": []}'},
        },
    ),
)
async def feedback_batch(request: Request) -> Response:
    """Return the feedback of many traces; records that are not traces are in ``problems``."""
    chosen_format(request.headers.get("accept"), (JSON,))
    body = await read_request(request, TracesBody)
    given = body.traces
    if isinstance(given, str) and given.startswith("PAR1"):
        raise ProblemError(
            "invalid-input",
            "A Parquet file cannot be sent as text. Send its records as JSON.",
            errors=[("/traces", "This is a Parquet file; records or a text were expected.")],
        )
    if isinstance(given, str):
        source = given.encode()
    elif isinstance(given, list) and given:  # one a line, so that a problem names its record
        source = b"\n".join(msgspec.json.encode(one) for one in given)
    else:
        source = msgspec.json.encode(given)
    return _json(await _answer(request, source, body))


async def _answer(
    request: Request, source: bytes, body: TraceBody | TracesBody
) -> FeedbackBatchAnswer:
    """Return the feedback of all traces of a text.

    Methods may embed texts, which is a forward pass: the extraction runs in the model's worker.
    """
    service = service_of(request)
    config = _config(body)
    traces, name, problems = await service.in_thread(_parsed, source, body.format)

    def work(cancel: threading.Event) -> list[TraceExplanation]:
        return _explained(traces, config, cancel)

    job = service.queue_work(work)
    explained = await service.result_of(request, job, request.state.began)
    results = await service.in_thread(lambda: [_trace_feedback(one) for one in explained])
    listed = [BadRecord(line=one.line, message=one.message) for one in problems]
    return FeedbackBatchAnswer(format=name, results=results, problems=listed)


def _config(body: TraceBody | TracesBody) -> ExtractorConfig:
    from explorer.rag import ExtractorConfig

    given = dict(body.config)
    if body.method is not None:
        given["method"] = body.method
    return ExtractorConfig.of(given)


def _parsed(source: bytes, name: str | None) -> tuple[Sequence[Trace], str, Sequence[TraceProblem]]:
    from explorer.traces import parse_traces

    found = parse_traces(source, "the request", format=name)
    return list(found), found.format or "", found.problems


def _explained(
    traces: Sequence[Trace], config: ExtractorConfig, cancel: threading.Event
) -> list[TraceExplanation]:
    from explorer.rag._embeddings.embedders import packaged_embedder
    from explorer.rag._extraction.explanation import ExplanationTask, explain_all

    tasks = [ExplanationTask(trace, config) for trace in traces]
    return asyncio.run(explain_all(tasks, packaged_embedder(), RunControl(cancel=cancel)))


def _trace_feedback(explained: TraceExplanation) -> TraceFeedback:
    from explorer.rag._extraction.explanation import feedback_by_id

    rows = [
        FeedbackRow(
            unit=edge.id,
            text=edge.hyperedge,
            method=result.method,
            evidence=result.evidence,
            tokens=int(result.tokens),
            score=_number(result.score),
            threshold=_number(result.threshold),
            feedback=_number(result.feedback),
            verdict=result.verdict,
            matched_to=result.matched_to,
            diagnostics=_reasons(result.diagnostics),
        )
        for edge, result in zip(explained.hyperedges, explained.results, strict=True)
    ]
    return TraceFeedback(
        trace=explained.name,
        feedback={name: float(value) for name, value in feedback_by_id(explained).items()},
        rows=rows,
        notes=_reasons(explained.notes),
    )


def _reasons(diagnostics: Sequence[Diagnostic]) -> list[Reason]:
    return [Reason(code=one.code, message=one.message) for one in diagnostics]


def _number(value: float) -> float | None:
    number = float(value)
    return number if isfinite(number) else None


def _json(answer: Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type=JSON)
