"""Prompts in the form that a model was trained on, with the place of every hyperedge in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, str]

INSTRUCTION = (
    "Answer the question in a few words. Use only the facts. Give the answer and nothing else."
)


@dataclass(frozen=True)
class Rendered:
    """A prompt as one string.

    Attributes
    ----------
    text
        Special tokens of the chat format included, as text.
    is_chat
        Whether the model's own chat template made it. Then no special tokens may be added: the
        template wrote them already.
    """

    text: str
    is_chat: bool


@dataclass(frozen=True)
class FactPrompt:
    """A question with its hyperedges, one a line.

    Attributes
    ----------
    text
        The whole prompt; the answer follows directly.
    is_chat
        As in `Rendered`.
    messages
        What was rendered.
    char_spans
        Half-open character span of each hyperedge in `text`; None where the template lost it.
    query_span
        The same of the question.
    """

    text: str
    is_chat: bool
    messages: tuple[Message, ...]
    char_spans: tuple[tuple[int, int] | None, ...]
    query_span: tuple[int, int] | None = None


def fact_prompt(tokenizer: Any, query: str, hyperedges: Sequence[str]) -> FactPrompt:
    """Build the prompt for a question that is to be answered from hyperedges."""
    content = "Facts:\n"
    spans: list[tuple[int, int]] = []
    for hyperedge in hyperedges:
        content += "- "
        spans.append((len(content), len(content) + len(hyperedge)))
        content += hyperedge + "\n"
    content += f"\nQuestion: {query}"
    messages = (
        {"role": "system", "content": INSTRUCTION},
        {"role": "user", "content": content},
    )
    rendered = render_messages(tokenizer, messages)
    at = rendered.text.find(content)
    if at >= 0:
        placed: list[tuple[int, int] | None] = [(at + start, at + stop) for start, stop in spans]
    else:  # a template that trims or escapes: look for each hyperedge by itself, in order
        placed, cursor = [], 0
        for hyperedge in hyperedges:
            found = rendered.text.find(hyperedge.strip(), cursor) if hyperedge.strip() else -1
            placed.append((found, found + len(hyperedge.strip())) if found >= 0 else None)
            cursor = max(cursor, found)
    asked = query.strip()
    begin = rendered.text.rfind(asked) if asked else -1  # the question comes last
    query_span = (begin, begin + len(asked)) if begin >= 0 else None
    return FactPrompt(rendered.text, rendered.is_chat, messages, tuple(placed), query_span)


def render_messages(tokenizer: Any, messages: Sequence[Message]) -> Rendered:
    """Render messages with the model's chat template, or as plain text where it has none."""
    if getattr(tokenizer, "chat_template", None):
        for attempt in (list(messages), _without_system(messages)):
            try:
                # enable_thinking: reasoning models would write an essay before a short answer.
                text = tokenizer.apply_chat_template(
                    [dict(message) for message in attempt],
                    tokenize=False,
                    add_generation_prompt=True,
                    enable_thinking=False,
                )
            except Exception:  # noqa: BLE001, S112  # a template refuses as its author chose
                continue
            return Rendered(str(text), is_chat=True)
    plain = "\n\n".join(message["content"].strip() for message in messages)
    return Rendered(f"{plain}\nAnswer:", is_chat=False)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Put the system message before the first user message, for templates that refuse it."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    others = [dict(m) for m in messages if m["role"] != "system"]
    if system and others:
        others[0]["content"] = f"{system}\n\n{others[0]['content']}"
    return list(others)


def answer_in_place(tokenizer: Any, prompt: FactPrompt, answer: str) -> str:
    """What stands between the prompt and the answer when the template itself writes both.

    Some chat formats put a space or an empty reasoning block there; plain prompts a space.
    """
    if not prompt.is_chat:
        return " "
    turn = [*({**m} for m in prompt.messages), {"role": "assistant", "content": answer}]
    for attempt in (turn, _without_system(turn)):
        try:
            whole = str(
                tokenizer.apply_chat_template(attempt, tokenize=False, enable_thinking=False)
            )
        except Exception:  # noqa: BLE001, S112  # as above
            continue
        if whole.startswith(prompt.text):
            between, found, _ = whole[len(prompt.text) :].partition(answer)
            if found and not between.strip():
                return between
    return ""
