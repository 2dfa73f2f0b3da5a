"""The native format: traces from JSON objects, and JSON objects from traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from explorer.errors import TraceError
from explorer.traces._files.json_decoding import decode_json
from explorer.traces._model.trace import Hyperedge, Trace

_TRACE_FIELDS = frozenset({"id", "query", "answer", "hyperedges", "metadata"})
_HYPEREDGE_FIELDS = frozenset({"id", "hyperedge", "entities", "label"})


def read_line(raw: bytes, line: int | None = None) -> Trace:
    """Return the trace of one line of JSON.

    Parameters
    ----------
    raw
        The line, UTF-8, without its end.
    line
        Its number, stored in the trace.

    Raises
    ------
    TraceError
        The line is not JSON, or not a trace. The message begins in lower case, to follow
        "line 7: ".
    """
    return read_object(decode_json(raw), line)


class _CheckedHyperedge(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: str | int
    hyperedge: str
    entities: list[str] | None = None
    label: bool | int | None = None


class _CheckedTrace(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: str | int
    query: str
    hyperedges: list[_CheckedHyperedge]
    answer: str | None = None
    metadata: dict[str, Any] | None = None


_checked = msgspec.json.Decoder(_CheckedTrace)


def check_line(raw: bytes) -> tuple[str, list[str]]:
    """Return the id of the trace that a line holds, and those of its hyperedges.

    It accepts the same lines as `read_line`, about five times as fast for ordinary ones.

    Raises
    ------
    TraceError
        As `read_line`.
    """
    try:
        found = _checked.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        found = None
    if found is not None and found.id != "":
        names = [str(edge.id) for edge in found.hyperedges]
        if "" not in names and all(edge.label in (None, 0, 1) for edge in found.hyperedges):
            return str(found.id), names
    trace = read_line(raw)
    return trace.id, [edge.id for edge in trace.hyperedges]


def read_object(value: object, line: int | None = None) -> Trace:
    """Return the trace of a decoded JSON object; raise TraceError with the reason if it is not one.

    Raises
    ------
    TraceError
        A field is missing or has the wrong type.
    """
    if not isinstance(value, dict):
        raise TraceError(f"a trace is a JSON object, and this is {kind_of(value)}.")
    hyperedges = value.get("hyperedges")
    if not isinstance(hyperedges, list):
        if "hyperedges" not in value:
            raise TraceError("a trace needs `hyperedges`, a list of facts; this one has none.")
        raise TraceError(f"`hyperedges` must be a list, and here it is {kind_of(hyperedges)}.")
    metadata = value.get("metadata")
    if isinstance(metadata, str):
        value = _unpacked(value, metadata)
        hyperedges, metadata = value["hyperedges"], value["metadata"]
    if metadata is not None and not isinstance(metadata, dict):
        raise TraceError(f"`metadata` must be an object, and here it is {kind_of(metadata)}.")
    answer = value.get("answer")
    return Trace(
        id=_identifier(value, "a trace"),
        query=_text(value, "query", "a trace"),
        answer="" if answer is None else _text(value, "answer", "a trace"),
        hyperedges=[_hyperedge(item, number) for number, item in enumerate(hyperedges, start=1)],
        metadata={} if metadata is None else metadata,
        extra={name: value[name] for name in value.keys() - _TRACE_FIELDS},
        line=line,
    )


def write_row(trace: Trace, encode: Callable[[object], bytes]) -> dict[str, Any]:
    """Return a trace as a row of a table with fixed columns, which `read_object` reads too.

    Metadata and unknown fields, which have no column type, are JSON text.
    """
    return {
        "id": trace.id,
        "query": trace.query,
        "answer": trace.answer,
        "hyperedges": [
            {
                "id": edge.id,
                "hyperedge": edge.hyperedge,
                "entities": edge.entities,
                "label": edge.label,
                "extra": encode(edge.extra).decode() if edge.extra else None,
            }
            for edge in trace.hyperedges
        ],
        "metadata": encode(trace.metadata).decode(),
        "extra": encode(trace.extra).decode() if trace.extra else None,
    }


def _unpacked(value: dict[str, Any], metadata: str) -> dict[str, Any]:
    """Return the object of a row of `write_row`; other text is left unchanged."""
    found = _object_in(metadata)
    if found is None:
        return value
    return {
        **{name: item for name, item in value.items() if name != "extra"},
        "metadata": found,
        "hyperedges": [
            _unpacked_hyperedge(edge) if isinstance(edge, dict) else edge
            for edge in value["hyperedges"]
        ],
        **(_object_in(value.get("extra")) or {}),
    }


def _unpacked_hyperedge(edge: dict[str, Any]) -> dict[str, Any]:
    """Return one hyperedge of a row of `write_row`."""
    extra = _object_in(edge.get("extra"))
    if extra is None and edge.get("extra") is not None:
        return edge
    return {**{name: item for name, item in edge.items() if name != "extra"}, **(extra or {})}


def _object_in(text: object) -> dict[str, Any] | None:
    """Return the JSON object in a text, or None."""
    if not isinstance(text, str):
        return None
    try:
        found = decode_json(text.encode())
    except (TraceError, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict) else None


def write_object(trace: Trace) -> dict[str, Any]:
    """Return the JSON object of a trace; the inverse of `read_object`."""
    return {
        "id": trace.id,
        "query": trace.query,
        "answer": trace.answer,
        "hyperedges": [
            {
                "id": edge.id,
                "hyperedge": edge.hyperedge,
                **({"entities": edge.entities} if edge.entities else {}),
                **({} if edge.label is None else {"label": edge.label}),
                **edge.extra,
            }
            for edge in trace.hyperedges
        ],
        **({"metadata": trace.metadata} if trace.metadata else {}),
        **trace.extra,
    }


def kind_of(value: object) -> str:
    """Return the JSON type of a value in plain words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for kinds, name in (
        (str, "text"),
        ((int, float), "a number"),
        (list, "a list"),
        (dict, "an object"),
    ):
        if isinstance(value, kinds):
            return name
    return f"a {type(value).__name__}"


