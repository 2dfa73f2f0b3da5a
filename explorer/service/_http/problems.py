"""Error answers: problem details of RFC 9457, in one shape for every error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:attention-explorer:problem:"


class ProblemKind(NamedTuple):
    """Status and title of a kind of problem."""

    status: int
    title: str


KINDS: Mapping[str, ProblemKind] = MappingProxyType(
    {
        "malformed-request": ProblemKind(400, "The request is not valid HTTP or JSON"),
        "token-needed": ProblemKind(401, "A valid token is needed"),
        "origin-refused": ProblemKind(403, "The request comes from a page of another site"),
        "not-found": ProblemKind(404, "There is nothing at this path"),
        "model-not-found": ProblemKind(404, "There is no such model"),
        "method-not-allowed": ProblemKind(405, "This path has other methods"),
        "not-acceptable": ProblemKind(406, "The answer has no format that is accepted"),
        "body-too-slow": ProblemKind(408, "The body did not arrive in time"),
        "body-too-large": ProblemKind(413, "The body is too large"),
        "too-many-tokens": ProblemKind(413, "The text has too many tokens"),
        "too-many-cells": ProblemKind(413, "The matrix has too many cells"),
        "unsupported-media-type": ProblemKind(415, "The body has an unsupported format"),
        "host-refused": ProblemKind(421, "The request was meant for another host"),
        "invalid-input": ProblemKind(422, "A value of the request is not valid"),
        "internal-error": ProblemKind(500, "The service failed"),
        "overloaded": ProblemKind(503, "The service is busy"),
        "not-ready": ProblemKind(503, "The service is not ready"),
        "model-unavailable": ProblemKind(503, "The model cannot be used"),
        "time-limit": ProblemKind(504, "The answer took too long"),
    }
)
"""Every kind of problem, by the last part of its type."""


class InvalidValue(Struct, omit_defaults=True):
    """One value that is not valid."""

    pointer: Annotated[str, Meta(description="JSON Pointer (RFC 6901) of the value in the body.")]
    detail: Annotated[str, Meta(description="What was expected and what was given.")]


class ProblemDetails(Struct, omit_defaults=True):
    """The body of every error, after RFC 9457."""

    type: Annotated[str, Meta(description="The kind of problem.", examples=[f"{PREFIX}not-found"])]
    title: Annotated[str, Meta(description="The kind of problem in words.")]
    status: Annotated[int, Meta(description="The status code of the answer.", ge=400, le=599)]
    detail: Annotated[str, Meta(description="What was expected, what was given, what to do.")]
    errors: Annotated[
        list[InvalidValue], Meta(description="The values that are not valid, where known.")
    ] = []


class ProblemError(Exception):
    """An answer that is a problem.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    detail
        What was expected, what was given and what to do.
    headers
        Further headers of the answer.
    errors
        The values that are not valid: (JSON Pointer, detail).
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status, self.title = KINDS[kind]
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors

    def body(self) -> bytes:
        """Return the problem as JSON."""
        errors = [InvalidValue(pointer, detail) for pointer, detail in self.errors]
        return msgspec.json.encode(
            ProblemDetails(PREFIX + self.kind, self.title, self.status, self.detail, errors)
        )


class ClientGoneError(Exception):
    """The client left before its answer was ready."""


def busy(detail: str, kind: str = "overloaded", *, seconds: int = 1) -> ProblemError:
    """Return a problem with ``Retry-After``."""
    return ProblemError(kind, detail, headers={"Retry-After": str(seconds)})
