"""From a request to a recorded piece of code."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from fastapi import Request
from starlette.responses import Response

from explorer.attention._head_name import head_name
from explorer.attention._indexing import one_index
from explorer.errors import InputError
from explorer.service._endpoints.code_messages import AttentionBody, CodeBody
from explorer.service._http.array_encoding import (
    FloatArray,
    arrow_bytes,
    npy_bytes,
    safetensors_bytes,
)
from explorer.service._http.content_negotiation import (
    ARROW,
    JSON,
    MATRIX_FORMATS,
    NPY,
    chosen_format,
)
from explorer.service._http.problems import ProblemError
from explorer.service._http.request_body import decode_body, read_body
from explorer.service._work.service_state import ServiceState, service_of

if TYPE_CHECKING:
    from explorer.models import Model, RecordedText, TokenizedText

_Body = TypeVar("_Body", bound=msgspec.Struct)

_LARGE = 1 << 16
"""Bytes from which a body is decoded outside of the event loop."""

_BEGINNING = 16
"""Characters for each token that is allowed, in the beginning of a code that is counted first."""


@dataclass(frozen=True)
class RecordedCode:
    """A piece of code, recorded as a request asked for it.

    Attributes
    ----------
    name, model, text
        The name that clients give to the model, the model, and the recorded text.
    layer, head
        Counted from 0; None for the mean.
    began
        When the request came, by `time.perf_counter`.
    """

    name: str
    model: Model
    text: RecordedText
    layer: int | None
    head: int | None
    began: float

    @property
    def tokenized(self) -> TokenizedText:
        """The tokens of the code."""
        return self.text.tokenized

    def weights(self) -> FloatArray:
        """Return the attention of the layer and head: float32 (tokens, tokens)."""
        return self.text.attention.weights(self.layer, self.head)

    def facts(self, *, of_attention: bool = True) -> dict[str, Any]:
        """Return what the answers of all endpoints say about the pass."""
        facts: dict[str, Any] = {
            "latency_ms": round((time.perf_counter() - self.began) * 1e3, 3),
            "model": self.name,
            "n_tokens": self.tokenized.n_total,
            "truncated": self.tokenized.truncated,
        }
        return {**facts, "layer": self.layer, "head": self.head} if of_attention else facts

    @property
    def title(self) -> str:
        """Title of a picture: model, layer and head."""
        return f"{self.name}: {head_name(self.layer, self.head)}"


async def read_request(request: Request, kind: type[_Body]) -> _Body:
    """Return the decoded body of a request.

    Raises
    ------
    ProblemError, ClientGoneError
        As `read_body` and `decode_body`.
    """
    service = service_of(request)
    body = await read_body(request, service.settings)
    if len(body) < _LARGE:
        return decode_body(body, kind, service.settings.max_depth)
    return await service.in_thread(decode_body, body, kind, service.settings.max_depth)


async def record_code(request: Request, body: CodeBody, *, whole: bool) -> RecordedCode:
    """Return the recorded code of a request.

    Parameters
    ----------
    whole
        Whether the answer holds the whole matrix.

    Raises
    ------
    ProblemError, ClientGoneError
        The model, layer or head does not exist; a limit is reached; the client left.
    InputError
        The code cannot be tokenized.
    """
    began: float = request.state.began
    service = service_of(request)
    name = service.store.resolved(body.model)
    model = await service.store.get(name)
    layer = head = None
    if isinstance(body, AttentionBody):
        layer = _index(body.layer, model.n_layers, "layer")
        head = _index(body.head, model.n_heads, "head")
    tokenized = await service.in_thread(_tokenized, service, model, body.code)
    if whole:
        check_cells(service, len(tokenized), len(tokenized))
    job = service.queue_text(model, tokenized)
    text = await service.result_of(request, job, began)
    return RecordedCode(name, model, text, layer, head, began)


def accepted_format(request: Request) -> str:
    """Return the format of an answer with arrays.

    Raises
    ------
    ProblemError
        The client accepts none of the formats.
    """
    return chosen_format(request.headers.get("accept"), MATRIX_FORMATS)


def binary_response(
    kind: str,
    main: str,
    arrays: Mapping[str, FloatArray],
    rows: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> Response:
    """Return arrays as an answer in a binary format.

    Parameters
    ----------
    kind
        Media type.
    main
        The array that ``.npy`` holds alone.
    arrays
        The arrays of safetensors, by name.
    rows
        The columns of the Arrow table.
    facts
        Metadata of safetensors and Arrow.
    """
    if kind == NPY:
        content = npy_bytes(arrays[main])
    elif kind == ARROW:
        content = arrow_bytes(rows, facts)
    else:
        content = safetensors_bytes(arrays, facts)
    return Response(content, media_type=kind)


def json_response(answer: Mapping[str, Any]) -> Response:
    """Return a JSON answer; values may be JSON text already (`msgspec.Raw`)."""
    return Response(msgspec.json.encode(answer), media_type=JSON)


def _index(value: int | None, size: int, what: str) -> int | None:
    """Return a layer or head counted from 0; `ProblemError` points at one that does not exist."""
    try:
        return one_index(value, size, what)
    except InputError as error:
        raise ProblemError("invalid-input", str(error), errors=[(f"/{what}", str(error))]) from None


def _tokenized(service: ServiceState, model: Model, code: str) -> TokenizedText:
    """Return the tokens of a piece of code that is not too long.

    Tokenizing all of a body takes seconds, so a much too long code is refused by its beginning. Of
    cut text the last tokens differ: twice the limit is certain.
    """
    most = service.settings.max_tokens
    size = _BEGINNING * most
    while size < len(code):
        beginning = code[:size]
        if beginning.strip() and _count(service.tokenize(model, beginning)) > 2 * most:
            raise _too_long(f"more than {most}", most)
        size *= 4
    tokenized = service.tokenize(model, code)
    count = _count(tokenized)
    if count > most:
        raise _too_long(str(count), most)
    return tokenized


def _count(tokenized: TokenizedText) -> int:
    """Return the number of tokens of the whole text, also if the model takes fewer."""
    count = len(tokenized)
    if tokenized.truncated:
        count += tokenized.n_total - (tokenized.stop - tokenized.start)
    return count


def _too_long(count: str, most: int) -> ProblemError:
    return ProblemError(
        "too-many-tokens",
        f"The code has {count} tokens; this service takes {most}. Send a part of it.",
    )


def check_cells(service: ServiceState, rows: int, columns: int) -> None:
    """Raise `ProblemError` if a matrix is larger than the service returns."""
    most = service.settings.max_cells
    if rows * columns > most:
        raise ProblemError(
            "too-many-cells",
            f"The matrix has {rows} x {columns} cells; this service handles {most}. "
            "POST /v1/get-attention returns a window: give rows and columns.",
        )
