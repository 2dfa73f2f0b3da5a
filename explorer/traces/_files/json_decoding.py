"""Decoding of JSON text, with the reason in plain words where it is not valid."""

from __future__ import annotations

import json
import re

import msgspec

from explorer.errors import TraceError

DEEP = "it is nested too deeply to be a trace."


def decode_json(raw: bytes) -> object:
    """Return one decoded JSON value; NaN and Infinity are accepted as Python's json writes them.

    Of two fields of one name the last is kept, as Python and JavaScript do.

    Raises
    ------
    TraceError
        The text is not JSON. The message begins in lower case, to follow "line 7: ".
    """
    try:
        try:
            return msgspec.json.decode(raw)
        except msgspec.MsgspecError as error:
            if b"NaN" not in raw and b"Infinity" not in raw:
                raise TraceError(_fault(raw, str(error))) from None
            value = json.loads(raw)
            _checked_text(value)
            return value
    except RecursionError:
        raise TraceError(DEEP) from None
    except UnicodeDecodeError:
        raise TraceError(f"{_not_utf8(raw)}; save the file as UTF-8.") from None
    except TraceError:
        raise
    except ValueError as error:
        raise TraceError(_fault(raw, str(error))) from None


def _fault(raw: bytes, reason: str) -> str:
    """Return in plain words why a text is not JSON; `reason` is the message of the decoder."""
    if b"\x00" in raw:
        return "it holds NUL bytes, so it is not JSON text; was the file damaged?"
    if "out of range" in reason:
        return "it holds a number too large to read."
    if raw.lstrip()[:1] == b"{" and raw.rstrip()[-1:] != b"}":
        return "it stops in the middle: the file was probably cut off."
    place = re.search(r"\(byte (\d+)\)", reason)
    if place is None:
        return f"it is not valid JSON ({reason.removeprefix('JSON is malformed: ')})."
    before = raw[: int(place[1])].decode("utf-8", "replace")
    after = raw[int(place[1]) :].decode("utf-8", "replace")
    shown = after if len(after) <= 30 else after[:30] + "..."
    return f"it is not valid JSON: {shown!r}, at character {len(before) + 1}, is not expected here."


def _not_utf8(raw: bytes) -> str:
    """Return which byte is not UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the line is not UTF-8"
    return "half of a surrogate pair is not a character"


def _checked_text(value: object) -> None:
    """Raise ValueError for a value that cannot be written again, as half a surrogate pair.

    Raises
    ------
    ValueError
        A text in `value` holds one.
    """
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError) as error:
        raise ValueError(str(error)) from None
