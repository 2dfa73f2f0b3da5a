"""Bodies of requests: read in pieces within limits, checked, and decoded."""

from __future__ import annotations

import asyncio
import codecs
import re
from typing import TypeVar

import msgspec
import numpy as np
from starlette.requests import ClientDisconnect, Request

from explorer.service._http.problems import ClientGoneError, ProblemError
from explorer.service._service_settings import ServiceSettings

_Body = TypeVar("_Body", bound=msgspec.Struct)

# A string without an end reaches to the end: each byte is read once, whatever a client sends.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
# The first half of a surrogate pair without the second.
_HALF_PAIR = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
# msgspec says what it expected, and then where.
_WHERE = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<place>[^\]]*)\]")


async def read_body(request: Request, settings: ServiceSettings) -> bytes:
    """Return the body of a request.

    Raises
    ------
    ProblemError
        The body is compressed, not JSON by its media type, too long, or arrives too slowly.
    ClientGoneError
        The client left.
    """
    check_media_type(request)
    limit = settings.max_body_bytes
    too_large = ProblemError(
        "body-too-large",
        f"The body may have {limit} bytes; this one has more. Send less at once.",
    )
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit:
        raise too_large
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise too_large
                pieces.append(piece)
    except TimeoutError:
        raise ProblemError(
            "body-too-slow",
            f"The body must arrive within {settings.body_seconds:g} s; only {size} bytes came.",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:
        raise ClientGoneError from None
    return b"".join(pieces)


def check_media_type(request: Request) -> None:
    """Raise `ProblemError` if the body is not plain JSON by its headers."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ProblemError(
            "unsupported-media-type",
            f"Compressed bodies are not accepted, but the Content-Encoding is {encoding[:40]!r}. "
            "Send the body as it is.",
            headers={"Accept-Encoding": "identity"},
        )
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = re.search(r'charset\s*=\s*"?([\w-]+)', parameters)
    if kind.strip() != "application/json" or (charset and charset[1] not in ("utf-8", "utf8")):
        raise ProblemError(
            "unsupported-media-type",
            "The body must be JSON in UTF-8. Send the header 'Content-Type: application/json'.",
            headers={"Accept": "application/json"},
        )


def decode_body(body: bytes, kind: type[_Body], max_depth: int) -> _Body:
    """Return the decoded body.

    Raises
    ------
    ProblemError
        The body is not UTF-8 or JSON, nested too deeply, or does not have the fields of `kind`.
    """
    check_json_text(body, max_depth)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise invalid_value(str(error), kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError("malformed-request", malformed_json(body, error)) from None


def check_json_text(body: bytes, max_depth: int) -> None:
    """Raise `ProblemError` for a text that is empty, not UTF-8, or nested too deeply."""
    if not body.strip():
        raise ProblemError("malformed-request", "The body is empty; it must be a JSON object.")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProblemError(
            "malformed-request",
            f"The body must be UTF-8, but byte {error.start} is not. Encode the text as UTF-8.",
        ) from None
    if json_depth(body) > max_depth:
        raise ProblemError(
            "malformed-request",
            f"The JSON may be nested {max_depth} levels deep; this one is deeper.",
        )


def json_depth(body: bytes) -> int:
    """Return the deepest nesting of arrays and objects of a JSON text.

    Examples
    --------
    >>> json_depth(b'{"a": [1, "[[["]}')
    2
    """
    text = np.frombuffer(_STRING.sub(b"", body), dtype=np.uint8)
    opened = (text == ord("[")) | (text == ord("{"))
    closed = (text == ord("]")) | (text == ord("}"))
    steps = (opened.astype(np.int8) - closed.astype(np.int8))[opened | closed]
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def malformed_json(body: bytes, error: Exception) -> str:
    """Return in words why a text is not JSON."""
    reason = str(error).removeprefix("JSON is malformed: ")
    if re.search(rb"\b(NaN|Infinity)\b", _STRING.sub(b"", body)):
        return "JSON has no NaN and no Infinity. Leave the number out, or send null."
    if body.startswith(codecs.BOM_UTF8):
        return "The body begins with a byte order mark. Send JSON in UTF-8 without one."
    if "surrogate" in reason or _HALF_PAIR.search(body):
        return (
            "A text of the body has half of a UTF-16 surrogate pair, such as \\ud83d, which is no "
            "character. Send the other half too, or leave it out."
        )
    return f"The body is not valid JSON: {reason}."


def invalid_value(message: str, kind: type[msgspec.Struct]) -> ProblemError:
    """Return the problem of a value that has the wrong type or lies outside of its range."""
    found = _WHERE.search(message)
    reason = message[: found.start()] if found else message
    if "out of range" in reason:
        reason = "A number is too large to read; numbers are at most 1.8e308"
    pointer = ""
    for step in _STEP.finditer(found["path"] if found else ""):
        key = step["key"] if step["key"] is not None else step["place"]
        if key == "...":  # a key of the client's own, which msgspec does not name
            break
        pointer += "/" + key.replace("~", "~0").replace("/", "~1")
    if "matching regex" in reason:
        reason = "Expected text that is not empty or white space alone"
    elif "enum value" in reason:
        reason += f"; expected one of {', '.join(_choices(kind, pointer))}"
    elif "unknown field" in reason:
        reason += f"; this request has {', '.join(kind.__struct_encode_fields__)}"
    where = f" at {pointer}" if pointer else ""
    return ProblemError(
        "invalid-input", f"{reason}{where}.", errors=[(pointer, reason.replace("`", "'"))]
    )


def _choices(kind: type[msgspec.Struct], pointer: str) -> list[str]:
    """Return the values that a field of a body takes, in quotes."""
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        values = field.type
        if isinstance(values, msgspec.inspect.Metadata):  # of a field with a description
            values = values.type
        if f"/{field.encode_name}" == pointer and isinstance(values, msgspec.inspect.LiteralType):
            return [repr(value) for value in values.values]
    return []
