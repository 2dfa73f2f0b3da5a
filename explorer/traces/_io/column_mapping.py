"""Records of a shape that no reader knows, by the columns that the caller names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.trace import TraceProblem
from explorer.traces.readers._fields.record_fields import renamed_fields, structure
from explorer.traces.readers._reader import Record

ROLES = MappingProxyType(
    {
        "id": "trace_id",
        "question": "question",
        "answer": "answer",
        "reference": "reference",
        "facts": "contexts",
        "fact": "text",
        "fact_ids": "context_ids",
        "fact_id": "hyperedge_id",
        "labels": "labels",
        "label": "label",
        "attention": "attention",
        "retrieval_scores": "retrieval_scores",
        "retrieval_score": "retrieval_score",
        "distances": "distances",
        "distance": "distance",
        "entities": "entities",
        "run": "run",
    }
)
"""What a column can be, and its name in a plain table; `facts` is a list in each row."""

_HEAD = 32


def checked_columns(columns: object) -> dict[str, str]:
    """Return a mapping from the columns of a file to names of a plain table.

    Raises
    ------
    TraceError
        It is not such a mapping, has no question or no facts, or names a column twice.
    """
    if not isinstance(columns, Mapping) or not columns:
        raise TraceError(
            "columns must map the columns of the file to what they are, such as "
            '{"ask": "question", "passages": "facts"}. What a column can be: ' + _roles() + "."
        )
    unknown = [role for role in columns.values() if role not in ROLES]
    if unknown:
        raise TraceError(f"{unknown[0]!r} is not what a column can be. Choose one of {_roles()}.")
    roles = list(columns.values())
    twice = next((role for role in roles if roles.count(role) > 1), None)
    if twice is not None:
        raise TraceError(f"Two columns are {twice!r}, and only one can be.")
    if "question" not in roles or not {"facts", "fact"} & set(roles):
        raise TraceError(
            'columns needs a column that is the "question", and one that holds the "facts" (a list '
            'in each row) or a "fact" (one to a row).'
        )
    return {str(name): ROLES[role] for name, role in columns.items()}


def with_columns(
    records: Iterator[Record | TraceProblem], columns: Mapping[str, str], name: str
) -> Iterator[Record | TraceProblem]:
    """Return records whose named columns have the names of a plain table.

    A name with dots, such as ``input.question``, leads into nested objects.

    Raises
    ------
    TraceError
        No record at the beginning of the file has one of the columns.
    """
    head = list(itertools.islice(records, _HEAD))
    found = [item.value for item in head if isinstance(item, Record)]
    for column in columns:
        if found and not any(_holds(value, column) for value in found):
            there = ", ".join(str(key)[:40] for key in list(found[0])[:20])
            raise TraceError(f"{name} has no column {column!r}. Its columns are: {there}.")
    for item in itertools.chain(head, records):
        yield _renamed(item, columns) if isinstance(item, Record) else item


def _renamed(record: Record, columns: Mapping[str, str]) -> Record:
    taken = {target: _at(record.value, name) for name, target in columns.items()}
    taken = {target: value for target, value in taken.items() if value is not None}
    left = {key: value for key, value in record.value.items() if key not in columns}
    return Record(record.line, {**taken, **renamed_fields(taken, left)})


def _holds(value: Mapping[str, Any], column: str) -> bool:
    return column in value or _at(value, column) is not None


def _at(value: Mapping[str, Any], column: str) -> Any:
    """Return the value of a column; a name with dots leads into nested objects."""
    if column in value:
        return value[column]
    held: Any = value
    for step in column.split("."):
        held = structure(held)
        if isinstance(held, list) and step.isdecimal() and int(step) < len(held):
            held = held[int(step)]
        elif isinstance(held, Mapping) and step in held:
            held = held[step]
        else:
            return None
    return held


def guessed_columns(value: Mapping[str, Any]) -> dict[str, str]:
    """Return what the columns of a record look like: ``{"docs": "facts", "ask": "question"}``."""
    guess: dict[str, str] = {}
    for name, cell in value.items():
        held = structure(cell)
        if isinstance(held, list) and held and all(map(_is_fact, held)):
            if "facts" not in guess.values():
                guess[str(name)] = "facts"
        elif isinstance(held, str) and "question" not in guess.values():
            asks = held.strip().endswith(("?", "\uff1f", "\u061f"))
            if asks or any(word in str(name).lower() for word in ("question", "query", "ask")):
                guess[str(name)] = "question"
    return guess


def _is_fact(item: object) -> bool:
    if isinstance(item, str):
        return len(item.split()) >= 3
    return isinstance(item, Mapping) and any(
        isinstance(held, str) and len(held.split()) >= 3 for held in item.values()
    )


def _roles() -> str:
    return ", ".join(ROLES)
