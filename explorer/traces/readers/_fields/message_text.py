"""The question or the answer in the input or output of a step: text, messages or objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from explorer.traces.readers._fields.conversations import speaker_of
from explorer.traces.readers._fields.record_fields import is_missing, structure

DEPTH = 24
"""Number of nested levels that are searched for a question, an answer or documents."""

_QUESTIONS = (
    *("question", "query", "user_input", "user_query", "input", "inputs", "query_str"),
    *("query_bundle", "str_or_query_bundle", "search_query", "user_message", "prompt", "request"),
    *("input_value", "text", "content", "value", "messages", "kwargs", "args"),
)
_ANSWERS = (
    *("answer", "final_answer", "output", "outputs", "response", "result", "output_text"),
    *("generation", "completion", "text", "content", "value", "message", "choices"),
    *("generations", "candidates", "messages", "return_values", "kwargs"),
)
_SPEECH = ("content", "contents", "parts", "text", "message_content", "kwargs", "response")
_ROUNDS = ("role", "type", "message.role", "author")


def question_in(value: Any) -> str:
    """Return the question in an input, or an empty text.

    Of messages it is the last one of the user; of an object, the field that is named like a
    question. An object without such a field is written as JSON.
    """
    found = opened(value)
    return _spoken(found, _QUESTIONS, "user", 0) or _written(found)


def answer_in(value: Any) -> str:
    """Return the answer in an output, or an empty text.

    Of messages it is the last one of the assistant; otherwise as `question_in`.
    """
    found = opened(value)
    return _spoken(found, _ANSWERS, "assistant", 0) or _written(found)


def logprobs_in(value: Any, depth: int = 0) -> dict[str, Any] | None:
    """Return the token log-probabilities of a response, in OpenAI's chat format.

    Returns
    -------
    dict or None
        ``{"content": [{"token": ..., "logprob": ...}, ...]}``, from a `logprobs` anywhere in the
        response.
    """
    found = opened(value)
    if depth > DEPTH:
        return None
    if isinstance(found, list):
        below = found[:64]  # choices and generations, never the tokens themselves
    elif isinstance(found, Mapping):
        held = opened(found.get("logprobs"))
        listed = opened(held.get("content")) if isinstance(held, Mapping) else held
        if isinstance(listed, list) and listed and all(map(_is_token, listed)):
            return {"content": plain(listed)}
        below = list(found.values())
    else:
        return None
    for item in below:
        if isinstance(item, str) and "logprob" not in item:
            continue
        inside = logprobs_in(item, depth + 1)
        if inside is not None:
            return inside
    return None


def opened(value: Any) -> Any:
    """Return a value; a text or an array that holds a list or an object is parsed."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return structure(value)


def from_json(value: Any) -> Any:
    """Return the value of a JSON text, or the text itself if it is not JSON."""
    if not isinstance(value, str):
        return opened(value)
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return structure(value)


def sound(text: str) -> str:
    """Return a text that can be encoded as UTF-8, with "?" for half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def plain(value: Any, depth: int = 0) -> Any:
    """Return a copy of a value as JSON values; other types become text, too deep levels null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str):
        return sound(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > DEPTH:
        return None
    if isinstance(value, Mapping):
        return {sound(str(name)): plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return sound(str(value))


def _spoken(value: Any, names: tuple[str, ...], speaker: str, depth: int) -> str:
    """Return the text of a value: its own, that of the speaker's last message, or of a field."""
    value = opened(value)
    if isinstance(value, str):
        return sound(value) if value.strip() else ""
    if depth > DEPTH:
        return ""
    if isinstance(value, list):
        return _in_list(value, names, speaker, depth)
    if isinstance(value, Mapping):
        value = _unwrapped(value)
        if any(name in value for name in _ROUNDS) and (text := _speech(value, depth)):
            return text
        for name in names:
            if not is_missing(value.get(name)) and (
                found := _spoken(value[name], names, speaker, depth + 1)
            ):
                return found
        if len(value) == 1:
            return _spoken(next(iter(value.values())), names, speaker, depth + 1)
    return ""


def _in_list(items: list[Any], names: tuple[str, ...], speaker: str, depth: int) -> str:
    """Return the last text of the speaker; without speakers, the first text of the list."""
    messages = [_unwrapped(item) if isinstance(item, Mapping) else item for item in items]
    speakers = [_speaker(item) for item in messages]
    if any(role in {"user", "assistant"} for role in speakers):
        for message, role in zip(reversed(messages), reversed(speakers), strict=True):
            if role == speaker and (text := _speech(message, depth)):
                return text
        return ""
    for item in items[:64]:
        if found := _spoken(item, names, speaker, depth + 1):
            return found
    return ""


def _speech(message: Any, depth: int) -> str:
    """Return the text of one message: a text, or the text among its parts."""
    message = opened(message)
    if isinstance(message, str):
        return sound(message) if message.strip() else ""
    if depth > DEPTH:
        return ""
    if isinstance(message, list):
        pieces = [_speech(item, depth + 1) for item in message]
        return "\n".join(piece for piece in pieces if piece)
    if isinstance(message, Mapping):
        message = _unwrapped(message)
        for name in _SPEECH:
            if not is_missing(message.get(name)) and (text := _speech(message[name], depth + 1)):
                return text
    return ""


def _unwrapped(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message without the wrapper of its framework and the prefix of its names."""
    inner = opened(message.get("message"))
    if len(message) == 1 and isinstance(inner, Mapping):
        return inner
    kwargs = message.get("kwargs")
    if isinstance(kwargs, Mapping) and isinstance(message.get("id"), list):  # LangChain
        named = message["id"][-1:]
        kind = named[0].removesuffix("Chunk") if named and isinstance(named[0], str) else ""
        return {"type": kind.removesuffix("Message").lower(), **kwargs}
    for prefix in ("message.", "message_content."):
        if any(name.startswith(prefix) for name in message if isinstance(name, str)):
            return {str(name).removeprefix(prefix): item for name, item in message.items()}
    return message


def _speaker(message: Any) -> str | None:
    """Return the speaker; Gemini names its assistant "model"."""
    role = speaker_of(dict(message)) if isinstance(message, Mapping) else None
    return "assistant" if role == "model" else role


def _is_token(item: Any) -> bool:
    """Return True for a token with its log-probability."""
    return (
        isinstance(item, Mapping)
        and isinstance(item.get("token"), str)
        and isinstance(item.get("logprob"), int | float)
    )


def _written(value: Any) -> str:
    """Return an object or a number as JSON text, so that an unusual input can still be read."""
    if is_missing(value) or isinstance(value, str | bool | list):
        return ""
    if isinstance(value, Mapping) and all(map(is_missing, value.values())):
        return ""
    return json.dumps(plain(value), ensure_ascii=False)
