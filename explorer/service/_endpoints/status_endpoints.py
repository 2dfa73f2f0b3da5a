"""The endpoints on the service itself: its models, whether it is ready, and metrics."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from explorer.models import available_models
from explorer.service._http.content_negotiation import JSON
from explorer.service._http.openapi import answers_of
from explorer.service._http.problems import busy
from explorer.service._http.service_metrics import CONTENT_TYPE
from explorer.service._work.service_state import ServiceState, service_of


class ModelEntry(Struct, kw_only=True):
    """A model that requests may name."""

    name: Annotated[str, Meta(description="The `model` of a request.")]
    label: str
    kind: Annotated[str | None, Meta(description="null until the model was loaded once.")]
    installed: Annotated[bool, Meta(description="Whether it can be used without a download.")]
    loaded: Annotated[bool, Meta(description="Whether it is in memory.")]
    default: Annotated[bool, Meta(description="Whether requests without a model use it.")]
    note: str
    n_layers: Annotated[int | None, Meta(description="null if it is not in memory.")] = None
    n_heads: Annotated[int | None, Meta(description="null if it is not in memory.")] = None
    max_tokens: Annotated[int | None, Meta(description="null if it is not in memory.")] = None


class ModelsAnswer(Struct, kw_only=True):
    """All models that requests may name."""

    models: list[ModelEntry]


class HealthAnswer(Struct, kw_only=True):
    """The service is ready."""

    status: Literal["ready"]
    model: Annotated[str, Meta(description="The default model.")]


TYPES = (HealthAnswer, ModelsAnswer)
"""The answers of these endpoints."""

router = APIRouter(tags=["service"])


@router.get(
    "/models",
    summary="Models that requests may name",
    responses=answers_of(ModelsAnswer, "The models."),
)
async def models(request: Request) -> Response:
    """Return the models that a request may name, and which of them are in memory."""
    service = service_of(request)
    answer = await service.in_thread(_models, service)
    return Response(msgspec.json.encode(answer), media_type=JSON)


@router.get(
    "/health",
    summary="Whether the service is ready",
    responses=answers_of(HealthAnswer, "Ready."),
)
async def health(request: Request) -> Response:
    """Return 200 when the default model is in memory; otherwise 503 with the reason."""
    service = service_of(request)
    if not service.ready:
        reason = "stops" if service.stopping else "loads its default model"
        raise busy(service.problem or f"The service {reason}.", "not-ready", seconds=2)
    answer = HealthAnswer(status="ready", model=service.store.default)
    return Response(msgspec.json.encode(answer), media_type=JSON)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    responses=answers_of(None, "Metrics in Prometheus' text format.", ("text/plain",)),
)
async def metrics(request: Request) -> Response:
    """Return latencies, queue length, tokens and passes in Prometheus' text format."""
    return Response(service_of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _models(service: ServiceState) -> ModelsAnswer:
    loaded = service.store.loaded
    entries = [
        ModelEntry(
            name=name, label=name, kind=None, installed=True, loaded=False, default=False,
            note="Added by the operator of this service.",
        )
        for name in service.store.own
    ] + [
        ModelEntry(
            name=choice.name, label=choice.label, kind=choice.kind, installed=choice.installed,
            loaded=False, default=False, note=choice.note,
        )
        for choice in available_models()
    ]  # fmt: skip
    for entry in entries:
        entry.default = entry.name == service.store.default
        model = loaded.get(entry.name)
        if model is not None:
            entry.loaded, entry.kind = True, model.kind
            entry.n_layers, entry.n_heads = model.n_layers, model.n_heads
            entry.max_tokens = model.max_tokens
    return ModelsAnswer(models=entries)
