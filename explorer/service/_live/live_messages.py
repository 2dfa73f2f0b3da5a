"""What travels over `/live`, as types; `docs/live.md` describes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from explorer.service._http.problems import ProblemDetails, ProblemError

Want = Literal["weights", "received", "row", "feedback"]
UnitKind = Literal["line", "identifier", "node", "token"]
Serial = Annotated[
    int, Meta(ge=0, lt=2**53, description="Number of the text, chosen by the client.")
]
Index = Annotated[int, Meta(ge=-(2**31), lt=2**31)]


class OpenMessage(Struct, tag_field="kind", tag="open", forbid_unknown_fields=True):
    """The first message: what is asked for. An editor without a token may leave it out."""

    view: Annotated[
        Literal["attention", "panels"],
        Meta(description="`attention` for editors; `panels` is the page at `/`."),
    ] = "attention"
    token: Annotated[
        Annotated[str, Meta(max_length=4096)] | None,
        Meta(description="The service's token, if it has one."),
    ] = None
    state: Annotated[
        dict[str, Any], Meta(description="Settings that the page begins with.", max_length=64)
    ] = {}


class CodeMessage(Struct, tag_field="kind", tag="code", forbid_unknown_fields=True):
    """A text as it is now, and what is wanted of its attention."""

    serial: Serial
    code: Annotated[str, Meta(description="The whole text.")]
    model: Annotated[
        str | None, Meta(description="A name of `GET /v1/models`; null for the default.")
    ] = None
    layer: Annotated[
        Index | None,
        Meta(description="Counted from 0, from the end if negative; null is the mean of all."),
    ] = -1
    head: Annotated[Index | None, Meta(description="As `layer`.")] = None
    want: Annotated[
        list[Want],
        Meta(
            description="`weights`: the matrix. `received`: what each token receives on average. "
            "`row`: what the pinned token attends to. `feedback`: the units with score, feedback "
            "and verdict."
        ),
    ] = msgspec.field(default_factory=lambda: ["weights"])
    format: Annotated[
        Literal["json", "binary"],
        Meta(description="`binary`: arrays follow as float32 in frames of their own."),
    ] = "json"
    offsets: Annotated[
        Literal["code-points", "utf-16"],
        Meta(description="What `offsets` and `pin` count: Python's or JavaScript's characters."),
    ] = "code-points"
    unit_kind: UnitKind = "line"
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.1
    reduction: Literal["mean", "mass", "top-k"] = "mean"
    normalisation: Literal["raw", "share", "lift"] = "raw"
    pin: Annotated[
        Annotated[int, Meta(ge=0, lt=2**53)] | None,
        Meta(
            description="Offset of a character: its token is the row that scores are read from; "
            "null for all rows.",
        ),
    ] = None
    start: Annotated[
        int, Meta(ge=0, lt=2**31, description="First token, of a text longer than the model takes.")
    ] = 0


class PartMessage(Struct, tag_field="kind", tag="part", forbid_unknown_fields=True):
    """What a part of the page reports: a gesture."""

    part: str
    content: dict[str, Any]


ClientMessage = OpenMessage | CodeMessage | PartMessage
"""A message of a client."""


class UnitRow(Struct):
    """A unit of the code with its score."""

    unit: str
    text: str
    spans: Annotated[list[tuple[int, int]], Meta(description="Tokens of the unit, half open.")]
    score: Annotated[float | None, Meta(description="null if it is unknown.")]
    feedback: Annotated[float | None, Meta(description="In [0, 1]; null if it is unknown.")]
    verdict: Literal["used", "near", "not used", "unknown"]


class ArrayFrame(Struct):
    """An array that follows as a binary frame: float32, little-endian, row by row."""

    dtype: Literal["float32"]
    shape: list[int]


class AttentionMessage(Struct, tag_field="kind", tag="attention", omit_defaults=True):
    """The answer to `code`."""

    serial: Serial
    model: str
    layer: int | None
    head: int | None
    tokens: list[str]
    offsets: Annotated[
        list[tuple[int, int]], Meta(description="Characters of each token, half open.")
    ]
    start: int
    stop: int
    n_total: Annotated[int, Meta(description="Tokens of the whole text, without special ones.")]
    truncated: bool
    reused: Annotated[
        int, Meta(description="Tokens at the beginning that were not computed again.")
    ]
    latency_ms: Annotated[float, Meta(description="From the message to the answer.")]
    pinned: Annotated[int | None, Meta(description="Token of `pin`.")] = None
    weights: list[list[float]] | ArrayFrame | None = None
    received: list[float] | ArrayFrame | None = None
    row: list[float] | ArrayFrame | None = None
    feedback: list[UnitRow] | None = None


class OpenedMessage(Struct, tag_field="kind", tag="opened"):
    """The answer to `open`."""

    view: Literal["attention", "panels"]
    version: str
    model: str


class ErrorMessage(Struct, tag_field="kind", tag="error"):
    """What went wrong, in the shape of every error of the service."""

    serial: Annotated[int | None, Meta(description="The text that it is about, if any.")]
    problem: ProblemDetails


ServerMessage = OpenedMessage | AttentionMessage | ErrorMessage
"""A message of the service to an editor."""


def failure_of(error: ProblemError, serial: int | None = None) -> bytes:
    """Return a problem as a message."""
    problem = msgspec.json.decode(error.body(), type=ProblemDetails)
    return msgspec.json.encode(ErrorMessage(serial, problem))


def message_schema() -> dict[str, Any]:
    """Return the JSON Schema of all messages of clients and of the service to editors."""
    kinds = [OpenMessage, CodeMessage, PartMessage, OpenedMessage, AttentionMessage, ErrorMessage]
    _, found = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Messages of /live",
        "$defs": found,
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
    }
