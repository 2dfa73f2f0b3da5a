"""Hyperedges from the output of a retriever, and traces from the arguments of a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from explorer.errors import InputError
from explorer.traces import Hyperedge, Trace
from explorer.traces._model.trace import checked_trace

_IDS = ("id", "hyperedge_id", "id_", "node_id", "chunk_id", "doc_id", "_id")
_TEXTS = ("hyperedge", "text", "content", "page_content", "hyperedge_name", "description")
_INNER = ("hyperedge", "node", "document", "chunk", "content", "metadata", "data", "properties")
_DEEPEST = 3


def hyperedges_of(retrieved: object) -> list[Hyperedge]:
    """Return retrieved items as hyperedges, in order.

    Parameters
    ----------
    retrieved
        `Hyperedge` objects, or mappings with an id (``id``, ``hyperedge_id``, ``node_id`` ...) and
        a text (``hyperedge``, ``text``, ``content``, ``page_content`` ...), at the top or within
        ``node``, ``document``, ``metadata`` and the like; or pairs of such and a retrieval score;
        or a mapping from id to text or to such a mapping. A hyperedge without text is kept with an
        empty one.

    Raises
    ------
    InputError
        When the value is not a list, or an item is not a hyperedge or has no id; the message names
        the item.
    """
    if isinstance(retrieved, Mapping) and not any(
        isinstance(retrieved.get(key), str | int) for key in _IDS
    ):
        return [_named(key, value, place) for place, (key, value) in enumerate(retrieved.items())]
    if isinstance(retrieved, str | bytes | Mapping) or not isinstance(retrieved, Iterable):
        raise InputError(
            "The retrieved hyperedges must be a list of mappings with `id` and `hyperedge`, but "
            f"they are a {type(retrieved).__name__}."
        )
    return [_hyperedge(item, place) for place, item in enumerate(retrieved)]


def build_trace(name: str, answer: object, retrieved: object, metadata: object) -> Trace:
    """Return a trace made of the arguments of one call, or the trace that was given.

    Raises
    ------
    InputError
        The answer is not a text, the metadata are not a mapping, or a hyperedge is not valid.
    """
    if isinstance(answer, Trace):
        alone = isinstance(retrieved, tuple) and not retrieved and metadata is None
        if not alone:
            raise InputError("Give only a trace, or an answer with hyperedges and metadata.")
        return validated_trace(answer)
    if answer is not None and not isinstance(answer, str):
        raise InputError(f"The answer must be a text, but it is a {type(answer).__name__}.")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InputError(
            "The metadata must be a mapping such as {'hyperedge_attention': {...}}, but it is a "
            f"{type(metadata).__name__}."
        )
    return Trace(name, "", hyperedges_of(retrieved), answer or "", dict(metadata or {}))


def validated_trace(value: object) -> Trace:
    """Return a trace with checked fields, since a trace made in memory may hold anything.

    Raises
    ------
    TraceError
        The value is not a trace.
    InputError
        One of its fields cannot be read.
    """
    trace = checked_trace(value)
    if (
        isinstance(trace.answer, str)
        and isinstance(trace.metadata, dict)
        and isinstance(trace.hyperedges, list)
        and all(
            isinstance(edge, Hyperedge)
            and isinstance(edge.id, str)
            and edge.id
            and isinstance(edge.hyperedge, str)
            for edge in trace.hyperedges
        )
    ):
        return trace
    try:
        made = build_trace(str(trace.id), trace.answer, trace.hyperedges, trace.metadata)
    except InputError as error:
        raise InputError(f"Trace {trace.id}: {error}") from None
    made.folder = trace.folder
    return made


def list_per_answer(value: object, name: str, of: str) -> list[Any]:
    """Return a list with one entry for each answer; raise InputError if it is not a list."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        kind = "one text" if isinstance(value, str) else f"a {type(value).__name__}"
        raise InputError(f"`{name}` must be a list of {of}, but it is {kind}.")
    return list(value)


def _named(key: object, value: object, place: int) -> Hyperedge:
    """Return the hyperedge of one entry of a mapping from id to hyperedge."""
    if isinstance(value, Mapping) and (name := _identifier(_find(value, _IDS))) is not None:
        return Hyperedge(name, _text(value))
    text = value if isinstance(value, str) else _text(value) if isinstance(value, Mapping) else ""
    name = _identifier(key)
    if name is None:
        raise _nameless(place)
    return Hyperedge(name, text)


def _hyperedge(item: object, place: int) -> Hyperedge:
    if isinstance(item, Hyperedge):
        # The fields of a struct made in memory are not checked.
        if _identifier(item.id) is None:
            raise _nameless(place)
        if isinstance(item.id, str) and _is_text(item.hyperedge):
            return item
        text = item.hyperedge if _is_text(item.hyperedge) else ""
        return Hyperedge(str(item.id), text, item.entities, item.label)
    if isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], Mapping):
        item = item[0]  # (hyperedge, retrieval score)
    if not isinstance(item, Mapping):
        raise InputError(
            f"Hyperedge {place + 1} of the retrieved ones must be a mapping with `id` and "
            f"`hyperedge`, but it is a {type(item).__name__}."
        )
    name = _identifier(_find(item, _IDS))
    if name is None:
        raise _nameless(place)
    return Hyperedge(name, _text(item))


def _nameless(place: int) -> InputError:
    return InputError(
        f"Hyperedge {place + 1} of the retrieved ones has no `id`. Give it one (a text or a whole "
        "number), so that its feedback can be returned by id."
    )


def _identifier(value: object) -> str | None:
    """Return an id as text, or None for a value that cannot be an id."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(value) if -(2**200) < value < 2**200 else None
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _text(item: Mapping[Any, Any]) -> str:
    found = _find(item, _TEXTS, str)
    return found if isinstance(found, str) else ""


def _find(
    item: Mapping[Any, Any],
    names: tuple[str, ...],
    kind: Any = (str, int, np.integer),
) -> object:
    """Return the first value of that type under one of the names, here or in inner mappings."""
    level = [item]
    for _ in range(_DEEPEST):
        for one in level:
            for name in names:
                value = one.get(name)
                if isinstance(value, kind) and not isinstance(value, bool):
                    return value
        level = [
            one[name] for one in level for name in _INNER if isinstance(one.get(name), Mapping)
        ]
    return None
