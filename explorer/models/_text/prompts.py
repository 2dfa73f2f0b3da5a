"""Prompts in a model's chat format, with the position of each hyperedge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, str]

INSTRUCTION = (
    "Answer the question in a few words. Use only the facts. Give the answer and nothing else."
)


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt as one string.

    Attributes
    ----------
    text
        The prompt, with the special tokens of the chat format as text.
    is_chat
        Whether the model's chat template rendered it. Then it contains all special tokens.
    """

    text: str
    is_chat: bool


@dataclass(frozen=True)
class FactPrompt:
    """A question with its hyperedges, one per line.

    Attributes
    ----------
    text
        The whole prompt; the answer follows directly.
    is_chat
        As in `RenderedPrompt`.
    messages
        The rendered messages.
    char_spans
        Half-open character span of each hyperedge in `text`; None if the template omits it.
    query_span
        The same for the question.
    """

    text: str
    is_chat: bool
    messages: tuple[Message, ...]
    char_spans: tuple[tuple[int, int] | None, ...]
    query_span: tuple[int, int] | None = None


def fact_prompt(tokenizer: Any, query: str, hyperedges: Sequence[str]) -> FactPrompt:
    """Return the prompt that asks a question about hyperedges."""
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
    else:  # a template that trims or escapes: find each hyperedge, in order
        placed, cursor = [], 0
        for hyperedge in hyperedges:
            found = rendered.text.find(hyperedge.strip(), cursor) if hyperedge.strip() else -1
            placed.append((found, found + len(hyperedge.strip())) if found >= 0 else None)
            cursor = max(cursor, found)
    question = query.strip()
    begin = rendered.text.rfind(question) if question else -1  # the question comes last
    query_span = (begin, begin + len(question)) if begin >= 0 else None
    return FactPrompt(rendered.text, rendered.is_chat, messages, tuple(placed), query_span)


def render_messages(tokenizer: Any, messages: Sequence[Message]) -> RenderedPrompt:
    """Return messages in the model's chat format, or as plain text if it has no template."""
    if getattr(tokenizer, "chat_template", None):
        for attempt in (list(messages), _without_system(messages)):
            try:
                # Without enable_thinking=False a reasoning model writes its reasoning first.
                text = tokenizer.apply_chat_template(
                    [dict(message) for message in attempt],
                    tokenize=False,
                    add_generation_prompt=True,
                    enable_thinking=False,
                )
            except Exception:  # noqa: BLE001, S112  # a template can raise any error
                continue
            return RenderedPrompt(str(text), is_chat=True)
    plain = "\n\n".join(message["content"].strip() for message in messages)
    return RenderedPrompt(f"{plain}\nAnswer:", is_chat=False)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Return messages whose first user message begins with the system message."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    others = [dict(m) for m in messages if m["role"] != "system"]
    if system and others:
        others[0]["content"] = f"{system}\n\n{others[0]['content']}"
    return list(others)


def answer_in_place(tokenizer: Any, prompt: FactPrompt, answer: str) -> str:
    """Return the text between prompt and answer in the model's chat format.

    Some chat formats have a space or an empty reasoning block there; plain prompts have a space.
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
