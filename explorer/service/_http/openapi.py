"""The OpenAPI document: what every endpoint takes, gives and refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from msgspec import Struct

from explorer.service._http.problems import KINDS, MEDIA_TYPE, PREFIX, ProblemDetails

_REFERENCE = "#/components/schemas/{name}"
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
ALWAYS = (401, 403, 421, 500, 503)
"""Statuses that every endpoint may answer with."""

WITH_BODY = (400, 406, 408, 413, 415, 422)
"""Statuses of endpoints that take a body."""


def body_of(kind: type[Struct], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``openapi_extra`` of an endpoint that takes JSON of a type.

    Parameters
    ----------
    kind
        The type of the body.
    examples
        Bodies, by a sentence on each.
    """
    named = {
        text.lower().replace(" ", "-"): {"summary": text, "value": value}
        for text, value in examples.items()
    }
    schema = {"$ref": _REFERENCE.format(name=kind.__name__)}
    content = {"application/json": {"schema": schema, "examples": named}}
    return {"requestBody": {"required": True, "content": content}}


def answers_of(
    kind: type[Struct] | None,
    description: str,
    formats: Sequence[str] = ("application/json",),
    problems: Sequence[int] = (),
) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of an endpoint: the answer in its formats, and its problems."""
    content: dict[str, Any] = {}
    for name in formats:
        if name == "application/json" and kind is not None:
            content[name] = {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}
        else:
            content[name] = {"schema": {"type": "string", "format": "binary"}}
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": description, "content": content}
    }
    for status in sorted({*ALWAYS, *problems}):
        answers[status] = _problem(status)
    return answers


def _problem(status: int) -> dict[str, Any]:
    kinds = {name: kind for name, kind in KINDS.items() if kind.status == status}
    examples = {
        name: {
            "value": {
                "type": PREFIX + name,
                "title": kind.title,
                "status": status,
                "detail": f"{kind.title}.",
            }
        }
        for name, kind in kinds.items()
    }
    schema = {"$ref": _REFERENCE.format(name=ProblemDetails.__name__)}
    answer: dict[str, Any] = {
        "description": "; ".join(kind.title for kind in kinds.values()),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
    if status == 503:
        answer["headers"] = _RETRY
    return answer


def document_app(app: FastAPI, types: Sequence[type[Struct]], *, token: bool) -> None:
    """Make an application describe these types, and the token where it needs one."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            _, schemas = msgspec.json.schema_components(
                [*types, ProblemDetails], ref_template=_REFERENCE
            )
            made.setdefault("components", {})["schemas"] = schemas
            if token:
                made["components"]["securitySchemes"] = {
                    "token": {"type": "http", "scheme": "bearer"}
                }
                made["security"] = [{"token": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
