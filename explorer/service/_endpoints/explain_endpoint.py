"""The endpoint that draws the tokens and the matrix that a client brings."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

import msgspec
import numpy as np
from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from explorer.errors import MissingExtraError
from explorer.service._endpoints.recorded_code import check_cells, read_request
from explorer.service._http.content_negotiation import JSON, PNG, chosen_format
from explorer.service._http.openapi import WITH_BODY, answers_of, body_of
from explorer.service._http.problems import ProblemError, busy
from explorer.service._work.service_state import service_of

_Label = Annotated[str, Meta(max_length=10_000)]
_Pixels = Annotated[int, Meta(ge=120, le=4096)]
_Weight = Annotated[float, Meta(gt=0, le=1)]


class PictureBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """Tokens and the attention between them, and how to draw it."""

    tokens: Annotated[
        list[_Label], Meta(min_length=1, description="One for each column of the matrix.")
    ]
    attention: Annotated[
        list[list[float | None]],
        Meta(min_length=1, description="Rows of weights from 0 to 1, all of the same length."),
    ]
    query_tokens: Annotated[
        list[_Label] | None,
        Meta(description="One for each row; null if the rows are the columns' tokens."),
    ] = None
    title: Annotated[str, Meta(max_length=1000)] = ""
    width: Annotated[_Pixels, Meta(description="Width in pixels.")] = 990
    height: Annotated[_Pixels, Meta(description="Height in pixels.")] = 572
    labels: Annotated[bool, Meta(description="Whether tokens and axis names are written.")] = True
    colorscale: Literal["violet", "viridis", "cividis", "magma"] = "violet"
    scaling: Annotated[
        Literal["linear", "sqrt", "log"],
        Meta(description="How a weight becomes a place on the colour scale."),
    ] = "sqrt"
    zmax: Annotated[
        _Weight | None,
        Meta(description="Weight at the end of the scale; null for the largest."),
    ] = None
    theme: Literal["light", "dark"] = "light"


class PictureAnswer(Struct, kw_only=True):
    """A picture."""

    visualization: Annotated[str, Meta(description="A PNG in base64.")]
    width: int
    height: int


TYPES = (PictureAnswer, PictureBody)
"""The body and answer of this endpoint."""

router = APIRouter(tags=["pictures"])
_EXAMPLE = {
    "tokens": ["def", "f", "(", ")"],
    "attention": [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.5, 0.3, 0], [0.1, 0.2, 0.3, 0.4]],
}


@router.post(
    "/explain",
    summary="A picture of tokens and a matrix",
    responses=answers_of(PictureAnswer, "The picture.", (JSON, PNG), WITH_BODY),
    openapi_extra=body_of(
        PictureBody,
        {
            "A heatmap": _EXAMPLE,
            "A small dark one": {
                **_EXAMPLE, "width": 400, "height": 300, "colorscale": "magma", "theme": "dark",
            },
        },
    ),
)  # fmt: skip
async def explain(request: Request) -> Response:
    """Return the heatmap of a matrix that the request brings, in JSON or as ``image/png``."""
    kind = chosen_format(request.headers.get("accept"), (JSON, PNG))
    service = service_of(request)
    body = await read_request(request, PictureBody)
    check_cells(service, len(body.attention), len(body.attention[0]))
    try:
        picture = await service.in_thread(_drawn, body)
    except MissingExtraError as error:
        raise busy(str(error), "not-ready", seconds=3600) from None
    if kind == PNG:
        return Response(picture, media_type=PNG)
    answer = PictureAnswer(
        visualization=base64.b64encode(picture).decode("ascii"),
        width=body.width,
        height=body.height,
    )
    return Response(msgspec.json.encode(answer), media_type=JSON)


def _drawn(body: PictureBody) -> bytes:
    from explorer.figures._attention.pixel_heatmap import heatmap_pixels

    columns = len(body.tokens)
    queries = body.tokens if body.query_tokens is None else body.query_tokens
    for place, row in enumerate(body.attention):
        if len(row) != columns:
            raise _mismatch(
                f"/attention/{place}", f"There are {columns} tokens, but this row has {len(row)} "
                "numbers. Give one number for each token."
            )  # fmt: skip
    if len(queries) != len(body.attention):
        raise _mismatch(
            "/attention",
            f"There are {len(queries)} tokens for the rows, but the matrix has "
            f"{len(body.attention)} rows. Give query_tokens if rows and columns differ.",
        )
    weights = np.array(body.attention, dtype=np.float64)  # null becomes NaN
    return heatmap_pixels(
        np.clip(weights, -1.0, 2.0),  # what lies outside of [0, 1] has the colour of its end
        queries,
        body.tokens,
        body.title,
        width=body.width,
        height=body.height,
        labels=body.labels,
        colorscale=body.colorscale,
        scaling=body.scaling,
        zmax=body.zmax,
        theme=body.theme,
    )


def _mismatch(pointer: str, detail: str) -> ProblemError:
    return ProblemError("invalid-input", f"{detail} (at {pointer})", errors=[(pointer, detail)])