def _hyperedge(value: object, number: int) -> Hyperedge:
    """Return one hyperedge; `number` is its position in the list, from 1."""
    where = f"hyperedge {number}"
    if not isinstance(value, dict):
        raise TraceError(
            f"{where} is {kind_of(value)}; it must be an object with `id`, `hyperedge`."
        )
    label = value.get("label")
    # Spreadsheets and pandas write true and false as 1 and 0.
    if label is not None and not (isinstance(label, int) and label in (0, 1)):
        raise TraceError(f"`label` of {where} must be true, false or null.")
    entities = value.get("entities")
    if entities is not None and not (
        isinstance(entities, list) and all(isinstance(name, str) for name in entities)
    ):
        raise TraceError(f"`entities` of {where} must be a list of texts.")
    return Hyperedge(
        id=_identifier(value, where),
        hyperedge=_text(value, "hyperedge", where),
        entities=entities or [],
        label=None if label is None else bool(label),
        extra={name: value[name] for name in value.keys() - _HYPEREDGE_FIELDS},
    )


def _identifier(value: dict[str, Any], where: str) -> str:
    """Return `id` as text; whole numbers are accepted, since many systems use them."""
    found = value.get("id")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if found == "":
        raise TraceError(f"`id` of {where} is empty.")
    return _text(value, "id", where)


def _text(value: dict[str, Any], name: str, where: str) -> str:
    """Return a field that must be text."""
    found = value.get(name)
    if isinstance(found, str):
        return found
    if name not in value:
        raise TraceError(f"{where} needs `{name}`, and it is missing.")
    raise TraceError(f"`{name}` of {where} must be text, and here it is {kind_of(found)}.")
