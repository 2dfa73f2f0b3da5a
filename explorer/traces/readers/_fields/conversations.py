"""The last question of a conversation and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from explorer.traces.readers._fields.record_fields import structure, text_of

_ASKING = frozenset({"human", "user"})
_ANSWERING = frozenset({"ai", "assistant"})


class Exchange(NamedTuple):
    """The last question of a conversation, and its answer.

    `start` and `stop` are the indices of the question and of the end of the answer among the
    messages; `answer` is None without one.
    """

    query: str
    answer: str | None
    start: int
    stop: int


def last_exchange(messages: Sequence[Any]) -> Exchange | None:
    """Return the last question with an answer, or the last question; None without a question.

    Messages are objects with `content` and a `role` or `type` (human or user, ai or assistant).
    Of several answers to one question the last with text is used: those before it call tools.
    """
    question: tuple[int, str] | None = None
    found: Exchange | None = None
    for place, message in enumerate(messages):
        speaker, text = speaker_of(message), text_of_message(message)
        if speaker == "user" and text is not None:
            question = (place, text)
        elif speaker == "assistant" and text and question is not None:
            found = Exchange(question[1], text, question[0], place + 1)
    if found is None and question is not None:
        return Exchange(question[1], None, question[0], len(messages))
    return found


def speaker_of(message: object) -> str | None:
    """Return the speaker: ``user``, ``assistant``, or another role of the message (``tool``)."""
    if not isinstance(message, dict):
        return None
    for name in ("role", "type"):
        speaker = message.get(name)
        if isinstance(speaker, str):
            if speaker.lower() in _ASKING:
                return "user"
            return "assistant" if speaker.lower() in _ANSWERING else speaker.lower()
    return None


def text_of_message(message: object) -> str | None:
    """Return the text of a message; of an object content, its `text`."""
    content = message.get("content") if isinstance(message, dict) else None
    held = structure(content)
    if isinstance(held, dict) and isinstance(held.get("text"), str):
        return str(held["text"])
    return text_of(content)
