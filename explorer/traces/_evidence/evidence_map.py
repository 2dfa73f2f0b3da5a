"""Evidence: an attention map of a trace, with one unit for every hyperedge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from explorer.attention import AttentionMap
from explorer.errors import EvidenceError, InputError
from explorer.feedback import Diagnostic, Unit
from explorer.traces._evidence.text_matching import Match
from explorer.traces._model.trace import Trace

EvidenceKind = Literal["direct", "token-weights", "matrix", "units", "none"]

_Map = TypeVar("_Map", bound=AttentionMap)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The attention of a trace and the units of its hyperedges, as `explorer.feedback` takes them.

    Parameters
    ----------
    kind
        The kind of evidence; ``"none"`` for a trace without evidence.
    attention
        The attention map; None without evidence.
    units
        One for every hyperedge, in order, named by its id. A hyperedge without a match has no
        spans, and a diagnostic with the reason.
    rows
        Query rows to average over, integers; None for all rows.
    diagnostics
        Diagnostics of the evidence as a whole.
    matches
        For matrix evidence: the pieces of context that each hyperedge was matched to.
    """

    kind: EvidenceKind
    attention: AttentionMap | None
    units: list[Unit]
    rows: npt.NDArray[np.intp] | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    matches: tuple[tuple[Match, ...], ...] = field(default=(), repr=False)


def build_map(trace: Trace, name: str, build: Callable[[], _Map]) -> _Map:
    """Return the attention map that `build` makes; errors name the trace.

    Raises
    ------
    EvidenceError
        The array cannot be an attention map.
    """
    try:
        return build()
    except InputError as error:
        raise EvidenceError(
            f"`{name}` of trace {trace.id} is not valid attention: {error}"
        ) from error


def column_units(trace: Trace, notes: Sequence[tuple[Diagnostic, ...]]) -> list[Unit]:
    """Return units for a map that has one key column for every hyperedge, in order."""
    return [
        Unit(edge.id, edge.hyperedge, ((place, place + 1),), 1, diagnostics)
        for place, (edge, diagnostics) in enumerate(zip(trace.hyperedges, notes, strict=True))
    ]


def position_unit(
    name: str, text: str, positions: Iterable[int], notes: Iterable[Diagnostic] = ()
) -> Unit:
    """Return a unit of any positions, with its diagnostics."""
    unit = Unit.from_positions(name, text, list(positions))
    return replace(unit, diagnostics=(*unit.diagnostics, *notes))


def text_list(value: Any) -> list[str] | None:
    """Return a list of texts, or None for any other value."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return list(value)
    return None


def whole_number(value: object) -> int | None:
    """Return a whole number given as a number or as digits, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < 20:
        try:
            return int(value)
        except ValueError:
            return None
    return None
