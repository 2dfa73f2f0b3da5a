"""RAGAS samples: evaluation datasets, synthetic test sets and evaluation results.

The columns were renamed in version 0.2; both are read: ``question``, ``answer``, ``contexts``,
``ground_truth`` (or ``ground_truths``), and ``user_input``, ``response``, ``retrieved_contexts``,
``reference``, ``reference_contexts``. A test set without answers has only reference
contexts: they become the hyperedges, all of them needed.

In a sample of several turns `user_input` is a list of messages. The trace is that of the last
answer: the query is the last question, and the hyperedges are the outputs of tools up to the
answer, since all of them were in the prompt. The conversation itself stays in `extra`.

Scores of metrics (``faithfulness`` ...) stay in `extra` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import Trace
from explorer.traces.readers._fields.contexts import (
    context_hyperedges,
    label_by_names,
    label_by_references,
)
from explorer.traces.readers._fields.conversations import last_exchange, speaker_of, text_of_message
from explorer.traces.readers._fields.record_fields import Fields, structure
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._samples.sample_records import sample_by_sample

_NEW = frozenset(
    {
        "multi_responses",
        "reference",
        "reference_contexts",
        "reference_tool_calls",
        "reference_topics",
        "response",
        "retrieved_contexts",
        "rubrics",
    }
)
_OLD = frozenset({"answer", "contexts", "ground_truth", "ground_truths"})
# Fields of formats that have a question as well.
_FOREIGN = frozenset({"hyperedges", "paragraphs", "supporting_facts"})


def _recognises(value: Mapping[str, Any]) -> bool:
    """Say whether a record has the columns of either version."""
    if not _FOREIGN.isdisjoint(value):
        return False
    if "user_input" in value:
        return not _NEW.isdisjoint(value)
    return "question" in value and ("contexts" in value or len(_OLD & value.keys()) >= 2)


def _trace(fields: Fields) -> Trace:
    """Read one sample."""
    name, question = fields.take("user_input", "question")
    held = structure(question)
    if isinstance(held, list) and any(isinstance(message, dict) for message in held):
        return _conversation(fields, held)
    fields.put_back(name, question)
    query = fields.needed_text(name)
    retrieved = _contexts(fields, "retrieved_contexts", "contexts")
    needed = _contexts(fields, "reference_contexts")
    names = _contexts(fields, "retrieved_context_ids")
    needed_names = _contexts(fields, "reference_context_ids")
    if retrieved is None:
        hyperedges = context_hyperedges(needed or [], fields, needed_names)
        for edge in hyperedges:
            edge.label = True
    else:
        hyperedges = context_hyperedges(retrieved, fields, names)
        if names is not None and needed_names is not None:
            label_by_names(hyperedges, needed_names)
        else:
            label_by_references(hyperedges, needed or [])
        fields.put_back("reference_contexts", needed)
        fields.put_back("reference_context_ids", needed_names)
    answer = fields.text("response", "answer")
    if answer is None:
        answers = fields.items("multi_responses") or []
        answer = next((text for text in answers if isinstance(text, str)), None)
        fields.put_back("multi_responses", answers or None)
    return fields.trace("ragas", query, hyperedges, answer, _reference(fields))


def _conversation(fields: Fields, messages: list[Any]) -> Trace:
    """Read a sample of several turns."""
    exchange = last_exchange(messages)
    if exchange is None:
        raise TraceError("`user_input` holds no question; its messages need a `content`.")
    retrieved = _contexts(fields, "retrieved_contexts", "contexts")
    if retrieved is None:
        before = messages[: exchange.stop]
        retrieved = [
            text_of_message(message) for message in before if speaker_of(message) == "tool"
        ]
    hyperedges = context_hyperedges(retrieved, fields)
    fields.put_back("user_input", messages)
    # The expected outcome of a conversation is not an answer to its last question.
    answer = exchange.answer or ""
    return fields.trace("ragas", exchange.query, hyperedges, answer, _reference(fields))


def _contexts(fields: Fields, *names: str) -> list[Any] | None:
    """Take a list of contexts; a text that holds no list is one context."""
    name, value = fields.take(*names)
    if isinstance(value, str):
        found = structure(value)
        if not isinstance(found, list):
            return [value] if value.strip() else None
        return found
    fields.put_back(name, value)
    return fields.items(name)


def _reference(fields: Fields) -> Any:
    """Take the right answer; the first version allowed several."""
    name, value = fields.take("reference", "ground_truth", "ground_truths")
    held = structure(value) if name == "ground_truths" else value
    if isinstance(held, list):
        return held[0] if len(held) == 1 else held
    fields.put_back(name, value)
    return fields.text(name)


READER = Reader("ragas", "RAGAS", _recognises, sample_by_sample(_trace))
