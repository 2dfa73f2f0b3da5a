"""Bodies and answers of the endpoints for code."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Matrix = list[list[float | None]]

_LAYER = Meta(
    description="Number of the layer, negative from the end; null for the mean over all layers."
)
_HEAD = Meta(
    description="Number of the head, negative from the end; null for the mean over all heads."
)
_Number = Annotated[int, Meta(ge=-10_000, le=10_000)]
_Digits = Annotated[int, Meta(ge=1, le=9)]
_POSITION = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class CodeBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """A piece of code."""

    code: Annotated[
        str, Meta(min_length=1, pattern=r"\S", description="Source text in any language.")
    ]
    model: Annotated[
        str | None, Meta(description="A name of GET /v1/models; null for the default.")
    ] = None


class AttentionBody(CodeBody, forbid_unknown_fields=True, kw_only=True):
    """A piece of code, and the layer and head to read."""

    layer: Annotated[_Number | None, _LAYER] = -1
    head: Annotated[_Number | None, _HEAD] = None


class WindowBody(AttentionBody, forbid_unknown_fields=True, kw_only=True):
    """A piece of code, a layer and head, and the part of the matrix to return."""

    rows: Annotated[
        tuple[_POSITION, _POSITION] | None,
        Meta(description="Half-open range of attending tokens, as in Python; null for all."),
    ] = None
    columns: Annotated[
        tuple[_POSITION, _POSITION] | None,
        Meta(description="Half-open range of tokens attended to, as in Python; null for all."),
    ] = None
    precision: Annotated[
        _Digits | None,
        Meta(description="Digits after the decimal point; null for every digit of float32."),
    ] = None


class EmbeddingAnswer(Struct, kw_only=True):
    """The embedding of a piece of code."""

    embedding: Annotated[
        list[float | None],
        Meta(description="Mean of the last hidden state over the tokens without special ones."),
    ]
    latency_ms: Annotated[float, Meta(description="Milliseconds from the request to the answer.")]
    model: Annotated[str, Meta(description="Name of the model.")]
    n_tokens: Annotated[int, Meta(description="Tokens of the whole code without special ones.")]
    truncated: Annotated[
        bool, Meta(description="Whether the model took only the beginning of the code.")
    ]


class AttentionAnswer(Struct, kw_only=True):
    """Embedding, tokens and attention of a piece of code, from one forward pass."""

    embedding: list[float | None]
    tokens: Annotated[list[str], Meta(description="Source text of each token.")]
    attention: Annotated[
        Matrix, Meta(description="A row attends, a column is attended to; null if not finite.")
    ]
    latency_ms: float
    model: str
    n_tokens: int
    truncated: bool
    layer: int | None
    head: int | None


class AnalysisAnswer(Struct, kw_only=True):
    """Tokens, attention, importance and a picture of a piece of code."""

    tokens: list[str]
    attention: Matrix
    importance: Annotated[
        dict[str, float | None],
        Meta(description="Attention received by token text; of repeated tokens the last counts."),
    ]
    importance_by_position: Annotated[
        list[float | None], Meta(description="Attention received by each token.")
    ]
    visualization: Annotated[
        str | None, Meta(description="The heatmap: a PNG in base64; null if `error` says why.")
    ]
    error: Annotated[
        str | None, Meta(description="Why a part of the answer is missing; null if none is.")
    ]
    latency_ms: float
    model: str
    n_tokens: int
    truncated: bool
    layer: int | None
    head: int | None


class WindowAnswer(Struct, kw_only=True):
    """A part of an attention matrix, with its tokens."""

    tokens: Annotated[list[str], Meta(description="Tokens of the columns.")]
    query_tokens: Annotated[list[str], Meta(description="Tokens of the rows.")]
    attention: Matrix
    rows: Annotated[list[int], Meta(description="Half-open range of the rows.")]
    columns: Annotated[list[int], Meta(description="Half-open range of the columns.")]
    latency_ms: float
    model: str
    n_tokens: int
    truncated: bool
    layer: int | None
    head: int | None
