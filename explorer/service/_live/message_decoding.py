"""Messages of `/live` as they are read: JSON texts in bounds."""

from __future__ import annotations

import msgspec

from explorer.service._http.problems import ProblemError
from explorer.service._http.request_body import check_json_text, invalid_value, malformed_json
from explorer.service._live.live_messages import (
    ClientMessage,
    CodeMessage,
    OpenMessage,
    PartMessage,
)
from explorer.service._service_settings import ServiceSettings

_DECODER: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


def decoded_message(text: str, settings: ServiceSettings) -> ClientMessage:
    """Return a message.

    Raises
    ------
    ProblemError
        It is too long, not JSON, nested too deeply, or has not the fields of its kind.
    """
    most = settings.max_message_bytes
    # Encoded only where it can be short enough: a character has at least one byte.
    body = text.encode("utf-8", "surrogatepass") if len(text) <= most else b""
    if len(text) > most or len(body) > most:
        raise ProblemError(
            "body-too-large",
            f"A message may have {most} bytes; this one has more. Send a part of the code.",
        )
    check_json_text(body, settings.max_depth)
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_value(str(error), _kind_of(body)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError("malformed-request", malformed_json(body, error)) from None


def serial_of(text: str) -> int | None:
    """Return the serial of a message that is not valid otherwise; None where there is none."""
    try:
        serial = msgspec.json.decode(text[: 2**20], type=_SerialAlone).serial
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return serial if 0 <= serial < 2**53 else None


def _kind_of(body: bytes) -> type[msgspec.Struct]:
    """Return the type that a message which is not valid was meant to have."""
    try:
        kind = msgspec.json.decode(body, type=_KindAlone).kind
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        kind = ""
    kinds: dict[str, type[msgspec.Struct]] = {"open": OpenMessage, "part": PartMessage}
    return kinds.get(kind, CodeMessage)


class _SerialAlone(msgspec.Struct):
    serial: int


class _KindAlone(msgspec.Struct):
    kind: str
