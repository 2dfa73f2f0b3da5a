"""The endpoints for code: embeddings, attention, importance and pictures."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from explorer.errors import MissingExtraError
from explorer.service._endpoints.code_messages import (
    AnalysisAnswer,
    AttentionAnswer,
    AttentionBody,
    CodeBody,
    EmbeddingAnswer,
    WindowAnswer,
    WindowBody,
)
from explorer.service._endpoints.recorded_code import (
    RecordedCode,
    accepted_format,
    binary_response,
    check_cells,
    json_response,
    read_request,
    record_code,
)
from explorer.service._http.array_encoding import (
    FloatArray,
    matrix_json,
    numbers_json,
    vector_json,
)
from explorer.service._http.content_negotiation import JSON, MATRIX_FORMATS
from explorer.service._http.openapi import WITH_BODY, answers_of, body_of
from explorer.service._work.service_state import service_of

TYPES = (
    AnalysisAnswer,
    AttentionAnswer,
    AttentionBody,
    CodeBody,
    EmbeddingAnswer,
    WindowAnswer,
    WindowBody,
)
"""The bodies and answers of these endpoints."""

_PROBLEMS = (404, *WITH_BODY, 504)
_HELLO = {"code": 'def hello(): return "Hello, World!"'}

router = APIRouter(tags=["code"])


@router.post(
    "/analyze",
    summary="Embedding of a piece of code",
    responses=answers_of(EmbeddingAnswer, "The embedding.", MATRIX_FORMATS, _PROBLEMS),
    openapi_extra=body_of(CodeBody, {"Some code": _HELLO}),
)
async def analyze(request: Request) -> Response:
    """Return the embedding of a piece of code: the mean over its tokens, from one pass."""
    kind = accepted_format(request)
    recorded = await record_code(request, await read_request(request, CodeBody), whole=False)
    return await service_of(request).in_thread(_embedding, recorded, kind)


@router.post(
    "/analyze-with-attention",
    summary="Embedding and attention of a piece of code",
    responses=answers_of(
        AttentionAnswer, "Embedding, tokens, attention.", MATRIX_FORMATS, _PROBLEMS
    ),
    openapi_extra=body_of(
        AttentionBody, {"Last layer": _HELLO, "One head": {**_HELLO, "layer": 0, "head": 1}}
    ),
)
async def analyze_with_attention(request: Request) -> Response:
    """Return embedding, tokens and attention of a piece of code, from one pass."""
    kind = accepted_format(request)
    recorded = await record_code(request, await read_request(request, AttentionBody), whole=True)
    return await service_of(request).in_thread(_attention, recorded, kind)


@router.post(
    "/analyze-attention",
    summary="Attention, importance and a picture of a piece of code",
    responses=answers_of(
        AnalysisAnswer, "Tokens, attention, importance, picture.", MATRIX_FORMATS, _PROBLEMS
    ),
    openapi_extra=body_of(AttentionBody, {"A class": {"code": "class MyClass: pass"}}),
)
async def analyze_attention(request: Request) -> Response:
    """Return tokens, attention, importance of each token, and the heatmap as a PNG in base64."""
    kind = accepted_format(request)
    recorded = await record_code(request, await read_request(request, AttentionBody), whole=True)
    return await service_of(request).in_thread(_analysis, recorded, kind)


@router.post(
    "/get-attention",
    summary="Attention of any layer and head, or a window of it",
    responses=answers_of(WindowAnswer, "Tokens and attention.", MATRIX_FORMATS, _PROBLEMS),
    openapi_extra=body_of(
        WindowBody,
        {
            "One head": {**_HELLO, "layer": 2, "head": 0},
            "The last row in four digits": {**_HELLO, "rows": [-1, 10_000], "precision": 4},
        },
    ),
)
async def get_attention(request: Request) -> Response:
    """Return tokens and raw attention of a layer and head, or of a window of the matrix."""
    kind = accepted_format(request)
    body = await read_request(request, WindowBody)
    service = service_of(request)
    recorded = await record_code(request, body, whole=False)
    n_tokens = len(recorded.tokenized)
    rows, columns = _part(body.rows, n_tokens), _part(body.columns, n_tokens)
    check_cells(service, len(rows), len(columns))
    return await service.in_thread(_window, recorded, kind, rows, columns, body.precision)


def _part(span: tuple[int, int] | None, count: int) -> range:
    """Return the positions of a half-open range, negative numbers from the end."""
    return range(count) if span is None else range(count)[span[0] : span[1]]


def _embedding(recorded: RecordedCode, kind: str) -> Response:
    embedding = recorded.text.embedding()
    facts = recorded.facts(of_attention=False)
    if kind == JSON:
        return json_response({"embedding": vector_json(embedding), **facts})
    arrays = {"embedding": embedding}
    return binary_response(kind, "embedding", arrays, arrays, facts)


def _attention(recorded: RecordedCode, kind: str) -> Response:
    weights, embedding = recorded.weights(), recorded.text.embedding()
    if kind == JSON:
        return json_response(
            {
                "embedding": vector_json(embedding),
                "tokens": recorded.tokenized.tokens,
                "attention": matrix_json(weights),
                **recorded.facts(),
            }
        )
    facts = {**recorded.facts(), "tokens": recorded.tokenized.tokens}
    arrays = {"attention": weights, "embedding": embedding}
    rows = {"token": recorded.tokenized.tokens, "attention": weights}
    return binary_response(kind, "attention", arrays, rows, facts)


def _analysis(recorded: RecordedCode, kind: str) -> Response:
    weights = recorded.weights()
    importance = recorded.text.attention.received(recorded.layer, recorded.head)
    tokens = recorded.tokenized.tokens
    if kind != JSON:
        facts = {**recorded.facts(), "tokens": tokens}
        arrays = {"attention": weights, "importance": importance}
        rows = {"token": tokens, "importance": importance, "attention": weights}
        return binary_response(kind, "attention", arrays, rows, facts)
    visualization, error = _picture(recorded, weights)
    return json_response(
        {
            "tokens": tokens,
            "attention": matrix_json(weights),
            # Of repeated tokens the last counts, as in the dictionary of the older service.
            "importance": dict(zip(tokens, numbers_json(importance), strict=True)),
            "importance_by_position": vector_json(importance),
            "visualization": visualization,
            "error": error,
            **recorded.facts(),
        }
    )


def _window(
    recorded: RecordedCode, kind: str, rows: range, columns: range, precision: int | None
) -> Response:
    weights = recorded.text.attention.weights(
        recorded.layer, recorded.head, np.array(rows, np.int64), np.array(columns, np.int64)
    )
    tokens = recorded.tokenized.tokens
    queries, keys = [tokens[at] for at in rows], [tokens[at] for at in columns]
    facts: dict[str, Any] = {
        "rows": [rows.start, rows.stop],
        "columns": [columns.start, columns.stop],
        **recorded.facts(),
        "tokens": keys,
        "query_tokens": queries,
    }
    if kind == JSON:
        return json_response({**facts, "attention": matrix_json(weights, precision)})
    if precision is not None:
        weights = np.round(weights, precision)
    arrays = {"attention": weights}
    return binary_response(kind, "attention", arrays, {"token": queries, **arrays}, facts)


def _picture(recorded: RecordedCode, weights: FloatArray) -> tuple[str | None, str | None]:
    """Return the heatmap in base64, or why there is no picture."""
    from explorer.figures._attention.pixel_heatmap import heatmap_pixels

    tokens = recorded.tokenized.tokens
    try:
        picture = heatmap_pixels(weights, tokens, tokens, recorded.title)
    except MissingExtraError as error:
        return None, str(error)
    return base64.b64encode(picture).decode("ascii"), None
